"""The synthetic main module in which hook packages are selected: every module of the user's build at the version at hand.

It lies outside the user's tree, so nothing of theirs is touched. A `replace M => M vX` without a version on the left pins M to
vX whatever the hooks ask for: the user's versions win. Folders (local replaces, workspace modules, the user's own module) are
replaced by their absolute paths. OpenTelemetry's modules are released in lockstep, so a user's version of the API decides that
of the SDK and of contrib.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst.closure.gocmd import Go

HOOK_MODULES = {
    "github.com/otelobj/otelobj/hooks/rt": "rt",
    "github.com/otelobj/otelobj/hooks/sdk": "sdk",
    "github.com/otelobj/otelobj/hooks/nethttp": "nethttp",
}
UNRELEASED = "v0.0.0-00010101000000-000000000000"
API = "go.opentelemetry.io/otel"
STABLE = re.compile(r"go\.opentelemetry\.io/otel(/(sdk|trace|metric|sdk/metric|exporters/otlp/otlptrace(/.*)?|exporters/otlp/otlpmetric/.*|exporters/(stdout/stdout(trace|metric)|zipkin)))?$")
CONTRIB = "go.opentelemetry.io/contrib/"
CONTRIB_AHEAD = 25
"""Minor version of contrib's v0 modules less that of the API they are released with (v1.28.0 with v0.53.0, v1.38.0 with v0.63.0)."""
CONTRIB_V0 = re.compile(r"go\.opentelemetry\.io/contrib/(exporters/autoexport|propagators/autoprop|instrumentation/.*)$")
CONTRIB_V1 = re.compile(r"go\.opentelemetry\.io/contrib/propagators/(aws|b3|jaeger|ot)$")


@dataclass(frozen=True, slots=True)
class Pin:
    """A module of the user's build. target: a version, or an absolute folder."""

    path: str
    target: str

    @property
    def is_folder(self) -> bool:
        return self.target.startswith("/")


def user_pins(deps: Iterable[tuple[str, str, tuple[str, str] | None]], user_module: Path | None, go: Go) -> list[Pin]:
    """deps: path, version and replacement of the modules in the binary. user_module: folder of the user's go.mod."""
    pins: dict[str, Pin] = {}
    if user_module is not None:
        pins |= {pin.path: pin for pin in _go_mod_pins(user_module, go)}
    for path, version, replaced in deps:
        if replaced is None:
            pins[path] = Pin(path, version)
        elif replaced[1]:
            pins[path] = Pin(path, f"{replaced[0]} {replaced[1]}")
        elif user_module is not None:
            pins[path] = Pin(path, str((user_module / replaced[0]).resolve()))
    return [pin for pin in pins.values() if pin.target and pin.target != "(devel)"]


def _go_mod_pins(folder: Path, go: Go) -> Iterable[Pin]:
    """What go.mod itself says: the module, its requirements, its replacements. Workspace modules as folders."""
    mod = json.loads(go.run(["mod", "edit", "-json"], folder, GOWORK="off"))
    yield Pin(mod["Module"]["Path"], str(folder))
    for item in mod.get("Require") or []:
        yield Pin(item["Path"], item["Version"])
    for item in mod.get("Replace") or []:
        new = item["New"]
        version = new.get("Version")
        yield Pin(item["Old"]["Path"], f"{new['Path']} {version}" if version else str((folder / new["Path"]).resolve()))


def workspace_pins(work_file: Path, go: Go) -> Iterable[Pin]:
    """The modules of a workspace."""
    work = json.loads(go.run(["work", "edit", "-json", str(work_file)], work_file.parent))
    for use in work.get("Use") or []:
        yield from _go_mod_pins((work_file.parent / use["DiskPath"]).resolve(), go)


def lockstep(pins: Sequence[Pin], wanted: Iterable[str]) -> list[Pin]:
    """Pins for OpenTelemetry modules that the user does not have, to go with the API that the user has. wanted: all that hooks need."""
    api = next((pin for pin in pins if pin.path == API and not pin.is_folder), None)
    match = re.match(r"v1\.(\d+)\.", api.target) if api else None
    if match is None:
        return []
    minor = int(match[1])
    have = {pin.path for pin in pins}
    made = []
    for path in wanted:
        if path in have:
            continue
        if STABLE.match(path) or CONTRIB_V1.match(path):
            made.append(Pin(path, f"v1.{minor}.0"))
        elif CONTRIB_V0.match(path):
            made.append(Pin(path, f"v0.{minor + CONTRIB_AHEAD}.0"))
    return made


def hook_requirements(hooks: Path, modules: Iterable[str], go: Go) -> dict[str, str]:
    """What the hook modules themselves require: module -> version."""
    needs: dict[str, str] = {}
    for module in modules:
        mod = json.loads(go.run(["mod", "edit", "-json"], hooks / HOOK_MODULES[module], GOWORK="off"))
        needs |= {item["Path"]: item["Version"] for item in mod.get("Require") or [] if item["Path"] not in HOOK_MODULES}
    return needs


def write(folder: Path, go_version: str, hooks: Path, modules: Sequence[str], pins: Sequence[Pin], needs: Mapping[str, str], sums: Sequence[Path]) -> None:
    """Writes go.mod and go.sum of the synthetic module. sums: go.sum files whose lines are known to be right."""
    pinned = {pin.path for pin in pins}
    lines = ["module otelobj.invalid/closure", "", f"go {go_version}", ""]
    lines += [f"require {module} {UNRELEASED}" for module in modules]
    lines += [f"require {path} {version}" for path, version in needs.items() if path not in pinned]
    lines += [f"require {pin.path} {UNRELEASED if pin.is_folder else _version(pin)}" for pin in pins if pin.path not in HOOK_MODULES]
    lines += [f"replace {module} => {hooks / HOOK_MODULES[module]}" for module in modules]
    lines += [f"replace {pin.path} => {_target(pin)}" for pin in pins if pin.path not in modules]
    (folder / "go.mod").write_text("\n".join(lines) + "\n")
    known = {line for path in sums if path.exists() for line in path.read_text().splitlines()}
    (folder / "go.sum").write_text("".join(f"{line}\n" for line in sorted(known)))


def _version(pin: Pin) -> str:
    return pin.target.split()[-1]


def _target(pin: Pin) -> str:
    return pin.target if pin.is_folder or " " in pin.target else f"{pin.path} {pin.target}"
