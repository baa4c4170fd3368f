"""The synthetic main module in which hook packages of the user's own are listed: it requires every module of the user's build at the selected version.

It is outside the user's tree, so nothing there is touched. A `replace M => M vX` without a version on the left pins M to vX: the user's versions
win. Folders (local replaces, workspace modules, the user's own module) become absolute paths. The hook modules appear without requirements of their own,
which could otherwise raise a version above the user's.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst import hooktree
from objinst.errors import OtelobjError
from objinst.gobuild import usertree
from objinst.gobuild.buildinfo import parent_flag
from objinst.gobuild.gocmd import Go
from objinst.goversions import number
from objinst.hookpkgs.minimum import needed_by
from objinst.hookpkgs.request import HookRequest, foreign_main
from objinst.store import cache

UNRELEASED = "0.0-00010101000000-000000000000"
MAJOR = re.compile(r"(?:^gopkg\.in/.*\.|/)v([2-9]|[1-9]\d+)$")
"""The major version in a module path (golang.org/x/mod/module, SplitPathVersion): after a dot in gopkg.in alone."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A module of the user's build. target: a version, `PATH VERSION` of what replaces it, or an absolute folder."""

    path: str
    target: str

    @property
    def is_folder(self) -> bool:
        return self.target.startswith("/")

    @property
    def is_version(self) -> bool:
        return not self.is_folder and " " not in self.target


def unreleased(path: str) -> str:
    """A version that stands for a folder; its major version must match the module path."""
    major = MAJOR.search(path)
    return f"v{major[1] if major else 0}.{UNRELEASED}"


def binary_pins(deps: Iterable[tuple[str, str, tuple[str, str] | None]], base: Path | None) -> list[Pin]:
    """deps: path, version and replacement of the modules in the binary. base: folder that relative replacements start from."""
    pins = []
    for path, version, replaced in deps:
        if replaced is None:
            pins.append(Pin(path, version))
        elif replaced[1] not in ("", "(devel)"):  # cmd/go/internal/modload/build.go, debugModFromModinfo: a folder has no version
            pins.append(Pin(path, f"{replaced[0]} {replaced[1]}"))
        elif replaced[0].startswith("/") or base is not None:
            pins.append(Pin(path, str((base or Path("/")).joinpath(replaced[0]).resolve())))
    return [pin for pin in pins if pin.target and pin.target != "(devel)"]


def go_mod_pins(folder: Path, go: Go, modfile: Path | None = None) -> list[Pin]:
    """The pins of go.mod, or of the file in its place: the module itself, its requirements, its replacements."""
    mod = json.loads(go.run(["mod", "edit", "-json", str(modfile or folder / "go.mod")], folder))
    pins = [Pin(mod["Module"]["Path"], str(folder))]
    pins += [Pin(item["Path"], item["Version"]) for item in mod.get("Require") or []]
    return pins + [_replacement(item, folder) for item in mod.get("Replace") or []]


def workspace_pins(work_file: Path, go: Go) -> list[Pin]:
    """The modules of a workspace, the highest versions that they require, and the workspace's own replacements."""
    work = json.loads(go.run(["work", "edit", "-json", str(work_file)], work_file.parent))
    folders = [(work_file.parent / use["DiskPath"]).resolve() for use in work.get("Use") or []]
    found: dict[str, Pin] = {}
    for pin in (pin for folder in folders for pin in go_mod_pins(folder, go)):
        known = found.get(pin.path)
        if known is None or not pin.is_version or (known.is_version and order(known.target) < order(pin.target)):
            found[pin.path] = pin
    return [*found.values(), *(_replacement(item, work_file.parent) for item in work.get("Replace") or [])]


def _replacement(item: Mapping[str, Mapping[str, str]], folder: Path) -> Pin:
    new = item["New"]
    version = new.get("Version")
    return Pin(item["Old"]["Path"], f"{new['Path']} {version}" if version else str((folder / new["Path"]).resolve()))


def order(version: str) -> tuple[list[int], bool, str]:
    """A key that sorts versions as the go command does."""
    core, dash, rest = version.removeprefix("v").partition("-")
    return [int(part) for part in re.findall(r"\d+", core)], not dash, rest


