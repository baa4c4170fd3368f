"""What a hook set is resolved from and what it is, and what every way to resolve one asks: flags of the build for the go command, whether an
archive fits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from objinst.errors import UsageError
from objinst.gobuild import usertree
from objinst.gobuild.buildinfo import parent_flags
from objinst.goobj.archive import Archive, peek

LIST_FIELDS = "ImportPath,Dir,Export,Standard,Module,Imports,ImportMap,GoFiles,CgoFiles,SFiles,HFiles,EmbedFiles,EmbedPatterns,Error,DepsErrors"
OPTIMISED = "-gcflags=github.com/otelobj/otelobj/hooks/rt/...="
"""The last pattern that fits counts (cmd/go/internal/load/flag.go): without optimisation the frames of rt are too large for functions that
have no stack check."""
COMPILE_FLAGS = ("-race", "-msan", "-asan", "-tags", "-gcflags", "-asmflags", "-installsuffix")
"""Settings of a build that reach the compiler, as BuildInfo names them; the go command takes them again."""
SANITIZERS = {"runtime/race": "-race", "runtime/msan": "-msan", "runtime/asan": "-asan"}
"""Packages that are in a link only with these flags: build systems other than the go command write no BuildInfo."""
EXPORTERS = ("otlp_http", "otlp_grpc", "console", "prometheus")
"""What OTELOBJ_EXPORTERS may name. With the last, all are linked: it comes with them (hooks/sdk/others.go)."""
PRIVATE_SDK, PROGRAM_SDK = "private", "program"
"""What OTELOBJ_SDK may say: the SDK of the private zone is linked, or none but the program's own."""
LINK_ONLY = ("vcs", "-ldflags", "DefaultGODEBUG")
"""Settings that differ from commit to commit and say nothing about how packages are compiled."""
SHARED_MODES = ("pie", "c-shared", "c-archive", "plugin")


def chosen_exporters(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The exporters that $OTELOBJ_EXPORTERS chooses; none: all, or with OTELOBJ_SDK=program none, whatever is chosen. Raises UsageError."""
    names = sorted({name.strip() for name in environ.get("OTELOBJ_EXPORTERS", "").split(",") if name.strip()})
    unknown = [name for name in names if name not in EXPORTERS]
    if unknown:
        raise UsageError(f"OTELOBJ_EXPORTERS: there is no exporter {', '.join(unknown)}", f"separated by commas: {', '.join(EXPORTERS)}")
    return () if EXPORTERS[-1] in names or chosen_sdk(environ) == PROGRAM_SDK else tuple(names)


def chosen_sdk(environ: Mapping[str, str]) -> str:
    """The SDK that $OTELOBJ_SDK chooses. Raises UsageError."""
    name = environ.get("OTELOBJ_SDK", "").strip() or PRIVATE_SDK
    if name not in (PRIVATE_SDK, PROGRAM_SDK):
        raise UsageError(f"OTELOBJ_SDK: there is no SDK {name}", f"{PRIVATE_SDK}: otelobj's (the default); {PROGRAM_SDK}: only the one that the program links")
    return name


@dataclass(frozen=True, slots=True)
class HookRequest:
    """What a hook set is resolved from.

    packages: import paths of hook packages. link: import path -> archive of the link, identities: their build ids.
    deps: modules of the binary (path, version, replacement). settings: of the build. user_dir: where the build was started.
    header: the header line of the link's archives. hooks: folder of the hook modules. exporters: those to link, all if none is named.
    sdk: see `chosen_sdk`.
    """

    packages: tuple[str, ...]
    link: Mapping[str, Path]
    identities: Mapping[str, str]
    deps: tuple[tuple[str, str, tuple[str, str] | None], ...]
    settings: Mapping[str, str]
    user_dir: Path
    header: str
    hooks: Path
    hooks_digest: str
    exporters: tuple[str, ...] = ()
    sdk: str = PRIVATE_SDK

    def build_settings(self) -> dict[str, str]:
        """The settings that reach the compiler, completed from the packages of the link."""
        told = {name: value for name, value in self.settings.items() if not name.startswith(LINK_ONLY)}
        return {flag: "true" for package, flag in SANITIZERS.items() if package in self.link} | told

    def content_of(self, package: str) -> str:
        """`objinst.hookpkgs.compile.content` of a package's archive in the link, from its identity; "" without one."""
        return self.identities.get(package, "").rpartition(" ")[2].rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class HookSet:
    """archives: of packages that the link does not have. modules: module -> version of what was added, without the private zone.
    uses: packages of the link that these import, directly or indirectly. loads: hook packages that the program loads beside those of the request; left_out: packages of the request
    that this program does without. notes: what the user should know of it, a line each. is_new: it was not known before."""

    archives: dict[str, Path]
    modules: dict[str, str]
    uses: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_new: bool = field(default=False, compare=False)


def reached(packages: Iterable[str], link: Mapping[str, Path]) -> list[str]:
    """Hook packages that the link already has, and everything that they import."""
    seen: list[str] = []
    waiting = list(packages)
    while waiting:
        package = waiting.pop()
        if package not in seen and package in link:
            seen.append(package)
            waiting += [path for path, _ in Archive.read(link[package]).go_object()[1].autolib]
    return seen


def fits(export: Path, header: str, chosen: Mapping[str, Path], fingerprint_of: Callable[[str], bytes]) -> bool:
    if not export.exists() or peek(export).line != header:
        return False
    _, obj = Archive.read(export).go_object()
    return all(path in chosen and fingerprint_of(path) == fp for path, fp in obj.autolib)


def foreign_main() -> bool:
    """`go run pkg@version`, `go install pkg@version`: the module in the current folder is unrelated to the program."""
    words = parent_flags()
    return any(word in ("run", "install") for word in words) and any("@" in word and not word.startswith("-") for word in words)


def list_flags(request: HookRequest, folder: Path) -> list[str]:
    """Flags of the build, for `go list` in the hook set's module."""
    flags = compile_flags(request)
    replaced = usertree.overlay(request.user_dir)
    if replaced:
        (folder / "overlay.json").write_text(json.dumps({"Replace": replaced}), "utf-8")
        flags.append(f"-overlay={folder / 'overlay.json'}")
    return ["-mod=mod", "-toolexec=", *flags, *(["-modcacherw"] if "-modcacherw" in parent_flags() else [])]


def compile_flags(request: HookRequest) -> list[str]:
    """Flags of the build that reach every package."""
    settings = request.build_settings()
    flags = [f"{name}={value}" for name in COMPILE_FLAGS if (value := settings.get(name)) and _reaches_all(name, value)]
    if any(flag.startswith("-gcflags=") for flag in flags):
        flags.append(OPTIMISED)
    flags += ["-trimpath"] if settings.get("-trimpath") == "true" else []
    return flags + ([f"-buildmode={settings['-buildmode']}"] if settings.get("-buildmode") in SHARED_MODES else [])


def _reaches_all(name: str, value: str) -> bool:
    """Whether -gcflags apply to all packages. Without a pattern they apply to the packages that the user named, not to their imports."""
    return name not in ("-gcflags", "-asmflags") or not value.startswith("-")
