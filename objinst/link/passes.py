"""One link's packages: plan, then rewrite, archive by archive.

What is done to an archive depends on its own bytes, the rules, the hook packages and otelobj itself, so a rewritten archive is
kept in the cache under a digest of those and used again by later links. Only the root package and rt are written anew each time.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import trampolines
from objinst import paths
from objinst.errors import OtelobjError, making_sense
from objinst.goobj import Edit, Object, verify, verify_copies, verify_turned
from objinst.goobj.archive import Archive, peek
from objinst.plan.eligibility import Eligibility
from objinst.plan.facts import Facts, gather
from objinst.plan.hooks import HookFinder
from objinst.plan.inlining import with_callers
from objinst.plan.model import Target
from objinst.plan.specs import Offsets
from objinst.plan.unseen import all_inlined
from objinst.rewrite import death, mainpkg, rtpkg, runtimepkg
from objinst.rewrite.function import Runtime, hook_function
from objinst.rewrite.probes import ProbeLayouts, Probes, list_tables
from objinst.rewrite.result import COPY, Result, read_result, write_result
from objinst.rewrite.spans import SPAN
from objinst.rewrite.static import layout
from objinst.rules import RuleSet
from objinst.signatures.find import Helper, Signatures
from objinst.store import cache
from objinst.store.parallel import share_out
from objinst.types import TypeTable
from objinst.types.names import escape

RT = "github.com/otelobj/otelobj/hooks/rt"
PROBE = "github.com/otelobj/otelobj/hooks/probe"
TEST_DEPS = "testing/internal/testdeps"


@dataclass
class Link:
    """The packages of one link. packages: import path -> archive, the root package under its symbol prefix (`main`);
    hooks: the same for hook packages and what only they need. digest: of otelobj and the rules; folder: for files of this link only.
    """

    goarch: str
    go_minor: int
    root: str
    packages: Mapping[str, Path]
    hooks: Mapping[str, Path]
    rules: RuleSet
    versions: Callable[[str], str | None]
    digest: str
    folder: Path
    helper: Helper | None = None
    _objects: dict[str, Object] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.arch = trampolines.arch(self.goarch)
        self.table = TypeTable(self.load, [*self.packages, *self.hooks])
        self.finder = HookFinder(self.goarch, Signatures(self.table, self.helper), self.load)
        self.hooks_digest = self._digest(sorted(identity(path) for path in self.hooks.values()))

    def load(self, package: str) -> Object | None:
        """The object of a package of the link or its hook closure."""
        if package not in self._objects:
            path = self.packages.get(package) or self.hooks.get(package)
            if path is None:
                return None
            self._objects[package] = Archive.read(path).go_object()[1]
        return self._objects[package]

    def _digest(self, parts: Sequence[str]) -> str:
        return hashlib.sha256("\n".join([self.digest, *parts]).encode()).hexdigest()

    # steps

    @making_sense("package runtime")
    def runtime(self) -> tuple[Path, runtimepkg.Slot]:
        """The copy of package runtime with the goroutine slot."""
        slot_file = "slot.json"

        def make(folder: Path) -> None:
            archive = Archive.read(self.packages["runtime"])
            member, obj = archive.go_object()
            edit = Edit(obj)
            slot = runtimepkg.extend_g(edit)
            node = layout(self.rt_object, f"{RT}.node")
            watched = (*runtimepkg.GOROUTINES, *(runtimepkg.CHANNELS if self.has_context else ()))
            runtimepkg.watch(edit, self.arch, RT, self.rt_layouts.desc, node, slot, [function for function in watched if function.exists(self.go_minor)])
            runtimepkg.hand_over_slot(edit, self.arch, slot)
            if self.has_context:
                death.gates(edit, self.arch, RT)
            (folder / "pkg.a").write_bytes(archive.to_bytes({member: checked(edit)}))
            (folder / slot_file).write_text(json.dumps(asdict(slot)))

        made = cache.folder("archive", self._digest(["runtime", identity(self.packages["runtime"]), self.hooks_digest, f"{self.has_context}"]), make)
        return made / "pkg.a", runtimepkg.Slot(**json.loads((made / slot_file).read_text()))

    @property
    def has_context(self) -> bool:
        """Whether anybody can make something current on a goroutine: that takes an import of hooks/rt, and neither hooks/probe nor the packages
        beside rt do it."""
        return any(user != PROBE and not user.startswith(f"{RT}/") for user in self.facts.rt_users)

    @functools.cached_property
    def rt_layouts(self) -> Runtime:
        return Runtime.of(self.rt_object, RT, self.load(SPAN))

    @property
    def rt_object(self) -> Object:
        obj = self.load(RT)
        if obj is None:
            raise OtelobjError(f"{RT} is not among the hook packages", "reinstall otelobj")
        return obj

    def package(self, package: str, slot: runtimepkg.Slot) -> Result:
        """Plans and rewrites one package. Raises OtelobjError for a rule that cannot be carried out."""
        path = self._path(package)

        made = cache.folder("archive", self._package_key(package), lambda folder: self._rewrite(package, path, slot, folder))
        return read_result(made, path)

    def _package_key(self, package: str) -> str:
        if package not in self._keys:
            parts = ["package", package, *self._surroundings(package), self.versions(package) or "", self.hooks_digest]
            self._keys[package] = self._digest(parts)
        return self._keys[package]

    def prepare(self, packages: Sequence[str], slot: runtimepkg.Slot) -> None:
        """Rewrites packages by several processes into the cache, where `package` finds them. What goes wrong there goes wrong again here,
        and is told then.
        """
        new = [package for package in packages if not cache.has("archive", self._package_key(package))]
        if new:
            self.closed, self.rt_layouts, self.probe_layouts  # noqa: B018 - read once, before there are several of us
            share_out([(self._path(package).stat().st_size, functools.partial(self.package, package, slot)) for package in new])

    def touched(self) -> list[str]:
        """Packages that rules name, and those, of the hooks too, that hold instances of generic functions of such packages.

        The linker keeps one of several copies of an instance, in its own order: each of them must be hooked.
        """
        named = {package for package in self.packages if any(rule.matches_package(package) for rule in self.rules.rules)}
        holders = {package for package, declaring in self.facts.instances.items() if declaring & named and package not in self.facts.closed}
        return [package for package in (*self.packages, *self.hooks) if package in named | holders]

    def _path(self, package: str) -> Path:
        return self.packages.get(package) or self.hooks[package]

    def _surroundings(self, package: str) -> list[str]:
        """What the rewrite of an archive depends on beside rules and hooks: itself, the layout of runtime.g, and who relies on the stack
        standing still in its functions.

        A build id covers the packages that it imports, and so the layout of their types. Without one all packages count; also where spans are
        made by a pattern, since what a function calls, and that calls in turn, decides whether it lasts as long as the program.
        """
        own = identity(self._path(package))
        others = [self._all_packages] if "/" not in own or self.eligibility.is_spanned(package) else []
        return [own, identity(self.packages["runtime"]), self.facts.pinned_of(package), *others]

    @functools.cached_property
    def _all_packages(self) -> str:
        """But the root package, which nobody imports."""
        return self._digest(sorted(identity(path) for name, path in self.packages.items() if name != "main"))

    @making_sense("a package to rewrite")
    def _rewrite(self, package: str, path: Path, slot: runtimepkg.Slot, folder: Path) -> None:
        archive = Archive.read(path)
        targets: list[Target] = []
        descriptors: list[str] = []
        tables: list[str] = []
        replaced: dict[int, bytes] = {}
        for member, obj in archive.objects().items():
            edit = Edit(obj)
            probes = self.probes(edit, f"otelobj.probes.{package}.{member}")
            for planned in self.eligibility.plan_object(obj, package):
                targets += planned.targets
                if planned.hooks is not None:
                    descriptors.append(hook_function(edit, self.arch, self.rt_layouts, planned.hooks, package, offsets_of(slot), probes))
                if planned.count is not None and probes is not None:
                    probes.count(planned.count)
            tables += probes.finish() if probes else []
            if edit.dirty:
                replaced[member] = checked(edit)
        if replaced:
            (folder / COPY).write_bytes(archive.to_bytes(replaced))
        write_result(folder, self.rules, targets, descriptors, tables)

    def probes(self, edit: Edit, name: str) -> Probes | None:
        """For the probes of one object; name: of its table's symbol. None if no rule has a probe: then the link has no hooks/probe."""
        return None if self.probe_layouts is None else Probes(edit, self.arch, self.probe_layouts, name)

    @functools.cached_property
    def probe_layouts(self) -> ProbeLayouts | None:
        obj = self.load(PROBE)
        return None if obj is None else ProbeLayouts.of(obj, PROBE)

    @functools.cached_property
    def eligibility(self) -> Eligibility:
        return Eligibility(self.arch, self.finder, self.facts, self.rules, self.versions, self.load, frozenset(self.packages), frozenset(self.hooks))

    @making_sense("a package to look at")
    def planned(self, package: str) -> list[Target]:
        """The targets of one package, without a rewrite."""
        objects = Archive.read(self._path(package)).objects().values()
        return [target for obj in objects for planned in self.eligibility.plan_object(obj, package) for target in planned.targets]

    def count_inlined(self, targets: Sequence[Target]) -> tuple[Target, ...]:
        """The targets with the inlined calls of each. What hooks may not touch imports nothing else, so it inlines nothing else."""
        closed = {} if any(target.package in self.closed for target in targets) else {p: self.packages[p] for p in self.closed & self.packages.keys()}
        to_read = {package: path for package, path in self.packages.items() if package not in closed}
        return tuple(map(self._named, with_callers(targets, to_read, closed | dict(self.hooks), self.load, identity)))

    def never_called(self, targets: Sequence[Target]) -> list[Target]:
        """Those of the targets that are inlined wherever they are called."""
        return [self._named(target) for target in all_inlined(targets, self.packages, self.hooks, self.load, identity)]

    def _named(self, target: Target) -> Target:
        """With the root package under its import path, as -gcflags takes it, where that is known."""
        program = next((rule.program for rule in self.rules.rules), "")
        calls = tuple(replace(call, package=program) if program and call.package == self.root else call for call in target.inlined_callers)
        return replace(target, inlined_callers=calls)

    @functools.cached_property
    def facts(self) -> Facts:
        """What all packages of the link together say."""
        return gather({**self.hooks, **self.packages}, RT, self.arch, identity)

    @property
    def closed(self) -> frozenset[str]:
        """Packages that are never hooked."""
        return self.facts.closed

    @property
    def is_test(self) -> bool:
        """Whether the program is a test binary: its root package imports the package that the generated main package of a test imports,
        and that no other package outside of the standard library may import (cmd/go/internal/load/test.go, testMainDeps; disallowInternal).

        The path in the build information does not tell: for the test of a package main it is now and then that of the package, and any
        program may be called x.test."""
        root = self.load("main")
        return root is not None and any(package == TEST_DEPS for package, _ in root.autolib)

    @making_sense(f"package {RT}")
    def rt(self, slot: runtimepkg.Slot, descriptors: Sequence[str]) -> Path:
        """The copy of package rt that knows this link."""
        archive = Archive.read(self.hooks.get(RT) or self.packages[RT])
        member, obj = archive.go_object()
        edit = Edit(obj)
        rtpkg.fill_link(edit, RT, slot, descriptors, self.facts.workers if self.has_context else (), self.arch, is_test=self.is_test)
        rtpkg.give_getg(edit, self.arch, RT)
        rtpkg.name_for_debuggers(edit, RT)
        return paths.write_scratch(self.folder / "rt.a", archive.to_bytes({member: checked(edit)}))

    @making_sense(f"package {PROBE}")
    def probe(self, path: Path, tables: Sequence[str]) -> Path:
        """The copy of package probe that knows the tables of this link. path: of the archive so far."""
        archive = Archive.read(path)
        member, obj = archive.go_object()
        edit = Edit(obj)
        list_tables(edit, PROBE, list(tables))
        return paths.write_scratch(self.folder / "probe.a", archive.to_bytes({member: checked(edit)}))

    @making_sense("package main")
    def root_package(self, path: Path, loaded: Sequence[str]) -> Path:
        """The copy of the root package that loads the hook packages."""
        archive = Archive.read(path)
        member, obj = archive.go_object()
        edit = Edit(obj)
        needs = {}
        for package in loaded:
            hook = self.load(package)
            if hook is None:
                raise OtelobjError(f"hook package {package} is not in the link", "check the rule's `path`")
            needs[package] = (hook.fingerprint, hook.find(f"{escape(package)}..inittask") is not None)
        mainpkg.load_packages(edit, self.root, needs)
        return paths.write_scratch(self.folder / "main.a", archive.to_bytes({member: checked(edit)}))


def offsets_of(slot: runtimepkg.Slot) -> Offsets:
    """What stubs read of the runtime's own types."""
    return Offsets(slot.offset, slot.guard)


def checked(edit: Edit) -> bytes:
    """The bytes of an edited object, verified. Raises ObjectError: nothing goes to the linker that does not hold together."""
    data = edit.to_bytes()
    made = Object.parse(data, edit.object.origin)
    verify(made, edit.touched())
    verify_copies(made, edit.object, edit.copies())
    verify_turned(made, edit.object, edit.turned())
    return data


@functools.cache
def identity(path: Path) -> str:
    """The header line and what tells an archive from others with the same name: its build id, or a digest of its bytes where a build
    system has none."""
    head = peek(path)
    if "/" in head.build_id:
        return f"{head.line} {head.build_id}"
    state = path.stat()
    return f"{head.line} {_content_digest(path, state.st_size, state.st_mtime_ns)}"


@functools.cache
def _content_digest(path: Path, _size: int, _mtime: int) -> str:
    """One link asks for the same archives again and again."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
