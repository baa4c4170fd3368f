"""Compiles one package against given archives: those of the private zone, and those whose imports in the link differ from those in the build cache.

The latter happens in the link of a test, whose package variants have their own fingerprints, and with vendored modules. The steps are those of
cmd/go/internal/work/gc.go: symabis, compile, assemble, pack. For a package that uses cgo, the go command keeps the Go files that cgo
generated (`go list -compiled`), and the package's archive keeps the objects of the C compiler. Neither depends on imports.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from objinst.ending import temporary_folder
from objinst.errors import OtelobjError
from objinst.gobuild.gocmd import Go
from objinst.goobj.archive import END, Archive, fingerprint, peek
from objinst.rules.names import sequence
from objinst.store import cache

KIND = "compiled"
"""Of the entries in the cache."""
ARCHIVE = "pkg.a"
"""The file in one."""
SHARED_MODES = ("pie", "c-shared", "c-archive", "plugin")
CGO_IMPORTS = ("runtime/cgo", "syscall")
"""What the files that cgo writes import, besides unsafe (cmd/go/internal/load/pkg.go, cgoSyscallExclude and around)."""


class Compiler:
    """header: the header line that archives must have; settings: of the build; cgo_sources: the Go files of a package that uses cgo,
    as the compiler takes them; overlay: source file -> the file to read instead. Compiled archives are kept in the cache.

    Packages are as `go list -json` describes them. One that is compiled under another import path than that of its sources has the latter as `Place`, and
    `Dwarf` false is for one without debugging information.
    """

    def __init__(
        self, go: Go, header: str, settings: Mapping[str, str], cgo_sources: Callable[[str], Sequence[str]], overlay: Mapping[str, str] | None = None
    ) -> None:
        self.go, self.header, self.settings, self.cgo_sources, self.overlay = go, header, settings, cgo_sources, overlay or {}
        self._fingerprint = functools.cache(lambda archive: fingerprint(archive).hex())

    def compile(self, package: Mapping[str, Any], chosen: Mapping[str, Path]) -> Path:
        """The archive of a package as `go list -json` describes it. Raises OtelobjError if it does not compile."""
        package = self._with_cgo(package)
        imports = {name: chosen[name] for name in imported(package)}
        key = self._key(package, imports)

        def make(folder: Path) -> None:
            with temporary_folder(folder, "work-") as work:
                self._compile(package, imports, work, key).replace(folder / ARCHIVE)

        return cache.folder(KIND, key, make) / ARCHIVE

    def key(self, package: Mapping[str, Any], chosen: Mapping[str, Path]) -> str:
        """The key of a package's archive in the cache. chosen: archives of what it imports."""
        package = self._with_cgo(package)
        return self._key(package, {name: chosen[name] for name in imported(package)})

    def _with_cgo(self, package: Mapping[str, Any]) -> Mapping[str, Any]:
        """A package with the Go files that cgo has generated in place of its own."""
        path = package["ImportPath"]
        if not package.get("CgoFiles"):
            return package
        if path == "runtime/cgo":  # its assembly is not the C compiler's; it imports little of which there are variants
            raise OtelobjError(
                f"package {path} must be compiled again for this link, which otelobj cannot do",
                "build with CGO_ENABLED=0, or leave the instrumentation out with OTELOBJ_DISABLE",
            )
        return {**package, "GoFiles": self.cgo_sources(path), "SFiles": ()}

    def _key(self, package: Mapping[str, Any], imports: Mapping[str, Path]) -> str:
        """A key of everything that the archive depends on, with sources by content and imports by fingerprint: equal keys mean equal archives. With
        -trimpath no folder of this machine is part of it."""
        settings = (f"{name}={value}" for name, value in sorted(self.settings.items()) if name.startswith("-"))
        parts = [_recipe(), self.header, self.go.tool_id, package["ImportPath"], *self._trimmed(package), *self._language(package), *_debug(package), *settings]
        parts += [f"{old}={new}" for old, new in sorted((package.get("ImportMap") or {}).items())]
        parts += [f"{name} {self._fingerprint(found)}" for name, found in sorted(imports.items())]
        parts += [cache.file_digest(Path(package["Export"]))] if package.get("CgoFiles") else []
        for kind in ("GoFiles", "SFiles", "HFiles", "EmbedFiles"):
            parts += [f"{kind} {name} {cache.file_digest(Path(self._file(package['Dir'], name)))}" for name in package.get(kind) or ()]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    def _compile(self, package: Mapping[str, Any], imports: Mapping[str, Path], work: Path, key: str) -> Path:
        folder, path = Path(package["Dir"]), package["ImportPath"]
        mapped = [f"importmap {old}={new}" for old, new in (package.get("ImportMap") or {}).items()]
        files = [f"packagefile {name}={file}" for name, file in imports.items()]
        (work / "importcfg").write_text("\n".join([*mapped, *files]) + "\n", "utf-8", "surrogateescape")
        (work / "go_asm.h").touch()
        trim = ["-trimpath", self._trim(package, work)]
        args = ["-o", str(work / "pkg.a"), *trim, "-p", path, "-importcfg", str(work / "importcfg"), "-pack", "-buildid", f"{content_of(key)}/{content_of(key)}"]
        args += [*self._language(package), *_debug(package), *self._modes()]
        assembly = [self._file(folder, name) for name in package.get("SFiles") or ()]
        asm = ["-p", path, *trim, "-I", str(work), "-I", str(self.go.goroot / "pkg" / "include"), *self._defines(), *self._asm_modes()]
        if assembly:
            self.go.tool("asm", [*asm, "-gensymabis", "-o", str(work / "symabis"), *assembly], folder)
            args += ["-symabis", str(work / "symabis"), "-asmhdr", str(work / "go_asm.h")]
        elif not package.get("Standard") and not package.get("CgoFiles"):  # standard packages declare functions that others define: gc.go lists them
            args.append("-complete")
        if package.get("EmbedFiles"):
            args += ["-embedcfg", str(_embedcfg(package, work, self._file))]
        sources = [self._file(folder, name) for name in package["GoFiles"]]
        if package.get("CgoFiles"):
            sources = [_as_cgo_named(Path(source), folder, work / f"_cgo_{number}.go") for number, source in enumerate(sources)]
        self.go.tool("compile", [*args, *sources], folder)
        objects = [(f"{Path(source).stem}.o", work / f"asm{number}.o", source) for number, source in enumerate(assembly)]
        for _, target, source in objects:
            self.go.tool("asm", [*asm, "-o", str(target), source], folder)
        _pack(work / "pkg.a", [(name, target.read_bytes()) for name, target, _ in objects])
        if package.get("CgoFiles"):
            members = Archive.read(Path(package["Export"])).members
            _pack(work / "pkg.a", [(member.name, member.data) for member in members if not member.data.startswith(b"go object ")])
        made = peek(work / "pkg.a").line
        if made != self.header:
            raise OtelobjError(f"{path}: compiled as `{made}`, the link has `{self.header}`", "check that `go` on PATH is the one that runs the build: compare `go env`")
        return work / "pkg.a"

    def _file(self, folder: Path | str, name: str) -> str:
        """The path from which a source file is read."""
        place = str(Path(folder) / name)
        return self.overlay.get(place, place)

    def _trim(self, package: Mapping[str, Any], work: Path) -> str:
        """The prefix that the compiler removes from file names; with -trimpath, every path of this machine (gc.go, trimpath)."""
        if self.settings.get("-trimpath") != "true":
            return str(work)
        return f"{work}=>;{package['Dir']}=>{self._trimmed(package)[0]}"

    def _trimmed(self, package: Mapping[str, Any]) -> list[str]:
        """The name of a package's folder in file names."""
        if self.settings.get("-trimpath") != "true":
            return [package["Dir"]]
        module = package.get("Module") or {}
        path = package.get("Place") or package["ImportPath"]
        if module.get("Version") and not package.get("Standard"):
            path = f"{module['Path']}@{module['Version']}{path[len(module['Path']) :]}"
        return [path]

    @staticmethod
    def _language(package: Mapping[str, Any]) -> list[str]:
        version = (package.get("Module") or {}).get("GoVersion")
        return ["-std"] if package.get("Standard") else ["-lang=go" + ".".join(version.split(".")[:2])] if version else []

    def _modes(self) -> list[str]:
        flags = [flag for flag in ("-race", "-msan", "-asan") if self.settings.get(flag) == "true"]
        return flags + (["-shared"] if self._is_shared else [])

    def _asm_modes(self) -> list[str]:
        return ["-shared"] if self._is_shared else []

    @property
    def _is_shared(self) -> bool:
        return self.settings.get("-buildmode") in SHARED_MODES

    def _defines(self) -> list[str]:
        goos, goarch = self.header.split()[2:4]
        level = re.search(r"GO(AMD|ARM)64=(v[\d.]+)", self.header)
        made = ["-D", f"GOOS_{goos}", "-D", f"GOARCH_{goarch}"]
        return [*made, "-D", f"GO{level[1]}64_{level[2]}"] if level and level[1] == "AMD" else made


