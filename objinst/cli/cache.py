"""`otelobj cache`: shows what is in the cache, compiles hook packages ahead of time, carries them to other machines, empties it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Self

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from objinst.cli.gotool import find_or_install, go_env
from objinst.cli.terminal import console, count
from objinst.errors import OtelobjError
from objinst.hookpkgs import carry
from objinst.hookpkgs import warm as warming
from objinst.hookpkgs.compile import KIND
from objinst.store import bundle, cache
from objinst.store.root import KINDS, TAG, shared

KEPT = ("toolchains", "locks")
"""Not removed by `clean`, but for --all: expensive to get again; in use by a build that runs now."""


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show what is in the cache; or `warm`, `export`, `import`, `clean`."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(info)


# info


@command.command
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def info(*, as_json: bool) -> None:
    """Show where the cache is, its size, and the toolchains that it is warm for."""
    found = _info()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    screen = console(sys.stdout)
    screen.print(f"{found['folder']} ($OTELOBJ_CACHE_DIR)" + (f", of user {found['owner']}, mode {found['mode']}" if found["exists"] else ", not there yet"), markup=False)
    for folder in found["shared"]:
        screen.print(f"  also read: {folder} ($OTELOBJ_SHARED_CACHE)", markup=False)
    for kind, what in found["kinds"].items():
        screen.print(f"  {human(what['bytes']):>10}  {what['files']:6d} files  {kind}: {KINDS[kind]}", markup=False)
    limit = found["limit"]
    screen.print(f"  {human(found['bytes']):>10}  in all; " + (f"trimmed at {human(limit)}" if limit else "never trimmed") + " ($OTELOBJ_CACHE_SIZE)", markup=False)
    for item in found["warm"]:
        state = "warm" if item["complete"] else f"{item['missing']} of its archives missing" if item["missing"] else f"only {', '.join(item['hooks'])}"
        screen.print(f"  {state}: {item['variant']}: {count(item['packages'], 'package')}, {human(item['bytes'])}", markup=False)
    if not found["warm"]:
        screen.print("  warm for no toolchain: the first instrumented build compiles OpenTelemetry (`otelobj cache warm` does it ahead of time)", markup=False)


def _info() -> dict[str, Any]:
    place = cache.root()
    kinds: dict[str, dict[str, int]] = {}
    for kind in KINDS:
        size, files = tree_size(place / kind)
        if files:
            kinds[kind] = {"bytes": size, "files": files}
    try:
        state = place.stat()
    except OSError:
        state = None
    return {
        "folder": str(place), "exists": state is not None, "owner": state.st_uid if state else None, "mode": f"{stat.S_IMODE(state.st_mode):o}" if state else None,
        "shared": [str(folder) for folder in shared()], "limit": cache.bound(), "bytes": sum(what["bytes"] for what in kinds.values()), "kinds": kinds,
        "warm": [_warm(found) for found in carry.warm()],
    }  # fmt: skip


def _warm(found: carry.Warm) -> dict[str, Any]:
    """A hook set in the cache. complete: no link of its toolchain and variant compiles anything but packages that observe the program's own."""
    known = found.known
    names = warming.names(known.roots)
    archives = [folder for key in known.archive_keys() if (folder := cache.find(KIND, key)) is not None]
    return {
        "variant": str(found), "header": known.header, "flags": list(known.flags), "env": dict(known.env), "exporters": list(known.exporters), "sdk": known.sdk, "hooks": names,
        "packages": len(known.archive_keys()), "missing": found.missing, "bytes": sum(tree_size(folder)[0] for folder in archives),
        "complete": found.missing == 0 and not set(warming.fitting(warming.packages(()), known.header)) - set(known.roots),
    }  # fmt: skip


# warm, export, import


@command.command
@click.option("--go", "goroots", multiple=True, type=click.Path(path_type=Path), metavar="GOROOT", help="Toolchain; may be repeated. Default: that of `go` on PATH.")
@click.option("--goarch", "goarchs", multiple=True, metavar="ARCH,…", help="Architectures of programs, separated by commas. Default: GOARCH.")
@click.option("--race", is_flag=True, help="Also for builds with -race.")
@click.option("--pie", is_flag=True, help="Also for builds with -buildmode=pie.")
@click.option("--trimpath", is_flag=True, help="Also for builds with -trimpath.")
@click.option("--flags", "more", multiple=True, metavar="FLAGS", help="Also for builds with all of these flags, such as '-race -trimpath'; may be repeated.")
@click.option("--hooks", "hooks", multiple=True, metavar="NAME,…", help="Only these hooks and what they import, such as nethttp,span. Default: all.")
def warm(goroots: tuple[Path, ...], goarchs: tuple[str, ...], *, race: bool, pie: bool, trimpath: bool, more: tuple[str, ...], hooks: tuple[str, ...]) -> None:
    """Compile the hook packages and OpenTelemetry ahead of time, for any program.

    Afterwards no instrumented build with the toolchain compiles them. Sources that are not in the cache or in the module cache are fetched, and their
    hashes compared with those that come with otelobj. GOFLAGS counts as in a build.
    """
    wanted = warming.packages(_split(hooks))
    named = [("-race", race), ("-buildmode=pie", pie), ("-trimpath", trimpath)]
    flags = [warming.settings_of(words, strict=True) for words in ("", *(flag for flag, on in named if on), *more)]
    if not goroots:
        goroots = (Path(find_or_install().env["GOROOT"]),)
    with cache.in_use():
        for goroot in goroots:
            toolchain = warming.Toolchain.of(goroot)
            env = go_env(goroot / "bin" / "go")
            for goarch in _split(goarchs) or [env["GOARCH"]]:
                for settings in flags:
                    for variant in toolchain.variants(env["GOOS"], goarch, warming.settings_of(env["GOFLAGS"]) | settings):
                        _warm_up(toolchain, variant, wanted)
    click.echo(f"{human(tree_size(cache.root())[0])} in {cache.root()}")


