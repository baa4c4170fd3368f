"""One run of `otelobj bench`: from what was asked for to the results."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst import paths
from objinst.bench import builds, machine, measure, sink, starts, variants
from objinst.bench.gobench import Benchmarks
from objinst.bench.load import UnderLoad
from objinst.bench.model import Results
from objinst.bench.program import Program, look_up
from objinst.errors import UsageError


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured. go: the go command; by_hand: folder of the same program instrumented by hand; edited: the file to edit, None for the first one.

    scenes: of builds.SCENES. start_args: arguments with which the program ends by itself, None if it does not. run_args: those of a server; listen: where it
    listens; load: a command. bench, benchtime: as `go test` takes them. What is "" is not measured.
    """

    go: Path
    folder: Path
    package: str
    peers: tuple[str, ...]
    by_hand: Path | None
    edited: Path | None
    runs: int
    scenes: tuple[str, ...]
    start_args: str | None
    run_args: str
    listen: str
    load: str
    bench: str
    benchtime: str


def run(request: Request, tell: measure.Teller) -> Results:
    """Raises OtelobjError. Nothing is left behind."""
    names = variants.choose(request.peers)
    check(request)
    program = look_up(request.go, request.folder, request.package, request.edited)
    by_hand = look_up(request.go, request.by_hand, request.package) if request.by_hand else None
    with paths.scratch_anywhere("otelobj-bench-") as folder, contextlib.ExitStack() as stack:
        made, missing = variants.make(names, request.go, program, by_hand, folder)
        results = Results(program.path, machine.describe(program.go_version), request.runs, {variant.name: variant.name for variant in made}, missing)
        where = stack.enter_context(sink.running()) if request.start_args is not None or request.listen or request.bench else None
        steps = list(plan(request, results, made, where, folder))
        _notes(request, program, results)
        measure.run(steps, results, tell)
        if where is not None and where.received().http2:
            results.note("A program exports by HTTP/2 (OTLP by gRPC), which the receiver here does not speak: its exports failed. Give it another receiver.")
        return results


def check(request: Request) -> None:
    """Raises UsageError for options that do not go together."""
    if request.by_hand and not request.package.startswith("."):
        raise UsageError(f"--manual with the import path {request.package}", "name the package by its folder, such as ./cmd/server: it is looked up in both modules")
    if request.load and not request.listen:
        raise UsageError("--load without --listen", "give the address at which your program listens, such as --listen 127.0.0.1:8080, and its arguments with --run")
    if request.run_args and not request.listen:
        raise UsageError("--run without --listen", "--run has the arguments of a server, --listen its address; for a program that ends by itself use --start-args")
    if request.listen:
        starts.Address.parse(request.listen)
    for name, words in (("--run", request.run_args), ("--start-args", request.start_args or "")):
        try:
            shlex.split(words)
        except ValueError as error:
            raise UsageError(f"{name} {words}: {error}", "write the arguments as for a shell") from error


def plan(request: Request, results: Results, made: Sequence[variants.Variant], where: sink.Sink | None, folder: Path) -> Iterator[measure.Step]:
    """All steps. Those that need caches and programs come before the ones that begin with empty caches."""
    environ = where.env if where else {}
    build = builds.Builds(results, made, request.runs, folder)
    yield from build.prepare(request.scenes)
    yield from builds.sizes(results, made)
    yield from build.steps([scene for scene in request.scenes if scene not in EMPTYING])
    if request.start_args is not None:
        yield from starts.ends(results, made, starts.Program(shlex.split(request.start_args), environ), request.runs)
    server = starts.Program(shlex.split(request.run_args), environ)
    if request.listen:
        at = starts.Address.parse(request.listen)
        yield from starts.listens(results, made, server, at, request.runs)
        if request.load:
            yield from UnderLoad(results, made, server, at, request.load, request.folder, where).steps(request.runs)
    if request.bench:
        yield from Benchmarks(results, made, request.go, request.bench, request.benchtime, server).steps(request.runs)
    yield from build.steps([scene for scene in request.scenes if scene in EMPTYING])


EMPTYING = ("cold", "plain-first")
"""Scenes that begin with empty caches."""


def _notes(request: Request, program: Program, results: Results) -> None:
    if request.start_args is None and not request.listen:
        results.note("Start and end were not measured: --start-args ARGS for a program that ends by itself, --listen HOST:PORT and --run ARGS for a server.")
    if "edited" in request.scenes and "-overlay" in program.flags:
        results.note("Edits were not measured: GOFLAGS has an -overlay already.")
    if any(name in results.variants for name in variants.PEERS):
        results.note("orchestrion and otelc were built in a copy of the module, because they write into it.")