class Batch:
    """Packages that are compiled together, in parallel. packages: by import path in the link, each after those that it imports. chosen: archives of
    whatever else they import.

    The key of a package has the fingerprints of what it imports, so it is known only when these are compiled. Where one of them is compiled anew and has
    the same fingerprint as before, such as after a change in a function that is not inlined, its importers are still in the cache.
    """

    def __init__(self, compiler: Compiler, packages: Mapping[str, Mapping[str, Any]], chosen: Mapping[str, Path]) -> None:
        self._compiler, self._packages, self._chosen = compiler, packages, chosen
        self._found: dict[str, Path] = {}

    def missing(self) -> list[str]:
        """Packages that are not in the cache, and those that import them, of which some may be there."""
        missing: dict[str, None] = {}
        for name, package in self._packages.items():
            if name in self._found:
                continue
            needs = imported(package)
            place = None
            if not any(other in missing for other in needs):
                place = cache.find(KIND, self._compiler.key(package, {other: self.archive(other) for other in needs}))
            if place is None:
                missing[name] = None
            else:
                self._found[name] = place / ARCHIVE
        return list(missing)

    def archive(self, name: str) -> Path:
        """The archive of a package of the batch, or of one that they import. Raises OtelobjError if it does not compile."""
        if name not in self._packages:
            return self._chosen[name]
        if name not in self._found:
            package = self._packages[name]
            self._found[name] = self._compiler.compile(package, {other: self.archive(other) for other in imported(package)})
        return self._found[name]


