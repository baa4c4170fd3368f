"""The go command that stands beside the link tool, run without the user's toolexec and without touching their module."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst.errors import OtelobjError

DROPPED = ("GOFLAGS", "GOROOT", "GOWORK", "GO111MODULE", "TOOLEXEC_IMPORTPATH", "GOTOOLDIR")


@dataclass(frozen=True, slots=True)
class Go:
    """goroot: of the toolchain at hand; env: what the build at hand was told (GOOS, GOARCH, CGO_ENABLED, ...)."""

    goroot: Path
    env: Mapping[str, str]

    @classmethod
    def beside(cls, link_tool: str, env: Mapping[str, str]) -> Go:
        """From $GOROOT/pkg/tool/OS_ARCH/link. Raises OtelobjError if there is no go command where it belongs."""
        goroot = Path(link_tool).resolve().parents[3]
        if not (goroot / "bin" / "go").exists():
            raise OtelobjError(f"no go command in {goroot / 'bin'}, beside the link tool {link_tool}", "install a whole Go distribution")
        return cls(goroot, env)

    def environment(self, **more: str) -> dict[str, str]:
        base = {key: value for key, value in os.environ.items() if key not in DROPPED and not key.startswith("CGO_ENABLED")}
        return base | {"GOTOOLCHAIN": "local", "GOWORK": "off", "GO111MODULE": "on", "GOFLAGS": ""} | dict(self.env) | more

    def run(self, args: Sequence[str], cwd: Path, **env: str) -> str:
        """Standard output. Raises OtelobjError with what go said."""
        done = subprocess.run([str(self.goroot / "bin" / "go"), *args], cwd=cwd, env=self.environment(**env), capture_output=True, text=True, check=False)
        if done.returncode:
            raise OtelobjError(f"go {' '.join(args[:2])} failed in {cwd}:\n{done.stderr.strip()}", _remedy(done.stderr))
        return done.stdout

    def tool(self, name: str, args: Sequence[str], cwd: Path) -> None:
        """Runs a tool of the toolchain. Raises OtelobjError with what it said."""
        path = next((self.goroot / "pkg" / "tool").glob(f"*/{name}"), None)
        command = [str(path)] if path else [str(self.goroot / "bin" / "go"), "tool", name]
        done = subprocess.run([*command, *args], cwd=cwd, env=self.environment(GOROOT=str(self.goroot)), capture_output=True, text=True, check=False)
        if done.returncode:
            raise OtelobjError(f"go tool {name} failed in {cwd}:\n{(done.stderr or done.stdout).strip()}", _remedy(done.stderr))


def _remedy(text: str) -> str:
    if any(word in text for word in ("dial tcp", "no such host", "proxyconnect", "module lookup disabled", "connection refused", "i/o timeout")):
        return "the modules of the hooks are not in the module cache and the network does not answer: build once with network, or set GOPROXY"
    if "no space left" in text:
        return "free some disk space"
    return "a hook package does not build with the versions of this program; OTELOBJ_DISABLE=NAME leaves an instrumentation out"
