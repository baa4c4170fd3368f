"""Compiles one package against given archives: for packages whose imports in the link differ from those in the build cache.

That is so in the link of a test, whose variants of packages have fingerprints of their own, and for vendored modules. The steps
are those of cmd/go/internal/work/gc.go: symabis, compile, assemble, pack.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from objinst.archive import peek
from objinst.closure.gocmd import Go
from objinst.errors import OtelobjError


class Compiler:
    """header: the header line that archives must have; folder: the cache of compiled archives of this closure."""

    def __init__(self, go: Go, header: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.go, self.header, self.folder, self.settings = go, header, folder, settings

    def compile(self, package: Mapping[str, Any], chosen: Mapping[str, Path]) -> Path:
        """The archive of a package as `go list -json` describes it. Raises OtelobjError if it does not compile."""
        path = package["ImportPath"]
        if package.get("CgoFiles"):
            raise OtelobjError(
                f"package {path} uses cgo and must be compiled again for this link, which otelobj cannot do",
                "build with CGO_ENABLED=0, or leave the instrumentation out with OTELOBJ_DISABLE",
            )
        imports = {package.get("ImportMap", {}).get(name, name): chosen[package.get("ImportMap", {}).get(name, name)] for name in package["Imports"] if name != "unsafe"}
        out = self.folder / f"{self._key(package, imports)}.a"
        if out.exists():
            return out
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as work:
            made = self._compile(package, imports, Path(work))
            made.replace(out)
        return out

    def _key(self, package: Mapping[str, Any], imports: Mapping[str, Path]) -> str:
        parts = [self.header, package["ImportPath"], package["Dir"], *sorted(f"{k}={v}" for k, v in self.settings.items())]
        parts += [f"{name} {peek(path).build_id} {path}" for name, path in sorted(imports.items())]
        for name in (*package.get("GoFiles", ()), *package.get("SFiles", ()), *package.get("HFiles", ())):
            stat = (Path(package["Dir"]) / name).stat()
            parts.append(f"{name} {stat.st_size} {stat.st_mtime_ns}")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _compile(self, package: Mapping[str, Any], imports: Mapping[str, Path], work: Path) -> Path:
        folder, path = Path(package["Dir"]), package["ImportPath"]
        mapped = [f"importmap {old}={new}" for old, new in package.get("ImportMap", {}).items()]
        (work / "importcfg").write_text("\n".join([*mapped, *(f"packagefile {name}={file}" for name, file in imports.items())]) + "\n")
        (work / "go_asm.h").write_text("")
        args = ["-o", str(work / "pkg.a"), "-trimpath", str(work), "-p", path, "-importcfg", str(work / "importcfg"), "-pack", "-buildid", f"otelobj/{work.name}"]
        module = package.get("Module") or {}
        if module.get("GoVersion"):
            args.append("-lang=go" + ".".join(module["GoVersion"].split(".")[:2]))
        args += ["-std"] if package.get("Standard") else []
        args += [flag for flag in ("-race", "-msan", "-asan") if self.settings.get(flag) == "true"]
        args += ["-shared"] if self.settings.get("-buildmode") in ("pie", "c-shared", "plugin") else []
        assembly = [str(folder / name) for name in package.get("SFiles", ())]
        include = ["-I", str(work), "-I", str(self.go.goroot / "pkg" / "include")]
        if assembly:
            self.go.tool("asm", ["-p", path, *include, *self._defines(), "-gensymabis", "-o", str(work / "symabis"), *assembly], folder)
            args += ["-symabis", str(work / "symabis"), "-asmhdr", str(work / "go_asm.h")]
        elif not self._bodyless(package):
            args.append("-complete")
        if package.get("EmbedFiles"):
            args += ["-embedcfg", str(self._embedcfg(package, work))]
        self.go.tool("compile", [*args, *(str(folder / name) for name in package["GoFiles"])], folder)
        objects = []
        for number, source in enumerate(assembly):
            objects.append(str(work / f"asm{number}.o"))
            self.go.tool("asm", ["-p", path, *include, *self._defines(), "-o", objects[-1], source], folder)
        if objects:
            self.go.tool("pack", ["r", str(work / "pkg.a"), *objects], folder)
        if peek(work / "pkg.a").line != self.header:
            raise OtelobjError(f"{path}: compiled as `{peek(work / 'pkg.a').line}`, the link has `{self.header}`", "please report this with `go env`")
        return work / "pkg.a"

    def _defines(self) -> list[str]:
        goos, goarch = self.header.split()[2:4]
        level = re.search(r"GO(AMD|ARM)64=(\S+)", self.header)
        made = ["-D", f"GOOS_{goos}", "-D", f"GOARCH_{goarch}"]
        return [*made, "-D", f"GO{level[1]}64_{level[2]}"] if level else made

    @staticmethod
    def _bodyless(package: Mapping[str, Any]) -> bool:
        """Standard packages declare functions that others define (cmd/go/internal/work/gc.go lists them)."""
        return bool(package.get("Standard"))

    @staticmethod
    def _embedcfg(package: Mapping[str, Any], work: Path) -> Path:
        folder = package["Dir"]
        files = {name: os.path.join(folder, name) for name in package["EmbedFiles"]}  # noqa: PTH118 - as go writes it
        patterns = {pattern: sorted(files) for pattern in package["EmbedPatterns"]}
        target = work / "embedcfg"
        target.write_text(json.dumps({"Patterns": patterns, "Files": files}))
        return target
