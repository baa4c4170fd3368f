"""`otelobj cache`: shows the size of the cache, fills it ahead of time, empties it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from objinst import paths
from objinst.cli.gotool import find_or_install
from objinst.cli.terminal import console
from objinst.errors import OtelobjError
from objinst.store import cache
from objinst.store.root import KINDS, TAG

KEPT = ("toolchains", "locks")
"""Not removed by `clean`, but for --all: expensive to get again; in use by a build that runs now."""


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show the size of the cache; or `warm`, `clean`."""
    if ctx.invoked_subcommand is not None:
        return
    screen = console(sys.stdout)
    screen.print(f"{cache.root()} ($OTELOBJ_CACHE_DIR)", markup=False)
    total = 0
    for kind, what in KINDS.items():
        size, files = tree_size(cache.root() / kind)
        total += size
        if files:
            screen.print(f"  {human(size):>10}  {files:6d} files  {kind}: {what}", markup=False)
    limit = cache.bound()
    screen.print(f"  {human(total):>10}  in all; " + (f"trimmed at {human(limit)}" if limit else "never trimmed") + " ($OTELOBJ_CACHE_SIZE)", markup=False)


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


@command.command
@click.option(
    "--rules", "rule_files", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="Rule file, as in -toolexec='otelobj --rules FILE'."
)
def warm(rule_files: tuple[Path, ...]) -> None:
    """Fetch and compile the hook packages for the go on PATH, by linking the demo program once.

    The first build of a program then finds the modules in the module cache, and the packages in go's build cache.
    """
    go = find_or_install()
    options = "".join(f" --rules '{path.resolve()}'" for path in rule_files)
    with paths.scratch_anywhere("otelobj-warm-") as folder:
        out = folder / "demo"
        done = go.run(
            ["build", f"-toolexec='{paths.launcher()}'{options}", "-o", str(out), "."],
            paths.demo_dir(),
            {"GOFLAGS": "-buildvcs=false", "GOWORK": "off", "OTELOBJ_ON_ERROR": "fail"},
        )
    if done.returncode:
        raise OtelobjError(f"the demo program does not build:\n{done.stderr.strip()}", "`otelobj doctor` says what is missing")
    click.echo(f"warm for {go.env['GOVERSION']} {go.env['GOOS']}/{go.env['GOARCH']}: {human(tree_size(cache.root())[0])} in {cache.root()}")


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
