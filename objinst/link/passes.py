"""The passes of a link, each a function over its session, in the order in which `objinst.link.main` calls them.

A rewritten archive depends on the original's bytes, the rules, the hook packages and otelobj itself. It is cached under a digest of those,
and later links reuse it. Only the root package, rt and lists of tables are rewritten in every link.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from objinst import ending, hooktree, paths
from objinst.actions import passive_packages
from objinst.errors import OtelobjError
from objinst.gobuild import BuildInfo, ImportCfg, LinkCommand, usertree
from objinst.gobuild.buildinfo import PRIVATE_SETTING, Module
from objinst.goobj import Edit
from objinst.goobj.archive import Archive
from objinst.hookpkgs import HookRequest, HookSet, chosen_exporters, chosen_sdk, minimum, own_sdk, resolve
from objinst.hookpkgs.pins import pins
from objinst.hookpkgs.request import PROGRAM_SDK
from objinst.link.build import Build, identity
from objinst.link.choice import Choice
from objinst.link.rewriter import Rewriter, checked, rt_object
from objinst.link.session import Session
from objinst.plan.model import Target
from objinst.rewrite import death, mainpkg, rtpkg, runtimepkg
from objinst.rewrite.result import COPY, Result, read_result, write_result
from objinst.rewrite.static import layout
from objinst.rules import OBSERVERS, PRIVATE, RT, RuleSet, is_built_in, supports
from objinst.store import cache
from objinst.store.digest import hooks_digest
from objinst.store.parallel import share_out

SLOT = "slot.json"
TEST_DEPS = "testing/internal/testdeps"


# The hook packages


def hook_packages(build: Build, choice: Choice) -> HookSet:
    """The hook packages that the rules need, with everything that only they import. Raises OtelobjError."""
    minimum.check(choice.hooks, build.header.go_version)
    usable, go = build.usable, build.go
    sdk = chosen_sdk(os.environ)
    if sdk == PROGRAM_SDK and any(map(hooktree.is_sdk, choice.hooks)):
        own_sdk.check(build.info.path, build.packages)
    here = usertree.build_folder()
    # The standard library's own modules are vendored under other import paths, at versions that nobody else can have.
    in_std = here.resolve().is_relative_to(go.goroot.resolve() / "src")
    request = HookRequest(
        packages=choice.hooks,
        link={name: path for name, path in usable.items() if name != "main"},
        identities={name: identity(path) for name, path in usable.items()},
        deps=() if in_std else tuple((module.path, module.version, module.replaced_by) for module in build.info.deps),
        settings=build.settings,
        user_dir=go.goroot if in_std else here,
        header=build.header.line,
        hooks=paths.hooks_dir(),
        hooks_digest=hooks_digest(),
        exporters=chosen_exporters(os.environ),
        sdk=sdk,
    )
    return resolve(request, go)


def suggestion(session: Session) -> str | None:
    """What the user may want to choose for a program, other than a test."""
    found = own_sdk.suggestion(session.packages, session.hooks, os.environ.get("OTELOBJ_SDK", "").strip())
    return None if found is None or is_test(session) else found


# Package runtime


@dataclass(frozen=True, slots=True)
class NewRuntime:
    """The copy of package runtime, and the position of the goroutine slot."""

    path: Path
    slot: runtimepkg.Slot


def runtime(session: Session) -> NewRuntime:
    """The copy of package runtime with the goroutine slot."""

    def make(folder: Path) -> None:
        archive = Archive.read(session.packages["runtime"])
        member, obj = archive.go_object()
        edit = Edit(obj)
        slot = runtimepkg.extend_g(edit)
        desc, node = (layout(rt_object(session), f"{RT}.{name}") for name in ("Desc", "node"))
        runtimepkg.watch(edit, session.arch, RT, desc, node, slot, runtimepkg.watched(obj.tables.runtime, channels=has_scope(session)))
        runtimepkg.hand_over_slot(edit, session.arch, slot)
        death.gates(edit, session.arch, RT)
        (folder / COPY).write_bytes(archive.to_bytes({member: checked(edit)}))
        (folder / SLOT).write_text(json.dumps(asdict(slot)))

    key = session.digest_of(["runtime", identity(session.packages["runtime"]), session.hooks_digest, f"{has_scope(session)}"])
    made = cache.folder("archive", key, make)
    return NewRuntime(made / COPY, runtimepkg.Slot(**json.loads((made / SLOT).read_text())))


def has_scope(session: Session) -> bool:
    """Whether the program can have scopes. That takes a package that imports hooks/rt, other than the packages in rt's own folder and those that
    an action declares as passive."""
    passive = passive_packages()
    return any(user not in passive and not user.startswith(f"{RT}/") for user in session.facts.rt_users)


# The packages that rules name


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What was done to each package, and to all together. rules: names of those that name a function; telling: targets that may be a problem."""

    results: Mapping[str, Result]

    @property
    def archives(self) -> dict[str, Path]:
        """Archives of the changed packages only. For any other package the given archive stays; otherwise runtime would lose its slot again."""
        return {package: result.path for package, result in self.results.items() if result.changed}

    @property
    def rules(self) -> set[str]:
        return {rule for result in self.results.values() for rule in result.rules}

    @property
    def telling(self) -> list[Target]:
        return [target for result in self.results.values() for target in result.telling]

    @property
    def descriptors(self) -> list[str]:
        return [name for result in self.results.values() for name in result.descriptors]

    def tables(self, package: str) -> list[str]:
        """Those that the actions of a hook package keep."""
        return [name for result in self.results.values() for name in result.tables.get(package, ())]

    def targets(self) -> list[Target]:
        """All targets, read from the cache."""
        return [target for result in self.results.values() for target in result.targets()]


