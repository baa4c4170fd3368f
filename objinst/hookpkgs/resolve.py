"""Which archive each package of the hook set comes from.

Packages are resolved in dependency order. If the link already has the package, its archive is used. Otherwise the archive of the user's
build cache is used, if its header line matches the link and every import has the fingerprint of the archive chosen for it. Otherwise the
package is compiled here against exactly the chosen archives. The linker refuses two packages that disagree on the fingerprint of a third
(cmd/link/internal/ld/lib.go, checkFingerprint).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst import hooktree
from objinst.ending import write_whole
from objinst.errors import OtelobjError, reason
from objinst.gobuild import usertree
from objinst.gobuild.buildinfo import parent_flag, parent_flags
from objinst.gobuild.gocmd import Go, documents
from objinst.goobj.archive import Archive, fingerprint, peek
from objinst.hookpkgs import downgrade, modules
from objinst.hookpkgs.compile import Compiler
from objinst.platform.host import host
from objinst.store import cache
from objinst.store.digest import SOURCES, content_digest

LIST_FIELDS = "ImportPath,Dir,Export,Standard,Module,Imports,ImportMap,GoFiles,CgoFiles,SFiles,HFiles,EmbedFiles,EmbedPatterns,Error,DepsErrors"
OPTIMISED = "-gcflags=github.com/otelobj/otelobj/hooks/rt/...="
"""The last pattern that fits counts (cmd/go/internal/load/flag.go): without optimisation the frames of rt are too large for functions that
have no stack check."""
COMPILE_FLAGS = ("-race", "-msan", "-asan", "-tags", "-gcflags", "-asmflags", "-installsuffix")
"""Settings of a build that reach the compiler, as BuildInfo names them; the go command takes them again."""
SANITIZERS = {"runtime/race": "-race", "runtime/msan": "-msan", "runtime/asan": "-asan"}
"""Packages that are in a link only with these flags: build systems other than the go command write no BuildInfo."""
LINK_ONLY = ("vcs", "-ldflags", "DefaultGODEBUG")
"""Settings that differ from commit to commit and say nothing about how packages are compiled."""
MEMORIES = 8
"""Hook sets remembered for one configuration: a program, its tests with their variants of packages, and so on."""
MEMORY_KEYS = {"archives", "modules", "uses", "identity"}
SHARED_MODES = ("pie", "c-shared", "c-archive", "plugin")


@dataclass(frozen=True, slots=True)
class HookRequest:
    """What a hook set is resolved from.

    packages: import paths of hook packages. link: import path -> archive of the link, identities: their build ids.
    deps: modules of the binary (path, version, replacement). settings: of the build. user_dir: where the build was started.
    header: the header line of the link's archives. hooks: folder of the hook modules.
    """

    packages: tuple[str, ...]
    link: Mapping[str, Path]
    identities: Mapping[str, str]
    deps: tuple[tuple[str, str, tuple[str, str] | None], ...]
    settings: Mapping[str, str]
    user_dir: Path
    header: str
    hooks: Path
    hooks_digest: str

    def build_settings(self) -> dict[str, str]:
        """The settings that reach the compiler, completed from the packages of the link."""
        told = {name: value for name, value in self.settings.items() if not name.startswith(LINK_ONLY)}
        return {flag: "true" for package, flag in SANITIZERS.items() if package in self.link} | told

    def identity_of(self, packages: Iterable[str]) -> str:
        """Digest of what the link holds under these import paths."""
        text = "\n".join(f"{name} {self.identities.get(name, '')}" for name in sorted(packages))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class HookSet:
    """archives: of packages that the link does not have. modules: module -> version of what was added. uses: packages of the link
    that these import, directly or indirectly."""

    archives: dict[str, Path]
    modules: dict[str, str]
    uses: tuple[str, ...] = ()


def resolve(request: HookRequest, go: Go) -> HookSet:
    """Raises OtelobjError with a remedy if a module cannot be fetched or a package does not compile."""
    key = _digest(request, go)
    memo = cache.root() / "closure" / f"{key}.json"
    known = _remembered(memo, request)
    if known is not None:
        return known
    with cache.lock(f"closure-{key[:16]}"):
        known = _remembered(memo, request)
        if known is not None:
            return known
        try:
            hook_set = _build(request, go, cache.root() / "closure" / key)
            _remember(memo, request, hook_set)
        except OSError as error:
            raise OtelobjError(f"hook packages: {error.filename or memo}: {reason(error)}", cache.REMEDY) from error
    return hook_set


@functools.cache
def _own_digest() -> str:
    """Digest of the code that resolves hook sets; the rest of otelobj does not affect them."""
    return content_digest(Path(__file__).parent, SOURCES)


def _digest(request: HookRequest, go: Go) -> str:
    """Digest of the configuration: everything that determines the hook set except the packages of the link."""
    parts = [
        _own_digest(), *sorted(request.packages), request.header, request.hooks_digest, str(go.goroot), str(request.user_dir), str(_foreign_main()),
        *(f"{k}={v}" for k, v in sorted(go.env.items())), *(f"{k}={v}" for k, v in sorted(request.build_settings().items())),
        *(repr(dep) for dep in request.deps),
        usertree.digest(request.packages, request.user_dir),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _memories(memo: Path) -> list[dict[str, Any]]:
    """Empty if there are none or the file is damaged."""
    try:
        if host().owner(memo.stat()) != host().user():
            return []
        found = json.loads(memo.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [entry for entry in found if isinstance(entry, dict) and entry.keys() == MEMORY_KEYS] if isinstance(found, list) else []


def _remembered(memo: Path, request: HookRequest) -> HookSet | None:
    """A hook set for exactly these packages of the link, if all its archives still exist (`go clean -cache` removes them). Marks it as used.

    The user's own packages change with every edit; only what the hook set imports counts.
    """
    for entry in _memories(memo):
        archives = {name: Path(path) for name, path in entry["archives"].items()}
        is_same = request.identity_of(entry["uses"]) == entry["identity"] and not archives.keys() & request.link.keys()
        if is_same and all(map(cache.is_whole, archives.values())):
            with contextlib.suppress(OSError):
                os.utime(memo)
            return HookSet(archives, entry["modules"], tuple(entry["uses"]))
    return None


def _remember(memo: Path, request: HookRequest, hook_set: HookSet) -> None:
    """The newest first."""
    values = ({name: str(path) for name, path in hook_set.archives.items()}, hook_set.modules, hook_set.uses, request.identity_of(hook_set.uses))
    entry = dict(zip(("archives", "modules", "uses", "identity"), values, strict=True))
    write_whole(memo, json.dumps([entry, *_memories(memo)[: MEMORIES - 1]]).encode("utf-8"))


def _build(request: HookRequest, go: Go, folder: Path) -> HookSet:
    folder.mkdir(parents=True, exist_ok=True)
    own = [package for package in request.packages if package in request.link]
    listed = _fitting_packages(request, go, folder) if len(own) < len(request.packages) else []
    chosen: dict[str, Path] = dict(request.link)
    prints: dict[str, bytes] = {}

    def fingerprint_of(package: str) -> bytes:
        if package not in prints:
            prints[package] = fingerprint(chosen[package])
        return prints[package]

    def cgo_sources(package: str) -> list[str]:
        listed = json.loads(go.run(["list", *_list_flags(request, folder), "-compiled", "-json=Dir,CompiledGoFiles", "--", package], folder))
        return [str(Path(listed["Dir"], name)) for name in listed["CompiledGoFiles"]]

    compiler = Compiler(go, request.header, request.build_settings(), cgo_sources, usertree.overlay(request.user_dir))
    added = [package for package in listed if package["ImportPath"] not in request.link and package["ImportPath"] != "unsafe"]
    for package in added:
        export = Path(package["Export"]) if package.get("Export") else None
        fits = export is not None and _fits(export, request.header, chosen, fingerprint_of)
        chosen[package["ImportPath"]] = export if export is not None and fits else compiler.compile(package, chosen)
    versions = {package["Module"]["Path"]: downgrade.selected(package["Module"]) or package["Module"].get("Version") or "(devel)" for package in added if package.get("Module")}
    given = _reached(own, request.link)
    uses = tuple(dict.fromkeys([*(package["ImportPath"] for package in listed if package["ImportPath"] in request.link), *given]))
    return HookSet({package["ImportPath"]: chosen[package["ImportPath"]] for package in added}, versions, uses)


def _reached(packages: Iterable[str], link: Mapping[str, Path]) -> list[str]:
    """Hook packages that the link already has, and everything that they import."""
    seen: list[str] = []
    waiting = list(packages)
    while waiting:
        package = waiting.pop()
        if package not in seen and package in link:
            seen.append(package)
            waiting += [path for path, _ in Archive.read(link[package]).go_object()[1].autolib]
    return seen


def _fits(export: Path, header: str, chosen: Mapping[str, Path], fingerprint_of: Callable[[str], bytes]) -> bool:
    if not export.exists() or peek(export).line != header:
        return False
    _, obj = Archive.read(export).go_object()
    return all(path in chosen and fingerprint_of(path) == fp for path, fp in obj.autolib)


def _foreign_main() -> bool:
    """`go run pkg@version`, `go install pkg@version`: the module in the current folder is unrelated to the program."""
    words = parent_flags()
    return any(word in ("run", "install") for word in words) and any("@" in word and not word.startswith("-") for word in words)


def user_pins(request: HookRequest, go: Go) -> tuple[list[modules.Pin], list[Path]]:
    """Modules of the user's build, and the go.sum files that vouch for them. The modules in the binary take precedence over go.mod."""
    if _foreign_main():
        return modules.binary_pins(request.deps, None), []
    here = request.user_dir
    found: list[modules.Pin] = []
    sums: list[Path] = []
    base = next((parent for parent in (here, *here.parents) if (parent / "go.mod").is_file()), None)
    if base is not None:
        modfile = parent_flag("modfile")
        found += modules.go_mod_pins(base, go, here / modfile if modfile else None)
        sums.append((here / modfile).with_suffix(".sum") if modfile else base / "go.sum")
    work = usertree.work_file(here)
    if work is not None:
        found += modules.workspace_pins(work, go)
        sums += [work.with_name(work.name + ".sum"), *(root / "go.sum" for root in usertree.user_modules(here).values())]
        base = work.parent
    found += modules.binary_pins(request.deps, base)
    return list({pin.path: pin for pin in found}.values()), sums


