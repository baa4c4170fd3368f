"""Every Go module of hooks/: formatted, vetted, and tested with the oldest and the newest Go version that it supports. test_rt.py has hooks/rt.

They are compiled into other people's programs with whatever OpenTelemetry those use, so they must compile with an old one too.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hookmodules import OLD_OTEL, compile_with, go, usable
from places import HOOKS
from toolchains import goroot

from objinst import hooktree
from objinst.hookpkgs import zone

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
MODULES = [folder for folder in hooktree.modules().values() if folder != "rt"]


def suites(module: str) -> list[Path]:
    """A module, and the one beside it that compares it with a program instrumented by hand."""
    return [folder for folder in (HOOKS / module, HOOKS / module / "difftest") if (folder / "go.mod").exists()]


def is_long(module: str, version: str) -> bool:
    """Modules are many, and scripts compile them with old toolchains: these stand for them here."""
    return version != usable(module)[-1] and module not in ("sdk", "instrumentation/nethttp")


CASES = [
    pytest.param(folder, version, id=f"{folder.relative_to(HOOKS)}-{version}", marks=[pytest.mark.long] if is_long(module, version) else [])
    for module in MODULES for folder in suites(module) for version in dict.fromkeys((usable(module)[0], usable(module)[-1]))
]  # fmt: skip


def test_every_module_is_here() -> None:
    assert {"sdk", "span", "probe", "active", "instrumentation/nethttp"} <= set(MODULES)


def test_gofmt() -> None:
    done = subprocess.run([goroot(usable("sdk")[-1]) / "bin" / "gofmt", "-l", "."], cwd=HOOKS, capture_output=True, text=True, check=True)
    assert not done.stdout, f"not formatted: {done.stdout}"


@pytest.mark.parametrize("module", MODULES)
def test_vet(module: str) -> None:
    """With the newest version: its vet finds all that older ones find."""
    for folder in suites(module):
        go(usable(module)[-1], folder, "vet", "./...")


def test_the_half_of_sdk_that_needs_no_sdk() -> None:
    """What is compiled with OTELOBJ_SDK=program."""
    for words in (("vet",), ("test", "-timeout", "30m")):
        go(usable("sdk")[-1], HOOKS / "sdk", *words, f"-tags={zone.WITHOUT_SDK}", ".")


@pytest.mark.parametrize(("folder", "version"), CASES)
def test_tests(folder: Path, version: str) -> None:
    go(version, folder, "test", "-timeout", "30m", "./...")


@pytest.mark.parametrize(("module", "otel"), [("span", OLD_OTEL), ("sdk", OLD_SDK)])
def test_compiles_with_an_old_opentelemetry(module: str, otel: dict[str, str], tmp_path: Path) -> None:
    compile_with(module, otel, tmp_path, tests=module == "sdk")  # bounds must hold with every release


@pytest.mark.parametrize("module", ["sdk", "span"])
def test_imports_no_versioned_semconv(module: str) -> None:
    for version in (usable(module)[0], usable(module)[-1]):
        assert "semconv" not in go(version, HOOKS / module, "list", "-f", "{{.Imports}}", ".")
