"""The link step, from argv to the linked program: the list of its passes.

`argv → LinkCommand → packages and build settings → rules that apply → hook packages → plan and rewrite, archive by archive →
root package and rt → importcfg → the real linker → report`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from objinst import paths
from objinst.gobuild import ImportCfg, LinkCommand
from objinst.link import passes, report, unseen
from objinst.link.build import Build, check_supported
from objinst.link.choice import choose, read_rules
from objinst.link.options import options, wants_timings
from objinst.link.session import open_session
from objinst.plan.missing import degraded, problems, stop, unmatched_problems
from objinst.rules import RT
from objinst.store import cache


def main(argv: Sequence[str]) -> int:
    """argv: otelobj's options, then the link tool and its arguments. Returns the exit status."""
    clock = report.Clock()
    rule_files, command_line = options(argv)
    with cache.in_use():
        clock.lap("start")
        status = instrumented_link(command_line, rule_files, clock)
    clock.lap("trim cache")
    if wants_timings(argv, command_line):
        print(clock.table(), file=sys.stderr)
    return status


def instrumented_link(command_line: Sequence[str], rule_files: Sequence[Path], clock: report.Clock) -> int:
    """Raises OtelobjError before the linker runs. Only the linker writes the user's files."""

    # What is linked: the archives of the importcfg, how they were built, and the root package.
    command = LinkCommand.parse(command_line)
    cfg = ImportCfg.read(Path(command.get("importcfg") or ""))
    build = Build.of_command(command, cfg)

    # The rules that are meant. One that names nothing by mistake ends the build.
    choice = choose(build, read_rules(rule_files, build, command))
    absent = [missing.target() for missing in choice.absent]
    stop(unmatched_problems(choice.absent))

    # A program that no rule names is linked as it is.
    if not choice.applying:
        clock.lap("read")
        status = passes.run_linker(command)
        clock.lap("link")
        if status == 0 and report.is_wanted():
            report.report_link(command, build.header, absent, (), clock)
        return status

    # The hook packages: of this link, from the build cache, or compiled now, against exactly the packages that are linked.
    check_supported(command, build.header)
    build.check_headers()
    clock.lap("read")
    hook_set = passes.hook_packages(build, choice)
    clock.lap("hook packages")

    with paths.scratch(Path(command.get("importcfg") or "")) as folder:
        session = open_session(build, choice, hook_set, folder)

        # Every goroutine gets a slot; with it the runtime calls rt where goroutines begin, end and hand on work.
        runtime = passes.runtime(session)

        # Every package that rules name: plan, then rewrite, or what an earlier link has left in the cache.
        rewritten = passes.packages(session, runtime.slot)

        # A rule of the user's that names no function, or one that cannot be hooked, ends the build. Beyond this point nothing is refused.
        nameless = choice.nameless(session.rules, rewritten.rules, session.load)
        stop(problems(nameless, rewritten.telling, session.rules))
        lacking = degraded(nameless, rewritten.telling, session.rules, build.info.version_of)

        # The archives to link. Hook packages that keep tables learn of them all, rt of all descriptors, and the root package loads the hook packages.
        archives = {**cfg.packages, **session.hooks, "runtime": runtime.path, **rewritten.archives}
        archives |= {package: passes.list_tables(session, package, archives[package], rewritten.tables(package)) for package in session.tables}
        archives[RT] = passes.rt(session, runtime.slot, rewritten.descriptors)
        root = passes.root_package(session, archives.get("main", session.packages["main"]))
        clock.lap("rewrite")

        # The real linker, on these archives.
        private = passes.private_modules(hook_set)
        info = build.info.with_additions(hook_set.modules, passes.settings(session.rules, private), private)
        status = passes.run_linker(command.replaced(importcfg=passes.importcfg(session, cfg, archives, info), main=root))
    clock.lap("link")

    # What the user should know of a program that is linked.
    if status == 0:
        unseen.warn(session, rewritten.results.values(), lacking)
        suggestion = passes.suggestion(session)
        if suggestion and hook_set.is_new:  # once for each toolchain, variant and API, not with every link
            print(f"otelobj: {suggestion}", file=sys.stderr)
        if report.is_wanted():
            counted = unseen.count_inlined(session, [*rewritten.targets(), *absent, *(missing.target() for missing in nameless)], all_calls=False)
            clock.lap("report")
            notes = (*hook_set.notes, *lacking, *([suggestion] if suggestion else []))
            report.report_link(command, build.header, counted, session.hooks, clock, notes)
    clock.lap("report")
    return status
