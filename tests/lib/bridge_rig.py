"""Lays out what the link step makes out of import maps, so that `go test` runs the bridge: the private copy of OpenTelemetry, and a release of the
program's API beside it.

    FOLDER/private/      module otelobj.private: packages of the pinned releases with hooks/private/replace.yaml applied, imports rewritten
    FOLDER/hooks/        module otelobj.hooks: hooks/active over the private copy
    FOLDER/active/       hooks/active over the program's API
    FOLDER/RELEASE/      hooks/bridge, with a go.mod that asks for one release of the API

Import paths are rewritten in the text of the import declarations; the link step has the compiler do it, and no file changes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from places import HOOKS
from toolchains import RELEASES, go, newest

from objinst.gobuild.gocmd import documents
from objinst.hookpkgs import apilevel, pins

OTEL = "go.opentelemetry.io/otel"
OURS = "github.com/otelobj/otelobj/hooks"
PRIVATE, ZONE = "otelobj.private", "otelobj.hooks"
PACKAGES = (
    OTEL, f"{OTEL}/attribute", f"{OTEL}/baggage", f"{OTEL}/codes", f"{OTEL}/propagation", f"{OTEL}/trace", f"{OTEL}/trace/noop", f"{OTEL}/metric",
    f"{OTEL}/metric/noop", f"{OTEL}/sdk/trace", f"{OTEL}/sdk/trace/tracetest", f"{OTEL}/sdk/metric", f"{OTEL}/sdk/metric/metricdata", f"{OTEL}/sdk/resource",
    f"{OTEL}/log", f"{OTEL}/log/noop", f"{OTEL}/sdk/log",
)  # fmt: skip
"""What the bridge and its tests import of the private copy."""
IMPORT = re.compile(r'^(\s*(?:import\s+)?(?:[\w.]+\s+)?)"([^"]+)"', re.MULTILINE)
SETTINGS = {"GOFLAGS": "-mod=mod -buildvcs=false -trimpath", "GOWORK": "off"}
"""With -trimpath the build cache knows what another run has compiled in another folder."""


def rewritten(text: str, prefix: Mapping[str, str]) -> str:
    """A Go file with the import paths of packages mapped. prefix: import path -> what comes before it."""
    return IMPORT.sub(lambda m: f'{m[1]}"{prefix[m[2]]}/{m[2]}"' if m[2] in prefix else m[0], text)


@dataclass(frozen=True)
class Rig:
    """folder: the layout above. version: minor version of Go."""

    folder: Path
    version: str

    def release(self, api: str) -> Path:
        """The folder of a release of the API, made if it is not there."""
        place = self.folder / api
        if not place.exists():
            shutil.copytree(HOOKS / "bridge", place)
            modules = [OTEL, f"{OTEL}/trace", f"{OTEL}/sdk", *([f"{OTEL}/metric", f"{OTEL}/sdk/metric"] if has_metric(api) else [])]
            modules += [f"{OTEL}/log", f"{OTEL}/sdk/log"] if has_logs(api) else []
            requires = [f"{path} v{release_of(path, api)}" for path in modules]
            (place / "go.mod").write_text(self._mod(f"{OURS}/bridge", requires))
        return place

    def fork(self, api: str) -> Path:
        """A folder like that of a release, whose API has span contexts of another layout."""
        place = self.folder / f"{api}-fork"
        shutil.copytree(self.release(api), place)
        listed = go(self.version, place, "list", "-m", "-f", "{{.Dir}}", f"{OTEL}/trace", **SETTINGS)
        source = shutil.copytree(listed.strip(), self.folder / f"{api}-fork-trace", copy_function=shutil.copyfile)
        source.chmod(0o755)
        file = source / "trace.go"
        old = "type SpanContext struct {\n"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, f"{old}\tfork [4]uint64\n"))
        with (place / "go.mod").open("a") as mod:
            mod.write(f"replace {OTEL}/trace => {source}\n")
        return place

    def _mod(self, module: str, requires: Iterable[str]) -> str:
        ours = {f"{OURS}/rt": HOOKS / "rt", f"{OURS}/active": self.folder / "active", PRIVATE: self.folder / "private", ZONE: self.folder / "hooks"}
        lines = [f"module {module}", f"go {self.version}.0", *(f"require {line}" for line in requires)]
        lines += [f"require {path} v0.0.0\nreplace {path} => {place}" for path, place in ours.items() if path != module]
        return "\n".join(lines) + "\n"

    def level(self, api: str) -> apilevel.Level:
        """What the archives of a program with this release say."""
        packages = [f"{OTEL}{below}" for below in ("", "/trace", "/baggage", "/propagation", "/sdk/trace")]
        packages += [f"{OTEL}/metric", f"{OTEL}/sdk/metric"] if has_metric(api) else []
        packages += [f"{OTEL}/log/global", f"{OTEL}/sdk/log"] if has_logs(api) else []
        listed = go(self.version, self.release(api), "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", *packages, **SETTINGS)
        pairs = (line.split() for line in listed.splitlines())
        return apilevel.level({path: Path(archive) for path, archive in (pair for pair in pairs if len(pair) == 2)})

    def test(self, api: str, *flags: str, packages: Iterable[str] | None = None, **env: str) -> str:
        """`go test` of the bridge against a release of the API."""
        level = self.level(api)
        chosen = packages or [f"./{part}/..." for part in (*level.parts, "users")]
        said = go(self.version, self.release(api), "test", f"-tags={','.join(level.tags)}", *flags, *chosen, **(SETTINGS | env))
        assert f"{OTEL} v{api}\n" in (self.release(api) / "go.mod").read_text(), "something has raised the version that the test asks for"
        return said

    def vet(self, api: str) -> str:
        level = self.level(api)
        return go(self.version, self.release(api), "vet", f"-tags={','.join(level.tags)}", *[f"./{part}/..." for part in (*level.parts, "users")], **SETTINGS)


LOG_PATCHES = {36: "0.12.2"}
"""Minor release of the API -> the release of log that belongs to it, where that is not the first of its minor release."""


def has_metric(api: str) -> bool:
    return int(api.split(".")[1]) >= 16


def has_logs(api: str) -> bool:
    """From log 0.7 on."""
    return int(api.split(".")[1]) >= 31


def release_of(path: str, api: str) -> str:
    """The release of an OpenTelemetry module that belongs to one of the API: sdk/metric is stable from 1.19 on, and log from 1.47 on."""
    minor = int(api.split(".")[1])
    if path.endswith("/log") and minor < 47:
        return LOG_PATCHES.get(minor, f"0.{minor - 24}.0")
    return f"0.{minor + 23}.0" if path.endswith("/sdk/metric") and minor < 19 else api


def make(folder: Path, version: str) -> Rig:
    """Lays out the private copy. folder: an empty one."""
    listing = folder / "listing"
    listing.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(pins.folder() / name, listing / name)
    found = go(newest(), listing, "list", "-deps", "-json=ImportPath,Dir,Standard,Module", *PACKAGES, **SETTINGS)  # the modules ask for more than others have
    packages = {item["ImportPath"]: item for item in documents(found) if not item.get("Standard")}
    prefix = dict.fromkeys(packages, PRIVATE)
    pinned = pins.pins()
    for path, item in packages.items():
        place, module = folder / "private" / path, item["Module"]["Path"]
        place.mkdir(parents=True, exist_ok=True)
        below = path[len(module) :].lstrip("/")
        ours = pinned.replaced(module, Path(item["Module"]["Dir"]), RELEASES[version])
        files = {f.name: f.read_bytes() for f in Path(item["Dir"]).iterdir() if f.suffix in (".go", ".s", ".h") and not f.name.endswith("_test.go")}
        files |= {Path(file).name: content for file, content in ours.items() if Path(file).parent == Path(below)}
        for name, content in files.items():
            (place / name).write_text(rewritten(content.decode(), prefix))
    (folder / "private/go.mod").write_text(f"module {PRIVATE}\ngo {version}.0\n")
    rig = Rig(folder, version)
    for place, mapped in ((folder / "hooks" / OURS / "active", prefix), (folder / "active", {})):
        place.mkdir(parents=True)
        for file in (HOOKS / "active").glob("*.go"):
            if not file.name.endswith("_test.go"):
                (place / file.name).write_text(rewritten(file.read_text(), mapped))
    (folder / "hooks/go.mod").write_text(rig._mod(ZONE, ()))
    (folder / "active/go.mod").write_text(f"module {OURS}/active\ngo {version}.0\n")
    return rig


def mirror() -> dict[Path, str]:
    """The files of meters/reverse that are those of meters/forward with the two APIs exchanged: file -> what it must have."""
    folder = HOOKS / "bridge/meters"
    made = {}
    for file in sorted((folder / "forward").glob("*.go")):
        if file.name == "direction.go" or file.name.endswith("_test.go"):
            continue
        text = file.read_text().replace("package forward\n", "package reverse\n")
        text = text.replace(f'"{PRIVATE}/{OTEL}/', '"\0').replace(f'"{OTEL}/', f'"{PRIVATE}/{OTEL}/').replace('"\0', f'"{OTEL}/')
        made[folder / "reverse" / file.name] = text
    return made


if __name__ == "__main__":
    for target, content in mirror().items():
        target.write_text(content)