def _fitting_packages(request: HookRequest, go: Go, folder: Path) -> list[dict[str, Any]]:
    """`list_packages`, with older releases of modules that do not build with the user's. If none helps, raises the error of the first try;
    if none could be looked up, with that reason."""
    older: dict[str, modules.Pin] = {}
    first: OtelobjError | None = None
    while True:
        users = _write_module(request, go, folder, older)
        try:
            return list_packages(go, folder, request)
        except OtelobjError as error:
            first = first or error
            try:
                pin = downgrade.older_release(go, folder, [*_list_flags(request, folder), "--", *_wanted(request)], error.what, users)
            except OtelobjError as lookup:
                raise OtelobjError(f"{first.what}\nno older releases could be looked up: {lookup.what}", lookup.remedy) from None
            if pin is None:
                raise first from None
            older[pin.path] = pin


def _write_module(request: HookRequest, go: Go, folder: Path, older: Mapping[str, modules.Pin]) -> set[str]:
    """older: releases that override what the hooks require. Returns the modules of the user's build."""
    pins, sums = user_pins(request, go)
    used = [name for name in hooktree.modules() if any(p == name or p.startswith(name + "/") for p in request.packages)]
    needs, paired = modules.hook_needs(modules.hook_requirements(request.hooks, used, go), pins)
    needs = {path: version for path, version in needs.items() if path not in older}
    added = {**{pin.path: pin for pin in paired}, **older}
    modules.check_owned([package for package in request.packages if package not in request.link], [*needs, *added, *(pin.path for pin in pins)])
    sums += [request.hooks / name / "go.sum" for name in hooktree.modules().values()]
    version = go.run(["env", "GOVERSION"], folder).strip().removeprefix("go").split("-")[0].split(" ")[0]
    modules.write(folder, version, modules.hook_sources(request.hooks, request.hooks_digest), [*pins, *added.values()], needs, sums)
    return {pin.path for pin in pins}


