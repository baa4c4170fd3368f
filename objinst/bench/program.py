"""The user's program: where its package is, how it looks after an edit, and a copy of its module for tools that write into it.

An edit changes nothing of the user's: the go command reads another file in the place of one (-overlay, since Go 1.16). otelobj remembers the answer to
`link -V=full` as long as the module's files are as they were, and a file of an overlay might be one of these. So that an edit by overlay costs what an edit
in the tree does, the flag stands in GOFLAGS, the overlay is named through a link that stays as it is, and before the first build with it there is a pause:
nothing is remembered of files that have just been written (objinst/link/version.py).

Copies are for peers that write into the module (orchestrion pins itself in go.mod). Relative paths of `replace` and of a workspace's `use` become absolute ones,
and no file of a copy is a link to one of the user's.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from objinst import ending
from objinst.errors import OtelobjError, UsageError
from objinst.gobuild.gocmd import documents, package_remedy

EDIT = "\nfunc otelobjBenchEdit{number}() int {{ return {number} }}\n"
"""What an edit adds: a function that nobody calls, so the object changes and what it exports does not."""
PAUSE = 1.2
"""Seconds after which otelobj remembers what it has read of a file."""


@dataclass(frozen=True, slots=True)
class Program:
    """folder: where builds run, as given; package: as given; path, source: import path and folder of the package main; module: folder of its module; work: go.work,
    None if there is none; file: the one to edit; flags: the user's GOFLAGS;
    go_version: of the toolchain that the module chooses."""

    folder: Path
    package: str
    path: str
    source: Path
    module: Path
    work: Path | None
    file: Path
    flags: str
    go_version: str


def ask(go: Path, args: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> str:
    """What the go command says. Raises OtelobjError with its message."""
    done = ending.run([str(go), *args], cwd=folder, env={**os.environ, "PWD": str(folder), **(env or {})}, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise OtelobjError(f"go {args[0]} failed in {folder}:\n{done.stderr.strip()}", package_remedy(done.stderr))
    return str(done.stdout)


def look_up(go: Path, folder: Path, package: str, edited: Path | None = None) -> Program:
    """The program of a package main. edited: the file to edit, else the package's first. Raises OtelobjError if there is no module, or not one package main."""
    folder = folder.absolute()
    env = json.loads(ask(go, ["env", "-json", "GOMOD", "GOWORK", "GOFLAGS", "GOVERSION"], folder))
    if env["GOMOD"] in ("", os.devnull):
        raise OtelobjError(f"no Go module in {folder}", "name the folder of your module, or make one with `go mod init`")
    found = documents(ask(go, ["list", "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,Module", "--", package], folder))
    mains = [item for item in found if item["Name"] == "main"]
    if not mains:
        listed = ", ".join(item["ImportPath"] for item in found[:5]) or "nothing"
        raise OtelobjError(f"no program in {folder}: {package} is {listed}", "name a package main after the folder, such as ./cmd/server")
    if len(mains) > 1:
        raise UsageError(f"{len(mains)} programs in {package}: {', '.join(item['ImportPath'] for item in mains[:5])}", "name one of them")
    [main] = mains
    work = Path(env["GOWORK"]) if env["GOWORK"] not in ("", "off") else None
    return Program(folder, package, main["ImportPath"], Path(main["Dir"]), Path(main["Module"]["Dir"]), work, _edited(main, edited), env["GOFLAGS"], env["GOVERSION"])


def _edited(main: Mapping[str, Any], given: Path | None) -> Path:
    if given is None:
        files = [*(main.get("GoFiles") or ()), *(main.get("CgoFiles") or ())]
        if not files:
            raise OtelobjError(f"{main['ImportPath']} has no Go files but tests", "name a package main that can be built")
        return Path(main["Dir"], files[0])
    if given.suffix != ".go" or not given.is_file():
        raise UsageError(f"--edit {given}: not a Go file", "name a source file of the program, or leave it out")
    return given.absolute()


