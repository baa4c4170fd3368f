"""The demo's services: starts them, sends requests, and stops them cleanly, so that they send everything."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst.errors import OtelobjError

REQUESTS = (("kettle", 200), ("anvil", 200), ("teapot", 404), ("unicorn", 502), ("mimic", 502))
"""Items to buy, and the shop's answer: there, far away, unknown, sold out, and one at whose price the shop panics."""
STOP_SECONDS = 15
REPORT_ISSUE = "run `otelobj doctor`; if it finds nothing, this is a defect of otelobj"


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. url: of the shop; the stock speaks gRPC at that address. log: file of its standard error."""

    name: str
    url: str
    process: subprocess.Popen[str]
    log: Path

    def error(self, what: str) -> OtelobjError:
        last = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return OtelobjError(f"the demo's {self.name} {what}" + (f":\n{last}" if last else ""), REPORT_ISSUE)


@contextlib.contextmanager
def services(program: Path, environ: Mapping[str, str], backing: Sequence[str] = ()) -> Iterator[dict[str, Service]]:
    """Both services, until the block ends. backing: flags that name servers of the stock's. Raises OtelobjError if one does not start, or does not stop with status 0."""
    shop, stock = _free_addresses()
    running: dict[str, Service] = {}
    try:
        for name, own, peer in (("shop", shop, stock), ("stock", stock, shop)):
            running[name] = service = _start(program, name, own, peer, environ, backing if name == "stock" else ())
            if service.process.stdout is None or not service.process.stdout.readline():
                raise service.error("does not start")
        yield running
        for service in running.values():
            _stop(service)
    finally:
        for service in running.values():
            if service.process.poll() is None:
                service.process.kill()
            service.process.wait()
            if service.process.stdout:
                service.process.stdout.close()


def buy(shop: Service) -> None:
    """One request for each item. Raises OtelobjError if an answer differs from that of the plain program."""
    for item, wanted in REQUESTS:
        try:
            with urllib.request.urlopen(f"{shop.url}/buy/{item}", timeout=20) as answer:  # noqa: S310 - our own address
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
            error.close()
        except OSError as error:
            raise shop.error(f"does not answer: {error}") from error
        if status != wanted:
            raise shop.error(f"answers {status} instead of {wanted} for {item}")


def _free_addresses() -> tuple[str, str]:
    """Two unused addresses."""
    with socket.socket() as first, socket.socket() as second:
        for sock in (first, second):
            sock.bind(("127.0.0.1", 0))
        return tuple(f"127.0.0.1:{sock.getsockname()[1]}" for sock in (first, second))  # type: ignore[return-value]


def _start(program: Path, name: str, own: str, peer: str, environ: Mapping[str, str], flags: Sequence[str]) -> Service:
    log = program.with_name(f"{name}.log")
    env = {**os.environ, **environ, "OTEL_SERVICE_NAME": name}
    with log.open("w") as stderr:
        process = subprocess.Popen([program, name, "-listen", own, "-peer", peer, *flags], env=env, stdout=subprocess.PIPE, stderr=stderr, text=True)
    return Service(name, f"http://{own}", process, log)


def _stop(service: Service) -> None:
    service.process.terminate()
    try:
        status = service.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        raise service.error(f"does not stop within {STOP_SECONDS} s") from None
    if status:
        raise service.error(f"ends with status {status}")
