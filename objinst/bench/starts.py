"""How long a program takes to start and to end: one that ends by itself, or a server, from its start until it listens and from SIGTERM until it is gone."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from objinst import ending
from objinst.bench import watch
from objinst.bench.measure import Step, rounds, unmeasured
from objinst.bench.model import Quantity, Results
from objinst.bench.sink import is_free
from objinst.bench.variants import Variant
from objinst.errors import OtelobjError, UsageError

PATIENCE = 30.0
"""Seconds in which a server must listen, and be gone."""
POLL = 0.0005
"""Seconds between two attempts to connect."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """HOST:PORT, or :PORT for this machine. Raises UsageError."""
        host, colon, port = text.rpartition(":")
        if not colon or not port.isdecimal() or not 0 < int(port) < 1 << 16:
            raise UsageError(f"--listen {text}: not HOST:PORT", "give the address at which your program listens, such as 127.0.0.1:8080")
        return cls(host.strip("[]") or "127.0.0.1", int(port))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(slots=True)
class Server:
    """A running program. listening: seconds from its start until it listened. ended: seconds from SIGTERM until it was gone, once it is."""

    process: subprocess.Popen[bytes]
    listening: float
    ended: float = 0.0


@dataclass(frozen=True, slots=True)
class Program:
    """How the user's program is run. args: of the command line; env: in addition to this process's own."""

    args: Sequence[str]
    env: Mapping[str, str]

    def command(self, variant: Variant) -> list[str]:
        return [str(variant.out), *self.args]

    def environment(self, variant: Variant) -> dict[str, str]:
        return variant.environment(self.env)


@contextlib.contextmanager
def serving(variant: Variant, program: Program, at: Address) -> Iterator[Server]:
    """A server until the block ends; then it is asked to end. Raises OtelobjError if it does not listen, or does not end."""
    if not is_free(at.host, at.port):
        raise OtelobjError(f"somebody listens at {at} already", "stop that program, or choose another address with --run and --listen")
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        with ending.started(
            program.command(variant), cwd=variant.program.folder, env=program.environment(variant), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        ) as process:
            try:
                while not _listens(at):
                    _still_starting(variant, process, at, began, said)
                server = Server(process, time.perf_counter() - began)
                yield server
                server.ended = _end(process, variant)
            finally:
                if process.poll() is None:
                    process.kill()


def _listens(at: Address) -> bool:
    return not is_free(at.host, at.port)


def _still_starting(variant: Variant, process: subprocess.Popen[bytes], at: Address, began: float, said: IO[bytes]) -> None:
    """Waits a moment. Raises OtelobjError for a server that has ended, or takes too long."""
    if process.poll() is not None:
        what = f"ended with status {process.returncode} before it listened at {at}"
    elif time.perf_counter() - began > PATIENCE:
        what = f"does not listen at {at} after {PATIENCE:.0f} s"
    else:
        time.sleep(POLL)
        return
    raise OtelobjError(f"{variant.name}: the program {what}\n{last_lines(said)}".rstrip(), "give its arguments with --run, and its address with --listen")


def _end(process: subprocess.Popen[bytes], variant: Variant) -> float:
    """Seconds from SIGTERM until the process is gone."""
    if process.poll() is not None:
        raise OtelobjError(f"{variant.name}: the program ended by itself with status {process.returncode}", "it must run until it gets SIGTERM")
    began = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        raise OtelobjError(f"{variant.name}: the program does not end within {PATIENCE:.0f} s of SIGTERM", "it must end by itself when it gets SIGTERM") from None
    return time.perf_counter() - began


def last_lines(said: IO[bytes]) -> str:
    """The end of what a program has written."""
    said.seek(0)
    return "\n".join(said.read().decode("utf-8", "replace").splitlines()[-10:])


def ends(results: Results, variants: Sequence[Variant], program: Program, runs: int) -> Iterator[Step]:
    """A program that ends by itself: seconds, processor time and memory of whole runs."""

    def once(variant: Variant) -> None:
        try:
            done = watch.run(program.command(variant), variant.program.folder, program.environment(variant), by=signal.SIGTERM, every=watch.OFTEN)
        except OSError as error:
            raise OtelobjError(f"{variant.name}: the program cannot be run: {error.strerror}", "is it built for this machine? see `go env GOOS GOARCH`") from error
        if done.status:
            raise OtelobjError(f"{variant.name}: the program ended with status {done.status}:\n{done.err.strip()}", "give it arguments with which it succeeds")
        _note(results, variant, [("start to end", "s", done.seconds), ("CPU time", "s", done.cpu), ("peak memory", "B", done.largest)])

    yield from rounds(variants, 1, "start (warm-up)", lambda variant: unmeasured(results, once, variant), part="start")
    yield from rounds(variants, runs, "start", once)


def listens(results: Results, variants: Sequence[Variant], program: Program, at: Address, runs: int) -> Iterator[Step]:
    """A server: seconds until it listens, and from SIGTERM to its end."""

    def once(variant: Variant) -> None:
        with serving(variant, program, at) as server:
            memory = watch.process_peak(server.process.pid)
        _note(results, variant, [("start until it listens", "s", server.listening), ("SIGTERM to end", "s", server.ended), ("memory when idle", "B", memory)])

    yield from rounds(variants, 1, "start (warm-up)", lambda variant: unmeasured(results, once, variant), part="start")
    yield from rounds(variants, runs, "start", once)


def _note(results: Results, variant: Variant, found: Sequence[tuple[str, str, float]]) -> None:
    """Adds samples; a memory of 0 is not known."""
    for name, unit, value in found:
        if value or unit != "B":
            results.add(variant.name, Quantity("start", "run", name, unit), value)

