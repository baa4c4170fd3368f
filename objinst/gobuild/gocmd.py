"""The go command of the link tool's toolchain, run without the user's toolexec and without touching their module."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst import ending
from objinst.errors import OtelobjError
from objinst.gobuild.buildinfo import parent_flags
from objinst.platform.target import PLAINLY
from objinst.store import cache
from objinst.store.root import make_folder

DROPPED = ("GOFLAGS", "GOROOT", "GOWORK", "GO111MODULE", "TOOLEXEC_IMPORTPATH", "GOTOOLDIR", "CGO_ENABLED", "PWD")
KEPT = (
    "GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOVCS", "GOAUTH", "GOPATH", "GOMODCACHE", "GOCACHE", "GOTMPDIR", "GOCACHEPROG",
    "CC", "CXX", "FC", "AR", "PKG_CONFIG", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_FFLAGS", "CGO_LDFLAGS",
)  # fmt: skip
"""Of what the user has set with `go env -w`: where modules come from and lie, and which C compiler there is. An empty variable does not
override that file (cmd/go/internal/cfg, Getenv, Go 1.22-1.27), so nothing else of it may be read: a -toolexec or -overlay in it, say."""
OFFLINE = ("dial tcp", "no such host", "proxyconnect", "module lookup disabled", "connection refused", "i/o timeout", "network is unreachable", "TLS handshake")

BRING = "`otelobj cache warm` with network fetches it; `otelobj cache import FILE` brings it without"
"""A module that otelobj pins."""


DIAGNOSTIC = re.compile(r"^\S+\.(?:go|s):\d+", re.MULTILINE)


class SourceError(OtelobjError):
    """The compiler or the assembler does not accept a source file, as opposed to one that ran out of memory, for example."""


@dataclass(frozen=True)
class Go:
    """goroot: of the toolchain; env: the settings of the build (GOOS, GOARCH, CGO_ENABLED, ...); tools: where its tools are."""

    goroot: Path
    env: Mapping[str, str]
    tools: Path | None = None

    @classmethod
    def beside(cls, link_tool: str, env: Mapping[str, str]) -> Go:
        """From $GOROOT/pkg/tool/OS_ARCH/link, also where parts of it are symbolic links. Raises OtelobjError if there is no go command."""
        tool = Path(link_tool).absolute()
        for path in (tool, tool.resolve()):
            if len(path.parents) > 3 and (path.parents[3] / "bin" / "go").exists():
                return cls(path.parents[3], env, tool.parent)
        on_path = shutil.which("go")
        roots = [os.environ.get("GOROOT") or "", str(Path(on_path).resolve().parents[1]) if on_path else ""]
        for root in (Path(root) for root in roots if root):
            if (root / "bin" / "go").exists() and (root / "pkg" / "tool").is_dir():
                return cls(root, env, tool.parent)
        raise OtelobjError(f"no go command in {tool.parent.parent.parent.parent / 'bin'}, beside the link tool {link_tool}", "install a whole Go distribution")

    def environment(self, **more: str) -> dict[str, str]:
        base = {key: value for key, value in os.environ.items() if key not in DROPPED and (value or key not in KEPT)}
        if not (base.get("HOME") or base.get("GOCACHE") or base.get("XDG_CACHE_HOME")):  # the sandbox of a build system
            base |= {"GOCACHE": str(_folder("build"))}
        if not (base.get("HOME") or base.get("GOPATH")):
            base |= {"GOPATH": str(_folder("path"))}
        kept = _settings(self.goroot / "bin" / "go", base.get("GOENV", ""))
        return kept | base | {"GOENV": "off", "GOTOOLCHAIN": "local", "GOWORK": "off", "GO111MODULE": "on", "GOFLAGS": ""} | dict(self.env) | more

    def run(self, args: Sequence[str], cwd: Path, **env: str) -> str:
        """Standard output. Raises OtelobjError with what go said."""
        command = [str(self.goroot / "bin" / "go"), *args]
        done = ending.run(command, by=signal.SIGINT, cwd=cwd, env=self.environment(PWD=str(cwd), **env), capture_output=True)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise OtelobjError(f"go {' '.join(args[:2])} failed in {cwd}:\n{said}", remedy(said))
        return bytes(done.stdout).decode("utf-8", "surrogateescape")

    def download(self, modules: Sequence[str]) -> list[dict[str, Any]]:
        """What `go mod download -json` says of modules, each PATH@VERSION, also of those that cannot be had or need a newer toolchain. Without the
        checksum database: the caller compares hashes."""
        with ending.temporary_folder(ending.temporaries(), "otelobj-download-") as folder:
            (folder / "go.mod").write_text("module otelobj.invalid/download\n", "utf-8")
            writable = ["-modcacherw"] if "-modcacherw" in parent_flags() else []
            command = [str(self.goroot / "bin" / "go"), "mod", "download", *writable, "-json", "--", *modules]
            env = self.environment(PWD=str(folder), GOSUMDB="off")
            done = ending.run(command, by=signal.SIGINT, cwd=folder, env=env, capture_output=True)
        try:
            found = documents(done.stdout.decode("utf-8", "replace"))
        except ValueError:
            found = []
        if not found:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise OtelobjError(f"go mod download failed:\n{said}", remedy(said))
        return found

    @functools.cached_property
    def tool_id(self) -> str:
        """What tells the compiler from others (cmd/go/internal/work/buildid.go, toolID)."""
        done = self._run_tool("compile", ["-V=full"], self.goroot)
        return str(done.stdout.decode("utf-8", "replace").strip())

    def tool(self, name: str, args: Sequence[str], cwd: Path) -> None:
        """Runs a tool of the toolchain. Raises OtelobjError with what it said."""
        self._run_tool(name, args, cwd)

    def _run_tool(self, name: str, args: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[bytes]:
        path = self.tools / name if self.tools else next((self.goroot / "pkg" / "tool").glob(f"*/{name}"), None)
        command = [str(path)] if path is not None and path.exists() else [str(self.goroot / "bin" / "go"), "tool", name]
        env = self.environment(GOROOT=str(self.goroot), PWD=str(cwd))
        done = ending.run([*command, *args], cwd=cwd, env=env, capture_output=True)
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            kind = SourceError if done.returncode > 0 and DIAGNOSTIC.search(said) else OtelobjError
            raise kind(f"go tool {name} failed in {cwd}:\n{said}", remedy(said))
        return done


def _folder(name: str) -> Path:
    """A folder of the go command's own in the cache."""
    place = cache.ready() / "go" / name
    make_folder(place, 0o700)
    return place


