"""Go modules of hooks/ under test: the Go versions that each works with, and an old OpenTelemetry that it must compile with."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from objinst import hooktree
from objinst.hookpkgs import minimum
from places import HOOKS
from toolchains import goroot, versions

OURS = "github.com/otelobj/otelobj/hooks"
OLD_OTEL = {"go.opentelemetry.io/otel": "v1.28.0", "go.opentelemetry.io/otel/metric": "v1.28.0", "go.opentelemetry.io/otel/trace": "v1.28.0"}


def minor(version: str) -> int:
    return int(version.split(".")[1])


def usable(module: str) -> list[str]:
    """The Go versions at hand that a module compiles with, ascending. module: its folder below hooks/."""
    paths = {folder: path for path, folder in hooktree.modules().items()}
    asked = minimum.GO_LINE.search((HOOKS / module / "go.mod").read_text())  # the go command does not read what otelobj can do with the module
    lowest = max(minor(minimum.needed_by(paths[module])), minor(asked[1]) if asked else 0)
    return sorted((version for version in versions() if minor(version) >= lowest), key=minor)


def go(version: str, folder: Path, *args: str, **extra: str) -> str:
    """Run the go command of a version and return its standard output; a failure shows all that it wrote.

    `go test` runs no vet of its own: it would go through all dependencies each time, and test_vet has done that.
    """
    env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false -vet=off", "GOWORK": "off"} | extra
    env.pop("GOROOT", None)
    for name in [name for name in env if name.startswith("OTEL")]:
        del env[name]
    done = subprocess.run([goroot(version) / "bin" / "go", *args], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"go {' '.join(args)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def compile_with(module: str, otel: dict[str, str], tmp_path: Path, *, tests: bool = False) -> None:
    """Compiles a module with these versions of OpenTelemetry, as programs that have them would. module: its folder below hooks/.

    tests: run its tests with them, too.
    """
    version = usable(module)[0]
    shutil.copytree(HOOKS / "rt", tmp_path / "rt")
    active = shutil.copytree(HOOKS / "active", tmp_path / "active", ignore=shutil.ignore_patterns("*_test.go", "go.sum"))
    (active / "go.mod").write_text(f"module {OURS}/active\ngo 1.24.0\n")
    without = [*hooktree.TESTS, "go.sum", "go.mod", *(() if tests else ("*_test.go",))]
    folder = shutil.copytree(HOOKS / module, tmp_path / "module", ignore=shutil.ignore_patterns(*without))
    lines = [f"module {OURS}/{module}", "go 1.24.0", *(f"replace {OURS}/{name} => ../{name}" for name in ("rt", "active"))]
    lines += [f"require {path} {release}" for path, release in otel.items()]
    lines += [f"require {OURS}/{name} v0.0.0" for name in ("rt", "active")]
    (folder / "go.mod").write_text("\n".join(lines) + "\n")
    go(version, folder, "mod", "tidy")
    api = go(version, folder, "list", "-m", "-f", "{{.Version}}", "go.opentelemetry.io/otel").strip()
    assert api == otel["go.opentelemetry.io/otel"], "something has raised the version that the test asks for"
    go(version, folder, "build", "./...")
    if tests:
        go(version, folder, "test", "-timeout", "30m", ".")
