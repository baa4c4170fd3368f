"""Clients that mean a server no good, and collectors that hang, refuse, are slow or answer too much: what an instrumented server holds is bounded.

The judge is the same server without otelobj, attacked in the same way.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from needs import emulator
from places import TESTBINS
from toolchains import go

GO = "1.26"
MORE = 64 << 10
"""Kilobytes that an instrumented server may take beside what the plain one takes."""
ARCHES = ("amd64", "arm64")


class Programs(dict[str, Path]):
    """Plain and hooked programs, built when they are asked for, by name, kind and architecture."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, key: str) -> Path:
        name, kind, arch = key.split("-")
        source = shutil.copytree(TESTBINS / name, self.folder / f"{name}-src", dirs_exist_ok=True)
        flags = ("-toolexec=otelobj",) if kind == "hooked" else ()
        go(GO, source, "build", *flags, "-o", self.folder / key, ".", goarch=arch)
        self[key] = self.folder / key
        return self[key]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Programs:
    return Programs(tmp_path_factory.mktemp("hostile"))


def hang(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def slow(connection: socket.socket) -> None:
    """A byte of the answer now and then."""
    connection.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n":
        connection.sendall(bytes([byte]))
        threading.Event().wait(0.2)
    hang(connection)


def flood(connection: socket.socket) -> None:
    """An answer of 600 MB, which holds whatever a terminal obeys."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-protobuf\r\nContent-Length: 629145600\r\n\r\n")
    for _ in range(600):
        connection.sendall(b"\x1b[2J\r\n" * (1 << 17))


@contextlib.contextmanager
def collector(behaviour) -> Iterator[str]:
    """The address of one that behaves like that to everybody."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if behaviour is None:
            listener.close()
            yield address
            return

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                behaviour(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield address
        listener.shutdown(socket.SHUT_RDWR)


PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def started(stack: contextlib.ExitStack, command: list[str | Path], folder: Path, **env: str) -> tuple[subprocess.Popen[str], list[str]]:
    """A server and the words of its first line; stopped by the stack. What it writes to standard error goes into a file of the folder."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL", "GO"))}
    errors = stack.enter_context((folder / "stderr").open("a"))
    server = stack.enter_context(subprocess.Popen(command, env=own | env, stdout=subprocess.PIPE, stderr=errors, text=True))
    stack.callback(server.kill)
    return server, server.stdout.readline().split()


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def peak(built: dict[str, Path], name: str, kind: str, arch: str, requests: int, folder: Path, **env: str) -> tuple[int, str]:
    """Kilobytes that a server took at most, and what it wrote to standard error. name: hostile, which has HTTP/2 as well, or the demo's shop."""
    program = built[f"{name}-{kind}-{arch}"]
    prefix = emulator(arch)
    (folder / "stderr").write_text("")
    with contextlib.ExitStack() as stack:
        if name == "hostile":
            server, (_, *addresses) = started(stack, [*prefix, program, "serve"], folder, **env)
            where = [*addresses]
        else:
            shop, stock = free_address(), free_address()
            started(stack, [*prefix, program, "stock", "-listen", stock, "-peer", f"http://{shop}"], folder)
            server, _ = started(stack, [*prefix, program, "shop", "-listen", shop, "-peer", f"http://{stock}"], folder, **env)
            where = ["-path", "/buy/", f"http://{shop}"]
        subprocess.run([built["hostile-plain-amd64"], "attack", "-n", str(requests), *where], check=True)
        found = PEAK.search(Path(f"/proc/{server.pid}/status").read_text())
        assert found, "no VmHWM"
    return int(found[1]), (folder / "stderr").read_text()


@pytest.fixture(scope="module")
def plain_peak(built, tmp_path_factory) -> Callable[..., int]:
    """What the plain server takes at most. It knows of no collector, so it is attacked once for all of them."""

    @functools.cache
    def found(name: str, arch: str, requests: int) -> int:
        return peak(built, name, "plain", arch, requests, tmp_path_factory.mktemp("plain"))[0]

    return found


COLLECTORS = {"refuses": None, "hangs": hang, "slow": slow, "floods": flood}
MANY, FEW = 100_000, 6000
CASES = [
    *((name, arch, collector, MANY) for name in ("hostile", "demo") for arch in ARCHES for collector in COLLECTORS),
    ("hostile", "amd64", "hangs", FEW),
    ("demo", "amd64", "floods", FEW),
]


@pytest.mark.parametrize(
    ("name", "arch", "behaviour", "requests"),
    [pytest.param(*case, marks=[pytest.mark.long] if case[-1] == MANY else [], id="-".join(map(str, case))) for case in CASES],
)
def test_memory_is_bounded(built, plain_peak, name, arch, behaviour, requests, tmp_path):
    plain = plain_peak(name, arch, requests)
    with collector(COLLECTORS[behaviour]) as address:
        often = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
        hooked, said = peak(built, name, "hooked", arch, requests, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=address, **often)
    print(f"{name}, {arch}, {requests} requests, a collector that {behaviour}: {plain} kB plain, {hooked} kB with otelobj")
    assert hooked <= plain + MORE
    assert "\x1b" not in said and "panic" not in said
    if behaviour == "refuses":
        assert said.count("refused") <= 1, said