def list_packages(go: Go, folder: Path, request: HookRequest) -> list[dict[str, Any]]:
    """The packages of the hook set, dependencies first, built into the user's build cache."""
    return documents(go.run(["list", *_list_flags(request, folder), "-deps", "-export", f"-json={LIST_FIELDS}", "--", *_wanted(request)], folder))


def _wanted(request: HookRequest) -> list[str]:
    """The hook packages that the link does not have."""
    return [package for package in request.packages if package not in request.link]


def _list_flags(request: HookRequest, folder: Path) -> list[str]:
    """Flags of the build, for `go list` in the hook set's module."""
    settings = request.build_settings()
    flags = [f"{name}={value}" for name in COMPILE_FLAGS if (value := settings.get(name)) and _reaches_all(name, value)]
    if any(flag.startswith("-gcflags=") for flag in flags):
        flags.append(OPTIMISED)
    flags += ["-trimpath"] if settings.get("-trimpath") == "true" else []
    flags += [f"-buildmode={settings['-buildmode']}"] if settings.get("-buildmode") in SHARED_MODES else []
    replaced = usertree.overlay(request.user_dir)
    if replaced:
        (folder / "overlay.json").write_text(json.dumps({"Replace": replaced}), "utf-8")
        flags.append(f"-overlay={folder / 'overlay.json'}")
    return ["-mod=mod", "-toolexec=", *flags, *(["-modcacherw"] if "-modcacherw" in parent_flags() else [])]


def _reaches_all(name: str, value: str) -> bool:
    """Whether -gcflags apply to all packages. Without a pattern they apply to the packages that the user named, not to their imports."""
    return name not in ("-gcflags", "-asmflags") or not value.startswith("-")
