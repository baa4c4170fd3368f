"""One link's packages: plan, then rewrite, archive by archive.

What is done to an archive depends on its own bytes, the rules, the hook packages and otelobj itself, so a rewritten archive is
kept in the cache under a digest of those and used again by later links. Only the root package and rt are written anew each time.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import trampolines
from objinst import paths
from objinst.errors import OtelobjError
from objinst.goobj import Edit, Object, verify, verify_copies, verify_turned
from objinst.goobj.archive import Archive, peek
from objinst.plan.declared import Declared
from objinst.plan.facts import Facts, gather
from objinst.plan.hooks import HookFinder
from objinst.plan.inlining import with_callers
from objinst.plan.judge import Function, judge_each, read_function
from objinst.plan.lasting import Lasting
from objinst.plan.model import FunctionPlan, Refusal, Status, Target
from objinst.plan.pinned import Reliance, own_keys
from objinst.plan.probes import CountPlan, judge_count
from objinst.plan.scope import fork_set
from objinst.plan.select import candidates, only_leads_on
from objinst.plan.spans import makes_spans
from objinst.plan.specs import Offsets
from objinst.plan.unseen import all_inlined
from objinst.rewrite import death, mainpkg, rtpkg, runtimepkg
from objinst.rewrite.function import Runtime, hook_function
from objinst.rewrite.probes import ProbeLayouts, Probes, list_tables
from objinst.rewrite.result import COPY, Result, read_result, write_result
from objinst.rewrite.spans import SPAN
from objinst.rewrite.static import layout
from objinst.rules import Action, Probe, ProbeKind, Rule, RuleSet, Span, parse_func_name
from objinst.signatures.find import Helper, Signatures
from objinst.store import cache
from objinst.store.parallel import share_out
from objinst.types import TypeTable
from objinst.types.names import escape

RT = "github.com/otelobj/otelobj/hooks/rt"
PROBE = "github.com/otelobj/otelobj/hooks/probe"
TEST_DEPS = "testing/internal/testdeps"


@dataclass(frozen=True, slots=True)
class Planned:
    """What is done to one function. hooks: by hooks/rt, None if nothing is; count: None if it gets no counter."""

    hooks: FunctionPlan | None
    count: CountPlan | None
    targets: tuple[Target, ...]


@dataclass
class Link:
    """The packages of one link. packages: import path -> archive, the root package under its symbol prefix (`main`);
    hooks: the same for hook packages and what only they need. digest: of otelobj and the rules; folder: for files of this link only.
    """

    goarch: str
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

    def runtime(self) -> tuple[Path, runtimepkg.Slot]:
        """The copy of package runtime with the goroutine slot."""
        slot_file = "slot.json"

        def make(folder: Path) -> None:
            archive = Archive.read(self.packages["runtime"])
            member, obj = archive.go_object()
            edit = Edit(obj)
            slot = runtimepkg.extend_g(edit)
            node = layout(self.rt_object, f"{RT}.node")
            watched = runtimepkg.watched(obj.tables.runtime, channels=self.has_context)
            runtimepkg.watch(edit, self.arch, RT, self.rt_layouts.desc, node, slot, watched)
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
        others = [self._all_packages] if "/" not in own or self._is_spanned(package) else []
        return [own, identity(self.packages["runtime"]), self.facts.pinned_of(package), *others]

    @functools.cached_property
    def _all_packages(self) -> str:
        """But the root package, which nobody imports."""
        return self._digest(sorted(identity(path) for name, path in self.packages.items() if name != "main"))

    def _rewrite(self, package: str, path: Path, slot: runtimepkg.Slot, folder: Path) -> None:
        archive = Archive.read(path)
        targets: list[Target] = []
        descriptors: list[str] = []
        tables: list[str] = []
        replaced: dict[int, bytes] = {}
        for member, obj in archive.objects().items():
            edit = Edit(obj)
            probes = self.probes(edit, f"otelobj.probes.{package}.{member}")
            for planned in self.plan_object(obj, package):
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

    def planned(self, package: str) -> list[Target]:
        """The targets of one package, without a rewrite."""
        objects = Archive.read(self._path(package)).objects().values()
        return [target for obj in objects for planned in self.plan_object(obj, package) for target in planned.targets]

    def plan_object(self, obj: Object, package: str) -> Iterator[Planned]:
        """The plan of every function of an object that some rule names."""
        forbidden = fork_set(obj) if package == "syscall" else frozenset()
        source = Declared(obj, self.load)
        found = candidates(obj, package, self.rules, self.versions, own=package in self.packages, load=self.load, foreign=self._is_foreign)
        for index, matching in found:
            counting = [(rule, action) for rule, action in matching if counts(action)]
            hooks = [(rule, action) for rule, action in matching if calls(action)]
            function = read_function(obj, index) if hooks else None
            hooks = self._meant(hooks, function, source) if function else hooks
            outcomes: list[FunctionPlan | Refusal] = []
            counted: CountPlan | Refusal | None = None
            home = self._home(obj, index, package)
            if home in self.closed:
                counted = Refusal("runtime", f"{home} belongs to the runtime or to what hooks stand on")
                outcomes = [counted] * len(hooks)
            else:
                if hooks and function:
                    outcomes = self.judge_meant(function, hooks, forbidden, package, source)
                if counting:
                    counted = judge_count(obj, index)
            outcome_of = dict(zip(hooks, outcomes, strict=True))
            yield Planned(
                next((outcome for outcome in outcomes if isinstance(outcome, FunctionPlan)), None),
                counted if isinstance(counted, CountPlan) else None,
                (
                    *(
                        _target(rule, obj, index, package, function, outcome)
                        for (rule, action), outcome in zip(hooks, outcomes, strict=True)
                        if not counts(action)
                    ),
                    *(
                        _count_target(rule, obj, index, package, counted, stress=outcome_of.get((rule, action)))
                        for rule, action in counting
                        if counted
                    ),
                ),
            )

    def _home(self, obj: Object, index: int, package: str) -> str:
        """The package whose rules hold for a function. A copy of a closed package's function, wherever it lies, may be the one that the linker
        keeps for the runtime."""
        name = None if package in self.closed else parse_func_name(obj.name(index))
        return package if name is None or name.pkg not in self.closed else name.pkg

    def judge(
        self, function: Function | Refusal, hooks: Sequence[tuple[Rule, Action]], forbidden: frozenset[int], package: str
    ) -> list[FunctionPlan | Refusal]:
        """The outcome for each of the actions."""
        if isinstance(function, Refusal):
            return [function] * len(hooks)
        if function.index in forbidden:
            return [Refusal("fork", "it can run between fork and exec")] * len(hooks)
        return judge_each(function, hooks, self.arch, self.finder, self._pinned_by(function.object, package, function.index))

    def _is_foreign(self, package: str) -> bool:
        return package in self.hooks and package not in self.packages

    def judge_meant(
        self, function: Function | Refusal, hooks: Sequence[tuple[Rule, Action]], forbidden: frozenset[int], package: str, source: Declared
    ) -> list[FunctionPlan | Refusal]:
        """As `judge`; a span that a rule does not mean keeps none of the other actions from the function."""
        left_out = [self._lasts(function, rule, package, source) if isinstance(action, Span) else None for rule, action in hooks]
        meant = [hook for hook, refusal in zip(hooks, left_out, strict=True) if refusal is None]
        judged = iter(self.judge(function, meant, forbidden, package) if meant else ())
        return [refusal or next(judged) for refusal in left_out]

    def _lasts(self, function: Function | Refusal, rule: Rule, package: str, source: Declared) -> Refusal | None:
        name = None if isinstance(function, Refusal) else source.name(function.index)
        return None if isinstance(function, Refusal) or name is None else self.lasting.refusal(rule, name, function.object, function.index, package)

    @functools.cached_property
    def lasting(self) -> Lasting:
        """Which functions last as long as the program."""
        return Lasting(self.arch, self.load, self._is_spanned)

    def _is_spanned(self, package: str) -> bool:
        """Whether a rule makes spans of a package's functions by a pattern."""
        return any(rule.matches_package(package) for rule in self._span_patterns)

    @functools.cached_property
    def _span_patterns(self) -> list[Rule]:
        return [rule for rule in self.rules.rules if rule.is_glob and any(isinstance(action, Span) for action in rule.do)]

    @staticmethod
    def _meant(matching: list[tuple[Rule, Action]], function: Function | Refusal, source: Declared) -> list[tuple[Rule, Action]]:
        """The actions without those that would come twice, and without spans of what makes telemetry itself."""
        if isinstance(function, Refusal):
            return matching
        own = [(rule, action) for rule, action in matching if not only_leads_on(rule, function.symbol, function.object, function.info)]
        return [(rule, action) for rule, action in own if not isinstance(action, Span) or makes_spans(rule, source.name(function.index))]

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

    def _pinned_by(self, obj: Object, package: str, index: int) -> Reliance:
        return Reliance.on(own_keys(obj, package, index), self.facts.pinned.get(package, {}), self.facts.frames.get(package, {}))

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

    def rt(self, slot: runtimepkg.Slot, descriptors: Sequence[str]) -> Path:
        """The copy of package rt that knows this link."""
        archive = Archive.read(self.hooks.get(RT) or self.packages[RT])
        member, obj = archive.go_object()
        edit = Edit(obj)
        rtpkg.fill_link(edit, RT, slot, descriptors, self.facts.workers if self.has_context else (), self.arch, is_test=self.is_test)
        rtpkg.give_getg(edit, self.arch, RT)
        rtpkg.name_for_debuggers(edit, RT)
        return paths.write_scratch(self.folder / "rt.a", archive.to_bytes({member: checked(edit)}))

    def probe(self, path: Path, tables: Sequence[str]) -> Path:
        """The copy of package probe that knows the tables of this link. path: of the archive so far."""
        archive = Archive.read(path)
        member, obj = archive.go_object()
        edit = Edit(obj)
        list_tables(edit, PROBE, list(tables))
        return paths.write_scratch(self.folder / "probe.a", archive.to_bytes({member: checked(edit)}))

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


