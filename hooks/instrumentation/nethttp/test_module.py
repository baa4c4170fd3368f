"""The Go module with every Go version, under the race detector, and with other versions of OpenTelemetry than its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hookmodules import OLD_OTEL, compile_with, go, usable
from needs import need
from places import HOOKS

HERE = Path(__file__).parent
NAME = "instrumentation/nethttp"
USABLE = usable(NAME)
NEWEST_OTELHTTP = "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp@v0.72.0"


@pytest.mark.parametrize("version", USABLE[1:-1])
def test_interfaces_that_are_asked_for(version: str) -> None:
    """With the oldest and the newest version all tests run."""
    go(version, HERE / "difftest", "test", "-run", "^TestInterfacesThatAreAskedFor$", ".")


def test_race() -> None:
    """Hooks read what net/http and handlers write: never at the same time."""
    need("gcc")
    go(USABLE[-1], HERE / "difftest", "test", "-race", "-timeout", "30m", "./...", CGO_ENABLED="1")


def test_compiles_with_an_old_opentelemetry(tmp_path: Path) -> None:
    compile_with(NAME, OLD_OTEL, tmp_path)


def test_requires_nothing_but_the_api() -> None:
    listed = go(USABLE[-1], HERE, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").split()
    allowed = ("github.com/otelobj/", "go.opentelemetry.io/otel", "go.opentelemetry.io/auto/sdk", "github.com/go-logr/", "github.com/cespare/xxhash")
    assert [path for path in listed if not path.startswith(allowed) or path.startswith("go.opentelemetry.io/otel/sdk")] == []


@pytest.mark.parametrize("version", [USABLE[0], USABLE[-1]])
def test_imports_no_versioned_semconv(version: str) -> None:
    assert "semconv" not in go(version, HERE, "list", "-f", "{{.Imports}}", ".")


@pytest.mark.long
def test_like_the_newest_otelhttp(tmp_path: Path) -> None:
    """go.mod names one that compiles with the oldest Go version; what is newer than that must differ in nothing but what the comparison names."""
    hooks = shutil.copytree(HOOKS, tmp_path / "hooks")
    folder = hooks / NAME / "difftest"
    go(USABLE[-1], folder, "get", NEWEST_OTELHTTP)
    go(USABLE[-1], folder, "mod", "tidy")
    go(USABLE[-1], folder, "test", "-count=1", "-run", "TestSameAsOtelhttp", ".", DIFFTEST_NEWER="1")
