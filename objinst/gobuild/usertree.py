"""Files in the user's tree that determine which hook packages are linked, without being part of a linked package.

Module files (go.mod, go.work and their companions; where the go command looks for them: cmd/go/internal/modload/init.go) and the
sources of hook packages in the user's own modules. This module runs nothing and writes nothing: `link -V=full` and the
key of the hook set both ask for it in every build.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from objinst.errors import UsageError
from objinst.gobuild.buildinfo import go_env_file, parent_flag

MODULE_FILES = ("go.mod", "go.sum", "go.work", "go.work.sum", "vendor/modules.txt")
SOURCE_SUFFIXES = frozenset({".go", ".s", ".h", ".c", ".S"})
IMPORT = re.compile(r'^\s*(?:import\s+)?(?:[\w.]+\s+)?"([^"\s]+)"', re.MULTILINE)
"""An import, or a string that looks like one; what is no package of the user's is left out later."""


def build_folder() -> Path:
    """Where the build was started, as the shell names it: the go command hands on PWD, and what it says of folders is in these words."""
    return Path(os.environ.get("PWD") or os.getcwd())  # noqa: PTH109 - the shell's view first


def module_file_candidates(folder: Path) -> list[Path]:
    """Every path at which a file that determines module versions exists or could exist, for a build started in `folder`."""
    found = [parent / name for parent in (folder, *folder.parents) for name in MODULE_FILES]
    work = work_file(folder)
    found += [work, work.with_name(work.name + ".sum")] if work else []
    modfile = parent_flag("modfile")
    found += [folder / modfile, (folder / modfile).with_suffix(".sum")] if modfile else []
    found += [root / name for root in user_modules(folder).values() for name in ("go.mod", "go.sum")]
    given = parent_flag("overlay")
    found += [folder / given, *(Path(file) for file in overlay(folder).values() if file)] if given else []
    return list(dict.fromkeys([*found, *([env] if (env := go_env_file()) else [])]))


def work_file(folder: Path) -> Path | None:
    """The workspace in force: $GOWORK, or the nearest go.work."""
    given = os.environ.get("GOWORK", "")
    if given == "off":
        return None
    if given:
        return Path(given)
    return next((path for parent in (folder, *folder.parents) if (path := parent / "go.work").is_file()), None)


def user_modules(folder: Path) -> dict[str, Path]:
    """Module path -> folder: the current module, those of the workspace, and folders that replace other modules."""
    found: dict[str, Path] = {}
    work = work_file(folder)
    roots = [(work.parent / words[0]).resolve() for words in directives(work, "use") if words] if work else []
    nearest = next((parent for parent in (folder, *folder.parents) if (parent / "go.mod").is_file()), None)
    for root in [*([nearest] if nearest else []), *roots]:
        mod = root / "go.mod"
        for words in directives(mod, "module"):
            found.setdefault(words[0], root)
        for words in directives(mod, "replace"):
            if words[-1].startswith((".", "/")):
                found.setdefault(words[0], (root / words[-1]).resolve())
    return found


def may_import(package: str, folder: Path, goroots: Iterable[Path]) -> bool:
    """Whether a program built in `folder` could import a package, or one that fits a glob: of the standard library, of the user's
    modules, or of a module that these require, of which no more than the path is looked at. Without a module nothing is ruled out."""
    modules = user_modules(folder)
    fixed = re.split(r"[*?\[{]", package)[0]
    is_glob = fixed != package
    fixed = fixed.rpartition("/")[0] if is_glob else fixed
    if not fixed or not modules or any((root / "src" / fixed).is_dir() for root in goroots):
        return True
    owner = _owner(fixed, modules)
    if owner is not None:
        return (modules[owner] / fixed[len(owner) :].lstrip("/")).is_dir()
    required = [words[0] for root in modules.values() for words in directives(root / "go.mod", "require") if words]
    known = [*required, *modules]
    return _owner(fixed, required) is not None or (is_glob and any(module.startswith(fixed + "/") for module in known))


def _owner(package: str, modules: Iterable[str]) -> str | None:
    """The module that a package belongs to."""
    return max((module for module in modules if package == module or package.startswith(module + "/")), key=len, default=None)


def overlay(folder: Path) -> dict[str, str]:
    """What the go command's -overlay puts in the place of files: absolute path -> file, "" where the file is to be missing.

    folder: where the build was started; names are relative to it (cmd/go/internal/fsys). Raises UsageError.
    """
    given = parent_flag("overlay")
    if not given:
        return {}
    place = folder / given
    try:
        replaced = json.loads(place.read_text("utf-8")).get("Replace") or {}
        return {os.path.join(folder, name): os.path.join(folder, file) if file else "" for name, file in replaced.items()}  # noqa: PTH118 - as go joins them
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"-overlay {place}: {error}", "the go command reads it too: does the build work without otelobj?") from error


def hook_sources(packages: Iterable[str], folder: Path) -> list[Path]:
    """Sources of these packages, and of the user's packages that they import, as far as they are in the user's modules."""
    modules = user_modules(folder)
    files: list[Path] = []
    seen: set[str] = set()
    waiting = sorted(packages)
    while waiting:
        package = waiting.pop()
        owner = _owner(package, modules)
        if owner is None or package in seen:
            continue
        seen.add(package)
        place = modules[owner] / package[len(owner) :].lstrip("/")
        sources = sorted(path for path in place.glob("*") if path.suffix in SOURCE_SUFFIXES and not path.name.endswith("_test.go"))
        files += sources
        waiting += [name for path in sources if path.suffix == ".go" for name in IMPORT.findall(path.read_text("utf-8", "replace"))]
    return sorted(set(files))


def digest(packages: Iterable[str], folder: Path) -> str:
    """Of module files, overlays and hook sources. packages: import paths of hook packages."""
    state = hashlib.sha256()
    for path in [*module_file_candidates(folder), *hook_sources(packages, folder)]:
        try:
            content = path.read_bytes()
        except OSError:
            continue
        state.update(f"{path}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        state.update(content)
    return state.hexdigest()


def directives(path: Path, verb: str) -> Iterator[list[str]]:
    """The words after `verb` in a go.mod or go.work file, also of `verb ( ... )` blocks."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return
    inside = False
    for line in text.splitlines():
        words = _words(line.partition("//")[0])
        if inside and words == [")"]:
            inside = False
        elif inside and words:
            yield words
        elif words[:2] == [verb, "("]:
            inside = True
        elif len(words) > 1 and words[0] == verb:
            yield words[1:]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
