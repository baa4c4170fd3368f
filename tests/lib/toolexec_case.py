"""A small program with one hooked function, built with -toolexec=otelobj in a module and a cache of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from places import LAUNCHER
from toolchains import go_env, goroot

GO = "1.26"
MODULE = {
    "go.mod": "module example.com/app\n\ngo 1.24\n",
    "main.go": 'package main\n\n//go:noinline\nfunc work() { println("work") }\n\nfunc main() { work() }\n',
    "rules.yaml": "mine:\n  target: main\n  where: { func: work }\n  do:\n    - inject_hooks: { before: Before, path: example.com/app/h }\n",
    "h/h.go": 'package h\n\ntype Ctx interface{ GetFuncName() string }\n\nfunc Before(c Ctx) { println("before", c.GetFuncName()) }\n',
}
HOOKED, PLAIN = "before work\nwork\n", "work\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@dataclass
class Case:
    """folder: of the module. toolexec: what the go command runs. files: of the module, by name."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    toolexec: str = f"{LAUNCHER} --rules rules.yaml"
    go: Path = field(default_factory=lambda: goroot(GO) / "bin/go")
    files: dict[str, str] = field(default_factory=MODULE.copy)

    def __post_init__(self) -> None:
        write(self.folder, self.files)

    @property
    def cache(self) -> Path:
        return Path(self.settings()["OTELOBJ_CACHE_DIR"])

    def settings(self, **more: str) -> dict[str, str]:
        own = {"OTELOBJ_CACHE_DIR": str(self.folder / ".cache"), "OTELOBJ_DISABLE": "all", "GOENV": "off", "GOPROXY": "off"}
        kept = {key: value for key, value in go_env(GO).items() if not key.startswith("OTELOBJ")}
        return kept | own | self.env | more

    def command(self, *args: str, output: str | Path = "prog") -> list[str]:
        return [str(self.go), "build", f"-toolexec={self.toolexec}", *args, "-o", str(output), "."]

    def build(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*args), cwd=self.folder, env=self.settings(**env), capture_output=True, text=True, timeout=3600, check=False)

    def run(self) -> str:
        """What the program says."""
        return subprocess.run([self.folder / "prog"], capture_output=True, text=True, timeout=1800, check=True).stderr

    def refused(self, done: subprocess.CompletedProcess[str], *words: str) -> None:
        """One message with these words and a remedy; no traceback, no program, nothing half made in the cache."""
        assert done.returncode != 0, done.stderr
        for word in (*words, "remedy: "):
            assert word in done.stderr, done.stderr
        assert "Traceback" not in done.stderr and not (self.folder / "prog").exists(), done.stderr
        self.intact()

    def intact(self) -> None:
        assert not list(self.cache.rglob(".new-*"))


def wrapper(folder: Path, body: str) -> str:
    """A -toolexec that runs `body` (Python; `argv` is the tool's command line) for links, and otelobj's launcher behind it."""
    path = folder / "wrapper.py"
    path.write_text(
        f"import os, subprocess, sys\nargv = sys.argv[1:]\nlauncher = [{str(LAUNCHER)!r}, '--rules', 'rules.yaml']\n"
        "if os.path.basename(argv[0]) == 'link' and argv[-1] != '-V=full':\n"
        + "".join(f"    {line}\n" for line in body.strip().splitlines())
        + "os.execv(launcher[0], launcher + argv)\n"
    )
    return f"{sys.executable} {path}"
