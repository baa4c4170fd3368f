"""Which archive each package of the hook set comes from.

In a program without OpenTelemetry's API, zone.py answers that. In one that has it, the hooks share the program's copy, at the program's versions;
packages are resolved in dependency order. If the link already has the package, its archive is used. Otherwise the archive of the user's
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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from objinst import hooktree
from objinst.errors import OtelobjError, reason
from objinst.gobuild import usertree
from objinst.gobuild.gocmd import Go, documents
from objinst.goobj.archive import fingerprint
from objinst.hookpkgs import downgrade, memory, modules, vouched, zone
from objinst.hookpkgs.compile import Compiler
from objinst.hookpkgs.request import LIST_FIELDS, HookRequest, HookSet, fits, foreign_main, list_flags, reached
from objinst.store import cache
from objinst.store.digest import SOURCES, content_digest

MEMORY_KEYS = {"archives", "modules", "uses", "identity"}


def resolve(request: HookRequest, go: Go) -> HookSet:
    """Raises OtelobjError with a remedy if a module cannot be fetched or a package does not compile."""
    if zone.applies(request):
        return zone.resolve(request, go)
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
        _own_digest(), *sorted(request.packages), request.header, request.hooks_digest, str(go.goroot), str(request.user_dir), str(foreign_main()),
        *(f"{k}={v}" for k, v in sorted(go.env.items())), *(f"{k}={v}" for k, v in sorted(request.build_settings().items())),
        *(repr(dep) for dep in request.deps),
        usertree.digest(request.packages, request.user_dir),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _remembered(memo: Path, request: HookRequest) -> HookSet | None:
    """A hook set for exactly these packages of the link, if all its archives still exist (`go clean -cache` removes them). Marks it as used.

    The user's own packages change with every edit; only what the hook set imports counts.
    """
    for entry in memory.entries(memo, MEMORY_KEYS):
        archives = {name: Path(path) for name, path in entry["archives"].items()}
        is_same = request.identity_of(entry["uses"]) == entry["identity"] and not archives.keys() & request.link.keys()
        if is_same and all(map(cache.is_whole, archives.values())):
            with contextlib.suppress(OSError):
                os.utime(memo)
            return HookSet(archives, entry["modules"], tuple(entry["uses"]))
    return None


def _remember(memo: Path, request: HookRequest, hook_set: HookSet) -> None:
    values = ({name: str(path) for name, path in hook_set.archives.items()}, hook_set.modules, hook_set.uses, request.identity_of(hook_set.uses))
    memory.add(memo, dict(zip(("archives", "modules", "uses", "identity"), values, strict=True)))


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
        listed = json.loads(go.run(["list", *list_flags(request, folder), "-compiled", "-json=Dir,CompiledGoFiles", "--", package], folder))
        return [str(Path(listed["Dir"], name)) for name in listed["CompiledGoFiles"]]

    compiler = Compiler(go, request.header, request.build_settings(), cgo_sources, usertree.overlay(request.user_dir))
    added = [package for package in listed if package["ImportPath"] not in request.link and package["ImportPath"] != "unsafe"]
    for package in added:
        export = Path(package["Export"]) if package.get("Export") else None
        is_fit = export is not None and fits(export, request.header, chosen, fingerprint_of)
        chosen[package["ImportPath"]] = export if export is not None and is_fit else compiler.compile(package, chosen)
    versions = {package["Module"]["Path"]: downgrade.selected(package["Module"]) or package["Module"].get("Version") or "(devel)" for package in added if package.get("Module")}
    given = reached(own, request.link)
    uses = tuple(dict.fromkeys([*(package["ImportPath"] for package in listed if package["ImportPath"] in request.link), *given]))
    return HookSet({package["ImportPath"]: chosen[package["ImportPath"]] for package in added}, versions, uses)


def _fitting_packages(request: HookRequest, go: Go, folder: Path) -> list[dict[str, Any]]:
    """`list_packages`, with older releases of modules that do not build with the user's. If none helps, raises the error of the first try;
    if none could be looked up, with that reason."""
    older: dict[str, modules.Pin] = {}
    first: OtelobjError | None = None
    while True:
        users = _write_module(request, go, folder, older)
        given = (folder / "go.sum").read_text("utf-8")
        try:
            listed = list_packages(go, folder, request)
        except OtelobjError as error:
            first = first or error
            try:
                pin = downgrade.older_release(go, folder, [*list_flags(request, folder), "--", *_wanted(request)], error.what, users)
            except OtelobjError as lookup:
                raise OtelobjError(f"{first.what}\nno older releases could be looked up: {lookup.what}", lookup.remedy) from None
            if pin is None:
                raise first from None
            older[pin.path] = pin
        else:
            vouched.warn(go, folder, given)
            return listed


def _write_module(request: HookRequest, go: Go, folder: Path, older: Mapping[str, modules.Pin]) -> set[str]:
    """older: releases that override what the hooks require. Returns the modules of the user's build."""
    pins, sums = modules.user_pins(request, go)
    used = [name for name in hooktree.modules() if any(p == name or p.startswith(name + "/") for p in request.packages)]
    needs, paired = modules.hook_needs(modules.hook_requirements(request.hooks, used, go), pins)
    needs = {path: version for path, version in needs.items() if path not in older}
    added = {**{pin.path: pin for pin in paired}, **older}
    modules.check_owned([package for package in request.packages if package not in request.link], [*needs, *added, *(pin.path for pin in pins)])
    sums += [request.hooks / name / "go.sum" for name in (*hooktree.modules().values(), hooktree.PRIVATE)]
    version = go.run(["env", "GOVERSION"], folder).strip().removeprefix("go").split("-")[0].split(" ")[0]
    modules.write(folder, version, modules.hook_sources(request.hooks, request.hooks_digest), [*pins, *added.values()], needs, sums)
    return {pin.path for pin in pins}


def list_packages(go: Go, folder: Path, request: HookRequest) -> list[dict[str, Any]]:
    """The packages of the hook set, dependencies first, built into the user's build cache."""
    return documents(go.run(["list", *list_flags(request, folder), "-deps", "-export", f"-json={LIST_FIELDS}", "--", *_wanted(request)], folder))


def _wanted(request: HookRequest) -> list[str]:
    """The hook packages that the link does not have."""
    return [package for package in request.packages if package not in request.link]