def _as_cgo_named(source: Path, folder: Path, copy: Path) -> str:
    """Restores the name of a file that cgo generated: the build cache drops it, and the compiler needs it (noder.go, isCgoGeneratedFile)."""
    if source.is_relative_to(folder):
        return str(source)
    copy.write_bytes(source.read_bytes())
    return str(copy)


def _debug(package: Mapping[str, Any]) -> list[str]:
    return ["-dwarf=false"] if package.get("Dwarf") is False else []


@functools.cache
def _recipe() -> str:
    """Digest of this file: it decides how a package is compiled."""
    return cache.file_digest(Path(__file__))


def imported(package: Mapping[str, Any]) -> list[str]:
    """The packages, under their names in the link, that a package imports."""
    mapped = package.get("ImportMap") or {}
    names = [mapped.get(name, name) for name in package.get("Imports") or () if name not in ("unsafe", "C")]
    return [*names, *(CGO_IMPORTS if package.get("CgoFiles") else ())]


def content_of(key: str) -> str:
    """What `content` says of the archive that is compiled under a key."""
    return key[:20]


def content(archive: Path) -> str:
    """The content half of an archive's build id, which names its bytes; without a build id, a digest of the bytes."""
    build_id = peek(archive).build_id
    return build_id.rpartition("/")[2] if "/" in build_id else cache.file_digest(archive)


def _pack(archive: Path, objects: Sequence[tuple[str, bytes]]) -> None:
    """Appends objects as cmd/go does (gc.go, packInternal): from Go 1.25 on distributions have no pack tool."""
    with archive.open("ab") as out:
        for name, data in objects:
            out.write(f"{name[:16]:<16}{0:<12}{0:<6}{0:<6}{0o644:<8o}{len(data):<10}".encode() + END + data + b"\0" * (len(data) & 1))


def _embedcfg(package: Mapping[str, Any], work: Path, file: Callable[[str, str], str]) -> Path:
    """Patterns to files, files to paths: what the compiler needs for //go:embed."""
    files = {name: file(package["Dir"], name) for name in package["EmbedFiles"]}
    patterns = {pattern: sorted(name for name in files if embeds(pattern, name)) for pattern in package["EmbedPatterns"]}
    target = work / "embedcfg"
    target.write_text(json.dumps({"Patterns": patterns, "Files": files}), "utf-8")
    return target


def embeds(pattern: str, name: str) -> bool:
    """Whether a pattern of //go:embed matches a file (cmd/go/internal/load/pkg.go, resolveEmbed): by its name, or as part of a folder,
    and then without hidden files unless the pattern begins with `all:`."""
    everything = pattern.startswith("all:")
    glob = pattern.removeprefix("all:")
    parts = PurePosixPath(name).parts
    depth = 0 if glob == "." else len(PurePosixPath(glob).parts)
    if depth > len(parts) or (depth and not all(map(_element_matches, PurePosixPath(glob).parts, parts))):
        return False
    return everything or not any(part.startswith((".", "_")) for part in parts[depth:])


def _element_matches(glob: str, text: str) -> bool:
    """path.Match for one element: `*`, `?`, `[a-z]`, `[^a-z]`, and `\\` before a character that is meant itself."""
    tokens: list[str] = []
    for match in re.finditer(r"\\(.)|\[(\^?)((?:\\.|[^\]])+)\]|(.)", glob, re.DOTALL):
        escaped, negated, inside, plain = match.groups()
        if inside is not None:
            tokens.append(f"[{negated}{inside}]")
        else:
            tokens.append(re.escape(escaped) if escaped is not None else plain if plain in "*?" else re.escape(plain))
    return re.fullmatch(sequence(tuple(tokens), ".", r"\Z"), text, re.DOTALL) is not None