def user_pins(request: HookRequest, go: Go) -> tuple[list[Pin], list[Path]]:
    """Modules of the user's build, and the go.sum files that vouch for them. The modules in the binary take precedence over go.mod."""
    if foreign_main():
        return binary_pins(request.deps, None), []
    here = request.user_dir
    found: list[Pin] = []
    sums: list[Path] = []
    base = next((parent for parent in (here, *here.parents) if (parent / "go.mod").is_file()), None)
    if base is not None:
        modfile = parent_flag("modfile")
        found += go_mod_pins(base, go, here / modfile if modfile else None)
        sums.append((here / modfile).with_suffix(".sum") if modfile else base / "go.sum")
    work = usertree.work_file(here)
    if work is not None:
        found += workspace_pins(work, go)
        sums += [work.with_name(work.name + ".sum"), *(root / "go.sum" for root in usertree.user_modules(here).values())]
        base = work.parent
    found += binary_pins(request.deps, base)
    return list({pin.path: pin for pin in found}.values()), sums


def hook_sources(hooks: Path, digest: str) -> Path:
    """Copies of the hook modules in the cache, without requirements, laid out as a GOPATH. Their path is always the same, so they are compiled once."""

    def make(folder: Path) -> None:
        ignored = shutil.ignore_patterns(*hooktree.NOT_COMPILED)
        shutil.copytree(hooks / hooktree.BRIDGE, folder / "src" / hooktree.BRIDGE_PATH, copy_function=shutil.copyfile, ignore=ignored)
        for path, name in hooktree.modules().items():
            target = folder / "src" / path
            shutil.copytree(hooks / name, target, copy_function=shutil.copyfile, ignore=ignored)
            (target / "go.mod").write_text(f"module {path}\n\ngo {needed_by(path)}\n", "utf-8")

    return cache.folder("hooks", hashlib.sha256(f"gopath {digest}".encode()).hexdigest(), make)


def write(folder: Path, go_version: str, hooks: Path, pins: Sequence[Pin], sums: Sequence[Path]) -> None:
    """Writes go.mod and go.sum of the synthetic module. hooks: of `hook_sources`. sums: go.sum files whose lines are trusted.

    The go command refuses a module that requires one for a newer Go, so those are left out.
    """
    ours = [path for path in hooktree.modules() if number(needed_by(path)) <= number(go_version)]
    users = [pin for pin in pins if pin.path not in hooktree.modules()]
    lines = ["module otelobj.invalid/closure", "", f"go {go_version}", ""]
    lines += [f"require {_quoted(path)} {unreleased(path)}" for path in ours]
    lines += [f"require {_quoted(pin.path)} {_quoted(pin.target) if pin.is_version else unreleased(pin.path)}" for pin in users]
    lines += [f"replace {_quoted(path)} => {_quoted(str(hooks / 'src' / path))}" for path in ours]
    lines += [f"replace {_quoted(pin.path)} => {_target(pin)}" for pin in users]
    (folder / "go.mod").write_text("\n".join(lines) + "\n", "utf-8")
    known = {line for path in sums if path.exists() for line in path.read_text("utf-8").splitlines()}
    (folder / "go.sum").write_text("".join(f"{line}\n" for line in sorted(known)), "utf-8")


def check_owned(packages: Iterable[str], owners: Iterable[str]) -> None:
    """Raises OtelobjError for a hook package that is in no known module. A package is never looked up by name alone."""
    known = {*owners, *hooktree.modules()}
    for package in packages:
        parents = [package, *(package[:at] for at, char in enumerate(package) if char == "/")]
        if "." in parents[-1].split("/")[0] and not any(parent in known for parent in parents):
            raise OtelobjError(f"hook package {package} is in no module of this build", "check the rule's `path`, or add the module with `go get`")


def _target(pin: Pin) -> str:
    if pin.is_folder:
        return _quoted(pin.target)
    words = [pin.path, pin.target] if pin.is_version else pin.target.split(" ")  # another module, and its version
    return " ".join(map(_quoted, words))


def _quoted(text: str) -> str:
    """A word of go.mod, as a Go string literal if it has special characters (golang.org/x/mod/modfile, MustQuote)."""
    return json.dumps(text, ensure_ascii=False) if re.search(r"[\s\"'`(),\[\]{}]|//|/\*", text) else text


def selected(module: Mapping[str, Any]) -> str | None:
    """The version of a module as `go list` describes it; None for a folder or another module in its place."""
    replaced = module.get("Replace", module)
    return replaced.get("Version") if replaced["Path"] == module["Path"] else None
