"""Go's own tools with a probe on every function that can have one do exactly what they do without.

`count` alone puts machine code in front of all functions; `stress` takes the whole way of typed hooks, entry and return, and now and then
moves the stack and collects garbage there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import toolchains

ROOT = Path(__file__).parent.parent
VERSION = "1.26"
QEMU = "qemu-aarch64-static"
RULE = 'all:\n  target: "**"\n  where: {{ func: "*" }}\n  do: [ {{ probe: {probe} }} ]\n'
long = pytest.mark.long
PROBES = ["count", pytest.param("stress", marks=long)]
WRAPPER = """#!/bin/sh
case "$1 $2" in
*/compile\\ -V=full) exec "$@" ;;
*/compile\\ *) shift; exec {compiler} "$@" ;;
esac
exec "$@"
"""


def build(tool: str, probe: str, folder: Path, goarch: str = "amd64") -> Path:
    """A command of the Go distribution, hooked everywhere."""
    rules = folder / f"{probe}.yaml"
    rules.write_text(RULE.format(probe=probe))
    env = toolchains.go_env(VERSION, goarch, OTELOBJ_DISABLE="all")
    env["PATH"] = f"{ROOT / 'bin'}:{env['PATH']}"
    made = folder / f"{tool}-{probe}-{goarch}"
    command = ["go", "build", f"-toolexec=otelobj --rules {rules}", "-o", str(made), f"cmd/{tool}"]
    done = subprocess.run(command, cwd=toolchains.goroot(VERSION) / "src", env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


def run(command: list[str], cwd: Path, **env: str) -> tuple[int, str, str]:
    done = subprocess.run(command, cwd=cwd, env=toolchains.go_env(VERSION, **env), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def counted(folder: Path, pattern: str) -> dict[str, int]:
    """Calls of every function in all files of a run."""
    found: dict[str, int] = {}
    for path in folder.glob(pattern):
        for name, n in json.loads(path.read_text())["functions"].items():
            found[name] = found.get(name, 0) + n
    return found


@pytest.mark.parametrize("probe", PROBES)
def test_gofmt(probe: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made = build("gofmt", probe, tmp_path)
    root = toolchains.goroot(VERSION)
    places = ["src", "test"] if request.config.getoption("--long") else ["src/go", "src/fmt", "src/net/http"]
    places = [place for place in places if (root / place).is_dir()]
    ours = run([str(made), "-l", *places], root, OTELOBJ_PROBE_OUT=str(tmp_path / "out.json"))
    assert ours == run([str(root / "bin/gofmt"), "-l", *places], root)
    assert counted(tmp_path, "out.json")["go/parser.ParseFile"] > 100


@pytest.mark.long
def test_gofmt_arm64(tmp_path: Path) -> None:
    if not shutil.which(QEMU):
        if os.environ.get("OTELOBJ_CI"):
            pytest.fail("CI promises qemu-user-static")
        pytest.skip("qemu-user-static is not installed")
    made = build("gofmt", "stress", tmp_path, "arm64")
    root = toolchains.goroot(VERSION)
    ours = run([QEMU, str(made), "-d", "src/fmt", "src/go/parser"], root, OTELOBJ_PROBE_OUT=str(tmp_path / "out.json"))
    assert ours == run([str(root / "bin/gofmt"), "-d", "src/fmt", "src/go/parser"], root)
    assert counted(tmp_path, "out.json")["go/parser.ParseFile"] > 10


@pytest.mark.long
@pytest.mark.parametrize(("probe", "packages"), [("count", "strings"), ("count", "std"), ("stress", "strings")])
def test_compiler(probe: str, packages: str, tmp_path: Path) -> None:
    """The archives are those of the plain compiler to the bit."""
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(WRAPPER.format(compiler=build("compile", probe, tmp_path)))
    wrapper.chmod(0o755)
    src = toolchains.goroot(VERSION) / "src"
    command = ["go", "list", "-deps", "-export", "-f", "{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}"]
    outputs = (
        run([*command, f"-toolexec={wrapper}", packages], src, GOCACHE=str(tmp_path / "cache"), OTELOBJ_PROBE_OUT=str(tmp_path / "%p.json")),
        run([*command, packages], src),
    )
    assert all(status == 0 for status, _, _ in outputs), outputs
    ours, plain = (dict(line.split() for line in out.splitlines()) for _, out, _ in outputs)
    assert ours.keys() == plain.keys() and len(ours) > 30
    assert [package for package in ours if Path(ours[package]).read_bytes() != Path(plain[package]).read_bytes()] == []
    assert counted(tmp_path, "*.json")["cmd/compile/internal/ssa.Compile"] > 5000


@pytest.mark.long
@pytest.mark.parametrize("probe", ["count", "stress"])
def test_go_command(probe: str, tmp_path: Path) -> None:
    """It lists, vets and builds as the plain one does."""
    made = build("go", probe, tmp_path)
    root = toolchains.goroot(VERSION)
    program = tmp_path / "program"
    program.mkdir()
    (program / "go.mod").write_text("module example.com/program\n\ngo 1.24\n")
    (program / "main.go").write_text('package main\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe("", nil) }\n')
    out = str(tmp_path / "%p.json")
    for args in (["list", "-deps", "-json", "."], ["vet", "."], ["env", "GOROOT"], ["build", "-o", "{}", "."]):
        ours = run([str(made), *(arg.format("ours") for arg in args)], program, GOROOT=str(root), OTELOBJ_PROBE_OUT=out)
        assert ours == run([str(root / "bin/go"), *(arg.format("plain") for arg in args)], program), args
    assert (program / "ours").read_bytes() == (program / "plain").read_bytes()
    assert counted(tmp_path, "*.json")["cmd/go/internal/load.PackagesAndErrors"] >= 2
