"""A program that shows itself (testbins/fidelity), built plain and with hooks that do nothing (testbins/fidelity/idle)."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from needs import emulator
from places import TESTBINS
import toolchains

SOURCE = TESTBINS / "fidelity"
OURS = ("github.com/otelobj/otelobj/", "otelobj.", "example.com/fidelity/idle.")
HOOKED = {
    "main.where", "main.crash", "main.burn", "main.allocate", "main.logEvents", "main.stopHere", "main.(*tracer).frames",
    "main.(*shared).contend", "main.closures.func1", "main.generic[go.shape.int]", "main.generic[go.shape.string]",
}  # fmt: skip
LINE = next(i for i, line in enumerate((SOURCE / "main.go").read_text().splitlines(), 1) if line.startswith("func stopHere("))
CALL = next(i for i, line in enumerate((SOURCE / "main.go").read_text().splitlines(), 1) if " := stopHere(" in line)
CASES = [(toolchains.telemetry(), "amd64"), ("1.26", "amd64"), (toolchains.newest(), "amd64"), (toolchains.newest(), "arm64")]
NATIVE = [case for case in CASES if case[1] == "amd64"]
every_case = pytest.mark.parametrize(("version", "goarch"), CASES)
native_cases = pytest.mark.parametrize("version", [version for version, _ in NATIVE])


@dataclass(frozen=True)
class Pair:
    """The two programs. version: of Go."""

    version: str
    goarch: str
    plain: Path
    hooked: Path

    def run(self, program: Path, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*emulator(self.goarch), str(program), *args], capture_output=True, text=True, timeout=1800, check=False)


@functools.cache
def folder() -> Path:
    made = tempfile.mkdtemp(prefix="otelobj-fidelity-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


@functools.cache
def built(version: str, goarch: str, *flags: str, cgo: str = "0") -> Pair:
    """Both programs, and a check that every function meant to be hooked is."""
    out = Path(tempfile.mkdtemp(dir=folder()))
    env = toolchains.go_env(version, goarch, OTELOBJ_DISABLE="all", OTELOBJ_REPORT=str(out / "report.json"), CGO_ENABLED=cgo)
    for name, extra in (("plain", []), ("hooked", [f"-toolexec=otelobj --rules {SOURCE / 'rules.yaml'}"])):
        done = subprocess.run(["go", "build", *flags, *extra, "-o", str(out / name), "."], cwd=SOURCE, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    targets = json.loads((out / "report.json").read_text())["targets"]
    assert {t["symbol"] for t in targets if t["status"] == "hooked"} >= HOOKED, targets
    return Pair(version, goarch, out / "plain", out / "hooked")


def tool(name: str) -> str:
    """A tool that Go 1.24 is the last to bring along; newer ones would be compiled first."""
    return str(toolchains.goroot("1.24") / "pkg/tool/linux_amd64" / name)


def output(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