def packages(session: Session, slot: runtimepkg.Slot) -> Rewritten:
    """Plans and rewrites every package that rules name, in several processes if much is new. Raises OtelobjError for a rule that cannot
    be carried out."""
    keys = {package: package_key(session, package) for package in touched(session)}
    rewriter = functools.cache(lambda: Rewriter.of(session, slot))

    def rewritten(package: str) -> Result:
        made = cache.folder("archive", keys[package], lambda folder: rewrite(session, rewriter(), package, folder))
        return read_result(made, session.path(package))

    new = [package for package, key in keys.items() if not cache.has("archive", key)]
    if new:
        rewriter()  # here, or each of the processes would read the hooks' packages
        share_out([(session.path(package).stat().st_size, functools.partial(rewritten, package)) for package in new])
    # An error in another process occurs again here, and is reported.
    return Rewritten({package: rewritten(package) for package in keys})


def touched(session: Session) -> list[str]:
    """Packages that rules name, and packages (including hook packages) that hold instances of their generic functions.

    The linker keeps one of several copies of an instance, in its own order: each of them must be hooked.
    """
    facts = session.facts
    named = {package for package in session.packages if any(rule.matches_package(package) for rule in session.rules.rules)}
    holders = {package for package, declaring in facts.instances.items() if declaring & named and package not in facts.excluded}
    return [package for package in (*session.packages, *session.hooks) if package in named | holders]


def package_key(session: Session, package: str) -> str:
    """What the rewrite of an archive depends on: rules and hooks, the archive itself, the layout of runtime.g, and which callers rely on the
    stack not moving in its functions.

    A build id covers the imported packages, and so the layout of their types. Without a build id, all packages count. They also count if a
    pattern creates spans, because the direct and indirect callees of a function decide whether it lasts as long as the program.
    """
    own = identity(session.path(package))
    others = [session.packages_digest] if "/" not in own or session.eligibility.is_spanned(package) else []
    around = [own, identity(session.packages["runtime"]), session.facts.reliance_of(package), *others]
    return session.digest_of(["package", package, *around, session.versions(package) or "", session.hooks_digest])


def rewrite(session: Session, rewriter: Rewriter, package: str, folder: Path) -> None:
    """Writes to the folder what was done to a package's archive and, if it changed, the copy."""
    archive = Archive.read(session.path(package))
    targets: list[Target] = []
    descriptors: list[str] = []
    tables: dict[str, list[str]] = {}
    replaced: dict[int, bytes] = {}
    for member, obj in archive.objects().items():
        edit = Edit(obj)
        plans = list(session.eligibility.plan_object(obj, package))
        targets += [target for planned in plans for target in planned.targets]
        added, listed = rewriter.rewrite(edit, package, f"{package}.{member}", plans)
        descriptors += added
        for owner, names in listed.items():
            tables.setdefault(owner, []).extend(names)
        if edit.dirty:
            replaced[member] = checked(edit)
    if replaced:
        (folder / COPY).write_bytes(archive.to_bytes(replaced))
    write_result(folder, session.rules, targets, descriptors, tables)


