"""hooks/active, hooks/probe, hooks/sdk, hooks/span and hooks/nethttp: formatted, vetted, tested with the oldest and the newest Go version they support.

They are compiled into other people's programs with whatever OpenTelemetry those use, so they must compile with an old one too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from needs import need
from places import HOOKS, TESTBINS
from toolchains import goroot, versions

MODULES = ("active", "probe", "sdk", "nethttp", "span", "nethttp/difftest")
OLDEST = (1, 24)
"""The oldest Go version that the OpenTelemetry release in go.mod compiles with."""
USABLE = sorted((v for v in versions() if tuple(int(n) for n in v.split(".")[:2]) >= OLDEST), key=lambda v: [int(n) for n in v.split(".")])
ENDS = (USABLE[0], USABLE[-1])
NEWEST_OTELHTTP = "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp@v0.72.0"
OLD_OTEL = {"go.opentelemetry.io/otel": "v1.28.0", "go.opentelemetry.io/otel/metric": "v1.28.0", "go.opentelemetry.io/otel/trace": "v1.28.0"}
OLD_SDK = OLD_OTEL | {
    "go.opentelemetry.io/otel/sdk": "v1.28.0",
    "go.opentelemetry.io/otel/sdk/metric": "v1.28.0",
    "go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc": "v1.28.0",
    "go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp": "v1.28.0",
    "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc": "v1.28.0",
    "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp": "v1.28.0",
    "go.opentelemetry.io/contrib/bridges/prometheus": "v0.53.0",
    "go.opentelemetry.io/contrib/exporters/autoexport": "v0.53.0",
    "go.opentelemetry.io/contrib/propagators/autoprop": "v0.53.0",
    "go.opentelemetry.io/contrib/instrumentation/runtime": "v0.53.0",
}


def go(version: str, folder: Path, *args: str, **extra: str) -> str:
    """Run the go command of a version and return its standard output; a failure shows all that it wrote."""
    env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"} | extra
    env.pop("GOROOT", None)
    for name in [name for name in env if name.startswith("OTEL")]:
        del env[name]
    done = subprocess.run([goroot(version) / "bin" / "go", *args], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"go {' '.join(args)}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("folder", [*(HOOKS / m for m in ("active", "probe", "sdk", "nethttp", "span")), TESTBINS / "difftest"], ids=lambda p: p.name)
def test_gofmt(folder: Path) -> None:
    done = subprocess.run([goroot(ENDS[-1]) / "bin" / "gofmt", "-l", "."], cwd=folder, capture_output=True, text=True, check=True)
    assert not done.stdout, f"not formatted: {done.stdout}"


@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize("module", MODULES)
def test_vet_and_tests(module: str, version: str) -> None:
    go(version, HOOKS / module, "vet", "./...")
    go(version, HOOKS / module, "test", "-timeout", "30m", "./...")


@pytest.mark.parametrize("version", USABLE[1:-1])
def test_interfaces_that_nethttp_asks_for(version: str) -> None:
    """Of the oldest and the newest version all tests run."""
    go(version, HOOKS / "nethttp" / "difftest", "test", "-run", "^TestInterfacesThatAreAskedFor$", ".")


def test_race() -> None:
    """Hooks read what net/http and handlers write: never at the same time."""
    need("gcc")
    go(ENDS[-1], HOOKS / "nethttp" / "difftest", "test", "-race", "-timeout", "30m", "./...", CGO_ENABLED="1")


@pytest.mark.parametrize(("module", "versions_of"), [("nethttp", OLD_OTEL), ("span", OLD_OTEL), ("sdk", OLD_SDK)])
def test_compiles_with_an_old_opentelemetry(module: str, versions_of: dict[str, str], tmp_path: Path) -> None:
    ours = "github.com/otelobj/otelobj/hooks"
    shutil.copytree(HOOKS / "rt", tmp_path / "rt")
    active = shutil.copytree(HOOKS / "active", tmp_path / "active", ignore=shutil.ignore_patterns("*_test.go", "go.sum"))
    (active / "go.mod").write_text(f"module {ours}/active\ngo 1.24.0\n")
    without = ("difftest", "go.sum", "go.mod", *(() if module == "sdk" else ("*_test.go",)))
    folder = shutil.copytree(HOOKS / module, tmp_path / module, ignore=shutil.ignore_patterns(*without))
    lines = [f"module {ours}/{module}", "go 1.24.0", *(f"replace {ours}/{name} => ../{name}" for name in ("rt", "active"))]
    lines += [f"require {path} {version}" for path, version in versions_of.items()]
    lines += [f"require {ours}/{name} v0.0.0" for name in ("rt", "active")]
    (folder / "go.mod").write_text("\n".join(lines) + "\n")
    go(ENDS[0], folder, "mod", "tidy")
    api = go(ENDS[0], folder, "list", "-m", "-f", "{{.Version}}", "go.opentelemetry.io/otel").strip()
    assert api == versions_of["go.opentelemetry.io/otel"], "something has raised the version that the test asks for"
    go(ENDS[0], folder, "build", "./...")
    if module == "sdk":  # bounds must hold with every release
        go(ENDS[0], folder, "test", "-timeout", "30m", ".")


def test_nethttp_requires_nothing_but_the_api() -> None:
    listed = go(ENDS[-1], HOOKS / "nethttp", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").split()
    allowed = ("github.com/otelobj/", "go.opentelemetry.io/otel", "go.opentelemetry.io/auto/sdk", "github.com/go-logr/", "github.com/cespare/xxhash")
    assert [path for path in listed if not path.startswith(allowed) or path.startswith("go.opentelemetry.io/otel/sdk")] == []


@pytest.mark.parametrize("module", ["sdk", "nethttp", "span"])
def test_imports_no_versioned_semconv(module: str) -> None:
    for version in ENDS:
        assert "semconv" not in go(version, HOOKS / module, "list", "-f", "{{.Imports}}", ".")


@pytest.mark.long
def test_nethttp_is_like_the_newest_otelhttp(tmp_path: Path) -> None:
    """go.mod names one that compiles with the oldest Go version; what is newer than that must differ in nothing but what the comparison names."""
    hooks = tmp_path / "hooks"
    shutil.copytree(HOOKS, hooks)
    folder = hooks / "nethttp" / "difftest"
    go(USABLE[-1], folder, "get", NEWEST_OTELHTTP)
    go(USABLE[-1], folder, "mod", "tidy")
    go(USABLE[-1], folder, "test", "-count=1", "-run", "TestSameAsOtelhttp", ".", DIFFTEST_NEWER="1")