@functools.cache
def _settings(go: Path, _goenv: str) -> dict[str, str]:
    """What KEPT names, as the go command sees it now. Empty where it cannot say."""
    local = os.environ | {"GOTOOLCHAIN": "local"}
    done = ending.run([str(go), "env", "-json", "-changed"], capture_output=True, env=local)
    if done.returncode:  # Go 1.22 has no -changed
        done = ending.run([str(go), "env", "-json", *KEPT], capture_output=True, env=local)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return {}
    return {name: value for name, value in found.items() if name in KEPT and isinstance(value, str) and value}


def remedy(text: str) -> str:
    """What to do about something that the go command said."""
    if any(word in text for word in OFFLINE):
        return f"the network does not answer, or GOPROXY is wrong. A module of otelobj's: {BRING}. A module of your hooks: `go mod download` there, with network"
    if "no space left" in text:
        return "free some disk space"
    if "build constraints exclude all Go files" in text:
        return "is it for another system, or does it use cgo? hooks can use cgo where the program does, else a static program would become a dynamic one"
    newer = re.search(r"requires go >= ([\d.]+)", text)
    if newer:
        return f"a module that your hooks or your program require needs Go {newer[1]}: build with that version, or require an older version of the module"
    return f"is it a hook package of yours? It must build with the versions of this program's modules: `go build` it there. {PLAINLY}"


def documents(text: str) -> list[dict[str, Any]]:
    """The JSON objects that `go list -json` writes one after the other."""
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    at = 0
    while at < len(text):
        item, end = decoder.raw_decode(text, at)
        found.append(item)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def link_tool() -> Path:
    """The link tool of the go command on PATH. Raises OtelobjError if there is none."""
    done = _user_go(["env", "GOTOOLDIR"], Path.cwd())
    return Path(done.strip()) / "link"


@dataclass(frozen=True, slots=True)
class Program:
    """A package main. archives: import path -> archive of all that it links, itself as `main`; modules: of these packages, as
    `go list` describes them."""

    path: str
    archives: Mapping[str, Path]
    modules: Sequence[Mapping[str, Any]]


def programs(packages: Sequence[str], folder: Path) -> list[Program]:
    """The programs among packages, built by the user's go command into its cache. Raises OtelobjError if there is none."""
    out = _user_go(["list", "-toolexec=", "-export", "-deps", "-json=ImportPath,Export,Name,DepOnly,Deps,Module", "--", *packages], folder)
    listed = {item["ImportPath"]: item for item in documents(out)}
    named = [item for item in listed.values() if not item.get("DepOnly")]
    found = [_program(item, listed) for item in named if item["Name"] == "main"]
    if not found:
        libraries = ", ".join(item["ImportPath"] for item in named[:5]) or "nothing"
        raise OtelobjError(
            f"no program among {' '.join(packages)}: found {libraries}", "name a package main, such as ./cmd/server; hooks are put in when one is linked"
        )
    return found


def _program(item: Mapping[str, Any], listed: Mapping[str, Mapping[str, Any]]) -> Program:
    needed = [listed[dep] for dep in item.get("Deps") or [] if dep in listed]
    archives = {"main": Path(item["Export"]), **{dep["ImportPath"]: Path(dep["Export"]) for dep in needed if dep.get("Export")}}
    modules = {dep["Module"]["Path"]: dep["Module"] for dep in (item, *needed) if dep.get("Module")}
    return Program(item["ImportPath"], archives, tuple(modules.values()))


def _user_go(args: Sequence[str], folder: Path) -> str:
    """The go command on PATH, in the user's own environment."""
    go = shutil.which("go")
    if go is None:
        raise OtelobjError("no go command on PATH", "install Go, or put its bin folder on PATH")
    done = ending.run([go, *args], by=signal.SIGINT, cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise OtelobjError(f"go {args[0]} failed in {folder}:\n{done.stderr.strip()}", package_remedy(done.stderr))
    return str(done.stdout)


def package_remedy(text: str) -> str:
    """What to do about packages that the go command does not take."""
    if "go.mod file not found" in text or "cannot find main module" in text:
        return "change to the folder of your module, or make one with `go mod init`; a file can be named too: main.go"
    if any(
        said in text for said in ("is not in std", "no required module provides", "no such file or directory", "directory not found", "cannot find package")
    ):
        return "name packages as `go build` does: ./cmd/server, ./..., or import paths of modules that go.mod requires"
    return "the packages must build plainly first: `go build` says the same"
