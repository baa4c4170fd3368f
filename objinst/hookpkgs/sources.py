"""The modules of the private zone: pinned by `hooks/private`, fetched, checked, and laid out as a GOPATH.

`hooks/private/go.mod` names every module of the zone, `go.sum` the hash of each. A module's zip is taken from the module cache, or the go command
fetches it there. Either way its hash (golang.org/x/mod/sumdb/dirhash, Hash1) is computed here and compared with ours, whatever GOSUMDB, GONOSUMDB,
GOPROXY or GOFLAGS say: nothing else is ever compiled into a program.

The tree holds the packages that the hooks can reach on any system, and the modules of OpenTelemetry whole, for hooks of the user's own. It is laid
out for the go command's GOPATH mode (`GO111MODULE=off`), which knows no versions, so that a toolchain also lists the packages of a module whose go
directive names a newer one (cmd/go/internal/load, cmd/go/internal/search, Go 1.24-1.27). Each module has a go.mod without requirements, for module
mode with `replace`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from objinst import hooktree
from objinst.errors import OtelobjError
from objinst.gobuild import usertree
from objinst.gobuild.gocmd import BRING, Go
from objinst.goversions import TELEMETRY
from objinst.goversions import number as number_of
from objinst.hookpkgs.minimum import GO_LINE
from objinst.hookpkgs.pins import Pin, Pins, read
from objinst.store import cache
from objinst.store.digest import content_digest

OPENTELEMETRY = "go.opentelemetry.io/"
REQUIRED = re.compile(r"^(?:require\s+|\s+)([^\s()]+)\s+v\S+(.*)$", re.MULTILINE)
"""A requirement of a go.mod, and its comment."""
OURS = re.compile(r"//.*\b(?:private|indirect)\b")
MODULES = "modules.json"
"""Beside `src` in the tree: module -> version and language version."""
EMBED = b"//go:embed "
DAMAGED = "remove it from the module cache (`go clean -modcache` removes all), and check GOPROXY"
BROKEN = (OSError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, LookupError, struct.error)
"""What zipfile raises for damaged zips. RuntimeError: an encrypted file; NotImplementedError, which is one: a compression that it does not know."""
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Tree:
    """The sources of the zone. folder: a GOPATH; versions: module -> version; languages: module -> Go version of its language, such as 1.24."""

    folder: Path
    versions: Mapping[str, str]
    languages: Mapping[str, str]

    def owner(self, package: str) -> str | None:
        """The module that a package belongs to."""
        return max((module for module in self.versions if package == module or package.startswith(f"{module}/")), key=len, default=None)

    def folders(self) -> dict[str, Path]:
        """Module -> folder, of those with packages that can be reached."""
        found = {module: self.folder / "src" / module for module in self.versions}
        return {module: folder for module, folder in found.items() if (folder / "go.mod").is_file()}

    def has(self, package: str) -> bool:
        """Whether a package is one of OpenTelemetry's that the zone has."""
        return package.startswith(OPENTELEMETRY) and self.owner(package) is not None


def sources(go: Go, hooks: Path, language: str) -> Tree:
    """The sources for toolchains of a Go version, such as 1.26, laid out in the cache if they are not there. hooks: folder of the hook modules. Raises
    OtelobjError, which names the module that cannot be had."""
    pins = read(hooks / hooktree.PRIVATE)
    folder = cache.folder("sources", _digest(pins, hooks, language), lambda fresh: _lay_out(go, pins, hooks, language, fresh))
    modules = json.loads((folder / MODULES).read_text("utf-8"))
    return Tree(folder, {path: version for path, (version, _) in modules.items()}, {path: found for path, (_, found) in modules.items()})


def _digest(pins: Pins, hooks: Path, language: str) -> str:
    """Digest of everything that the sources depend on. Toolchains for which the same files are replaced share them."""
    replaced = [str(number) for number, item in enumerate(pins.replacements) if item.concerns(number_of(language))]
    parts = [content_digest(Path(__file__).parent, (Path(__file__).name, "pins.py")), content_digest(hooks / hooktree.PRIVATE, ("*",)), *replaced]
    return hashlib.sha256("\n".join([*parts, "", *sorted(_wanted(hooks))]).encode()).hexdigest()


