"""Random sequences of package os/signal's calls and of signals: the program with telemetry hears the same, and ends the same, as the plain one.

Each signal is sent after the program has said that its last call has returned. What then has to come follows from the documentation of
os/signal; the plain program is held against that as well.
"""

from __future__ import annotations

import collections
import itertools
import os
import queue
import random
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
from needs import QEMU, emulator, missing
from places import TESTBINS
import toolchains

from objinst.collector import Collector

SOURCE = TESTBINS / "signals"
SIGNALS = {"HUP": signal.SIGHUP, "INT": signal.SIGINT, "TERM": signal.SIGTERM}
OTHER = "USR1"
"""Ends no Go program, wanted or not."""
WAIT = 120
"""Seconds after which what has not come will not come."""


@dataclass(slots=True)
class Model:
    """What package os/signal says of signals."""

    channels: dict[str, set[str]] = field(default_factory=dict)
    contexts: dict[str, set[str]] = field(default_factory=dict)
    eager: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    """Ignored once: the runtime takes that for what was there before the program, and keeps it (sigInstallGoHandler)."""
    taken: set[str] = field(default_factory=set)
    """C code has set a handler of its own in place of the runtime's."""
    untouched: set[str] = field(default_factory=set)
    """The runtime has no handler: the next Notify sets one again (sigenable, Go 1.27)."""

    def apply(self, words: list[str]) -> None:
        verb, *rest = words
        sigs = set(rest[1 if verb in ("notify", "context", "eager") else 0 :]) or {*SIGNALS, OTHER}
        if verb == "notify":
            self.channels.setdefault(rest[0], set()).update(sigs)
        elif verb in ("context", "eager"):
            self.contexts[rest[0]] = sigs
            self.eager |= {rest[0]} if verb == "eager" else set()
        elif verb == "stop":
            self.channels.pop(rest[0], None)
        elif verb == "end":
            self.contexts.pop(rest[0], None)
        elif verb == "take":
            self.taken |= sigs
        if verb in ("notify", "context", "eager"):
            self.ignored -= sigs
            self.taken -= sigs & self.untouched
            self.untouched -= sigs
        if verb in ("ignore", "reset"):
            for wanted in (*self.channels.values(), *self.contexts.values()):
                wanted -= sigs
        if verb == "ignore":
            self.ignored |= sigs
            self.untouched |= sigs
            self.taken -= sigs
            self.kept |= sigs & {"HUP", "INT"}

    def hears(self, sig: str) -> list[str]:
        """What the program says to a signal. Eager contexts and channels named o… give it back before that."""
        if sig in self.taken:
            return [f"c {sig}"]
        heard = [f"got {name} {sig}" for name, sigs in self.channels.items() if sig in sigs]
        woken = [name for name, sigs in self.contexts.items() if sig in sigs and name not in self.done]
        self.done.update(woken)
        self.contexts = {name: sigs for name, sigs in self.contexts.items() if name not in self.eager or name not in woken}
        self.channels = {name: sigs for name, sigs in self.channels.items() if name[0] != "o" or sig not in sigs}
        return [*heard, *(f"done {name}" for name in woken)]

    def wants(self, sig: str) -> bool:
        return any(sig in sigs for sigs in (*self.channels.values(), *self.contexts.values()))

    def disturbed(self, sig: str, other: str) -> bool:
        """Whether what the program says to one of these depends on the order in which they arrive: who hears either gives both back."""
        eager = [sigs for name, sigs in self.contexts.items() if name in self.eager]
        once = [sigs for name, sigs in self.channels.items() if name[0] == "o"]
        return any({sig, other} <= sigs for sigs in (*eager, *once))

    def ignores(self, sig: str) -> bool:
        return sig not in self.taken and (sig in self.ignored or (sig in self.kept and not self.wants(sig)))

    def dies(self, sig: str) -> bool:
        return sig in SIGNALS and sig not in self.taken and not self.wants(sig) and not self.ignores(sig)


def sequence(seed: int, *, cgo: bool = False) -> Iterator[str]:
    """Lines for the program, and `signal NAME…` for signals from outside. cgo: with C handlers."""
    kinds = ("notify", "notify", "stop", "context", "eager", "end", "ignore", "reset", "signal", "signal", "kill", "twice")
    rng = random.Random(seed)
    number = itertools.count()

    def some(least: int = 1) -> str:
        return " ".join(rng.sample(["HUP", "INT", "TERM", "TERM", OTHER], rng.randint(least, 3)))

    for _ in range(rng.randint(1, 14)):
        kind = rng.choice((*kinds, "take", "take") if cgo else kinds)
        if kind == "notify":
            yield f"notify {rng.choice('cco')}{rng.randrange(3)} {some(0)}"
        elif kind == "stop":
            yield f"stop {rng.choice('co')}{rng.randrange(3)}"
        elif kind in ("context", "eager"):
            yield f"{kind} x{next(number)} {some()}"
        elif kind == "end":
            yield f"end x{rng.randrange(3)}"
        elif kind in ("ignore", "reset"):
            yield f"{kind} {some()}" if kind == "ignore" or rng.randrange(5) else "reset"
        elif kind == "take":
            yield f"take {rng.choice(['TERM', OTHER])}"
        elif kind == "twice":
            yield f"signal {rng.choice(list(SIGNALS))} {rng.choice(list(SIGNALS))}"
        else:
            yield f"{kind} {rng.choice([*SIGNALS, OTHER])}"
    yield f"exit {rng.randrange(1, 100)}"


