"""The settings of a build: runtime/debug.BuildInfo in the modinfo line, completed by the environment and the go command's own flags."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst.platform.host import host

PRIVATE_SETTING = "otelobj.private"
"""Modules of which the program has a private copy: PATH@VERSION, separated by commas."""
MARK_SIZE = 16
"""Bytes of the markers around the text (cmd/go/internal/modload/build.go, infoStart and infoEnd)."""


@dataclass(frozen=True, slots=True)
class Module:
    """A line of the build list. version: "(devel)" for the main module; replaced_by: path and version, version "" for a folder; sum: hash of the
    files, as go.sum has it, "" if it is not known."""

    path: str
    version: str
    replaced_by: tuple[str, str] | None = None
    sum: str = ""

    def linked(self) -> tuple[str, str]:
        """Path and version of what is in the program."""
        return self.replaced_by or (self.path, self.version)


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """start, end: the markers; lines: the text between them."""

    start: str
    lines: tuple[str, ...]
    end: str

    @classmethod
    def parse(cls, modinfo: str) -> BuildInfo:
        raw = modinfo.encode("utf-8", "surrogateescape")
        start, text, end = raw[:MARK_SIZE], raw[MARK_SIZE:-MARK_SIZE], raw[-MARK_SIZE:]
        return cls(
            start.decode("utf-8", "surrogateescape"), tuple(text.decode("utf-8", "surrogateescape").splitlines()), end.decode("utf-8", "surrogateescape")
        )

    @classmethod
    def of(cls, path: str, modules: Sequence[Mapping[str, Any]]) -> BuildInfo:
        """What the go command would write for a program. path: of its package main; modules: as `go list -json` describes them."""
        lines = [f"path\t{path}"]
        for module in sorted(modules, key=lambda module: (not module.get("Main"), module["Path"])):
            verb = "mod" if module.get("Main") and len(lines) == 1 else "dep"
            lines.append(f"{verb}\t{module['Path']}\t{module.get('Version') or '(devel)'}\t")
            if new := module.get("Replace"):
                lines.append(f"=>\t{new['Path']}\t{new.get('Version') or ''}\t")
        return cls("", tuple(lines), "")

    @property
    def path(self) -> str:
        """Import path of the program's own package; "" where the build does not say."""
        return next((line.split("\t")[1] for line in self.lines if line.startswith("path\t")), "")

    def text(self) -> str:
        return self.start + "\n".join(self.lines) + "\n" + self.end

    @property
    def settings(self) -> dict[str, str]:
        pairs = (line.split("\t", 1)[1].partition("=") for line in self.lines if line.startswith("build\t"))
        return {_unquote(key): _unquote(value) for key, _, value in pairs}

    @property
    def main(self) -> Module | None:
        modules = self._modules("mod")
        return modules[0] if modules else None

    @property
    def deps(self) -> list[Module]:
        return self._modules("dep")

    def _modules(self, verb: str) -> list[Module]:
        found: list[Module] = []
        last = ""
        for line in self.lines:
            kind, *rest = line.split("\t")
            if kind == verb:
                found.append(Module(rest[0], rest[1] if len(rest) > 1 else ""))
            elif kind == "=>" and last == verb and found:
                found[-1] = Module(found[-1].path, found[-1].version, (rest[0], rest[1] if len(rest) > 1 else ""))
                continue
            last = kind
        return found

    def version_of(self, package: str) -> str | None:
        """The version of the module that a package belongs to; None where the build does not say (the standard library, the main module)."""
        owners = [module for module in self.deps if package == module.path or package.startswith(module.path + "/")]
        owner = max(owners, key=lambda module: len(module.path), default=None)
        if owner is None:
            return None
        version = owner.replaced_by[1] if owner.replaced_by else owner.version
        return version if version.startswith("v") else None

    def with_additions(self, deps: Mapping[str, str], settings: Mapping[str, str], private: Sequence[Module] = ()) -> BuildInfo:
        """The same with more modules and settings, so that `go version -m` shows what was linked in. Order as in runtime/debug/mod.go.

        deps: path -> version, at which the program would have the module, too. private: modules of which the program has, or may have, a copy of its
        own at another version. They are listed by their real names even then, after the program's modules: govulncheck looks neither at a name that
        begins with ours nor at what replaces it (golang.org/x/vuln v1.9.0, internal/vulncheck/vulncheck.go, affectingVulnerabilities), syft, trivy and
        osv-scanner take every line for a package (docs/debugging.md).
        """
        has = [*self.deps, *([self.main] if self.main else [])]
        named, linked = {module.path for module in has}, {module.linked() for module in has}
        added = {(path, version): "" for path, version in deps.items() if path not in named}
        added |= {module.linked(): module.sum for module in private if module.linked() not in linked}
        new_deps = [f"dep\t{path}\t{version}\t{digest}" for (path, version), digest in sorted(added.items())]
        new_settings = [f"build\t{key}={value}" for key, value in settings.items()]
        at = next((i for i, line in enumerate(self.lines) if line.startswith("build\t")), len(self.lines))
        return BuildInfo(self.start, (*self.lines[:at], *new_deps, *self.lines[at:], *new_settings), self.end)


def _unquote(text: str) -> str:
    """Keys and values with spaces or quotes are quoted (runtime/debug/mod.go, quoteValue)."""
    return text[1:-1].encode().decode("unicode_escape") if len(text) > 1 and text[0] == '"' and text[-1] == '"' else text


@functools.cache
def parent_flags() -> tuple[str, ...]:
    """Flags of the go command that runs us: of `go env -w`, then GOFLAGS, then its own command line, where the system tells it. Later ones win."""
    flags = os.environ.get("GOFLAGS")
    words = _split(flags if flags is not None else _go_env_flags())
    with contextlib.suppress(OSError):
        raw = host().command(os.getppid())
        if raw and re.fullmatch(r"go[\d.]*(\.exe)?", Path(raw[0]).name):
            words += raw[1:]
    return tuple(words)


def parent_flag(name: str) -> str | None:
    """The value of -name=value (or -name value) of the go command; None if it was not given."""
    words = parent_flags()
    found = None
    for at, word in enumerate(words):
        key, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and key == name:
            found = value if equals else words[at + 1] if at + 1 < len(words) and not words[at + 1].startswith("-") else ""
    return found


def go_env_file() -> Path | None:
    """Where `go env -w` writes: $GOENV, else the user's configuration folder (cmd/go/internal/cfg/cfg.go, EnvFile)."""
    given = os.environ.get("GOENV", "")
    if given == "off":
        return None
    base = os.environ.get("XDG_CONFIG_HOME") or (os.path.join(os.environ["HOME"], ".config") if os.environ.get("HOME") else "")  # noqa: PTH118
    return Path(given) if given else Path(base) / "go" / "env" if base else None


def _go_env_flags() -> str:
    path = go_env_file()
    try:
        lines = path.read_text("utf-8", "replace").splitlines() if path else []
    except OSError:
        return ""
    return next((line.partition("=")[2] for line in lines if line.startswith("GOFLAGS=")), "")


def _split(flags: str) -> list[str]:
    try:
        return shlex.split(flags)
    except ValueError:
        return flags.split()