def plan(session: Session, package: str) -> list[Target]:
    """The targets of one package, without a rewrite."""
    objects = Archive.read(session.path(package)).objects().values()
    return [target for obj in objects for planned in session.eligibility.plan_object(obj, package) for target in planned.targets]


# Packages of which every link has a copy of its own


def list_tables(session: Session, package: str, path: Path, tables: Sequence[str]) -> Path:
    """The copy of a hook package that knows the tables which its actions keep in this link. path: of the archive so far."""
    archive = Archive.read(path)
    member, obj = archive.go_object()
    edit = Edit(obj)
    session.tables[package].fill(edit, tables)
    return paths.write_scratch(session.folder / f"tables.{package.replace('/', '+')}.a", archive.to_bytes({member: checked(edit)}))


def rt(session: Session, slot: runtimepkg.Slot, descriptors: Sequence[str]) -> Path:
    """The copy of package rt with the descriptors of this link."""
    archive = Archive.read(session.path(RT))
    member, obj = archive.go_object()
    edit = Edit(obj)
    loops = session.facts.workers if has_scope(session) else ()
    rtpkg.fill_link(edit, RT, slot, descriptors, loops, session.arch, is_test=is_test(session))
    rtpkg.give_getg(edit, session.arch, RT)
    rtpkg.name_for_debuggers(edit, RT)
    return paths.write_scratch(session.folder / "rt.a", archive.to_bytes({member: checked(edit)}))


def is_test(session: Session) -> bool:
    """Whether the program is a test binary: its root package imports the package that the generated main package of a test imports,
    and that no other package outside of the standard library may import (cmd/go/internal/load/test.go, testMainDeps; disallowInternal).

    The path in the build information does not show it: for the test of a package main it is sometimes that of the package, and any
    program may be called x.test."""
    root = session.load("main")
    return root is not None and any(package == TEST_DEPS for package, _ in root.autolib)


def root_package(session: Session, path: Path) -> Path:
    """The copy of the root package that loads the hook packages. path: of the archive so far."""
    archive = Archive.read(path)
    member, obj = archive.go_object()
    edit = Edit(obj)
    needs = {}
    for package in session.wanted:
        if package not in session.archives:
            raise OtelobjError(f"hook package {package} is not in the link", "check the rule's `path`")
        known = session.inits.of(package)
        needs[package] = (bytes.fromhex(known["fingerprint"]), bool(known["has_task"]))
    mainpkg.load_packages(edit, session.root, needs)
    return paths.write_scratch(session.folder / "main.a", archive.to_bytes({member: checked(edit)}))


# The real linker


def importcfg(session: Session, cfg: ImportCfg, archives: dict[str, Path], info: BuildInfo) -> Path:
    """The importcfg for the real linker, without the root package. info: build information for the program."""
    listed = {package: path for package, path in archives.items() if package != "main"}
    text = ImportCfg(listed, cfg.lines, info.text() if cfg.modinfo else "").text()
    return paths.write_scratch(session.folder / "importcfg.link", text.encode("utf-8", "surrogateescape"))


def private_modules(hook_set: HookSet) -> list[Module]:
    """The pinned modules of which the link has packages under paths of our own, with the hashes of their files."""
    ours = (PRIVATE, OBSERVERS)
    found = {pins().owner(package.split("/", 1)[1]) for package in hook_set.archives if package.startswith(ours)}
    return [Module(pin.path, pin.version, sum=pin.sum) for pin in sorted(filter(None, found), key=lambda pin: pin.path)]


def settings(rules: RuleSet, private: Sequence[Module]) -> dict[str, str]:
    """What `go version -m` shows of the rules and of the private zone. hooks/sdk reads from there the names that variables of the program may use.

    Rules that come with otelobj are not listed: their names begin with that of their instrumentation.
    """
    names = {rule.instrumentation for rule in rules.rules if not supports(rule)} | {rule.name for rule in rules.rules if not is_built_in(rule)}
    listed = ",".join(sorted(name for name in names if re.fullmatch(r"[^\s,\"'`\\]+", name)))
    found = {"otelobj.rules": rules.digest()[:16], "otelobj.instrumentations": listed, "otelobj.built-in": ",".join(hooktree.names())}
    return found | ({PRIVATE_SETTING: ",".join(f"{module.path}@{module.version}" for module in private)} if private else {})


def run_linker(command: LinkCommand) -> int:
    """The real linker's exit status. If it is interrupted, no partial output remains."""
    with ending.whole_or_gone(Path(command.get("o") or "a.out")):
        return ending.run(command.argv()).returncode
