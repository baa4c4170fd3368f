"""The link step, from argv to the linked program. Reads as the list of what happens.

`argv → LinkCommand → packages and build settings → rules that apply → hook packages → plan and rewrite, archive by archive →
root package and rt → importcfg → the real linker → report`.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst import ending, hooktree, paths
from objinst.errors import OtelobjError
from objinst.gobuild import BuildInfo, ImportCfg, LinkCommand, usertree
from objinst.gobuild.gocmd import Go
from objinst.gobuild.loaded import loaded
from objinst.goobj import header as headers
from objinst.hookpkgs import HookRequest, goversions, resolve
from objinst.link.options import options
from objinst.link.passes import PROBE, RT, Link, identity
from objinst.link.report import Report, write_report
from objinst.plan.missing import Missing, Surroundings, refused_problems, stop, surroundings, unfound_problems, unmatched_problems
from objinst.plan.model import Target
from objinst.plan.unseen import exact_rules, warning
from objinst.rewrite.result import Result
from objinst.rewrite.spans import SPAN
from objinst.rules import Action, InjectHooks, Probe, Rule, RuleSet, is_built_in, load, supports
from objinst.signatures.gotypes import GoTypes
from objinst.store import cache
from objinst.store.digest import hooks_digest, own_digest

SUPPORTED = {("linux", "amd64"), ("linux", "arm64")}
BUILD_MODES = {"", "exe", "pie", "default"}
LEVEL = re.compile(r" (GO(?:AMD|ARM)64)=(\S+)")
"""The architecture's level in the header line of objects."""
SDK = "sdk"


def main(argv: Sequence[str]) -> int:
    """argv: options of otelobj, then the link tool and its arguments. Returns the exit status."""
    rule_files, command_line = options(argv)
    with cache.in_use():
        return instrumented_link(command_line, rule_files)


@dataclass(slots=True)
class Clock:
    """Seconds of each step."""

    last: float
    steps: dict[str, float]

    def lap(self, step: str) -> None:
        now = time.monotonic()
        self.steps[step] = self.steps.get(step, 0) + round(now - self.last, 4)
        self.last = now


def instrumented_link(command_line: Sequence[str], rule_files: Sequence[Path]) -> int:
    """Raises OtelobjError before the linker has run; nothing of the user's is written but by the linker."""
    clock = Clock(time.monotonic(), {})
    command = LinkCommand.parse(command_line)
    cfg_path = Path(command.get("importcfg") or "")
    cfg = ImportCfg.read(cfg_path)
    info = BuildInfo.parse(cfg.modinfo)
    header, _ = headers.parse(head(Path(command.main)), command.main)
    try:
        rules = load(rule_files, os.environ).of_program(info.path)
    except OtelobjError:
        _check_supported(command, header)  # the go command links shared libraries in the folder of their output: a relative rule file is not there
        raise
    linked = loaded(cfg.packages, command)
    packages = {**linked.packages, "main": Path(command.main)}
    around = surroundings(rules, command.tool, list(packages), info)
    unmatched = around.unmatched()
    stop(unmatched_problems(unmatched))
    rules, applying = in_force(rules, around)
    if not applying:
        status = _run_linker(command)
        if status == 0 and os.environ.get("OTELOBJ_REPORT"):
            _report(command, header, [missing.target() for missing in unmatched], (), clock)
        return status
    _check_supported(command, header)
    go = _go(command, header, info, cgo="runtime/cgo" in packages)
    usable = {**packages, **linked.spare}
    identities = {name: identity(path) for name, path in usable.items()}
    _check_same(usable, identities, header)
    wanted = hook_packages(applying, header.go_version)
    clock.lap("read")
    closure = resolve(request(wanted, usable, identities, info.settings | _flag_settings(command), info, header.line, go), go)
    hooks = closure.archives | {package: linked.spare[package] for package in closure.uses if package in linked.spare}
    clock.lap("hook packages")
    with paths.scratch(cfg_path) as folder:
        link = make_link(header, _root(command), packages, hooks, rules, folder, info, go)
        new, results = _rewrite(link, cfg, wanted)
        clock.lap("rewrite")
        missing = around.nameless(applying, {rule for result in results for rule in result.rules}, link.load)
        stop(_problems(results, missing, rules))
        modinfo = info.with_additions(closure.modules, _settings(rules)).text() if cfg.modinfo else ""
        main_archive = new.pop("main")
        written = ImportCfg(new, cfg.lines, modinfo).text().encode("utf-8", "surrogateescape")
        importcfg = paths.write_scratch(folder / "importcfg.link", written)
        status = _run_linker(command.replaced(importcfg=importcfg, main=main_archive))
    clock.lap("link")
    if status == 0:
        _tell(link, results, rules)
        if os.environ.get("OTELOBJ_REPORT"):
            counted = link.count_inlined([*(t for result in results for t in result.targets()), *(rule.target() for rule in (*unmatched, *missing))])
            clock.lap("report")
            _report(command, header, counted, sorted(hooks), clock)
    return status


