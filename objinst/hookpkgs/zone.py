"""The private zone: what the hooks take from outside the standard library, under import paths of its own, and the bridge to the program's copy
of OpenTelemetry's API.

A package of the zone is compiled as `otelobj.private/PATH`, and the compiler's importcfg maps its imports (`importmap`, cmd/compile/internal/base/flag.go,
readImportCfg). Its sources are pinned (objinst.hookpkgs.pins), so the program's module versions decide nothing. What decides is the toolchain, the
header line, flags that reach every package (-race, -shared, ...) and the content of the std packages that it imports: it is compiled once for these, for
all programs. Always with -trimpath, so the archives are the same on every machine whose std is the same, and with the tag `grpcnotrace`:
golang.org/x/net/trace would register /debug/requests, at which two copies panic.

Packages of others that observe a library, such as OpenTelemetry's bridge from Prometheus' registry, are compiled as `otelobj.hooks/PATH` in a program
that links the library: against the program's copy of it, and OpenTelemetry from the zone. If one does not compile with the program's version, it is left
out with a warning.

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
from objinst.hookpkgs import apilevel, memory, minimum, modules, pins, sources, vouched
from objinst.hookpkgs.compile import ARCHIVE, KIND, SHARED_MODES, Compiler, content, content_of, imported
from objinst.hookpkgs.known import KEYS, PROGRAM, Exports, Known, Part, place_of
from objinst.hookpkgs.request import LIST_FIELDS, HookRequest, HookSet, compile_flags, fits, foreign_main, list_flags, reached
from objinst.platform.target import PLAINLY
from objinst.rules import OBSERVERS, PRIVATE
from objinst.store import cache
from objinst.store.digest import hooks_digest, own_digest
from objinst.store.parallel import in_order

API = "go.opentelemetry.io/otel"
SANITIZERS = ("-race", "-msan", "-asan")
TAGS = ("grpcnotrace",)
ACTIVE = "github.com/otelobj/otelobj/hooks/active"
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


def _names_zone(request: HookRequest) -> bool:
    """Whether the sources of the user's own hook packages import OpenTelemetry, or hook modules that do."""
    users = [package for package in request.packages if hooktree.owner(package) is None]
    files = [path for path in usertree.hook_sources(users, request.user_dir) if path.suffix == ".go"]
    names = {name for path in files for name in usertree.IMPORT.findall(path.read_text("utf-8", "replace"))}
    return any(name.startswith(sources.OPENTELEMETRY) or _is_in_need(request, name) for name in names)


def say(packages: Collection[str]) -> Callable[[], object]:
    """The line that the user sees; none if only some packages are compiled anew."""
    if PRIVATE + API in packages:
        print(f"otelobj: compiling OpenTelemetry once for this toolchain ({len(packages)} packages)", file=sys.stderr, flush=True)
    return lambda: None


def resolve(request: HookRequest, go: Go, announce: Announce = say) -> HookSet:
    """The hook set of a link. Raises OtelobjError with a remedy if a module cannot be had or a package does not compile."""
    found = _resolved(request, go, announce)
    for note in found.notes:
        print(f"otelobj: warning: {note}", file=sys.stderr)
    return found


def _resolved(request: HookRequest, go: Go, announce: Announce) -> HookSet:
    memo = cache.root() / "closure" / f"{_digest(request, go)}.json"
    found = _remembered(memo, request, go, None)
    if found is not None:
        return found
    with cache.lock(f"closure-{memo.name[:16]}"):
        resolution = _Resolution(request, go, memo, announce)
        try:
            return _remembered(memo, request, go, resolution.std_exports) or resolution.hook_set()
        except OSError as error:
            raise OtelobjError(f"hook packages: {error.filename or memo}: {reason(error)}", cache.REMEDY) from error


# memory


def _digest(request: HookRequest, go: Go) -> str:
    """Digest of the configuration: everything that determines the hook set except the packages of the link. Without hook packages of the user's own it is
    the same on all machines and for all programs with the same API of OpenTelemetry: nothing else of the program and no folder counts, nor which of the
    hook packages are wanted."""
    parts = [_key(request.header, _env(go, request.header), compile_flags(request), request.exporters, request.hooks_digest)]
    parts += [f"{name} {request.content_of(name)}" for name in (*apilevel.PACKAGES, ACTIVE) if name in request.link]
    parts += [f"{place} {file} {_file_state(file)}" for place, file in sorted(usertree.overlay(request.user_dir).items())]
    if any(hooktree.owner(package) is None for package in request.packages):
        parts += [*sorted(request.packages), str(go.goroot), str(request.user_dir), str(foreign_main()), *(repr(dep) for dep in request.deps)]
        parts.append(usertree.digest(request.packages, request.user_dir))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest() if len(parts) > 1 else parts[0]


