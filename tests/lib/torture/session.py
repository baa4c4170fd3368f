"""What is to be run, by several workers, with every result kept as soon as it is there: a run that was interrupted goes on where it was."""

from __future__ import annotations

import datetime
import json
import random
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import toolchains

from torture import modules
from torture.godir import Program
from torture.known import Known, explain
from torture.model import Config, Mode, Result
from torture.process import STOPPING
from torture.programs import SUITE, Runner
from torture.suites import Suite
from torture.toolchain import Toolchain

SLICE = Path(__file__).parent / "slice.txt"
"""Programs that `make test` runs: of every kind and folder, without those that start a go command themselves."""
STD_HOT = (
    "archive/tar", "archive/zip", "bufio", "bytes", "cmp", "compress/bzip2", "compress/flate", "container/heap", "context", "crypto/ecdsa", "crypto/sha256",
    "database/sql", "debug/dwarf", "encoding/asn1", "encoding/binary", "encoding/gob", "encoding/json", "encoding/xml", "errors", "fmt", "go/ast", "go/parser",
    "hash/crc32", "html/template", "image/png", "io", "log/slog", "maps", "math/big", "mime/multipart", "net/textproto", "net/url", "os/signal", "reflect",
    "regexp", "slices", "sort", "sync", "text/template", "time",
)  # fmt: skip
"""The packages of std that are run in hot mode: every kind of code, and none whose tests compute for minutes as they are."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one worker does at a time: the modes share the plain run."""

    suite: str
    name: str
    config: Config
    modes: tuple[Mode, ...]
    work: Callable[[Sequence[Mode]], list[Result]]


@dataclass(frozen=True, slots=True)
class Choice:
    """names: these exactly, none for all. only: globs of names, none for all. modes: none for those that fit the suite. sample: how many of each
    suite, 0 for all."""

    names: frozenset[str] = frozenset()
    only: tuple[str, ...] = ()
    modes: tuple[Mode, ...] = ()
    sample: int = 0
    seed: int = 1
    limit: float = 120.0

    def pick(self, names: list[str]) -> set[str]:
        if self.names:
            names = [name for name in names if name in self.names]
        if self.only:
            names = [name for name in names if any(fnmatchcase(name, glob) or glob in name for glob in self.only)]
        if self.sample and len(names) > self.sample:
            return set(random.Random(self.seed).sample(sorted(names), self.sample))
        return set(names)


def programs(found: list[Program], source: Path, config: Config, choice: Choice, work: Path) -> Iterator[Unit]:
    names = choice.pick([program.name for program in found if program.built_for(config)])
    for program in found:
        if program.name in names:
            runner = Runner(program, source, config, work, choice.limit)
            yield Unit(SUITE, program.name, config, choice.modes or tuple(Mode), runner.compare)


def std(config: Config, choice: Choice, work: Path) -> Iterator[Unit]:
    where = toolchains.goroot(config.go) / "src"
    packages = [package for package in listed(config, where, work, "std") if not package.startswith("vendor/")]
    names = choice.pick(packages)
    for package in packages:
        if package in names:
            fit = (Mode.COUNT, Mode.HOT if package in STD_HOT else Mode.STRESS)
            yield Unit("std", package, config, choice.modes or fit, Suite("std", package, config, where, work, 5 * choice.limit).compare)


def of_modules(config: Config, choice: Choice, work: Path) -> Iterator[Unit]:
    for patterns in modules.MODULES.values():
        packages = listed(config, modules.FOLDER, work, *patterns)
        names = choice.pick(packages)
        for package in packages:
            if package in names:
                suite = Suite("modules", package, config, modules.FOLDER, work, 5 * choice.limit)
                yield Unit("modules", package, config, choice.modes or tuple(Mode), suite.compare)


def listed(config: Config, where: Path, work: Path, *patterns: str) -> list[str]:
    """Packages that have tests."""
    chain = Toolchain(config, None, work)
    command = [chain.go, "list", "-e", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", *patterns]
    done = subprocess.run(command, cwd=where, env=chain.env(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"go list {' '.join(patterns)}: {done.stderr.strip()}")
    return sorted(done.stdout.split())


class State:
    """A file of results, one a line; the last one of a key counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: dict[tuple[str, str, str, str], Result] = {}
        self._lock = threading.Lock()
        if path.exists():
            text = path.read_text()
            if text and not text.endswith("\n"):
                path.write_text(text + "\n")  # an interrupted write must not spoil the next one
            for line in text.splitlines():
                try:
                    result = Result.from_json(json.loads(line))
                except (ValueError, TypeError, KeyError):
                    continue  # the end of an interrupted write, or of another version: it is run again
                self.results[result.key] = result

    def add(self, results: list[Result]) -> None:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        with self._lock, self.path.open("a") as file:
            for result in results:
                result = replace(result, date=today)
                self.results[result.key] = result
                file.write(json.dumps(result.to_json()) + "\n")

    def missing(self, unit: Unit) -> tuple[Mode, ...]:
        return tuple(mode for mode in unit.modes if (unit.suite, unit.name, unit.config.key, mode.value) not in self.results)


def execute(units: Sequence[Unit], state: State, known: list[Known], jobs: int, done: Callable[[Unit, list[Result]], None]) -> list[Result]:
    """Runs what the state does not have yet, and returns the results of all units. done: called after each unit, those included that were run before."""

    def one(unit: Unit) -> list[Result]:
        results = unit.work(state.missing(unit))
        state.add(results)
        return results

    def report(unit: Unit) -> None:
        done(unit, found([unit], state, known))

    with ThreadPoolExecutor(jobs) as pool:
        running: dict[Future[list[Result]], Unit] = {}
        try:
            for unit in units:
                if not state.missing(unit):
                    report(unit)
                    continue
                running[pool.submit(one, unit)] = unit
                if len(running) >= jobs:
                    _drain(running, report)
            while running:
                _drain(running, report)
        except BaseException:
            STOPPING.set()
            pool.shutdown(cancel_futures=True)
            raise
    return found(units, state, known)


def found(units: Sequence[Unit], state: State, known: list[Known]) -> list[Result]:
    """What there is of the results of these units, with causes."""
    keys = [(unit.suite, unit.name, unit.config.key, mode.value) for unit in units for mode in unit.modes]
    return [explain(state.results[key], known) for key in keys if key in state.results]


def _drain(running: dict[Future[list[Result]], Unit], report: Callable[[Unit], None]) -> None:
    """Waits until one is done."""
    finished, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in finished:
        unit = running.pop(future)
        future.result()
        report(unit)
