"""`otelobj link ARGS` replaces `go tool link` in build systems that run the tools themselves.

Everything after our own options is passed to the real linker; only the importcfg and the root archive are replaced. The archives need
nothing from the go command: no build ids, no modinfo, no module. The linker comes from --go, $GOROOT or the go command on PATH. It must
be from the release that compiled the archives, because it reads no others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst.errors import OtelobjError, UsageError
from objinst.gobuild import LinkCommand
from objinst.goobj.archive import peek
from objinst.link import main as link
from objinst.link import version
from objinst.link.options import TIMINGS
from objinst.link.plain import link_plainly
from objinst.platform.host import goos, host

USAGE = """Usage: otelobj link [--rules FILE]... [--go PLACE] [--timings] [--] ARGS

  Links as `go tool link ARGS` does, with hooks. ARGS reach the linker as they are; they must have -importcfg.

Options, before ARGS:
  --rules FILE  Rule file; may be given more than once. $OTELOBJ_RULES names more.
  --go PLACE    The toolchain that compiled the archives: its GOROOT, its go command or its link tool.
                Default: $GOROOT, then the go command on PATH.
  --timings     Show what the steps of the link took.
  -h, --help    Show this message and exit."""
MARK = "OTELOBJ_REAL_LINKER"
"""Set for the real linker: if that is otelobj again, it would go on for ever."""
REMEDY = "name it with --go: a GOROOT, its bin/go, or its pkg/tool/OS_ARCH/link"


@dataclass(frozen=True, slots=True)
class Options:
    """rules: rule files; go: what --go says; args: those of the linker; timings: whether to show what steps took."""

    rules: tuple[Path, ...]
    go: str
    args: tuple[str, ...]
    timings: bool = False


def main(argv: Sequence[str]) -> int:
    """argv: the arguments after `link`. Returns the exit status of the linker. Raises OtelobjError."""
    if argv and argv[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    options = parse(argv)
    if os.environ.get(MARK):
        raise OtelobjError(f"the linker {os.environ[MARK]} is otelobj itself", REMEDY)
    tool = find_link(options.go)
    os.environ[MARK] = str(tool)
    own = [word for path in options.rules for word in ("--rules", str(path))] + [TIMINGS] * options.timings
    if options.args[-1:] == ("-V=full",):
        return version.main([*own, str(tool), *options.args])
    command_line = [*own, str(tool), *options.args]
    try:
        check(LinkCommand.parse(command_line[len(own) :]))
        return link.main(command_line)
    except OtelobjError as error:
        if os.environ.get("OTELOBJ_ON_ERROR") != "plain":
            raise
        link_plainly(command_line, str(error))


def parse(argv: Sequence[str]) -> Options:
    """Raises UsageError. The linker has no flags with the names of ours, so its flags begin where ours end."""
    rules: list[Path] = []
    go = ""
    timings = False
    at = 0
    while at < len(argv):
        name, equals, value = argv[at].partition("=")
        if argv[at] == TIMINGS:
            timings = True
            at += 1
            continue
        if name not in ("--rules", "--go"):
            break
        if not equals:
            at += 1
            if at == len(argv):
                raise UsageError(f"link: {name} without a value", "see otelobj link --help")
            value = argv[at]
        if name == "--go":
            go = value
        else:
            rules.append(Path(value))
        at += 1
    at += argv[at : at + 1] == ["--"]
    args = tuple(argv[at:])
    if not args:
        raise UsageError("link: no arguments for the linker", "give the arguments of `go tool link`, such as -importcfg FILE -o PROGRAM main.a")
    return Options(tuple(rules), go, args, timings)


def check(command: LinkCommand) -> None:
    """Raises OtelobjError for what cannot be linked, before doing anything."""
    if not command.get("importcfg"):
        raise UsageError(
            "link: no -importcfg", "list the archives in a file, `packagefile IMPORT/PATH=FILE` a line; -L folders do not say which archives are meant"
        )
    compiled = peek(Path(command.main)).line.split()[4:5]
    asked = subprocess.run([command.tool, "-V"], capture_output=True, text=True, errors="replace", check=False)
    said = asked.stdout.split()
    if said[:2] != ["link", "version"]:
        raise OtelobjError(f"{command.tool} is not a Go linker: its answer to -V is {(asked.stdout + asked.stderr).strip() or 'nothing'}", REMEDY)
    if compiled != said[2:3]:
        raise OtelobjError(f"{command.main} was compiled by {''.join(compiled)}, the linker {command.tool} is from {said[2]}", REMEDY)


def find_link(given: str) -> Path:
    """The real linker. given: what --go says, "" for nothing. Raises OtelobjError."""
    if given:
        found = next(_tools(Path(given)), None)
        if found is None:
            raise OtelobjError(f"--go {given}: no link tool there", "name a GOROOT, its bin/go, or its pkg/tool/OS_ARCH/link")
        return found
    on_path = shutil.which("go")
    places = [Path(place) for place in (os.environ.get("GOROOT"), on_path) if place]
    for place in places:
        for tool in _tools(place):
            return tool
    asked = subprocess.run([on_path, "env", "GOTOOLDIR"], capture_output=True, text=True, check=False).stdout.strip() if on_path else ""
    if asked and (Path(asked) / "link").exists():
        return Path(asked) / "link"
    raise OtelobjError(f"no Go linker: neither in $GOROOT nor beside a go command on PATH ({', '.join(map(str, places)) or 'both are missing'})", REMEDY)


def _tools(place: Path) -> Iterator[Path]:
    """Link tools that a path may refer to, those for this machine first."""
    if place.is_file() and place.name.removesuffix(".exe") == "link":
        yield place
        return
    roots = [place] if place.is_dir() else [place.parent.parent, place.resolve().parent.parent] if place.is_file() else []
    machine = f"{goos()}_{host().goarch}"
    for root in roots:
        yield from sorted((root / "pkg" / "tool").glob("*/link"), key=lambda tool: tool.parent.name != machine)
