"""Which archive each package of the hook closure comes from.

In dependency order: the archive of the link at hand, if the link has the package; the user's build cache's, if the header line is
the link's and every import has the fingerprint of the archive chosen for it; else one compiled here against exactly the chosen
archives. The linker refuses two packages that disagree on a third's fingerprint (cmd/link/internal/ld/lib.go, checkFingerprint).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst import cache
from objinst.archive import Archive, fingerprint, peek
from objinst.closure import modules
from objinst.closure.compile import Compiler
from objinst.closure.gocmd import Go
from objinst.errors import OtelobjError

LIST_FIELDS = "ImportPath,Dir,Export,Standard,Module,Imports,ImportMap,GoFiles,CgoFiles,SFiles,HFiles,EmbedFiles,EmbedPatterns,Error,DepsErrors"
COMPILE_FLAGS = ("-race", "-msan", "-asan", "-tags", "-gcflags", "-asmflags", "-installsuffix")
"""Settings of a build that reach the compiler, as BuildInfo names them; the go command takes them again."""


@dataclass(frozen=True, slots=True)
class HookRequest:
    """What is wanted of the closure.

    packages: import paths of hook packages. link: import path -> archive of the link at hand, identities: their build ids.
    deps: modules of the binary (path, version, replacement). settings: of the build. user_dir: where the user's module may be.
    header: the header line of the link's archives.
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


@dataclass(frozen=True, slots=True)
class Closure:
    """archives: of packages that the link does not have. modules: module -> version of what was added."""

    archives: dict[str, Path]
    modules: dict[str, str]


def resolve(request: HookRequest, go: Go) -> Closure:
    """Raises OtelobjError with a remedy if a module cannot be had or a package does not compile."""
    key = _digest(request, go)
    memo = cache.root() / "closure" / f"{key}.json"
    known = _remembered(memo)
    if known is not None:
        return known
    with cache.lock(f"closure-{key[:16]}"):
        known = _remembered(memo)
        if known is not None:
            return known
        closure = _build(request, go, cache.root() / "closure" / key)
        temporary = memo.with_suffix(".new")
        temporary.write_text(json.dumps({"archives": {k: str(v) for k, v in closure.archives.items()}, "modules": closure.modules}))
        temporary.replace(memo)
    return closure


def _digest(request: HookRequest, go: Go) -> str:
    parts = [
        *sorted(request.packages), request.header, request.hooks_digest, str(go.goroot), str(request.user_dir),
        *(f"{k}={v}" for k, v in sorted(go.env.items())), *(f"{k}={v}" for k, v in sorted(request.settings.items())),
        *(repr(dep) for dep in request.deps), *(f"{k} {v}" for k, v in sorted(request.identities.items()) if k != "main"),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _remembered(memo: Path) -> Closure | None:
    """None if there is no memory, or an archive in it is gone (`go clean -cache`)."""
    try:
        raw = json.loads(memo.read_text())
    except (OSError, ValueError):
        return None
    archives = {name: Path(path) for name, path in raw["archives"].items()}
    return Closure(archives, raw["modules"]) if all(path.exists() for path in archives.values()) else None


def _build(request: HookRequest, go: Go, folder: Path) -> Closure:
    folder.mkdir(parents=True, exist_ok=True)
    user_module = _user_module(request, go)
    _write_module(request, go, folder, user_module)
    listed = list_packages(go, folder, request)
    chosen: dict[str, Path] = dict(request.link)
    prints: dict[str, bytes] = {}

    def fingerprint_of(package: str) -> bytes:
        if package not in prints:
            prints[package] = fingerprint(chosen[package])
        return prints[package]

    compiler = Compiler(go, request.header, folder / "compiled", dict(request.settings))
    for package in listed:
        path = package["ImportPath"]
        if path in chosen or path == "unsafe":
            continue
        export = Path(package["Export"]) if package.get("Export") else None
        if export is not None and _fits(export, request.header, chosen, fingerprint_of):
            chosen[path] = export
        else:
            chosen[path] = compiler.compile(package, chosen)
    versions = {p["Module"]["Path"]: p["Module"].get("Version") or "(devel)" for p in listed if p.get("Module") and p["ImportPath"] not in request.link}
    return Closure({p["ImportPath"]: chosen[p["ImportPath"]] for p in listed if p["ImportPath"] not in request.link and p["ImportPath"] != "unsafe"}, versions)


def _fits(export: Path, header: str, chosen: Mapping[str, Path], fingerprint_of: Any) -> bool:
    if not export.exists() or peek(export).line != header:
        return False
    _, obj = Archive.read(export).go_object()
    return all(path in chosen and fingerprint_of(path) == fp for path, fp in obj.autolib)


def _user_module(request: HookRequest, go: Go) -> Path | None:
    found = go.run(["env", "GOMOD"], request.user_dir, GOWORK="off").strip()
    return Path(found).parent if found and found != "/dev/null" else None


def _write_module(request: HookRequest, go: Go, folder: Path, user_module: Path | None) -> None:
    pins = modules.user_pins(request.deps, user_module, go)
    sums = [request.hooks / name / "go.sum" for name in modules.HOOK_MODULES.values()]
    if user_module is not None:
        sums.append(user_module / "go.sum")
    work = go.run(["env", "GOWORK"], request.user_dir, GOWORK="").strip()
    if work and work != "off":
        present = {pin.path: pin for pin in pins}
        pins = list((present | {pin.path: pin for pin in modules.workspace_pins(Path(work), go)}).values())
        sums.append(Path(work + ".sum"))
    wanted = [name for name in modules.HOOK_MODULES if any(p == name or p.startswith(name + "/") for p in request.packages)]
    if modules.HOOK_MODULES.keys() - set(wanted):
        wanted = [name for name in modules.HOOK_MODULES if name in wanted or name.endswith("/rt")]
    needs = modules.hook_requirements(request.hooks, wanted, go)
    companions = modules.lockstep(pins, needs)
    hooks = modules.without_indirect(request.hooks, folder) if companions else request.hooks
    pins += companions
    version = go.run(["env", "GOVERSION"], folder.parent).strip().removeprefix("go").split("-")[0].split(" ")[0]
    modules.write(folder, version, hooks, wanted, pins, needs, sums)


def list_packages(go: Go, folder: Path, request: HookRequest) -> list[dict[str, Any]]:
    """The packages of the closure, dependencies first, built into the user's build cache."""
    flags = [f"{name}={request.settings[name]}" for name in COMPILE_FLAGS if request.settings.get(name)]
    if request.settings.get("-trimpath") == "true":
        flags.append("-trimpath")
    if request.settings.get("-buildmode") in ("pie", "c-shared", "c-archive", "plugin"):
        flags.append(f"-buildmode={request.settings['-buildmode']}")
    out = go.run(["list", "-mod=mod", *flags, "-deps", "-export", f"-json={LIST_FIELDS}", *request.packages], folder)
    decoder = json.JSONDecoder()
    packages: list[dict[str, Any]] = []
    at = 0
    while at < len(out):
        package, end = decoder.raw_decode(out, at)
        packages.append(package)
        at = end + len(out[end:]) - len(out[end:].lstrip())
    return packages


def check_requested(closure: Closure, link: Mapping[str, Path], packages: Sequence[str]) -> None:
    """Raises OtelobjError if a hook package is in neither."""
    for package in packages:
        if package not in closure.archives and package not in link:
            raise OtelobjError(f"hook package {package} could not be built", "check the rule's `path`")
