"""Signatures from export data and source, for functions that DWARF does not describe, through a small Go program.

Export data changes with every Go version and is read by go/importer of the same version only, so the program (`helper/`) is built
with the toolchain of the build, once, and kept in the cache. It runs only when DWARF is missing. Export data has the exported
functions of a package, all methods of its exported types, and what these mention; everything else is only in the source.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from objinst import ending
from objinst.errors import OtelobjError
from objinst.gobuild.gocmd import Go
from objinst.store import cache
from objinst.store.digest import content_digest
from objinst.types import NoSignature, Param, Signature
from trampolines.arch import LEVELS

HELPER = Path(__file__).parent / "helper"
PROGRAM = "gotypes"
HOST = {"GOOS": "", "GOARCH": "", **dict.fromkeys(LEVELS, ""), "GOEXPERIMENT": "", "GOFIPS140": "", "GOENV": "off", "CGO_ENABLED": "0"}
"""The program runs on this machine, whatever the build's target is."""

Answer = Mapping[str, Signature] | NoSignature


@dataclass(slots=True)
class GoTypes:
    """go: of the build. archives: import path -> archive, of the link and its hooks. tags: build tags. has_sources: whether
    source files are what was compiled: the go command checks that before it links, other build systems may have other files by now.
    modules: of the user, module path -> folder."""

    go: Go
    goos: str
    goarch: str
    archives: Mapping[str, Path]
    tags: Sequence[str] = ()
    has_sources: bool = False
    modules: Mapping[str, Path] = field(default_factory=dict)
    _answers: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def place(self, file: str) -> Path:
        """The path of a source file that the compiler names so: with -trimpath by its module and version (cmd/go/internal/work/gc.go,
        trimpath). The place may not exist."""
        if file.startswith(("/", "$GOROOT/")):
            return Path(file.replace("$GOROOT", str(self.go.goroot), 1))
        if "@" in file:
            module, _, rest = file.partition("@")
            return _module_cache() / f"{re.sub(r'[A-Z]', lambda match: '!' + match[0].lower(), module)}@{rest}"
        owner = max((path for path in self.modules if file.startswith(path + "/")), key=len, default=None)
        return self.modules[owner] / file[len(owner) + 1 :] if owner else self.go.goroot / "src" / file

    def exported(self, package: str) -> Answer:
        """By symbol, type parameters as NUL, number, semicolon: what the export data of a package tells.

        Raises OtelobjError if the toolchain does not build the reader: that is no property of the package, so no refusal.
        """
        if package not in self.archives:
            return NoSignature(f"package {package} is not in the link")
        return self._ask(package, "", ())

    def written(self, package: str, files: tuple[str, ...]) -> Answer:
        """The same of its source. files: those that are known to be the package's, all in one folder, as the compiler names them."""
        if not self.has_sources:
            return NoSignature("its source is not looked at, since nothing says that it is what was compiled")
        paths = [self.place(file) for file in files]
        missing = next((path for path in paths if not path.is_file()), None)
        if missing is not None:
            return NoSignature(f"there is no {missing}")
        return self._ask(package, str(paths[0].parent), tuple(map(str, paths)))

    def _ask(self, package: str, folder: str, files: tuple[str, ...]) -> Answer:
        key = (package, folder)
        if key not in self._answers:
            request = {
                "Package": package, "Archives": {name: str(path) for name, path in self.archives.items()}, "Files": files, "Folder": folder,
                "GOOS": self.goos, "GOARCH": self.goarch, "Tags": list(self.tags),
            }  # fmt: skip
            program = self._program()
            try:
                self._answers[key] = _parse(_run(program, request))
            except OtelobjError as error:
                self._answers[key] = NoSignature(f"the reader of export data: {error.what}")
        return self._answers[key]

    def _program(self) -> Path:
        """Raises OtelobjError if the toolchain does not build it."""
        version = self.go.goroot / "VERSION"
        toolchain = version.read_text("utf-8") if version.is_file() else ""
        digest = content_digest(HELPER, ("*.go", "go.mod"))

        def make(folder: Path) -> None:
            self.go.run(["build", "-toolexec=", "-trimpath", "-o", str(folder / PROGRAM), "."], HELPER, **HOST)

        key = hashlib.sha256(f"{digest} {self.go.goroot} {toolchain}".encode("utf-8", "surrogateescape")).hexdigest()
        return cache.folder(PROGRAM, key, make) / PROGRAM


def _module_cache() -> Path:
    given = os.environ.get("GOMODCACHE")
    return Path(given) if given else Path((os.environ.get("GOPATH") or str(Path.home() / "go")).split(os.pathsep)[0]) / "pkg" / "mod"


def _run(program: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Raises OtelobjError if there is no answer."""
    text = json.dumps(request)
    done = ending.run([str(program)], said=text, capture_output=True, text=True, encoding="utf-8", errors="surrogateescape")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        first = (done.stderr.strip().splitlines() or ["no answer"])[0]
        raise OtelobjError(f"{first} (status {done.returncode})") from None
    return answer


def _parse(answer: Mapping[str, Any]) -> Answer:
    if answer["Error"]:
        return NoSignature(answer["Error"].splitlines()[0])
    return {symbol: Signature(_named(found["Params"], "p"), _named(found["Results"], "r")) for symbol, found in answer["Functions"].items()}


def _named(pairs: Sequence[Sequence[str]], letter: str) -> tuple[Param, ...]:
    """Unnamed and blank ones as the compiler names them (cmd/compile/internal/ir/func.go, DeclareParams)."""
    return tuple(Param(name if name not in {"", "_"} else f"~{letter}{i}", kind) for i, (name, kind) in enumerate(pairs))
