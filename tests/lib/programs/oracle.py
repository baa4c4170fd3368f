"""A program built and run twice: plain, and with a disturbance at every third entry and return. Both must say the same and end alike."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from needs import QEMU
from places import LAUNCHER
import toolchains

RULE = 'all:\n  target: "{target}"\n  where: {{ func: "*" }}\n  do: [ {{ probe: {probe} }} ]\n'
NUMBER = re.compile(r"\+?\b0x[0-9a-f]+\b")
ARGUMENTS = re.compile(r"^((?!goroutine|panic|\s)\S*)\(.*\)$", re.MULTILINE)


class DoesNotBuild(Exception):
    """The plain program; a defect of the generator, or of what was left out of it."""


@dataclass(frozen=True)
class End:
    """status: negative for a signal; None if it did not end in time."""

    status: int | None
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"status {self.status}\n{self.stdout}\n{self.stderr}"


@dataclass(frozen=True)
class How:
    """probe: what is done at entries and returns of functions of the packages `target`. flags: of both builds. launcher: of otelobj."""

    version: str = "1.26"
    goarch: str = "amd64"
    probe: str = "hot"
    flags: tuple[str, ...] = ()
    patience: int = 600
    target: str = "**"
    launcher: Path = LAUNCHER


def build(how: How, folder: Path, hooked: bool) -> Path:
    env = toolchains.go_env(how.version, how.goarch, OTELOBJ_DISABLE="all")
    program = folder / ("hooked" if hooked else "plain")
    rules = folder / f"{how.probe}.yaml"
    rules.write_text(RULE.format(probe=how.probe, target=how.target))
    toolexec = [f"-toolexec={how.launcher} --rules {rules}"] if hooked else []
    done = subprocess.run(["go", "build", *how.flags, *toolexec, "-o", str(program), "."], cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        assert not hooked, f"the hooked program does not link:\n{done.stderr}"
        raise DoesNotBuild(done.stderr)
    return program


def run(how: How, program: Path) -> End:
    prefix = [QEMU] if how.goarch == "arm64" else []
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GO", "OTEL"))}
    env |= {"GODEBUG": "clobberfree=1", "GOTRACEBACK": "single", "GOMAXPROCS": "4"}
    try:
        done = subprocess.run([*prefix, str(program)], cwd=program.parent, env=env, capture_output=True, timeout=how.patience, check=False)
    except subprocess.TimeoutExpired as late:
        return End(None, (late.stdout or b"").decode(errors="replace"), (late.stderr or b"").decode(errors="replace"))
    return End(done.returncode, done.stdout.decode(errors="replace"), plain(done.stderr.decode(errors="replace")))


def plain(stderr: str) -> str:
    """Without what differs from run to run: addresses, and the arguments in tracebacks, which may be stale; without the goroutine's number."""
    text = ARGUMENTS.sub(r"\1(...)", NUMBER.sub("0x", stderr))
    return re.sub(r"goroutine \d+( gp=\S+ m=\S+( mp=\S+)?)?", "goroutine N", text)


def difference(how: How, folder: Path) -> tuple[End, End] | None:
    """How a program in a folder ends plain and hooked, if that is not the same."""
    expected = run(how, build(how, folder, hooked=False))
    if expected.status is None:
        raise DoesNotBuild("the plain program does not end")
    got = run(how, build(how, folder, hooked=True))
    return None if got == expected else (expected, got)
