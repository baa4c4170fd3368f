"""Builds without the go command: `go tool compile` alone, archives without build ids, an importcfg written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from objinst.goobj.archive import Archive
from toolchains import exports, go


def without_build_id(archive: Path, to: Path) -> Path:
    """A copy as a compiler without -buildid would have written it."""
    members = Archive.read(archive)
    bare = {
        index: b"".join(line for line in member.data.splitlines(keepends=True)[:1]) + _behind_build_id(member.data)
        for index, member in enumerate(members.members)
        if member.data.startswith(b"go object ")
    }
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(members.to_bytes(bare))
    return to


def _behind_build_id(data: bytes) -> bytes:
    rest = data[data.index(b"\n") + 1 :]
    return rest[rest.index(b"\n") + 1 :] if rest.startswith(b"build id ") else rest


@dataclass
class BareBuild:
    """A folder with archives. packages: import path -> archive, as the importcfg will have them."""

    folder: Path
    version: str = "1.26"
    goarch: str = "amd64"
    flags: Sequence[str] = ()
    packages: dict[str, Path] = field(default_factory=dict)

    def std(self, *packages: str) -> None:
        """Archives of the standard library and all that these import."""
        for package, archive in exports(self.version, self.goarch, *packages).items():
            self.packages[package] = without_build_id(archive, self.folder / "std" / f"{package}.a")

    def compile(self, package: str, files: Mapping[str, str], flags: Sequence[str] = (), *, linkobj: bool = False, keep: bool = False) -> Path:
        """Compiles a package; its source is deleted afterwards. linkobj: export data and object in two files, as Bazel's rules do."""
        source = self.folder / "src" / package
        source.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (source / name).write_text(text)
        out = self.folder / f"{package.replace('/', '_')}.a"
        interface = out.with_suffix(".x") if linkobj else out
        args = ["compile", "-p", package, "-importcfg", str(self.importcfg("compile")), "-pack", *self.flags, *flags, "-o", str(interface)]
        args += ["-linkobj", str(out)] if linkobj else []
        self.tool(*args, *(str(source / name) for name in files))
        if package != "main":
            self.packages[package] = interface
        if not keep:
            for name in files:
                (source / name).unlink()
        return out

    def tool(self, *args: str) -> None:
        go(self.version, self.folder, "tool", *args, goarch=self.goarch)

    def importcfg(self, name: str = "link", more: str = "") -> Path:
        path = self.folder / f"importcfg.{name}"
        path.write_text("".join(f"packagefile {package}={archive}\n" for package, archive in self.packages.items()) + more)
        return path
