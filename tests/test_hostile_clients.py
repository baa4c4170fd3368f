"""Clients that mean a server no good, and collectors that hang, refuse, are slow or answer too much: what an instrumented server holds is bounded.

The judge is the same server without otelobj, attacked in the same way.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from toolchains import go_env

ROOT = Path(__file__).parent.parent
GO = "1.26"
MORE = 64 << 10
"""Kilobytes that an instrumented server may take beside what the plain one takes."""
ARCHES = ("amd64", "arm64")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """plain and hooked, by architecture; the attacker is the plain one for this machine."""
    folder = tmp_path_factory.mktemp("hostile")
    source = shutil.copytree(ROOT / "testbins" / "hostile", folder / "src")
    programs = {}
    for arch in ARCHES:
        env = go_env(GO, arch, PATH=f"{ROOT / 'bin'}:{go_env(GO)['PATH']}")
        for name, flags in (("plain", ()), ("hooked", ("-toolexec=otelobj",))):
            programs[f"{name}-{arch}"] = folder / f"{name}-{arch}"
            subprocess.run(["go", "build", *flags, "-o", str(programs[f"{name}-{arch}"]), "."], cwd=source, env=env, check=True, timeout=900)
    return programs


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


def peak(program: Path, attacker: Path, requests: int, **env: str) -> tuple[int, str]:
    """Kilobytes that a server took at most, and what it wrote to standard error."""
    prefix = ["qemu-aarch64-static"] if program.name.endswith("arm64") else []
    own = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL", "GO"))}
    with subprocess.Popen([*prefix, program, "serve"], env=own | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            _, plain, secure = server.stdout.readline().split()
            subprocess.run([attacker, "attack", "-n", str(requests), plain, secure], check=True, timeout=3600)
            size = int(urllib.request.urlopen(f"{plain}/peak", timeout=60).read())
        finally:
            server.kill()
        return size, server.stderr.read()


COLLECTORS = {"refuses": None, "hangs": hang, "slow": slow, "floods": flood}
CASES = [
    *((arch, name, 100_000 if arch == "amd64" else 10_000, True) for arch in ARCHES for name in COLLECTORS),
    *(("amd64", name, 6000, False) for name in ("hangs", "floods")),
]


@pytest.mark.parametrize(
    ("arch", "name", "requests"),
    [pytest.param(arch, name, requests, marks=[pytest.mark.long] if long else [], id=f"{arch}-{name}-{requests}") for arch, name, requests, long in CASES],
)
def test_memory_is_bounded(built, arch, name, requests):
    if arch == "arm64" and not shutil.which("qemu-aarch64-static"):
        pytest.skip("no qemu-user-static")
    attacker = built["plain-amd64"]
    plain, _ = peak(built[f"plain-{arch}"], attacker, requests)
    with collector(COLLECTORS[name]) as address:
        hooked, said = peak(built[f"hooked-{arch}"], attacker, requests, OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_BSP_SCHEDULE_DELAY="200", OTEL_METRIC_EXPORT_INTERVAL="500")
    print(f"{arch}, {requests} requests, a collector that {name}: {plain} kB plain, {hooked} kB with otelobj")
    assert hooked <= plain + MORE
    assert "\x1b" not in said and "panic" not in said
    if name == "refuses":
        assert said.count("refused") <= 1, said
