"""The Go versions that otelobj works with: this is their only home, for every message, README.md and docs.

There are two lowest ones. Objects are read and functions hooked from the first release that has tables (objinst.goobj.tables); probes and
hooks of one's own need no more. What makes and exports telemetry is written against OpenTelemetry's modules, whose lowest release its
go.mod files name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from objinst import hooktree, paths
from objinst.errors import OtelobjError
from objinst.goobj.tables import supported

GO_LINE = re.compile(r"^go (1\.\d+)", re.MULTILINE)
DOWNLOAD = "https://go.dev/dl"


def lowest() -> str:
    """For probes and hooks of one's own."""
    return supported()[0]


def newest() -> str:
    """The newest that this otelobj knows."""
    return supported()[-1]


def telemetry() -> str:
    """The lowest for what makes and exports telemetry. A library may need a newer one."""
    own = (module for module, folder in hooktree.modules().items() if not folder.startswith(hooktree.INSTRUMENTATION))
    return max(map(needed_by, own), key=_minor)


def needed_by(module: str) -> str:
    """The lowest version for a hook module. Raises OtelobjError if its go.mod is damaged."""
    path = paths.hooks_dir() / hooktree.modules()[module] / "go.mod"
    found = GO_LINE.search(path.read_text("utf-8"))
    if found is None:
        raise OtelobjError(f"{path} names no Go version", "reinstall otelobj")
    return max(found[1], lowest(), key=_minor)


def told() -> str:
    """Both lowest versions, in words."""
    return f"Go {telemetry()} or newer for telemetry, {lowest()} or newer for probes and hooks of your own"


def check(packages: Iterable[str], go_version: str) -> None:
    """Raises OtelobjError if a hook package needs a newer Go. packages: import paths; go_version: as headers have it, such as go1.23.9."""
    match = re.match(r"go(1\.\d+)", go_version)
    for package in packages:
        module = next((module for module in hooktree.modules() if package == module or package.startswith(f"{module}/")), None)
        if match and module and _minor(match[1]) < _minor(needed_by(module)):
            remedy = f"build with Go {needed_by(module)} or newer; with OTELOBJ_DISABLE=all, probes and hooks of your own work from Go {lowest()} on"
            raise OtelobjError(f"{package} needs Go {needed_by(module)}, this is {go_version}", remedy)


def _minor(version: str) -> int:
    return int(version.split(".")[1])
