"""The input of a link, unchanged: from the linker's command line, or from the go command if the program is not being linked."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from objinst.errors import OtelobjError
from objinst.gobuild import BuildInfo, ImportCfg, LinkCommand
from objinst.gobuild.gocmd import Go, Program, link_tool
from objinst.gobuild.loaded import loaded
from objinst.goobj import Header
from objinst.goobj import header as headers
from objinst.goobj.archive import peek
from objinst.platform.target import check, check_mode
from objinst.store import cache
from trampolines.arch import LEVELS

LEVEL = re.compile(rf" ({'|'.join(LEVELS)})=(\S+)")
"""The architecture's level in the header line of objects."""
GO_SETTINGS = (*LEVELS, "GOEXPERIMENT", "GOFIPS140")


@dataclass(frozen=True)
class Build:
    """tool: the linker. header: of the root package. packages: import path -> archive of everything that is linked, the root package under `main`.

    root: symbol prefix of the root package. flags: build settings from the linker's flags, if no go command recorded them.
    has_sources: the source files are the ones that were compiled; spare: see objinst.gobuild.loaded.
    """

    tool: str
    header: Header
    info: BuildInfo
    packages: Mapping[str, Path]
    root: str = "main"
    flags: Mapping[str, str] = field(default_factory=dict)
    has_sources: bool = True
    spare: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def of_command(cls, command: LinkCommand, cfg: ImportCfg) -> Build:
        """The build that a linker is run for. In this case the go command has checked the sources. Raises OtelobjError."""
        header = read_header(Path(command.main))
        linked = loaded(cfg.packages, command)
        mode = command.get("buildmode")
        root = "main" if mode != "plugin" else command.get("pluginpath") or "main"
        flags = {"-buildmode": mode} if mode else {}
        packages = {**linked.packages, "main": Path(command.main)}
        return cls(command.tool, header, BuildInfo.parse(cfg.modinfo), packages, root, flags, "TOOLEXEC_IMPORTPATH" in os.environ, linked.spare)

    @classmethod
    def of_program(cls, program: Program) -> Build:
        """A program as the go command on PATH compiles it. Raises OtelobjError."""
        return cls(str(link_tool()), read_header(program.archives["main"]), BuildInfo.of(program.path, program.modules), dict(program.archives))

    @property
    def usable(self) -> dict[str, Path]:
        """Archives of the build that hooks may use."""
        return {**self.packages, **self.spare}

    @property
    def settings(self) -> dict[str, str]:
        return self.info.settings | dict(self.flags)

    @functools.cached_property
    def go(self) -> Go:
        """The go command of the linker's toolchain, with the settings of the build."""
        settings = self.info.settings | dict(LEVEL.findall(self.header.line))
        env = {"GOOS": self.header.goos, "GOARCH": self.header.goarch, "CGO_ENABLED": "1" if "runtime/cgo" in self.packages else "0"}
        env |= {name: value for name in GO_SETTINGS if (value := settings.get(name) or os.environ.get(name))}
        return Go.beside(self.tool, env)

    def check_headers(self) -> None:
        """All archives of a link have one header line, as the linker demands (cmd/link/internal/ld/lib.go, ldobj). Raises OtelobjError if not."""
        for name, path in self.usable.items():
            found = identity(path)
            if not found.startswith(self.header.line + " "):
                line = found.rpartition(" ")[0]
                raise OtelobjError(f"{path}: package {name} is `{line}`, the program is `{self.header.line}`", "rebuild it with the toolchain at hand")


def read_header(path: Path) -> Header:
    """The header of an archive's first Go object. Raises OtelobjError."""
    try:
        with path.open("rb") as file:
            head = file.read(65536)
    except OSError as error:
        raise OtelobjError(f"{path}: {error.strerror}", "the package to link is missing; rebuild it") from error
    return headers.parse(head[max(head.find(b"go object "), 0) :] + b"\n!\n", str(path))[0]


@functools.cache
def identity(path: Path) -> str:
    """Distinguishes an archive from others with the same name: the header line and the build id, or a digest of the bytes if the build system
    sets no build id."""
    head = peek(path)
    if "/" in head.build_id:
        return f"{head.line} {head.build_id}"
    state = path.stat()
    return f"{head.line} {_content_digest(path, state.st_size, state.st_mtime_ns)}"


@functools.cache
def _content_digest(path: Path, _size: int, _mtime: int) -> str:
    """Cached, because one link asks for the same archives many times."""
    return cache.file_digest(path)


def check_supported(command: LinkCommand, header: Header) -> None:
    """Raises OtelobjError for links that do not support hooks."""
    check_mode(check(header.goos, header.goarch), command.get("buildmode") or "", linkshared=command.on("linkshared"))