def _lay_out(go: Go, pins: Pins, hooks: Path, language: str, folder: Path) -> None:
    found, wanted = _reached_modules(go, pins, _wanted(hooks))
    for path, module in found.items():
        names = module.names_of(module.packages() if path.startswith(OPENTELEMETRY) else wanted)
        if names:
            place = folder / "src" / path
            module.extract(names, place)
            for name, content in pins.replaced(path, place, language).items():
                (place / name).write_bytes(content)
    (folder / MODULES).write_text(json.dumps({path: (pins.modules[path].version, module.language) for path, module in found.items()}), "utf-8")


def _reached_modules(go: Go, pins: Pins, start: Collection[str]) -> tuple[dict[str, _Module], set[str]]:
    """The modules that have packages of the zone, and these. Those that only packages of the hooks zone import are the program's: they are not fetched."""
    found: dict[str, _Module] = {}
    wanted: set[str] = set()
    new = {path for path in pins.modules if path.startswith(OPENTELEMETRY)}
    while new:
        found |= {path: _Module.read(pins.modules[path], file) for path, file in _zips(go, {path: pins.modules[path] for path in new}).items()}
        wanted = _reach(found, start, pins.hook_packages)
        new = {pin.path for name in wanted if (pin := pins.owner(name))} - found.keys()
    return found, wanted


def _wanted(hooks: Path) -> set[str]:
    """What the Go files of the hooks, and those that pin, import or seem to import, without what is the program's."""
    found = set()
    for folder in (*hooktree.modules().values(), hooktree.PRIVATE):
        theirs = program_modules(hooks / folder)
        for file in (hooks / folder).rglob("*.go"):
            if not file.name.endswith("_test.go") and hooktree.TESTS.isdisjoint(file.relative_to(hooks).parts):
                names = usertree.IMPORT.findall(file.read_text("utf-8"))
                found |= {name for name in names if "." in name.split("/")[0] and not is_in(name, theirs)}
    return found


def program_modules(folder: Path) -> tuple[str, ...]:
    """Paths of the modules that the hooks in a folder take from the program. Those of a library: what its go.mod requires, but for hook modules,
    OpenTelemetry, and what a comment marks as ours (`// private`). None for other hook modules."""
    if folder.parent.name != hooktree.INSTRUMENTATION:
        return ()
    theirs = [path for path, comment in REQUIRED.findall((folder / "go.mod").read_text("utf-8")) if not OURS.search(comment)]
    return tuple(path for path in theirs if path not in hooktree.modules() and not path.startswith(OPENTELEMETRY))


def is_in(package: str, modules: Iterable[str]) -> bool:
    return f"{package}/".startswith(tuple(f"{module}/" for module in modules))


# fetching


def _zips(go: Go, pins: Mapping[str, Pin]) -> dict[str, Path]:
    """Module -> its zip in the module cache."""
    downloads = Path(go.run(["env", "GOMODCACHE"], go.goroot).strip()) / "cache" / "download"
    zips = {pin.path: downloads / _escaped(pin.path) / "@v" / f"{_escaped(pin.version)}.zip" for pin in pins.values()}
    missing = [path for path, file in zips.items() if not file.is_file()]
    for module in go.download([f"{path}@{pins[path].version}" for path in missing]) if missing else ():
        if "Zip" in module:  # one that asks for a newer toolchain has an error besides
            zips[module["Path"]] = Path(module["Zip"])
        else:
            raise OtelobjError(f"module {module.get('Path')} {module.get('Version')} of the private zone cannot be fetched: {module.get('Error')}", BRING)
    return zips


def _escaped(text: str) -> str:
    """A path or version as file names have it (golang.org/x/mod/module, EscapePath)."""
    return re.sub(r"[A-Z]", lambda match: "!" + match[0].lower(), text)


# the contents of a module