@dataclass(slots=True)
class Edits:
    """Edits of one file: each call of `next` makes the program differ from all before. The file itself is written only in a copy."""

    program: Program
    folder: Path
    in_copy: bool = False
    count: int = 0

    def next(self) -> None:
        """Raises OtelobjError if the file cannot be read, or is to be written and is no part of the copy."""
        if self.in_copy and not _is_in(self.program.file, self.program.module):
            raise OtelobjError(f"{self.program.file} is not in the module, so it is not edited", "name a file of the module with --edit")
        try:
            text = self.program.file.read_text("utf-8", "surrogateescape")
        except OSError as error:
            raise OtelobjError(f"{self.program.file}: {error.strerror}", "check that the file can be read") from error
        self.count += 1
        text += EDIT.format(number=self.count)
        if self.in_copy:
            self.program.file.write_text(text, "utf-8", "surrogateescape")
            return
        self.folder.mkdir(exist_ok=True)
        edited = self.folder / f"edit-{self.count}.go"
        edited.write_text(text, "utf-8", "surrogateescape")
        (self.folder / "now.json").write_text(json.dumps({"Replace": {str(self.program.file): str(edited)}}), "utf-8")
        if self.count == 1:
            self.overlay.symlink_to(self.folder / "now.json")
            time.sleep(PAUSE)

    @property
    def overlay(self) -> Path:
        return self.folder / "overlay.json"

    def environment(self) -> dict[str, str]:
        """What makes the go command see the edit."""
        return {} if self.in_copy else {"GOFLAGS": f"{self.program.flags} '-overlay={self.overlay}'".lstrip()}


def copied(go: Path, program: Program, to: Path) -> tuple[Program, dict[str, str]]:
    """The program in a copy of its module, and the environment of its builds. Raises OtelobjError if the module cannot be copied."""
    for place in (program.folder, program.source):
        if not _is_in(place, program.module):
            raise OtelobjError(f"{place} is not in the module {program.module}, so a copy of the module would not hold it", "name the module's own folder")
    module = to / program.module.name
    try:
        shutil.copytree(program.module, module, symlinks=True, ignore=shutil.ignore_patterns(".git", ".hg", ".svn"))
        _take_in(program.module, module)
    except OSError as error:
        raise OtelobjError(f"{program.module} cannot be copied: {error}", "free some disk space, or leave the peers out with --peers plain,otelobj") from error
    off = {"GOWORK": "off"}
    _make_absolute(go, "mod", module / "go.mod", program.module)
    env = off if program.work is None else {"GOWORK": str(_copied_work(go, program, to, module))}
    folder, source, file = (_moved(path, program.module, module) for path in (program.folder, program.source, program.file))
    return replace(program, folder=folder, source=source, file=file, module=module, work=None), env


def _is_in(path: Path, folder: Path) -> bool:
    """Whether a path is in a folder once all links are followed."""
    return _real(path).is_relative_to(_real(folder))


def _real(path: Path) -> Path:
    """A path with all links followed, but for one that leads to itself."""
    return Path(os.path.realpath(path))


def _take_in(old: Path, new: Path) -> None:
    """Makes links of a copied folder lead to what they led to: into the copy, to a copy of a file that is elsewhere, or to a folder elsewhere, which is only read."""
    for folder, folders, files in os.walk(new):
        for link in (Path(folder, name) for name in (*folders, *files)):
            if not link.is_symlink():
                continue
            to = _real(old / link.relative_to(new))
            link.unlink()
            if to.is_relative_to(_real(old)):
                link.symlink_to(_moved(to, old, new))
            elif to.is_file():
                shutil.copy2(to, link)
            else:
                link.symlink_to(to)


def _moved(path: Path, old: Path, new: Path) -> Path:
    """The place in the copy of a path in the module; one outside stays."""
    path = _real(path)
    return new / path.relative_to(_real(old)) if path.is_relative_to(_real(old)) else path


def _copied_work(go: Path, program: Program, to: Path, module: Path) -> Path:
    """A workspace that has the copy in the place of the module."""
    assert program.work is not None
    copy = to / "go.work"
    shutil.copy(program.work, copy)
    _make_absolute(go, "work", copy, program.work.parent)
    for use in json.loads(ask(go, ["work", "edit", "-json", str(copy)], to))["Use"] or ():
        place = (program.work.parent / use["DiskPath"]).resolve()
        new = module if place == program.module.resolve() else place
        ask(go, ["work", "edit", f"-dropuse={use['DiskPath']}", f"-use={new}", str(copy)], to)
    return copy


def _make_absolute(go: Path, kind: str, file: Path, base: Path) -> None:
    """Replaces relative paths of a go.mod or go.work by absolute ones. base: where they begin."""
    for item in json.loads(ask(go, [kind, "edit", "-json", str(file)], file.parent, {"GOWORK": "off"})).get("Replace") or ():
        old, new = item["Old"], item["New"]["Path"]
        if new.startswith((".", "..")):
            name = old["Path"] + (f"@{old['Version']}" if old.get("Version") else "")
            ask(go, [kind, "edit", f"-replace={name}={(base / new).resolve()}", str(file)], file.parent, {"GOWORK": "off"})