def _target(rule: Rule, obj: Object, index: int, package: str, function: Function | Refusal | None, outcome: FunctionPlan | Refusal) -> Target:
    known = isinstance(function, Function)
    plan = outcome if isinstance(outcome, FunctionPlan) else None
    return Target(
        rule=rule.name,
        symbol=obj.sym(index).name,
        package=package,
        file=function.file if known else "",  # type: ignore[union-attr]
        line=function.line if known else 0,  # type: ignore[union-attr]
        status=Status.HOOKED if plan else Status.REFUSED,
        reason="" if plan else f"{outcome.code}: {outcome.why}",  # type: ignore[union-attr]
        entry=plan is not None,
        exit=plan is not None and plan.has_exit,
        inlined_calls=0,
        left_out=plan.left_out(rule.name) if plan else (),
    )


def counts(action: Action) -> bool:
    """Wants a counter in front of the function."""
    return isinstance(action, Probe) and action.kind is not ProbeKind.LATENCY


def calls(action: Action) -> bool:
    """Wants Go code to run at the entry or the exit of the function; stress and hot do where they can have it."""
    return not (isinstance(action, Probe) and action.kind is ProbeKind.COUNT)


def _count_target(
    rule: Rule, obj: Object, index: int, package: str, outcome: CountPlan | Refusal, *, stress: FunctionPlan | Refusal | None
) -> Target:
    """stress: what becomes of the Go code of a stress probe, which may come to see the exit, too."""
    plan = None if isinstance(outcome, Refusal) else outcome
    return Target(
        rule=rule.name,
        symbol=obj.name(index),
        package=package,
        file=obj.files[plan.file].removeprefix("gofile..") if plan else "",
        line=plan.info.start_line if plan else 0,
        status=Status.HOOKED if plan else Status.REFUSED,
        reason=f"{outcome.code}: {outcome.why}" if isinstance(outcome, Refusal) else "",
        entry=plan is not None,
        exit=plan is not None and isinstance(stress, FunctionPlan) and stress.has_exit,
        inlined_calls=0,
    )