@dataclass(frozen=True)
class _Module:
    """A module's zip. files: names without the prefix MODULE@VERSION/ -> SHA-256; imports: folder -> import paths, or what looks like them, of its Go files;
    embeds: folders whose files embed others; language: Go version."""

    pin: Pin
    file: Path
    files: Mapping[str, str]
    imports: Mapping[str, set[str]]
    embeds: frozenset[str]
    language: str

    @classmethod
    def read(cls, pin: Pin, file: Path) -> _Module:
        """Raises OtelobjError if the zip is not the one that is pinned."""
        prefix = f"{pin.path}@{pin.version}/"
        imports: dict[str, set[str]] = {}
        embeds = set()
        lines = []
        files = {}
        language = "1.16"  # of a module without a go directive (go.dev/ref/mod#go-mod-file-go)
        with _intact(file), zipfile.ZipFile(file) as archive:
            for name in _names(archive, prefix):
                data = archive.read(name)
                digest = hashlib.sha256(data).hexdigest()
                lines.append(f"{digest}  {name}\n")
                short = name.removeprefix(prefix)
                if not _is_wanted(short):
                    continue
                files[short] = digest
                parent = str(PurePosixPath(short).parent)
                if short.endswith(".go"):
                    imports.setdefault(parent, set()).update(usertree.IMPORT.findall(data.decode("utf-8", "replace")))
                    embeds |= {parent} if EMBED in data else set()
                elif short == "go.mod":
                    match = GO_LINE.search(data.decode("utf-8", "replace"))
                    language = match[1] if match else language
        found = "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()
        if found != pin.sum:
            raise OtelobjError(f"{file}: its hash is {found}, that of {pin.path} {pin.version} is {pin.sum}", DAMAGED)
        return cls(pin, file, files, imports, frozenset(embeds), language)

    def path_of(self, folder: str) -> str:
        return self.pin.path if folder == "." else f"{self.pin.path}/{folder}"

    def packages(self) -> list[str]:
        """Import paths of all folders with Go files."""
        return [self.path_of(folder) for folder in self.imports]

    def names_of(self, packages: Collection[str]) -> list[str]:
        """The files of some packages, and what these embed."""
        folders = {folder for folder in self.imports if self.path_of(folder) in packages}
        whole = tuple(f"{folder}/" if folder != "." else "" for folder in folders & self.embeds)
        compiled = [name for name in self.files if str(PurePosixPath(name).parent) in folders and PurePosixPath(name).suffix in usertree.SOURCE_SUFFIXES]
        return [*compiled, *(name for name in self.files if whole and name.startswith(whole) and name not in compiled)]

    def extract(self, names: Iterable[str], folder: Path) -> None:
        """Raises OtelobjError if the zip is not the one that was read, and OSError if the folder cannot be written."""
        folder.mkdir(parents=True, exist_ok=True)
        version = min(self.language, TELEMETRY, key=number_of)  # or an older toolchain takes none of its packages
        (folder / "go.mod").write_text(f"module {self.pin.path}\n\ngo {version}\n", "utf-8")
        with _intact(self.file):
            archive = zipfile.ZipFile(self.file)
        with archive:
            for name in names:
                with _intact(self.file):
                    data = archive.read(f"{self.pin.path}@{self.pin.version}/{name}")
                    if hashlib.sha256(data).hexdigest() != self.files[name]:
                        raise ValueError(f"{name} has changed since it was checked")
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)


@contextlib.contextmanager
def _intact(file: Path) -> Iterator[None]:
    """While a zip is read. Raises OtelobjError if it is damaged."""
    try:
        yield
    except BROKEN as error:
        raise OtelobjError(f"{file}: {error or type(error).__name__}", DAMAGED) from error


def _names(archive: zipfile.ZipFile, prefix: str) -> list[str]:
    """The files of a module's zip, in Hash1's order. Raises ValueError for names with which one hash could stand for several trees (newlines, as in Hash1;
    files that are there twice), and for those that golang.org/x/mod/zip makes in no module's zip."""
    names = sorted(item.orig_filename for item in archive.infolist())
    for before, name in zip(["", *names], names, strict=False):
        if CONTROL.search(name) or not name.startswith(prefix):
            raise ValueError(f"{name[:200]!r} is not the name of a module's file")
        if name == before:
            raise ValueError(f"{name} is there twice")
    return names


def _is_wanted(name: str) -> bool:
    """Whether a file may be needed to compile a package: no test, and no other module's."""
    path = PurePosixPath(name)
    return not (name.endswith("_test.go") or ".." in path.parts or path.is_absolute() or any(part == "testdata" or part.startswith(("_", ".")) for part in path.parts[:-1]))


def _reach(modules: Mapping[str, _Module], wanted: Iterable[str], observers: Collection[str] = ()) -> set[str]:
    """Packages that can be reached on some system: constraints are not looked at. Of what observers import, only OpenTelemetry is ours."""
    imports = {module.path_of(folder): names for module in modules.values() for folder, names in module.imports.items()}
    imports |= {path: {name for name in imports.get(path, ()) if name.startswith(OPENTELEMETRY)} for path in observers}
    return set(_walk(wanted, lambda name: imports.get(name, ())))


def _walk(start: Iterable[str], after: Callable[[str], Iterable[str]]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += after(name)
