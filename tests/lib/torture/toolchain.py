"""The go command with and without otelobj, for one configuration and mode."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from needs import QEMU
import toolchains

from torture.godir import UnavailableError
from torture.model import Config, Mode

RULE = 'everything:\n  target: "**"\n  where: {{ func: "*" }}\n  do: [ {{ probe: {probe} }} ]\n'
CLOBBER = "clobberfree=1"
"""For plain runs too, so that both see the same environment."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """mode: None for the plain toolchain. folder: for rule files."""

    config: Config
    mode: Mode | None
    folder: Path

    @property
    def flags(self) -> list[str]:
        """Of go build and go test: the configuration's, and otelobj."""
        if self.mode is None:
            return self.config.flags
        rules = self.folder / f"{self.mode.value}.yaml"
        if not rules.exists():
            fresh = rules.with_suffix(f".{os.getpid()}")
            fresh.write_text(RULE.format(probe=self.mode.value))
            fresh.replace(rules)
        return [*self.config.flags, f"-toolexec=otelobj --rules {rules}"]

    def env(self, *, cgo: bool = False, experiments: str = "", **more: str) -> dict[str, str]:
        env = toolchains.go_env(self.config.go, self.config.arch, OTELOBJ_DISABLE="all", GODEBUG=CLOBBER, GOENV="off", **more)
        if cgo or self.config.cgo:
            env["CGO_ENABLED"] = "1"
            if self.config.arch == "arm64":
                env["CC"] = "aarch64-linux-gnu-gcc"
        if experiments:
            env["GOEXPERIMENT"] = experiments
        return env

    @property
    def go(self) -> str:
        return str(toolchains.goroot(self.config.go) / "bin/go")

    @property
    def runner(self) -> list[str]:
        """In front of a program of the configuration's architecture."""
        return [QEMU] if self.config.arch == "arm64" else []


def check(config: Config) -> None:
    """Raises UnavailableError if something that the configuration needs is not installed."""
    if config.go not in toolchains.versions():
        raise UnavailableError(f"no Go version {config.go!r}\n  remedy: one of {', '.join(toolchains.versions())}")
    if config.arch not in {"amd64", "arm64"}:
        raise UnavailableError(f"no architecture {config.arch!r}\n  remedy: amd64 or arm64")
    if config.arch == "arm64" and not shutil.which(QEMU):
        raise UnavailableError(f"{QEMU} is not here\n  remedy: apt-get install qemu-user-static")
    if config.cgo and config.arch != "amd64":
        raise UnavailableError(f"{config.key}: the race detector does not run under qemu\n  remedy: leave this configuration out")
    if config.cgo and not shutil.which("gcc"):
        raise UnavailableError("gcc is not here, which the race detector is linked with\n  remedy: apt-get install gcc")


def calls_in(folder: Path) -> int:
    """All calls that the probe files of a run have counted, which are taken away."""
    total = 0
    for path in folder.glob("calls-*.json"):
        try:
            total += sum(json.loads(path.read_text())["functions"].values())
        except (OSError, ValueError):
            continue  # of a process that was ended while it wrote
        finally:
            path.unlink(missing_ok=True)
    return total