def key(known: Known) -> str:
    """`_digest` of every link that a hook set without packages of the user's serves."""
    return _key(known.header, known.env, known.flags, known.exporters, hooks_digest())


def _key(header: str, env: Mapping[str, str], flags: Sequence[str], exporters: Sequence[str], hooks: str) -> str:
    parts = [own_digest(), header, hooks, *(f"{name}={value}" for name, value in sorted(env.items())), *flags, *exporters]
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


def _remembered(memo: Path, request: HookRequest, go: Go, exports: Exports | None) -> HookSet | None:
    """A hook set that was made for the same content of every package of it that the link has, if all other archives are there. Marks it as used."""
    std = _std_state(go)
    for entry in memory.entries(memo, KEYS):
        try:
            known = Known.of(entry)
        except ValueError:
            continue
        found = known.for_link(request, exports, std)
        if found is not None:
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
        made.mkdir(parents=True, exist_ok=True)
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
    def _theirs(self) -> dict[str, Package]:
        return self.user_packages() if self.users else {}

    @functools.cached_property
    def _early(self) -> list[str]:
        return self._without_hooks(self._theirs)

    def hook_set(self) -> HookSet:
        theirs = self._theirs
        early = self._early
        level = self._level(theirs, early)
        apart = self._observers()
        notes = [line] if (line := level.line()) else []
        while True:
            try:
                bridge = self._bridge(level)
                wanted = {*self.own, *self._imported_by({**theirs, **bridge})}
                return self._hook_set({**self.private_packages(wanted, apart), **bridge}, theirs, early, level, notes)
            except NotCompiledError as error:
                path = error.package.removeprefix(OBSERVERS)
                if path in apart:
                    notes.append(self._left_out(path, apart[path], error))
                    del apart[path]
                elif path == USERS:
                    raise OtelobjError(f"{ACTIVE} of this program is of another version than otelobj: {error.what}", HOOKS_REMEDY) from error
                elif hooktree.bridge_part(path) and level.parts and not self._has_two_copies:
                    notes.append(self._not_bridged(error))
                    level = apilevel.Level()
                else:
                    raise

    def _hook_set(
        self, listed: Mapping[str, Package], theirs: Mapping[str, Package], early: Sequence[str], level: apilevel.Level, notes: Sequence[str]
    ) -> HookSet:
        """listed: packages of ours; theirs: of the user's; early: those of the latter that need no hook module."""
        link = self.request.link
        ours = {name: package for name, package in listed.items() if name not in link}
        added = {**ours, **theirs}
        around = {name for package in added.values() for name in imported(package) if name not in added}

        chosen, imports = self._choose_std(sorted(name for name in around if self._is_std(name)))
        for name in (*around, *reached([name for name in self.request.packages if name in link], link)):
            if name in link:
                chosen.setdefault(name, link[name])
        self._add_users({name: theirs[name] for name in early}, chosen)
        contents = {name: self.request.content_of(name) if name in link else content(path) for name, path in chosen.items()}
        self._compile(ours, chosen, contents)
        self._add_users({name: package for name, package in theirs.items() if name not in early}, chosen)
        contents |= {name: content(chosen[name]) for name in theirs}

        found = {package["Module"]["Path"]: package["Module"] for name, package in added.items() if package.get("Module") and not name.startswith(PRIVATE)}
        versions = {path: modules.selected(module) or module.get("Version") or "(devel)" for path, module in found.items()}
        loads = tuple(self._loads(level))
        left_out = tuple(name for name in self.request.packages if hooktree.bridge_part(name) and name not in loads)
        imports |= {name: imported(package) for name, package in added.items()}
        owners = {name: package["Module"]["Path"] for name, package in added.items() if package.get("Module")}
        places = {name: PROGRAM if name in link and not self._is_std(name) else place_of(path) for name, path in chosen.items()}
        parts = {name: Part(contents[name], place, owners.get(name, ""), tuple(imports.get(name, ()))) for name, place in places.items()}
        for path, observed in self._observers().items():
            if OBSERVERS + path not in listed:  # it does not compile with these: with others it may
                parts |= {name: Part(self.request.content_of(name), PROGRAM, "", ()) for name in observed}
        memory.add(self.memo, self._known(parts, versions, loads, left_out, notes).json())
        archives = {name: path for name, path in chosen.items() if name not in link}
        return HookSet(archives, versions, tuple(name for name in chosen if name in link), loads, left_out, tuple(notes))

    # the bridge

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

    def _bridge(self, level: apilevel.Level) -> dict[str, Package]:
        """Packages of the bridge, and the copy of hooks/active over the program's API. Each follows those that it imports."""
        parts = self._loads(level)
        if not parts:
            return {}
        env = {"GO111MODULE": "off", "GOPATH": os.pathsep.join(map(str, [self.hooks, self.tree.folder])), "CGO_ENABLED": "0"}
        # With -e, since the go command does not find what is in the private zone, nor all packages of the program's API.
        flags = ["-toolexec=", "-e", f"-tags={','.join(level.tags)}", "-deps", f"-json={LIST_FIELDS}"]
        listed = {package["ImportPath"]: package for package in documents(self.go.run(["list", *flags, "--", *parts], self.folder, **env))}
        ours = [path for path in listed if hooktree.bridge_part(path) or (path == ACTIVE and path not in self.request.link)]
        return {path: self._bridge_package(listed[path]) for path in ours}

    def _bridge_package(self, package: Package) -> Package:
        mapped = {} if self._has_two_copies else {name: name.removeprefix(OBSERVERS) for name in package["Imports"] if name.startswith(OBSERVERS)}
        return {**package, "Place": package["ImportPath"], "ImportMap": mapped, "Module": {"Path": hooktree.BRIDGE_PATH, "GoVersion": TELEMETRY}}

    def _not_bridged(self, error: OtelobjError) -> str:
        deps = {module: replaced[1] if replaced else version for module, version, replaced in self.request.deps}
        said = next((line for line in error.what.splitlines()[1:] if line.strip()), error.what)
        return (
            f"the program's OpenTelemetry API, {API} {deps.get(API, 'of an unknown version')}, is not bridged: the bridge does not compile with it. Spans that "
            f"the program makes with it stay its own; `go get {API}@latest` joins them ({said})"
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
        return Known(roots, parts, versions, loads, left_out, tuple(notes), watched, apart, request.header, flags, env, request.exporters, *digests, _std_state(self.go))

    @functools.cached_property
    def watched(self) -> dict[str, list[str]]:
        """Packages of others that observe the program -> the packages of the program that they import."""
        found = {}
        for path in pins.read(self.request.hooks / hooktree.PRIVATE).hook_packages if any(_is_in_need(self.request, name) for name in self.own) else ():
            folder = self.tree.folder / "src" / path
            imports = {name for file in folder.glob("*.go") for name in usertree.IMPORT.findall(file.read_text("utf-8", "replace"))}
            found[path] = sorted(name for name in imports if self.tree.owner(name) and not self.tree.has(name))
        return found

    def _observers(self) -> dict[str, list[str]]:
        """Those whose packages the link has."""
        return {path: observed for path, observed in self.watched.items() if all(name in self.request.link for name in observed)}

    def _left_out(self, path: str, observed: Sequence[str], error: OtelobjError) -> str:
        owner = self.tree.owner(path) or path
        deps = {module: replaced[1] if replaced else version for module, version, replaced in self.request.deps}
        modules = sorted({module for name in observed for module in deps if name == module or name.startswith(f"{module}/")})
        has = " and ".join(f"{module} {deps[module]}" for module in modules) or " and ".join(observed)
        said = next((line.rpartition("/src/")[2] for line in error.what.splitlines()[1:] if line.strip()), error.what)
        return f"{path} {self.tree.versions.get(owner, '')} is left out: it does not compile with {has} of this program, a newer release may do ({said})"

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
        tags = [*TAGS, *(name[1:] for name in SANITIZERS if settings.get(name) == "true"), *self._exporter_tags(apart)]
        # Nothing in the zone needs cgo, and without it the zone is the same for programs with and without.
        env = {"GO111MODULE": "off", "GOPATH": os.pathsep.join(folders), "CGO_ENABLED": "0"}
        listed = documents(self.go.run(["list", "-toolexec=", f"-tags={','.join(tags)}", "-deps", f"-json={LIST_FIELDS}", "--", *wanted], self.folder, **env))
        found = {package["ImportPath"]: package for package in listed if not package.get("Standard")}

        def name_of(path: str) -> str:
            if path == ACTIVE and self._has_two_copies:
                return OBSERVERS + path
            return path if hooktree.owner(path) else (OBSERVERS if path in apart else PRIVATE) + path

        def in_link(path: str, package: Package) -> Package:
            imports = [name for name in package.get("Imports") or () if name in found and name not in apart.get(path, ())]
            mapped = {name: name_of(name) for name in imports if name_of(name) != name}
            return {**package, "ImportPath": name_of(path), "Place": path, "ImportMap": mapped, "Module": self._module(path)}

        return {name_of(path): in_link(path, package) for path, package in found.items()}

    def _exporter_tags(self, apart: Collection[str]) -> list[str]:
        """Build tags of hooks/sdk for the exporters that are chosen."""
        chosen = [f"otelobj_{name}" for name in self.request.exporters]
        return ["otelobj_chosen", *chosen, *(["otelobj_registry"] if apart else [])] if chosen else []

    def _module(self, path: str) -> dict[str, str]:
        ours = hooktree.owner(path)
        if ours:
            line = minimum.GO_LINE.search((self.request.hooks / hooktree.modules()[ours] / "go.mod").read_text("utf-8"))
            return {"Path": ours, "GoVersion": line[1] if line else self.language}
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

    def user_packages(self) -> dict[str, Package]:
        """The hook packages of the user's own and what they import outside the standard library and the link, at the versions of the user's modules:
        without hook modules. Each follows those that it imports. OpenTelemetry is the program's where it has its API, else the zone's."""
        has_api = any(name in self.request.link for name in apilevel.PACKAGES)
        listed: Sequence[Package] = [] if not has_api and _names_zone(self.request) else self._list_users([], "-export")
        is_private = not has_api and (not listed or any(package["ImportPath"].startswith(sources.OPENTELEMETRY) for package in listed))
        if is_private:
            listed = self._list_users([modules.Pin(path, str(folder)) for path, folder in self.tree.folders().items()])
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
        return {package["ImportPath"]: self._user_package(package, is_private) for package in listed if package["ImportPath"] in found}

    def _list_users(self, zone: Sequence[modules.Pin], *flags: str) -> Sequence[Package]:
        """zone: folders of pinned modules. OpenTelemetry's take the place of the user's, others only that of modules which the user does not have."""
        pins, sums = modules.user_pins(self.request, self.go)
        modules.check_owned(self.users, (pin.path for pin in pins))
        theirs = {pin.path for pin in pins}
        replaced = {pin.path: pin for pin in zone if pin.path.startswith(sources.OPENTELEMETRY) or pin.path not in theirs}
        modules.write(self.folder, self.go_version, self.hooks, [*(pin for pin in pins if pin.path not in replaced), *replaced.values()], sums)
        flags = (*list_flags(self.request, self.folder), "-deps", f"-json={LIST_FIELDS}", *flags)
        given = (self.folder / "go.sum").read_text("utf-8")
        listed = documents(self.go.run(["list", *flags, "--", *self.users], self.folder))
        vouched.warn(self.go, self.folder, given)
        return listed

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
        if all(name not in link or content(path) == self.request.content_of(name) for name, path in exports.items()) and len(exports) == len(listed):
            return exports, imports  # in the place of the link's own, too: these stay when the go command removes its work
        chosen: dict[str, Path] = {}
        fingerprint_of = functools.cache(lambda name: fingerprint(chosen[name]))
        for package in listed:
            name = package["ImportPath"]
            export = exports.get(name)
            if name in link:
                chosen[name] = link[name]
            elif export is not None and fits(export, self.request.header, chosen, fingerprint_of):
                chosen[name] = export
            else:
                chosen[name] = self._compiler.compile(package, chosen)
        return chosen, imports

    # compiling

    def _compile(self, packages: Mapping[str, Package], chosen: dict[str, Path], contents: dict[str, str]) -> None:
        """Adds the archives of packages of ours and their contents. Those that are not in the cache are compiled, in parallel."""
        settings = self.request.build_settings()
        flags = {name: "true" for name in SANITIZERS if settings.get(name) == "true"}
        flags |= {"-buildmode": SHARED_MODES[0]} if settings.get("-buildmode") in SHARED_MODES else {}
        compiler = Compiler(self.go, self.request.header, {**flags, "-trimpath": "true"}, self._cgo_sources)
        keys: dict[str, str] = {}
        for name, package in packages.items():  # each after those that it imports
            keys[name] = compiler.key(package, contents)
            contents[name] = content_of(keys[name])

        def archive(name: str) -> Path:
            if name not in keys:
                return chosen[name]
            place = cache.find(KIND, keys[name])
            return place / ARCHIVE if place else compile_one(name)

        def compile_one(name: str) -> Path:
            given = {other: archive(other) for other in imported(packages[name])}
            try:
                return compiler.compile(packages[name], given)
            except SourceError as error:
                remedy = f"{packages[name]['Module']['Path']} is pinned by otelobj: is there a newer otelobj for this toolchain? {PLAINLY}"
                raise NotCompiledError(error.what, remedy, name) from error

        def missing() -> list[str]:
            return [name for name, key in keys.items() if not cache.has(KIND, key)]

        if missing():
            with cache.lock("zone"):  # links that run at the same time have most packages in common
                new = missing()
                done = self.announce(new) if new else lambda: None
                in_order({name: [other for other in imported(packages[name]) if other in new] for name in new}, compile_one, done)
        chosen |= {name: archive(name) for name in keys}
