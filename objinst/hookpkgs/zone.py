"""The private zone: what the hooks take from outside the standard library, under import paths of its own, and the bridge to the program's copy
of OpenTelemetry's API.

A package of the zone is compiled as `otelobj.private/PATH`, and the compiler's importcfg maps its imports (`importmap`, cmd/compile/internal/base/flag.go,
readImportCfg). Its sources are pinned (objinst.hookpkgs.pins), so the program's module versions decide nothing. What decides is the toolchain, the
header line, flags that reach every package (-race, -shared, ...) and the fingerprints of the packages that it imports, std's among them: it is compiled
once for these, for all programs. A fingerprint is a hash of all that the compiler reads of an imported package, and what the linker compares. So a program
whose profile (-pgo) or coverage makes other archives of std, but with the same export data, shares the zone with all others. Always with -trimpath, so the
archives are the same on every machine whose std is the same, and with the tag `grpcnotrace`: golang.org/x/net/trace would register /debug/requests, at
which two copies panic.

Hook packages of a library keep their paths, too. What they import of the library is the program's (objinst.hookpkgs.libraries).

Packages of others that observe a library, such as OpenTelemetry's bridge from Prometheus' registry, are compiled as `otelobj.hooks/PATH` in a program
that links the library: against the program's copy of it, and OpenTelemetry from the zone. What does not compile with the program's version of a library is
left out with a warning.

rt, and hook modules that need nothing from outside the standard library, keep their paths like all hook packages, which are compiled here too.

Where the link has packages of OpenTelemetry's API, those packages of the bridge (hooks/bridge) are compiled that join them with the private copy, against
both (objinst.hookpkgs.apilevel). Hook packages of the user's own are compiled at the versions of their module, and import OpenTelemetry from the link,
or from the zone where the link has no API. If they import hooks/active in a link with the API, there are two copies of it: theirs, and ours as
`otelobj.hooks/...` (hooks/active/copies.go).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst import hooktree
from objinst.errors import OtelobjError, reason
from objinst.gobuild import usertree
from objinst.gobuild.gocmd import Go, SourceError, documents
from objinst.goobj.archive import fingerprint
from objinst.goversions import TELEMETRY, number
from objinst.hookpkgs import apilevel, libraries, memory, minimum, modules, own_sdk, pins, progress, sources, vouched
from objinst.hookpkgs.compile import SHARED_MODES, Batch, Compiler, content, imported
from objinst.hookpkgs.known import KEYS, PROGRAM, Exports, Known, Part, place_of
from objinst.hookpkgs.request import LIST_FIELDS, PROGRAM_SDK, HookRequest, HookSet, compile_flags, fits, foreign_main, list_flags, reached
from objinst.platform.target import PLAINLY
from objinst.rules import OBSERVERS, PRIVATE, version_key
from objinst.store import cache
from objinst.store.digest import hooks_digest, own_digest
from objinst.store.parallel import in_order
from objinst.store.root import make_folder

API = "go.opentelemetry.io/otel"
SANITIZERS = ("-race", "-msan", "-asan")
TAGS = ("grpcnotrace",)
WITHOUT_SDK = "otelobj_program"
"""Build tag of hooks/sdk and hooks/bridge for programs without an SDK of ours."""
ACTIVE = "github.com/otelobj/otelobj/hooks/active"
SDK = f"github.com/otelobj/otelobj/hooks/{hooktree.SUPPORT}"
LOGS = "github.com/otelobj/otelobj/hooks/logs"
HOOKS_REMEDY = "require the version of the hooks that belongs to this otelobj: `otelobj hooks` says where its sources are"
USERS = f"{hooktree.BRIDGE_PATH}/users"
"""Joins two copies of hooks/active: that of hook packages of the user's own, over the program's API, and ours over the private one."""

Announce = Callable[[Collection[str]], Callable[[], object]]
"""Called before packages are compiled, with their import paths in the link; returns what is called after each."""
Package = Mapping[str, Any]
"""As `go list -json` describes it, under its import path in the link; see objinst.hookpkgs.compile.Compiler."""


class NotCompiledError(OtelobjError):
    """package: its import path in the link."""

    def __init__(self, what: str, remedy: str = "", package: str = "") -> None:
        super().__init__(what, remedy)
        self.package = package


def _is_in_need(request: HookRequest, package: str) -> bool:
    """Whether the hook module of a package, or a hook module that it needs, requires modules of others."""
    ours = hooktree.modules()
    waiting = [owner] if (owner := hooktree.owner(package)) else []
    seen = set()
    while waiting:
        module = waiting.pop()
        if module not in ours:
            return True
        if module not in seen:
            seen.add(module)
            waiting += [words[0] for words in usertree.directives(request.hooks / ours[module] / "go.mod", "require")]
    return False


def _joining(module: str, version: str, *, is_replaced: bool) -> str:
    """What a user can do about a module of OpenTelemetry that the bridge does not compile with."""
    theirs, pinned = version_key(version), pins.pins().modules.get(module)
    ours = version_key(pinned.version) if pinned else None
    if is_replaced:
        return "its release, without the replace directive,"
    if theirs and ours and theirs > ours:
        return f"a newer otelobj (this one knows {pinned.version if pinned else ''})"
    return f"`go get {module}@latest`"


def _names_zone(request: HookRequest) -> bool:
    """Whether the sources of the user's own hook packages import OpenTelemetry, or hook modules that do."""
    users = [package for package in request.packages if hooktree.owner(package) is None]
    files = [path for path in usertree.hook_sources(users, request.user_dir) if path.suffix == ".go"]
    names = {name for path in files for name in usertree.IMPORT.findall(path.read_text("utf-8", "replace"))}
    return any(name.startswith(sources.OPENTELEMETRY) or _is_in_need(request, name) for name in names)


