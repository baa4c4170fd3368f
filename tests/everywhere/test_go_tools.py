"""Go's own tools with a probe on every function that can have one do exactly what they do without.

`count` alone puts machine code in front of all functions; `stress` takes the whole way of typed hooks, entry and return, and now and then
moves the stack and collects garbage there. On two cores, `count` costs the compiler of std two minutes, `stress` that of strings and what it
imports ten: it collects garbage 7,000 times while it compiles the runtime.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from needs import emulator
import toolchains

RULE = 'all:\n  target: "**"\n  where: {{ func: "*" }}\n  do: [ {{ probe: {probe} }} ]\n'
long = pytest.mark.long
every_version = pytest.mark.parametrize(
    ("version", "probe"),
    [("1.26", "count"), pytest.param("1.26", "stress", marks=long), pytest.param(toolchains.telemetry(), "count", marks=long), pytest.param(toolchains.newest(), "count", marks=long)],
)
WRAPPER = """#!/bin/sh
case "$1 $2" in
*/compile\\ -V=full) exec "$@" ;;
*/compile\\ *) shift; exec {compiler} "$@" ;;
esac
exec "$@"
"""


def build(version: str, tool: str, probe: str, folder: Path, goarch: str = "amd64") -> Path:
    """A command of the Go distribution, hooked everywhere."""
    rules = folder / f"{probe}.yaml"
    rules.write_text(RULE.format(probe=probe))
    env = toolchains.go_env(version, goarch, OTELOBJ_DISABLE="all")
    made = folder / f"{tool}-{probe}-{goarch}"
    command = ["go", "build", f"-toolexec=otelobj --rules {rules}", "-o", str(made), f"cmd/{tool}"]
    done = subprocess.run(command, cwd=toolchains.goroot(version) / "src", env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


def run(version: str, command: list[str], cwd: Path, **env: str) -> tuple[int, str, str]:
    done = subprocess.run(command, cwd=cwd, env=toolchains.go_env(version, **env), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def counted(folder: Path, pattern: str) -> dict[str, int]:
    """Calls of every function in all files of a run."""
    found: dict[str, int] = {}
    for path in folder.glob(pattern):
        for name, n in json.loads(path.read_text())["functions"].items():
            found[name] = found.get(name, 0) + n
    return found


@every_version
def test_gofmt(version: str, probe: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made = build(version, "gofmt", probe, tmp_path)
    root = toolchains.goroot(version)
    places = ["src", "test"] if request.config.getoption("--long") else ["src/go", "src/fmt", "src/net/http"]
    places = [place for place in places if (root / place).is_dir()]
    ours = run(version, [str(made), "-l", *places], root, OTELOBJ_PROBE_OUT=str(tmp_path / "out.json"))
    assert ours == run(version, [str(root / "bin/gofmt"), "-l", *places], root)
    assert counted(tmp_path, "out.json")["go/parser.ParseFile"] > 100


@long
@pytest.mark.parametrize("version", ["1.26", toolchains.newest()])
def test_gofmt_arm64(version: str, tmp_path: Path) -> None:
    prefix = emulator("arm64")
    made = build(version, "gofmt", "stress", tmp_path, "arm64")
    root = toolchains.goroot(version)
    ours = run(version, [*prefix, str(made), "-d", "src/fmt", "src/go/parser"], root, OTELOBJ_PROBE_OUT=str(tmp_path / "out.json"))
    assert ours == run(version, [str(root / "bin/gofmt"), "-d", "src/fmt", "src/go/parser"], root)
    assert counted(tmp_path, "out.json")["go/parser.ParseFile"] > 10


@long
@pytest.mark.parametrize(
    ("version", "probe", "packages"),
    [("1.26", "count", "strings"), ("1.26", "count", "std"), ("1.26", "stress", "strings"), (toolchains.telemetry(), "count", "std"), (toolchains.newest(), "count", "std")],
)
def test_compiler(version: str, probe: str, packages: str, tmp_path: Path) -> None:
    """The archives are those of the plain compiler to the bit."""
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(WRAPPER.format(compiler=build(version, "compile", probe, tmp_path)))
    wrapper.chmod(0o755)
    src = toolchains.goroot(version) / "src"
    command = ["go", "list", "-deps", "-export", "-f", "{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}"]
    outputs = (
        run(version, [*command, f"-toolexec={wrapper}", packages], src, GOCACHE=str(tmp_path / "cache"), OTELOBJ_PROBE_OUT=str(tmp_path / "%p.json")),
        run(version, [*command, packages], src),
    )
    assert all(status == 0 for status, _, _ in outputs), outputs
    ours, plain = (dict(line.split() for line in out.splitlines()) for _, out, _ in outputs)
    assert ours.keys() == plain.keys() and len(ours) > 30
    assert [package for package in ours if Path(ours[package]).read_bytes() != Path(plain[package]).read_bytes()] == []
    assert counted(tmp_path, "*.json")["cmd/compile/internal/ssa.Compile"] > 5000


@long
@every_version
def test_go_command(version: str, probe: str, tmp_path: Path) -> None:
    """It lists, vets and builds as the plain one does."""
    made = build(version, "go", probe, tmp_path)
    root = toolchains.goroot(version)
    program = tmp_path / "program"
    program.mkdir()
    (program / "go.mod").write_text("module example.com/program\n\ngo 1.24\n")
    (program / "main.go").write_text('package main\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe("", nil) }\n')
    out = str(tmp_path / "%p.json")
    for args in (["list", "-deps", "-json", "."], ["vet", "."], ["env", "GOROOT"], ["build", "-o", "{}", "."]):
        ours = run(version, [str(made), *(arg.format("ours") for arg in args)], program, GOROOT=str(root), OTELOBJ_PROBE_OUT=out)
        assert ours == run(version, [str(root / "bin/go"), *(arg.format("plain") for arg in args)], program), args
    assert (program / "ours").read_bytes() == (program / "plain").read_bytes()
    assert counted(tmp_path, "*.json")["cmd/go/internal/load.PackagesAndErrors"] >= 2