def _run_linker(command: LinkCommand) -> int:
    """The real linker's exit status. Where it is interrupted nothing half written stays behind."""
    with ending.whole_or_gone(Path(command.get("o") or "a.out")):
        return ending.run(command.argv()).returncode


def _settings(rules: RuleSet) -> dict[str, str]:
    """What `go version -m` shows of the rules. hooks/sdk takes the names from there that variables of the program may have.

    Rules that come with otelobj are not listed: their names begin with that of their instrumentation.
    """
    names = {rule.instrumentation for rule in rules.rules if not supports(rule)} | {rule.name for rule in rules.rules if not is_built_in(rule)}
    listed = ",".join(sorted(name for name in names if re.fullmatch(r"[^\s,\"'`\\]+", name)))
    return {"otelobj.rules": rules.digest()[:16], "otelobj.instrumentations": listed, "otelobj.built-in": ",".join(hooktree.names())}


def _problems(results: Sequence[Result], missing: Sequence[Missing], rules: RuleSet) -> list[OtelobjError]:
    """What the build should not go on with."""
    targets = [target for result in results for target in result.telling]
    return [*unmatched_problems(missing), *refused_problems(targets, rules), *unfound_problems(targets, rules)]


def _tell(link: Link, results: Sequence[Result], rules: RuleSet) -> None:
    """A line for each function that a rule names in vain."""
    exact = exact_rules(rules)
    named = [target for result in results if exact.intersection(result.rules) for target in result.targets() if target.rule in exact]
    for target in link.never_called(named) if named else ():
        print(f"otelobj: warning: {warning(target)}", file=sys.stderr)


def _report(command: LinkCommand, header: headers.Header, targets: Sequence[Target], linked_in: Sequence[str], clock: Clock) -> None:
    """With OTELOBJ_ON_ERROR=plain a report that cannot be written costs nobody the hooks."""
    try:
        write_report(Report.make(command.get("o") or "", header, targets, linked_in, clock.steps), os.environ["OTELOBJ_REPORT"])
    except OtelobjError as error:
        if os.environ.get("OTELOBJ_ON_ERROR") != "plain":
            raise
        print(f"otelobj: warning: {error.brief()}", file=sys.stderr)


def hook_packages(rules: Sequence[Rule], go_version: str) -> tuple[str, ...]:
    """Import paths of the hook packages that rules need, and rt. Raises OtelobjError if one needs a newer Go."""
    packages = tuple(sorted({RT, *(_hook_package(action) for rule in rules for action in rule.do)}))
    goversions.check(packages, go_version)
    return packages


def _hook_package(action: Action) -> str:
    if isinstance(action, InjectHooks):
        return action.path
    return PROBE if isinstance(action, Probe) else SPAN


def make_link(
    header: headers.Header, root: str, packages: dict[str, Path], hooks: dict[str, Path], rules: RuleSet, folder: Path, info: BuildInfo, go: Go,
    *, has_sources: bool = False,
) -> Link:  # fmt: skip
    """has_sources: source files are what was compiled. The go command has made sure of that when it runs the linker."""
    minor = int(re.sub(r"^go1\.(\d+).*", r"\1", header.go_version))
    tags = [tag for tag in info.settings.get("-tags", "").split(",") if tag]
    has_sources = has_sources or "TOOLEXEC_IMPORTPATH" in os.environ
    modules = usertree.user_modules(Path(os.environ.get("PWD") or os.getcwd())) if has_sources else {}  # noqa: PTH109 - the shell's view first
    helper = GoTypes(go, header.goos, header.goarch, {**packages, **hooks}, tags, has_sources, modules)
    digest = f"{own_digest()}{rules.digest()} {info.path} sources={helper.has_sources}"
    return Link(header.goarch, minor, root, packages, hooks, rules, info.version_of, digest, folder, helper)