class Program:
    """A program that does what its input says."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([*command, "commands"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=env)
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.await_lines(["ready"])

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.strip())
        self.lines.put("EOF")

    def await_lines(self, wanted: list[str]) -> None:
        """These come, in any order, and nothing else before the last of them."""
        missing = collections.Counter(wanted)
        while +missing:
            line = self.lines.get(timeout=WAIT)
            assert missing[line], f"{line!r} instead of {+missing}, status {self.process.poll()}"
            missing[line] -= 1

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        return self.process.wait(timeout=WAIT)

    def close(self) -> str:
        """What it has written to standard error."""
        self.process.kill()
        self.process.communicate()
        with self.errors as file:
            file.seek(0)
            return file.read()


def play(program: Program, lines: list[str]) -> None:
    """Raises AssertionError where the program does not do what the documentation says."""
    model = Model()
    for line in lines:
        verb, *rest = line.split()
        if verb == "exit":
            program.tell(line)
            assert program.end() == int(rest[0])
            return
        if verb in ("signal", "kill"):
            dying = [sig for sig in rest if model.dies(sig)]
            if len(rest) == 2 and (len({*dying}) == 2 or (not dying and (len({*rest}) == 1 or model.disturbed(*rest)))):
                rest = rest[:1]  # the kernel does not keep their order, nor how many there are of one
                dying = [sig for sig in rest if model.dies(sig)]
            heard = [] if dying else [said for sig in rest for said in model.hears(sig)]
            if not dying and not heard and not all(map(model.ignores, rest)):
                continue  # nobody would see when it has arrived
            for sig in rest:
                if verb == "kill":
                    program.tell(line)
                else:
                    program.process.send_signal(getattr(signal, f"SIG{sig}"))
            if dying:
                assert program.end() == -SIGNALS[dying[0]], line
                return
            program.await_lines([*heard, *(["ok"] if verb == "kill" else [])])
        else:
            model.apply([verb, *rest])
            program.tell(line)
            program.await_lines(["ok"])
    raise AssertionError("no end")


BUILDS = [pytest.param("1.24-amd64", marks=pytest.mark.long), "1.27-amd64", "1.26-arm64"]
CGO = "1.27-amd64-cgo"


@pytest.fixture(scope="module", params=BUILDS)
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    version, goarch, *cgo = request.param.split("-")
    prefix = emulator(goarch)
    if cgo and not shutil.which("gcc"):
        missing("package gcc")
    folder = tmp_path_factory.mktemp("signals")
    for name, flags in (("plain", []), ("hooked", ["-toolexec=otelobj"])):
        toolchains.go(version, SOURCE, "build", *flags, "-o", folder / name, ".", goarch=goarch, CGO_ENABLED=str(len(cgo)))
    with Collector() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
        settings["OTEL_LOG_LEVEL"] = "none"  # on a busy machine an export may fail, which a line reports
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL", "GO"))}
        yield Programs([*prefix, str(folder / "plain")], [*prefix, str(folder / "hooked")], clean | settings, bool(cgo))
        assert {metric.name for metric in collector.metrics()}, "the program had no telemetry"


class Programs(NamedTuple):
    """The plain program, the one with telemetry, and their environment."""

    plain: list[str]
    hooked: list[str]
    env: dict[str, str]
    cgo: bool

    @property
    def both(self) -> tuple[list[str], list[str]]:
        return self.plain, self.hooked


def compare(programs: Programs, seeds: range) -> None:
    for seed in seeds:
        lines = list(sequence(seed, cgo=programs.cgo))
        errors = []
        for command in programs.both:
            program = Program(command, programs.env)
            try:
                play(program, lines)
            except (AssertionError, queue.Empty, subprocess.TimeoutExpired) as error:
                raise AssertionError(f"seed {seed}, {Path(command[-1]).name}:\n" + "\n".join(lines)) from error
            finally:
                errors.append(program.close())
        assert errors[0] == errors[1], f"seed {seed}:\n" + "\n".join(lines)


def few(programs: Programs, count: int) -> int:
    """Fewer runs where an emulator makes them slow."""
    return count // 4 if Path(programs.plain[0]).name == QEMU else count


@pytest.mark.parametrize("programs", [*BUILDS, CGO], indirect=True)
def test_random_sequences(programs: Programs) -> None:
    compare(programs, range(few(programs, 60)))


@pytest.mark.long
@pytest.mark.parametrize("programs", [*BUILDS, CGO], indirect=True)
def test_thousands_of_sequences(programs: Programs) -> None:
    compare(programs, range(1000, 1000 + few(programs, 4000)))


def status(command: list[str], env: dict[str, str], sig: signal.Signals | None, *, ready: bool = True) -> int:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
    assert process.stdout is not None
    if ready:
        assert process.stdout.readline() == "ready\n"
    if sig is not None:
        process.send_signal(sig)
    process.communicate(timeout=WAIT)
    return process.returncode


@pytest.mark.parametrize("how", ["stop", "defer"])
def test_a_graceful_shutdown_is_not_cut_short(programs: Programs, how: str) -> None:
    """As the documentation of os/signal recommends it."""
    found = {
        status([*programs.hooked, how], programs.env, sig) for sig in itertools.islice(itertools.cycle([signal.SIGTERM, signal.SIGINT]), few(programs, 40))
    }
    assert found == {42}


@pytest.mark.parametrize("sig", SIGNALS)
def test_before_main(programs: Programs, sig: str) -> None:
    """Sent by a package that is initialised, and from outside at any time."""
    for command in programs.both:
        assert status([*command, "sleep"], programs.env | {"SIGNAL_IN_INIT": sig}, None, ready=False) == -SIGNALS[sig]
        for _ in range(few(programs, 8)):
            assert status([*command, "sleep"], programs.env, SIGNALS[sig], ready=False) == -SIGNALS[sig]
