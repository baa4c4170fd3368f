"""Compiles ahead of time what the first instrumented link of a program without OpenTelemetry's API would compile, without a program.

What a program decides about the private zone is its variant of the standard library: with or without cgo (13 of 200 packages differ, net among
them), -race, -msan and -asan, position-independent code, -trimpath (file names are part of export data), GOAMD64 and GOARM64, GOEXPERIMENT,
GOFIPS140. Coverage does not, since the go command instruments the standard library only where -coverpkg names it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst import hooktree, paths
from objinst.errors import OtelobjError, UsageError
from objinst.gobuild.gocmd import Go
from objinst.goobj.archive import peek
from objinst.goversions import number
from objinst.hookpkgs import libraries, minimum, zone
from objinst.hookpkgs.request import COMPILE_FLAGS, SHARED_MODES, HookRequest, HookSet, chosen_exporters, chosen_sdk
from objinst.platform.target import check
from objinst.store.digest import hooks_digest
from trampolines.arch import LEVELS

FROM_ENVIRONMENT = (*LEVELS, "GOEXPERIMENT", "GOFIPS140")
RUNS = re.compile(r"go(1\.\d+)")


@dataclass(frozen=True, slots=True)
class Variant:
    """Of the standard library. settings: as BuildInfo names them, such as -race -> true."""

    goos: str
    goarch: str
    cgo: bool
    settings: Mapping[str, str]

    def __str__(self) -> str:
        flags = [name if value == "true" else f"{name}={value}" for name, value in sorted(self.settings.items())]
        return " ".join([f"{self.goos}/{self.goarch}", "with cgo" if self.cgo else "without cgo", *flags])


@dataclass(frozen=True, slots=True)
class Toolchain:
    """goroot: its folder. env: what its go command says of itself."""

    goroot: Path
    env: Mapping[str, str]

    @classmethod
    def of(cls, goroot: Path) -> Toolchain:
        """Raises OtelobjError if there is no go command in it that runs."""
        if not (goroot / "bin" / "go").is_file():
            raise UsageError(f"{goroot} has no bin/go", "name the folder that `go env GOROOT` prints")
        names = ("GOVERSION", "GOHOSTOS", "GOHOSTARCH", "GOFLAGS")
        return cls(goroot, json.loads(Go(goroot, {}).run(["env", "-json", *names], goroot)))

    def has_cgo(self, goos: str, goarch: str) -> bool:
        """Whether a build is with cgo unless the user decides otherwise: natively, and with a C compiler (go env)."""
        given = os.environ.get("CGO_ENABLED", "")
        env = {"GOOS": goos, "GOARCH": goarch} | ({"CGO_ENABLED": given} if given else {})
        return Go(self.goroot, env).run(["env", "CGO_ENABLED"], self.goroot).strip() == "1"

    def variants(self, goos: str, goarch: str, settings: Mapping[str, str]) -> list[Variant]:
        """With cgo and without, as far as a build can be either. Raises OtelobjError for what no build can be."""
        check(goos, goarch)
        cgo = [True, False] if self.has_cgo(goos, goarch) else [False]
        if settings.keys() & {"-race", "-msan", "-asan"}:
            if True not in cgo:
                needs = ", ".join(sorted(settings.keys() & {"-race", "-msan", "-asan"}))
                raise OtelobjError(f"{needs} for {goos}/{goarch} needs cgo", "install a C compiler for it, name it with CC, and set CGO_ENABLED=1")
            cgo = [True]
        return [Variant(goos, goarch, found, settings) for found in cgo]


def settings_of(flags: str, *, strict: bool = False) -> dict[str, str]:
    """Those of the go command's flags that reach every package, as settings of a build. strict: there must be no others. Raises UsageError."""
    try:
        words = shlex.split(flags)
    except ValueError as error:
        raise UsageError(f"flags {flags!r}: {error}", "write them as in GOFLAGS: -race -tags=netgo") from error
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        name = "-" + name.lstrip("-")
        if name in (*COMPILE_FLAGS, "-trimpath") or (name == "-buildmode" and value in SHARED_MODES):
            found[name] = value if equals else "true"
        elif strict:
            raise UsageError(f"{word} decides nothing about packages that every program links", f"such flags are {', '.join((*COMPILE_FLAGS, '-trimpath'))} and -buildmode=pie")
    return {name: value for name, value in found.items() if value != "false"}


def names(wanted: Collection[str]) -> list[str]:
    """Names of hook packages for people: the folders of their modules."""
    folders = hooktree.modules()
    return sorted({Path(folders[owner]).name for package in wanted if (owner := hooktree.owner(package))})


def packages(names: Collection[str]) -> list[str]:
    """Import paths of hook packages: of the modules in these folders of `hooks/`, of all modules if there is none, but for those
    of libraries that are compiled against the program's copy. Raises UsageError."""
    found = {Path(folder).name: module for module, folder in hooktree.modules().items() if any((paths.hooks_dir() / folder).glob("*.go"))}
    theirs = {name for name, module in found.items() if libraries.observed(paths.hooks_dir(), [module])}
    if given := sorted(theirs & set(names)):
        raise UsageError(f"the hooks called {', '.join(given)} are compiled with each program, against its copy of the library", "leave them out")
    found = {name: module for name, module in found.items() if name not in theirs}
    unknown = sorted(set(names) - found.keys())
    if unknown:
        raise UsageError(f"there are no hooks called {', '.join(unknown)}", f"these come with otelobj: {', '.join(sorted(found))}")
    return sorted({*(found[name] for name in names or found), found["rt"]})


def warm(toolchain: Toolchain, variant: Variant, wanted: Sequence[str], announce: zone.Announce) -> HookSet:
    """Compiles hook packages and what they import for a variant, as far as they are not in the cache. Those that need a newer toolchain are left out.
    Raises OtelobjError."""
    env = {"GOOS": variant.goos, "GOARCH": variant.goarch, "CGO_ENABLED": "1" if variant.cgo else "0"}
    env |= {name: value for name in FROM_ENVIRONMENT if (value := os.environ.get(name))}
    go = Go(toolchain.goroot, env)
    with paths.scratch_anywhere("otelobj-warm-") as folder:
        found = fitting(wanted, toolchain.env["GOVERSION"])
        if not found:
            minimum.check(wanted, toolchain.env["GOVERSION"])
        chosen = (chosen_exporters(os.environ), chosen_sdk(os.environ))
        request = HookRequest(tuple(found), {}, {}, (), variant.settings, folder, _header(go, variant, folder), paths.hooks_dir(), hooks_digest(), *chosen)
        return zone.resolve(request, go, announce, whole=True)


def fitting(wanted: Sequence[str], go_version: str) -> list[str]:
    """The hook packages that a toolchain is new enough for. go_version: a text that has its version, such as go1.26.8."""
    match = RUNS.search(go_version)
    return [package for package in wanted if match is None or number(match[1]) >= number(minimum.needed_by(hooktree.owner(package) or ""))]


def _header(go: Go, variant: Variant, folder: Path) -> str:
    """The header line of the toolchain's objects."""
    (folder / "go.mod").write_text("module otelobj.invalid/warm\n", "utf-8")
    flags = [f"{name}={value}" for name, value in variant.settings.items()]
    return peek(Path(go.run(["list", "-toolexec=", *flags, "-export", "-f={{.Export}}", "--", "internal/goarch"], folder).strip())).line