MANY = 20
"""Packages whose compilation takes so long that a user wonders."""


def say(packages: Collection[str]) -> Callable[[], object]:
    """The line or the bar that the user sees; none if only some packages are compiled anew."""
    return progress.begin("otelobj: compiling OpenTelemetry once for this toolchain", len(packages)) if len(packages) >= MANY else lambda: None


def resolve(request: HookRequest, go: Go, announce: Announce = say, *, whole: bool = False) -> HookSet:
    """The hook set of a link. whole: its sources are to be in the cache as well, for links of other packages.

    Raises OtelobjError with a remedy if a module cannot be had or a package does not compile."""
    found = _resolved(request, go, announce, whole=whole)
    for note in found.notes:
        print(f"otelobj: warning: {note}", file=sys.stderr)
    return found


def _resolved(request: HookRequest, go: Go, announce: Announce, *, whole: bool) -> HookSet:
    memo = cache.root() / "closure" / f"{_digest(request, go)}.json"
    found = _remembered(memo, request, go, None, whole=whole)
    if found is not None:
        return found
    with cache.lock(f"closure-{memo.name[:16]}"):
        resolution = _Resolution(request, go, memo, announce)
        try:
            return _remembered(memo, request, go, resolution.std_exports, whole=whole) or resolution.hook_set()
        except OSError as error:
            raise OtelobjError(f"hook packages: {error.filename or memo}: {reason(error)}", cache.REMEDY) from error


# memory


def _digest(request: HookRequest, go: Go) -> str:
    """Digest of the configuration: everything that determines the hook set except the packages of the link. Without hook packages of the user's own it is
    the same on all machines and for all programs with the same API of OpenTelemetry and the same libraries for which there are hooks: nothing else of the
    program and no folder counts, nor which of the hook packages are wanted."""
    parts = [_key(request.header, _env(go, request.header), compile_flags(request), request.exporters, request.sdk, request.hooks_digest)]
    parts += [f"{name} {request.content_of(name)}" for name in (*apilevel.PACKAGES, ACTIVE) if name in request.link]
    parts += [f"{name} {request.content_of(name)}" for name in _of_program(request) if name in request.link]
    parts += [f"{place} {file} {_file_state(file)}" for place, file in sorted(usertree.overlay(request.user_dir).items())]
    if any(hooktree.owner(package) is None for package in request.packages):
        parts += [*sorted(request.packages), str(go.goroot), str(request.user_dir), str(foreign_main()), *(repr(dep) for dep in request.deps)]
        parts.append(usertree.digest(request.packages, request.user_dir))
        parts += [f"{name}={os.environ.get(name, '')}" for name in vouched.VARIABLES]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest() if len(parts) > 1 else parts[0]


def _of_program(request: HookRequest) -> list[str]:
    """What hook packages of libraries import of the program."""
    return sorted({name for names in libraries.observed(request.hooks, request.packages).values() for name in names})


def key(known: Known) -> str:
    """`_digest` of every link that a hook set without packages of the user's serves."""
    return _key(known.header, known.env, known.flags, known.exporters, known.sdk, hooks_digest())


def _key(header: str, env: Mapping[str, str], flags: Sequence[str], exporters: Sequence[str], sdk: str, hooks: str) -> str:
    parts = [own_digest(), header, hooks, *(f"{name}={value}" for name, value in sorted(env.items())), *flags, *exporters, sdk]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _file_state(file: str) -> str:
    """The digest of a file that -overlay names; "" for none."""
    try:
        return cache.file_digest(Path(file)) if file else ""
    except OSError:
        return ""


def _std_state(go: Go) -> str:
    """What changes when another toolchain is put into the place of this one, also one of the same version: a distribution mends its own."""
    try:
        state = (go.goroot / "VERSION").stat()
    except OSError:
        return ""
    return f"{go.goroot} {state.st_ino} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"