def _warm_up(toolchain: warming.Toolchain, variant: warming.Variant, wanted: Sequence[str]) -> None:
    version = toolchain.env["GOVERSION"]
    left_out = sorted(set(wanted) - set(warming.fitting(wanted, version)))
    compiled: list[str] = []

    def begin(packages: Collection[str]) -> Callable[[], object]:
        compiled.extend(packages)
        return announce(f"{version} {variant}", len(packages))

    with _Bars() as bars:
        announce = bars.begin
        warming.warm(toolchain, variant, wanted, begin)
    compiled_now = f"{count(len(compiled), 'package')} compiled" if compiled else "nothing to compile"
    click.echo(f"warm for {version} {variant}: {compiled_now}")
    if left_out:
        click.echo(f"  without {', '.join(warming.names(left_out))}: {version} is too old for OpenTelemetry")


class _Bars:
    """Progress: a bar on a terminal, one line elsewhere. It is drawn by the process that compiles, without a thread: others are forked from it."""

    def __init__(self) -> None:
        self._screen = console(sys.stderr)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=self._screen, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self._screen.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._screen.is_terminal:
            self._progress.stop()

    def begin(self, what: str, total: int) -> Callable[[], object]:
        """Returns what is called after each of so many packages."""
        if not self._screen.is_terminal:
            click.echo(f"otelobj: compiling {count(total, 'package')} for {what}", err=True)
            return lambda: None
        task = self._progress.add_task(what, total=total)
        self._progress.refresh()

        def done() -> None:
            self._progress.advance(task)
            self._progress.refresh()

        return done


@command.command
@click.argument("file", type=click.Path(path_type=Path))
def export(file: Path) -> None:
    """Write what `warm` and builds have compiled for any program to FILE, for `import` on another machine."""
    with cache.in_use():
        there = carry.warm()
        chosen = [found for found in there if not found.missing]
        digest, size = carry.export(file, chosen)
    for found in there:
        if found.missing:
            click.echo(f"otelobj: warning: left out: {found}: {found.missing} of its archives are missing (`otelobj cache warm` makes them again)", err=True)
    for found in chosen:
        click.echo(f"  {found}")
    click.echo(f"{file}: {human(file.stat().st_size)}, {human(size)} unpacked\nSHA-256 {digest}")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sha256", "expected", metavar="HEX", help="Refuse a file with another SHA-256 than this one, which `export` has printed.")
@click.option("--limit", metavar="SIZE", help=f"Refuse a file that would be unpacked to more. Default: {bundle.DEFAULT_MOST >> 30} GiB.")
def take_in(file: Path, expected: str | None, limit: str | None) -> None:
    """Put what FILE has into the cache; what is there already stays. The file's maker is trusted: what is in it is linked into programs."""
    most = (cache.size_of(limit, "--limit") or sys.maxsize) if limit else None
    with cache.in_use():
        sets, done = carry.take_in(file, most, expected)
    for line in sorted(map(str, sets)):
        click.echo(f"  {line}")
    sizes = [human(sum(entry.size for entry in entries)) for entries in (done.new, done.kept)]
    click.echo(f"{len(done.new)} entries added ({sizes[0]}), {len(done.kept)} were there ({sizes[1]}), in {cache.root()}")


def _split(values: Sequence[str]) -> list[str]:
    """Of options that can be repeated, and have several values separated by commas."""
    return [name for value in values for name in value.replace(",", " ").split()]


# clean


@command.command
@click.option("--all", "everything", is_flag=True, help="Go toolchains that otelobj installed, too.")
@click.option("--wait", metavar="SECONDS", type=click.FloatRange(min=0), default=60, show_default=True, help="How long to wait for builds that run now.")
@click.option("--force", is_flag=True, help="Do not wait for them; they may fail.")
def clean(*, everything: bool, wait: float, force: bool) -> None:
    """Remove everything that later builds can create again."""
    if cache.root().exists() and not cache.is_ours():
        raise OtelobjError(f"{cache.root()} is not marked as a cache of otelobj: there is no {TAG} in it", "nothing was removed; is OTELOBJ_CACHE_DIR right?")
    with cache.alone(wait=None if force else wait, waits=lambda users: click.echo(f"waiting for {users}: {cache.root()} is in use", err=True)):
        freed = _clean([kind for kind in KINDS if kind not in KEPT or (everything and kind == "toolchains")])
    click.echo(f"freed {human(freed)} in {cache.root()}")


def _clean(kinds: list[str]) -> int:
    """Bytes freed. Raises OtelobjError."""
    freed = 0
    for kind in kinds:
        folder = cache.root() / kind
        freed += tree_size(folder)[0]
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as error:
            raise OtelobjError(f"cannot remove {error.filename or folder}: {error.strerror}", "check its permissions") from error
    return freed


def tree_size(folder: Path) -> tuple[int, int]:
    """Bytes and number of the files below a folder; files that disappear meanwhile do not count."""
    size = files = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                size += (Path(parent) / name).lstat().st_size
                files += 1
            except OSError:
                continue
    return size, files


def human(size: int) -> str:
    """Bytes for people."""
    for unit, divisor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= divisor:
            return f"{size / divisor:.1f} {unit}"
    return f"{size} B"
