"""The lowest Go version of each hook module: the one in its go.mod, but not below the lowest that otelobj supports (objinst.goversions).

The go command wants a go line as high as those of the modules that a module requires. otelobj compiles them with older toolchains (hooks/private), so a
comment `//otelobj:go 1.24` says what it needs itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from objinst import hooktree, paths
from objinst.errors import OtelobjError
from objinst.goversions import lowest, number

GO_LINE = re.compile(r"^go\s+(1\.\d+)", re.MULTILINE)
OWN_LINE = re.compile(r"^//otelobj:go\s+(1\.\d+)", re.MULTILINE)


def language(text: str) -> str | None:
    """The Go version that a hook module is written for. text: its go.mod. None if it names none."""
    found = OWN_LINE.search(text) or GO_LINE.search(text)
    return found[1] if found else None


def needed_by(module: str) -> str:
    """The lowest version for a hook module. Raises OtelobjError if its go.mod is damaged."""
    path = paths.hooks_dir() / hooktree.modules()[module] / "go.mod"
    found = language(path.read_text("utf-8"))
    if found is None:
        raise OtelobjError(f"{path} names no Go version", "reinstall otelobj")
    return max(found, lowest(), key=number)


def check(packages: Iterable[str], go_version: str) -> None:
    """Raises OtelobjError if a hook package needs a newer Go. packages: import paths; go_version: as headers have it, such as go1.23.9."""
    match = re.match(r"go(1\.\d+)", go_version)
    for package in packages:
        module = hooktree.owner(package)
        if match and module in hooktree.modules() and number(match[1]) < number(needed_by(module)):
            remedy = f"build with Go {needed_by(module)} or newer; with OTELOBJ_DISABLE=all, probes and hooks of your own work from Go {lowest()} on"
            raise OtelobjError(f"{package} needs Go {needed_by(module)}, this is {go_version}", remedy)