def _rewrite(link: Link, cfg: ImportCfg, wanted: Sequence[str]) -> tuple[dict[str, Path], list[Result]]:
    """Archives to link by import path, and what was done to each that rules name."""
    runtime, slot = link.runtime()
    new = {**cfg.packages, **link.hooks, "runtime": runtime}
    touched = link.touched()
    link.prepare(touched, slot)
    results = [link.package(package, slot) for package in touched]
    for package, result in zip(touched, results, strict=True):
        if result.changed:  # or the runtime's copy with the slot would go again
            new[package] = result.path
    if PROBE in wanted:
        new[PROBE] = link.probe(new[PROBE], [table for result in results for table in result.tables])
    new[RT] = link.rt(slot, [descriptor for result in results for descriptor in result.descriptors])
    new["main"] = link.root_package(new.get("main", link.packages["main"]), wanted)
    return new, results


def in_force(rules: RuleSet, around: Surroundings) -> tuple[RuleSet, list[Rule]]:
    """The rules, and those of them that name a package of the link: none if only supporting ones do.

    Probes need no SDK: where nothing else applies it is left out.
    """
    found = [rule for rule in rules.rules if around.has(rule)]
    own = [rule for rule in found if not supports(rule)]
    if all(rule.probes for rule in own):
        rules = RuleSet(tuple(rule for rule in rules.rules if not (rule.instrumentation == SDK and supports(rule))))
    return rules, [rule for rule in found if rule in rules.rules] if own else []


def _check_supported(command: LinkCommand, header: headers.Header) -> None:
    if (header.goos, header.goarch) not in SUPPORTED:
        raise OtelobjError(f"{header.goos}/{header.goarch} is not supported yet", "linux/amd64 and linux/arm64 are; OTELOBJ_ON_ERROR=plain links without hooks")
    mode = command.get("buildmode") or ""
    if mode not in BUILD_MODES or command.on("linkshared"):
        flag = "-linkshared" if command.on("linkshared") else f"-buildmode={mode}"
        raise OtelobjError(f"{flag} is not supported yet", "-buildmode exe and pie are; OTELOBJ_ON_ERROR=plain links without hooks")


def _check_same(packages: dict[str, Path], identities: dict[str, str], header: headers.Header) -> None:
    """All archives of a link have one header line, as the linker demands (cmd/link/internal/ld/lib.go, ldobj)."""
    for name, found in identities.items():
        if not found.startswith(header.line + " "):
            line = found.rpartition(" ")[0]
            raise OtelobjError(f"{packages[name]}: package {name} is `{line}`, the program is `{header.line}`", "rebuild it with the toolchain at hand")


def _root(command: LinkCommand) -> str:
    """Symbol prefix of the root package."""
    return "main" if command.get("buildmode") != "plugin" else command.get("pluginpath") or "main"


def head(path: Path) -> bytes:
    """The first Go object header in an archive."""
    try:
        with path.open("rb") as file:
            head = file.read(65536)
    except OSError as error:
        raise OtelobjError(f"{path}: {error.strerror}", "the package to link is missing; rebuild it") from error
    return head[max(head.find(b"go object "), 0) :] + b"\n!\n"


def _go(command: LinkCommand, header: headers.Header, info: BuildInfo, *, cgo: bool) -> Go:
    """The user's go command, told what the build at hand was told."""
    settings = info.settings | dict(LEVEL.findall(header.line))
    env = {"GOOS": header.goos, "GOARCH": header.goarch, "CGO_ENABLED": "1" if cgo else "0"}
    for name in ("GOAMD64", "GOARM64", "GOEXPERIMENT", "GOFIPS140"):
        value = settings.get(name) or os.environ.get(name)
        if value:
            env[name] = value
    return Go.beside(command.tool, env)


def _flag_settings(command: LinkCommand) -> dict[str, str]:
    """What the linker's flags tell of the build, where no go command wrote down its settings."""
    mode = command.get("buildmode")
    return {"-buildmode": mode} if mode else {}


def request(
    wanted: tuple[str, ...], packages: dict[str, Path], identities: dict[str, str], settings: dict[str, str], info: BuildInfo, header: str, go: Go
) -> HookRequest:
    """packages: of the link, and what hooks may take from it. settings: of the build."""
    here = Path(os.environ.get("PWD") or os.getcwd())  # noqa: PTH109 - the shell's view first
    # The standard library's own modules are vendored under other import paths, at versions that nobody else can have.
    in_std = here.resolve().is_relative_to(go.goroot.resolve() / "src")
    return HookRequest(
        packages=wanted,
        link={name: path for name, path in packages.items() if name != "main"},
        identities=identities,
        deps=() if in_std else tuple((module.path, module.version, module.replaced_by) for module in info.deps),
        settings=settings,
        user_dir=go.goroot if in_std else here,
        header=header,
        hooks=paths.hooks_dir(),
        hooks_digest=hooks_digest(),
    )