def _env(go: Go, header: str) -> dict[str, str]:
    """Settings of the build that decide about std archives and that no header line has. Of a development version, also what tells it from others."""
    found = {name: go.env[name] for name in ("CGO_ENABLED", "GOFIPS140") if go.env.get(name, "off") != "off"}
    return found | ({"tool": go.tool_id} if "devel" in header else {})


def _remembered(memo: Path, request: HookRequest, go: Go, exports: Exports | None, *, whole: bool) -> HookSet | None:
    """A hook set that was made for the same content of every package of it that the link has, if all other archives are there. Marks it as used.

    whole: and its sources, too."""
    std = _std_state(go)
    for entry in memory.entries(memo, KEYS):
        try:
            known = Known.of(entry)
        except ValueError:
            continue
        if whole and not all(cache.has(*entry) for entry in known.made_from()):
            continue
        found = known.for_link(request, exports, std)
        if found is not None:
            for kind, digest in known.made_from():
                cache.touch(kind, digest)
            hook_set, now = found
            with contextlib.suppress(OSError):  # a cache that can only be read serves as well
                if now is not known:
                    memory.add(memo, now.json(), instead_of=entry)
                os.utime(memo)
            return hook_set
    return None


# listing


@dataclass(frozen=True)
class _Resolution:
    """One hook set in the making. memo: the file that remembers it."""

    request: HookRequest
    go: Go
    memo: Path
    announce: Announce

    @functools.cached_property
    def folder(self) -> Path:
        """For files of the go command; always the same, as is the module in it."""
        made = self.memo.with_suffix("")
        make_folder(made)
        return made

    @functools.cached_property
    def own(self) -> list[str]:
        """Hook packages that come with otelobj and are not in the link, without those of the bridge."""
        ours = [package for package in self.request.packages if package not in self.request.link and hooktree.owner(package)]
        return [package for package in ours if hooktree.bridge_part(package) is None]

    @functools.cached_property
    def users(self) -> list[str]:
        """Hook packages of the user's own that are not in the link."""
        return [package for package in self.request.packages if package not in self.request.link and not hooktree.owner(package)]

    @functools.cached_property
    def hooks(self) -> Path:
        """A GOPATH with the sources of the hook modules."""
        return modules.hook_sources(self.request.hooks, self.request.hooks_digest)

    @functools.cached_property
    def tree(self) -> sources.Tree:
        """The sources of the zone. Only asked for where something of it is needed."""
        return sources.sources(self.go, self.request.hooks, self.language)

    @functools.cached_property
    def _of_users(self) -> tuple[dict[str, Package], list[str]]:
        return self.user_packages() if self.users else ({}, [])

    @property
    def _theirs(self) -> dict[str, Package]:
        return self._of_users[0]

    @functools.cached_property
    def _early(self) -> list[str]:
        return self._without_hooks(self._theirs)

    def hook_set(self) -> HookSet:
        theirs = self._theirs
        early = self._early
        level = self._level(theirs, early)
        apart = self._observers()
        said = own_sdk.check_bridged(level, self.request.link) if self._is_alone else level.line()
        notes = [*self._of_users[1], *([said] if said else [])]
        dropped: dict[str, str] = {}

        def drop(package: str, why: str) -> None:
            if package in dropped:
                return
            dropped[package] = why
            if library := libraries.library(package):
                stay = [name for name in libraries.without(self.request.hooks, self.own, dropped) if libraries.library(name) is library]
                note = f"{library.title} is not instrumented{' in full' if stay else ''}: {why}; {self._alternatives(library)}"
                notes.extend([note] if note not in notes else [])

        for package, names in self.libraries.items():
            observers = [name for path in libraries.imports(self.request.hooks, package) for name in self.watched.get(path, ())]
            if lacking := sorted({*names, *observers} - self.request.link.keys()):
                drop(package, f"this program does not link {', '.join(lacking)}")
        while True:
            before = (len(dropped), len(apart), level)
            try:
                bridge = self._bridge(level)
                wanted = {*libraries.without(self.request.hooks, self.own, dropped), *self._imported_by({**theirs, **bridge}), *self._beside(level)}
                kept = {package: names for package, names in self.libraries.items() if package not in dropped}
                listed = {**self.private_packages(wanted, {**apart, **kept}), **bridge}
                return self._hook_set(listed, theirs, early, level, notes, dropped)
            except NotCompiledError as error:
                path = error.package.removeprefix(OBSERVERS)
                users = [path] if path in self.libraries else self._libraries_with(path)
                if path in apart:
                    notes.extend([] if users else [f"{self._release(path)} is left out: it does {self._misfit(apart[path], error)}, a newer release may do"])
                    del apart[path]
                if users:
                    for package in users:
                        what = "the hooks do" if hooktree.owner(path) else f"{self._release(path)} does"
                        drop(package, f"{what} {self._misfit(self.watched.get(path) or self.libraries.get(package, ()), error)}")
                elif path == USERS:
                    raise OtelobjError(f"{ACTIVE} of this program is of another version than otelobj: {error.what}", HOOKS_REMEDY) from error
                elif (part := hooktree.bridge_part(path)) in apilevel.LOG_PARTS and part in level.parts and not self._is_alone:
                    notes.append(self._logs_not_bridged(error))
                    level = level.without(*apilevel.LOG_PARTS)
                elif hooktree.bridge_part(path) and level.parts and not self._has_two_copies and not self._is_alone:
                    notes.append(self._not_bridged(error))
                    level = apilevel.Level()
                elif path not in self.watched:
                    raise
                if before == (len(dropped), len(apart), level):  # somebody imports what is left out
                    raise

    def _hook_set(
        self,
        listed: Mapping[str, Package],
        theirs: Mapping[str, Package],
        early: Sequence[str],
        level: apilevel.Level,
        notes: Sequence[str],
        dropped: Mapping[str, str],
    ) -> HookSet:
        """listed: packages of ours; theirs: of the user's; early: those of the latter that need no hook module. dropped: hook packages that this program
        does without."""
        link = self.request.link
        ours = {name: package for name, package in listed.items() if name not in link}
        added = {**ours, **theirs}
        around = {name for package in added.values() for name in imported(package) if name not in added}

        chosen, imports = self._choose_std(sorted(name for name in around if self._is_std(name)))
        for name in (*around, *reached([name for name in self.request.packages if name in link], link)):
            if name in link:
                chosen.setdefault(name, link[name])
        self._add_users({name: theirs[name] for name in early}, chosen)
        self._compile(ours, chosen)
        self._add_users({name: package for name, package in theirs.items() if name not in early}, chosen)
        contents = {name: self.request.content_of(name) if name in link else content(path) for name, path in chosen.items()}
        prints = {name: fingerprint(path).hex() for name, path in chosen.items() if self._is_std(name)}

        found = {package["Module"]["Path"]: package["Module"] for name, package in added.items() if package.get("Module") and not name.startswith(PRIVATE)}
        versions = {path: modules.selected(module) or module.get("Version") or "(devel)" for path, module in found.items()}
        loads = (*self._loads(level), *self._beside(level))
        unbridged = [name for name in self.request.packages if hooktree.bridge_part(name) and name not in loads]
        kept = libraries.without(self.request.hooks, self.own, dropped)
        left_out = (*unbridged, *(name for name in self.own if name not in kept))
        imports |= {name: imported(package) for name, package in added.items()}
        owners = {name: package["Module"]["Path"] for name, package in added.items() if package.get("Module")}
        places = {name: PROGRAM if name in link and not self._is_std(name) else place_of(path) for name, path in chosen.items()}
        parts = {name: Part(contents[name], place, owners.get(name, ""), tuple(imports.get(name, ())), prints.get(name, "")) for name, place in places.items()}
        looked_at = [name for path, names in self._observers().items() if OBSERVERS + path not in listed for name in names]
        looked_at += [name for path in dropped for name in self.libraries.get(path, ()) if name in link]
        parts |= {name: Part(self.request.content_of(name), PROGRAM, "", ()) for name in looked_at}  # with others it may compile
        memory.add(self.memo, self._known(parts, versions, loads, left_out, notes).json())
        archives = {name: path for name, path in chosen.items() if name not in link}
        return HookSet(archives, versions, tuple(name for name in chosen if name in link), loads, left_out, tuple(notes), is_new=True)

    # the bridge

    @property
    def _is_alone(self) -> bool:
        """Whether the program has no SDK but its own, which only the bridge leads to."""
        return self.request.sdk == PROGRAM_SDK

    @functools.cached_property
    def _is_bridged(self) -> bool:
        """Whether there is anything to bridge: a hook package of ours, or one that the user's own import, needs the zone."""
        names = {*self.own, *(name for package in self._theirs.values() for name in imported(package) if hooktree.owner(name))}
        return any(_is_in_need(self.request, name) for name in names)

    def _level(self, theirs: Mapping[str, Package], early: Sequence[str]) -> apilevel.Level:
        """What the program's API can do, with what hook packages of the user's own add to it."""
        if not self._is_bridged:
            return apilevel.Level()
        exports = {name: Path(theirs[name]["Export"]) for name in early if theirs[name].get("Export")}
        return apilevel.level({**exports, **self.request.link})

    @functools.cached_property
    def _has_two_copies(self) -> bool:
        """Whether there is a copy of hooks/active over the program's API: in the link, or because a hook package of the user's own imports it."""
        if not ({*self.request.link, *self._early} & {f"{API}/trace"} and self._is_bridged):
            return False
        return ACTIVE in self.request.link or any(ACTIVE in imported(package) for package in self._theirs.values())

    def _loads(self, level: apilevel.Level) -> list[str]:
        """Import paths of the parts of the bridge that the program loads."""
        return [*(f"{hooktree.BRIDGE_PATH}/{part}" for part in level.parts), *([USERS] if self._has_two_copies else [])]

    def _beside(self, level: apilevel.Level) -> list[str]:
        """Hook packages that a bridge needs without importing them: the log SDK, which no rule asks for where the program has the log API alone."""
        return [LOGS] if apilevel.LOGS in level.parts and not self._is_alone and LOGS not in self.request.link else []

    def _bridge(self, level: apilevel.Level) -> dict[str, Package]:
        """Packages of the bridge, and the copy of hooks/active over the program's API. Each follows those that it imports."""
        parts = self._loads(level)
        if not parts:
            return {}
        env = {"GO111MODULE": "off", "GOPATH": os.pathsep.join(map(str, [self.hooks, self.tree.folder])), "CGO_ENABLED": "0"}
        tags = [*level.tags, *([WITHOUT_SDK] if self._is_alone else [])]
        # With -e, since the go command does not find what is in the private zone, nor all packages of the program's API.
        flags = ["-toolexec=", "-e", f"-tags={','.join(tags)}", "-deps", f"-json={LIST_FIELDS}"]
        listed = {package["ImportPath"]: package for package in documents(self.go.run(["list", *flags, "--", *parts], self.folder, **env))}
        ours = [path for path in listed if hooktree.bridge_part(path) or (path == ACTIVE and path not in self.request.link)]
        return {path: self._bridge_package(listed[path]) for path in ours}

    def _bridge_package(self, package: Package) -> Package:
        mapped = {} if self._has_two_copies else {name: name.removeprefix(OBSERVERS) for name in package["Imports"] if name.startswith(OBSERVERS)}
        return {**package, "Place": package["ImportPath"], "ImportMap": mapped, "Module": {"Path": hooktree.BRIDGE_PATH, "GoVersion": TELEMETRY}}

    def _not_bridged(self, error: OtelobjError) -> str:
        return self._stays_own(error, API, "API", "Spans")

    def _logs_not_bridged(self, error: OtelobjError) -> str:
        return self._stays_own(error, f"{API}/log", "log API", "Log records")

    def _stays_own(self, error: OtelobjError, module: str, what: str, made: str) -> str:
        found = {path: (version, replaced) for path, version, replaced in self.request.deps}
        version, replaced = found.get(module, ("", None))
        by = "" if replaced is None else f", replaced by {' '.join(filter(None, replaced))}"
        said = next((line for line in error.what.splitlines()[1:] if line.strip()), error.what)
        return (
            f"the program's OpenTelemetry {what}, {module} {version or 'of an unknown version'}{by}, is not bridged: the bridge does not compile with it. {made} "
            f"that the program makes with it stay its own; {_joining(module, version, is_replaced=replaced is not None)} joins them ({said})"
        )

    def _known(
        self, parts: Mapping[str, Part], versions: Mapping[str, str], loads: tuple[str, ...], left_out: tuple[str, ...], notes: Sequence[str]
    ) -> Known:
        request = self.request
        watched = {path: tuple(names) for path, names in self.watched.items()}
        sources = self.tree.folder.name if "tree" in vars(self) else ""
        env = _env(self.go, request.header)
        roots, flags = tuple(sorted(request.packages)), tuple(compile_flags(request))
        apart = tuple(self._observers())
        digests = (sources, self.hooks.name)
        return Known(roots, parts, versions, loads, left_out, tuple(notes), watched, apart, request.header, flags, env, request.exporters, *digests, _std_state(self.go), request.sdk)

    @functools.cached_property
    def watched(self) -> dict[str, list[str]]:
        """Packages of others that observe the program -> the packages of the program that they import."""
        found = {}
        pinned = pins.read(self.request.hooks / hooktree.PRIVATE)
        needed = {name for package in libraries.reached(self.request.hooks, self.own) for name in libraries.imports(self.request.hooks, package)}
        for path in needed & {*pinned.hook_packages}:
            folder = self.tree.folder / "src" / path
            imports = {name for file in folder.glob("*.go") for name in usertree.IMPORT.findall(file.read_text("utf-8", "replace"))}
            if self._is_alone and any(name.startswith(f"{API}/sdk/") for name in imports):
                continue  # what it makes is for an SDK of ours
            found[path] = sorted(name for name in imports if pinned.owner(name) and not name.startswith(sources.OPENTELEMETRY))
        return found

    @functools.cached_property
    def libraries(self) -> dict[str, tuple[str, ...]]:
        """Hook packages that import packages of the program -> these."""
        return libraries.observed(self.request.hooks, self.own)

    def _libraries_with(self, observer: str) -> list[str]:
        """The hook packages of libraries that import a package of others which observes the program."""
        return [package for package in libraries.reached(self.request.hooks, self.own) if libraries.library(package) and observer in libraries.imports(self.request.hooks, package)]

    def _observers(self) -> dict[str, list[str]]:
        """Those whose packages the link has."""
        return {path: observed for path, observed in self.watched.items() if all(name in self.request.link for name in observed)}

    def _release(self, path: str) -> str:
        """A package of others, with its version."""
        return f"{path} {self.tree.versions.get(self.tree.owner(path) or '', '')}".rstrip()

    def _misfit(self, observed: Sequence[str], error: OtelobjError) -> str:
        """Why a package of the hooks zone does not compile. observed: what it imports of the program."""
        deps = {module: replaced[1] if replaced else version for module, version, replaced in self.request.deps}
        modules = sorted({module for name in observed for module in deps if name == module or name.startswith(f"{module}/")})
        has = " and ".join(f"{module} {deps[module]}" for module in modules) or " and ".join(observed)
        said = next((line.rpartition("/src/")[2] for line in error.what.splitlines()[1:] if line.strip()), error.what)
        return f"not compile with {has} of this program ({said})"

    @staticmethod
    def _alternatives(library: hooktree.Library) -> str:
        return f"its hooks are made for releases from {library.lowest} to {library.newest}, and OTELOBJ_DISABLE={library.name} leaves them out without a word"

    def private_packages(self, wanted: Iterable[str], apart: Mapping[str, Sequence[str]]) -> dict[str, Package]:
        """Packages of hook modules and of OpenTelemetry, and what these import: import path in the link -> package.

        apart: packages that observe the program -> what they import of it."""
        wanted = sorted(wanted)
        if not wanted:
            return {}
        has_zone = any(not hooktree.owner(name) or _is_in_need(self.request, name) for name in wanted)
        folders = [str(folder) for folder in (self.hooks, *([self.tree.folder] if has_zone else []))]
        if any(os.pathsep in folder for folder in folders):
            raise OtelobjError(f"cache {cache.root()}: the go command takes no folder with {os.pathsep} in its name", "point OTELOBJ_CACHE_DIR at another one")
        settings = self.request.build_settings()
        tags = [*TAGS, *(name[1:] for name in SANITIZERS if settings.get(name) == "true"), *self._sdk_tags(apart)]
        # Nothing in the zone needs cgo, and without it the zone is the same for programs with and without.
        env = {"GO111MODULE": "off", "GOPATH": os.pathsep.join(folders), "CGO_ENABLED": "0"}
        # With -e, since the go command does not find what is the program's.
        flags = ["-toolexec=", "-e", f"-tags={','.join(tags)}", "-deps", f"-json={LIST_FIELDS}"]
        listed = documents(self.go.run(["list", *flags, "--", *wanted], self.folder, **env))
        found = {package["ImportPath"]: package for package in listed if not package.get("Standard")}

        def name_of(path: str) -> str:
            if path == ACTIVE and self._has_two_copies:
                return OBSERVERS + path
            return path if hooktree.owner(path) else (OBSERVERS if path in apart else PRIVATE) + path

        def in_link(path: str, package: Package) -> Package:
            imports = [name for name in package.get("Imports") or () if name in found and name not in apart.get(path, ())]
            mapped = {name: name_of(name) for name in imports if name_of(name) != name}
            added = {"Dwarf": False} if name_of(path).startswith(PRIVATE) else {}  # a twentieth of a small program, for sources that nobody has
            return {**package, "ImportPath": name_of(path), "Place": path, "ImportMap": mapped, "Module": self._module(path), **added}

        needed = {*wanted}
        for path in reversed(found):  # each is followed by those that import it
            if path in needed:
                needed.update(name for name in found[path].get("Imports") or () if name in found and name not in apart.get(path, ()))
        missing = [found[path] for path in found if path in needed and found[path].get("Error")]
        if missing:
            raise OtelobjError(f"{missing[0]['ImportPath']}: {missing[0]['Error']['Err']}", hooktree.REINSTALL)
        return {name_of(path): in_link(path, package) for path, package in found.items() if path in needed}

    def _sdk_tags(self, apart: Mapping[str, object]) -> list[str]:
        """Build tags of hooks/sdk for what is chosen of SDK and exporters."""
        if self._is_alone:
            return [WITHOUT_SDK]
        chosen = [f"otelobj_{name}" for name in self.request.exporters]
        has_registry = not apart.keys().isdisjoint(libraries.imports(self.request.hooks, SDK))
        return ["otelobj_chosen", *chosen, *(["otelobj_registry"] if has_registry else [])] if chosen else []

    def _module(self, path: str) -> dict[str, str]:
        ours = hooktree.owner(path)
        if ours:
            own = minimum.language((self.request.hooks / hooktree.modules()[ours] / "go.mod").read_text("utf-8"))
            return {"Path": ours, "GoVersion": own or self.language}
        owner = self.tree.owner(path)
        if owner is None:
            raise OtelobjError(f"package {path} is in no module that {self.request.hooks / hooktree.PRIVATE} pins", hooktree.REINSTALL)
        # A go directive may name a newer toolchain; what a file needs of it shows when it is compiled.
        return {"Path": owner, "Version": self.tree.versions[owner], "GoVersion": min(self.tree.languages[owner], self.language, key=number)}

    @functools.cached_property
    def go_version(self) -> str:
        """Such as 1.26.8."""
        return self.go.run(["env", "GOVERSION"], self.folder).strip().removeprefix("go").split("-")[0].split(" ")[0]

    @functools.cached_property
    def language(self) -> str:
        """Go version of the toolchain's language, such as 1.26."""
        match = re.search(r"go(1\.\d+)", self.request.header)
        return match[1] if match else ".".join(self.go_version.split(".")[:2])

    # hook packages of the user's own

    def user_packages(self) -> tuple[dict[str, Package], list[str]]:
        """With lines about their modules: the hook packages of the user's own and what they import outside the standard library and the link, at the versions of the user's modules:
        without hook modules. Each follows those that it imports. OpenTelemetry is the program's where it has its API, else the zone's."""
        has_api = any(name in self.request.link for name in apilevel.PACKAGES)
        listed: Sequence[Package] = []
        notes: list[str] = []
        if has_api or not _names_zone(self.request):
            listed, notes = self._list_users([], "-export")
        is_private = not has_api and (not listed or any(package["ImportPath"].startswith(sources.OPENTELEMETRY) for package in listed))
        if is_private:
            listed, notes = self._list_users([modules.Pin(path, str(folder)) for path, folder in self.tree.folders().items()])
        by_path = {package["ImportPath"]: package for package in listed}
        found: set[str] = set()
        waiting = list(self.users)
        while waiting:
            package = by_path[waiting.pop()]
            path = package["ImportPath"]
            left_out = path in self.request.link or package.get("Standard") or (is_private and self.tree.has(path))
            if path not in found and not left_out and (not hooktree.owner(path) or (has_api and path == ACTIVE)):  # of that there is a copy over the program's API
                found.add(path)
                waiting += [name for name in package.get("Imports") or () if name in by_path]
        found.discard(ACTIVE)
        return {package["ImportPath"]: self._user_package(package, is_private) for package in listed if package["ImportPath"] in found}, notes

    def _list_users(self, zone: Sequence[modules.Pin], *flags: str) -> tuple[Sequence[Package], list[str]]:
        """zone: folders of pinned modules. OpenTelemetry's take the place of the user's, others only that of modules which the user does not have."""
        pins, sums = modules.user_pins(self.request, self.go)
        modules.check_owned(self.users, (pin.path for pin in pins))
        theirs = {pin.path for pin in pins}
        replaced = {pin.path: pin for pin in zone if pin.path.startswith(sources.OPENTELEMETRY) or pin.path not in theirs}
        modules.write(self.folder, self.go_version, self.hooks, [*(pin for pin in pins if pin.path not in replaced), *replaced.values()], sums)
        flags = (*list_flags(self.request, self.folder), "-deps", f"-json={LIST_FIELDS}", *flags)
        given = (self.folder / "go.sum").read_text("utf-8")
        listed = documents(self.go.run(["list", *flags, "--", *self.users], self.folder))
        return listed, vouched.notes(self.go, self.folder, given)

    def _user_package(self, package: Package, is_private: bool) -> Package:
        if not is_private:
            return package
        mapped = {name: PRIVATE + name for name in package.get("Imports") or () if self.tree.has(name)}
        return {**package, "ImportMap": (package.get("ImportMap") or {}) | mapped, "Export": self._export(package)}

    def _imported_by(self, users: Mapping[str, Package]) -> set[str]:
        """Packages of hook modules and of OpenTelemetry that packages of the user's or of the bridge import."""
        names = {name for package in users.values() for name in imported(package) if name not in self.request.link}
        zone = {name.removeprefix(PRIVATE).removeprefix(OBSERVERS) for name in names if name.startswith((PRIVATE, OBSERVERS))}
        return zone | {name for name in names if hooktree.owner(name) and hooktree.bridge_part(name) is None}

    @staticmethod
    def _without_hooks(users: Mapping[str, Package]) -> list[str]:
        """Those of the user's packages that need no hook module, not even indirectly, and nothing of the zone: the bridge may be compiled against them."""
        early: list[str] = []
        for name, package in users.items():
            needs = imported(package)
            if not any(hooktree.owner(other) or other.startswith(PRIVATE) or (other in users and other not in early) for other in needs):
                early.append(name)
        return early

    def _add_users(self, packages: Mapping[str, Package], chosen: dict[str, Path]) -> None:
        """Adds their archives: of the build cache, where these fit what is chosen, else compiled here."""
        fingerprint_of = functools.cache(lambda name: fingerprint(chosen[name]))
        for name, package in packages.items():
            export = Path(package["Export"]) if package.get("Export") and not package.get("ImportMap") else None
            is_fit = export is not None and fits(export, self.request.header, chosen, fingerprint_of)
            chosen[name] = export if export is not None and is_fit else self._compiler.compile(package, chosen)

    @functools.cached_property
    def _compiler(self) -> Compiler:
        """For packages of the user's and of the standard library: with all settings of the build."""
        return Compiler(self.go, self.request.header, self.request.build_settings(), self._cgo_sources, usertree.overlay(self.request.user_dir))

    def _export(self, package: Package) -> str:
        """The archive that the go command makes of a package with cgo, for the C compiler's part of it; "" for any other."""
        if not package.get("CgoFiles"):
            return ""
        return self.go.run(["list", *list_flags(self.request, self.folder), "-export", "-f={{.Export}}", "--", package["ImportPath"]], self.folder).strip()

    def _cgo_sources(self, package: str) -> list[str]:
        flags = [*list_flags(self.request, self.folder), "-compiled", "-json=Dir,CompiledGoFiles"]
        listed = json.loads(self.go.run(["list", *flags, "--", package], self.folder))
        return [str(Path(listed["Dir"], name)) for name in listed["CompiledGoFiles"]]

    # std

    def _is_std(self, package: str) -> bool:
        """Whether a package is one of the standard library. A module of the user's may have a path without a dot, too."""
        return "." not in package.split("/", maxsplit=1)[0] and (self.go.goroot / "src" / package).is_dir()

    def std_exports(self, wanted: Sequence[str]) -> dict[str, Path]:
        """Archives of packages of the standard library in the build cache."""
        return {package["ImportPath"]: Path(package["Export"]) for package in self._list_std(wanted) if package.get("Export")}

    def _list_std(self, wanted: Sequence[str], *flags: str) -> list[Package]:
        if not self.users:
            (self.folder / "go.mod").write_text(f"module otelobj.invalid/closure\n\ngo {self.go_version}\n", "utf-8")
        command = ["list", *list_flags(self.request, self.folder), *flags, "-export", f"-json={LIST_FIELDS}", "--", *wanted]
        return [package for package in documents(self.go.run(command, self.folder)) if package["ImportPath"] != "unsafe"]

    def _choose_std(self, wanted: Sequence[str]) -> tuple[dict[str, Path], dict[str, Sequence[str]]]:
        """Archives of packages of the standard library and of what they import, and what each imports: those of the link, else those of the build cache.
        What does not fit the link there, such as where a test has variants of packages, is compiled."""
        if not wanted:
            return {}, {}
        listed = self._list_std(wanted, "-deps")
        imports: dict[str, Sequence[str]] = {package["ImportPath"]: imported(package) for package in listed}
        exports = {package["ImportPath"]: Path(package["Export"]) for package in listed if package.get("Export")}
        link = self.request.link

        def serves(name: str, path: Path) -> bool:
            return name not in link or content(path) == self.request.content_of(name) or fingerprint(path) == fingerprint(link[name])

        served = {name: path for name, path in exports.items() if serves(name, path)}  # also for the link's own: these stay when the go command removes its work
        if len(served) == len(listed):
            return served, imports
        chosen: dict[str, Path] = {}
        fingerprint_of = functools.cache(lambda name: fingerprint(chosen[name]))
        for package in listed:
            name = package["ImportPath"]
            export = exports.get(name)
            if name in link:
                chosen[name] = served.get(name, link[name])
            elif export is not None and fits(export, self.request.header, chosen, fingerprint_of):
                chosen[name] = export
            else:
                chosen[name] = self._compiler.compile(package, chosen)
        return chosen, imports

    # compiling

    def _compile(self, packages: Mapping[str, Package], chosen: dict[str, Path]) -> None:
        """Adds the archives of packages of ours. Those that are not in the cache are compiled, in parallel."""
        settings = self.request.build_settings()
        flags = {name: "true" for name in SANITIZERS if settings.get(name) == "true"}
        flags |= {"-buildmode": SHARED_MODES[0]} if settings.get("-buildmode") in SHARED_MODES else {}
        compiler = Compiler(self.go, self.request.header, {**flags, "-trimpath": "true"}, self._cgo_sources)
        batch = Batch(compiler, packages, dict(chosen))

        def archive(name: str) -> Path:
            try:
                return batch.archive(name)
            except SourceError as error:
                remedy = f"{packages[name]['Module']['Path']} is pinned by otelobj: is there a newer otelobj for this toolchain? {PLAINLY}"
                raise NotCompiledError(error.what, remedy, name) from error

        if batch.missing():
            # Links that run at the same time have most packages in common, if they have the same variant of the standard library.
            variant = "\n".join([self.request.header, *flags, *(f"{name}={value}" for name, value in sorted(_env(self.go, self.request.header).items()))])
            with cache.lock(f"zone-{hashlib.sha256(variant.encode()).hexdigest()[:16]}"):
                new = batch.missing()
                done = self.announce(new) if new else lambda: None
                in_order({name: [other for other in imported(packages[name]) if other in new] for name in new}, archive, done)
        chosen |= {name: archive(name) for name in packages}
