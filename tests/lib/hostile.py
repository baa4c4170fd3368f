"""Tests that an instrumented server holds a bounded amount of memory: programs with and without otelobj, collectors that hang, refuse, are slow or answer
too much, and what a server took at most.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from toolchains import go

MORE = 64 << 10
"""Kilobytes that an instrumented server may take beside what the plain one takes."""


class Programs(dict[str, Path]):
    """Plain and hooked programs, built when they are asked for, by name, kind and architecture, such as shop-hooked-arm64.

    sources: the folder that has a folder for each name. folder: for what is built. version: of Go.
    """

    def __init__(self, sources: Path, folder: Path, version: str) -> None:
        super().__init__()
        self.sources, self.folder, self.version = sources, folder, version

    def __missing__(self, key: str) -> Path:
        name, kind, arch = key.split("-")
        source = shutil.copytree(self.sources / name, self.folder / f"{name}-src", dirs_exist_ok=True)
        flags = ("-toolexec=otelobj",) if kind == "hooked" else ()
        go(self.version, source, "build", *flags, "-o", self.folder / key, ".", goarch=arch)
        self[key] = self.folder / key
        return self[key]


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
def collector(behaviour: Callable[[socket.socket], None] | None) -> Iterator[str]:
    """The address of one that behaves like that to everybody. None: nobody listens there."""
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


COLLECTORS = {"refuses": None, "hangs": hang, "slow": slow, "floods": flood}
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
EMULATORS_OWN = re.compile(r"^[0-9a-f]+-[0-9a-f]+ (?:rwxp .*|.* \[heap\])\n(?:(?![0-9a-f]+-).*\n)*?Rss:\s+(\d+) kB$", re.MULTILINE)
"""In /proc/PID/smaps of qemu-user: machine code that it has made of the program's, and what it knows of that. The Go runtime uses neither kind of memory."""


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


def peak_of(pid: int) -> int:
    """Kilobytes that a program has taken at most. What an emulator takes for itself, which grows with the code that runs, is not the program's."""
    process = Path(f"/proc/{pid}")
    found = PEAK.search((process / "status").read_text())
    assert found, "no VmHWM"
    emulated = (process / "exe").readlink().name.startswith("qemu-")
    return int(found[1]) - (sum(map(int, EMULATORS_OWN.findall((process / "smaps").read_text()))) if emulated else 0)
