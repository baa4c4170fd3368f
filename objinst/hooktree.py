"""The folder `hooks/`, found by looking: Go modules, rule files and libraries are listed nowhere else.

    hooks/MODULE/                       a module of the run-time part; the rules in its folder support those of others
    hooks/instrumentation/LIBRARY/      everything about one library; the folder's name is the name of its instrumentation
        README.md                       front matter, and the paragraph that docs/libraries.md takes
        rules.yaml                      which functions are hooked by what
        workers.yaml                    goroutines of the library that serve many requests: they belong to the instrumentation `sdk`
        go.mod, *.go                    the Go module, where rules have hooks of their own
        difftest/, testdata/, scripts/, test_*.py    its tests, which no program and no wheel contains
    hooks/bridge/                       joins the program's copy of OpenTelemetry's API and the private one (hookpkgs/apilevel.py); no module either,
                                        since the link step says against what it is compiled
    hooks/private/                      the pinned modules of the private zone (hookpkgs/pins.py): a list, no module of the hooks
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from objinst.errors import OtelobjError
from objinst.paths import hooks_dir

INSTRUMENTATION = "instrumentation"
PRIVATE = "private"
"""The folder that pins the modules of the private zone."""
BRIDGE = "bridge"
"""The folder of the bridge, which is compiled against two copies of the API, and so by the link step alone."""
BRIDGE_PATH = "github.com/otelobj/otelobj/hooks/bridge"
"""What the import paths of its packages begin with."""
RULES, WORKERS, README = "rules.yaml", "workers.yaml", "README.md"
READ = ("*.yaml", README)
"""Patterns of what is read here, beside go.mod."""
SUPPORT = "sdk"
"""The instrumentation that `workers.yaml` belongs to, and a module of the run-time part."""
TESTS = frozenset({"difftest", "testdata", "scripts"})
"""Folders that are only for tests."""
NOT_COMPILED = ("*_test.go", "*.py", "*.yaml", "*.md", "__pycache__", "go.sum", *TESTS)
"""Patterns of what a copy of the Go modules does without."""
NAME = re.compile(r"[a-z][a-z0-9]*")
"""Of a library's folder. A rule's name is the folder's, an underscore and more."""
MODULE = re.compile(r'^module\s+"?([^\s"]+)', re.MULTILINE)
FRONT_MATTER = re.compile(r"\A---\n(.*?)^---\n", re.MULTILINE | re.DOTALL)
KEYS = {"title", "default", "lowest", "newest"}
REINSTALL = "reinstall otelobj; docs/contributing/library.md says what a library's folder holds"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A built-in rule file. instrumentation: of the rules that name none."""

    path: Path
    instrumentation: str


@dataclass(frozen=True, slots=True)
class Library:
    """A folder of `hooks/instrumentation`.

    title: what people call the library. default: whether its rules are in force unless a variable says otherwise.
    lowest, newest: releases that its tests ran with.
    """

    name: str
    folder: Path
    title: str
    default: bool
    lowest: str
    newest: str

    def rule_files(self) -> list[RuleFile]:
        files = (RuleFile(self.folder / RULES, self.name), RuleFile(self.folder / WORKERS, SUPPORT))
        return [file for file in files if file.path.is_file()]


@functools.cache
def libraries() -> dict[str, Library]:
    """Name -> library, in the order of names. Raises OtelobjError if a folder is no library's."""
    files = (hooks_dir() / INSTRUMENTATION).glob("*/*")
    return {folder.name: _library(folder) for folder in sorted({path.parent for path in files if path.name in (README, RULES, WORKERS)})}


@functools.cache
def supporting() -> frozenset[str]:
    """Instrumentations that only support others: alone they instrument nothing."""
    return frozenset(path.parent.name for path in hooks_dir().glob(f"*/{RULES}"))


def names() -> list[str]:
    """Every instrumentation that comes with otelobj."""
    return sorted({*libraries(), *supporting()})


def module_rules(module: str) -> list[RuleFile]:
    """The rule files of a module of the run-time part."""
    return [RuleFile(path, module) for path in sorted((hooks_dir() / module).glob("*.yaml"))]


def rule_files() -> list[RuleFile]:
    """Those that are always read: of the libraries and of `sdk`."""
    return [*(file for library in libraries().values() for file in library.rule_files()), *module_rules(SUPPORT)]


@functools.cache
def built_in_files() -> frozenset[Path]:
    """Every rule file that comes with otelobj."""
    always = [file.path for file in rule_files()]
    return frozenset([*always, *(file.path for module in supporting() for file in module_rules(module))])


@functools.cache
def modules() -> dict[str, str]:
    """Module path -> folder below `hooks/`. Raises OtelobjError if a go.mod is damaged."""
    root = hooks_dir()
    found = sorted(path for pattern in ("*/go.mod", f"{INSTRUMENTATION}/*/go.mod") for path in root.glob(pattern) if path.parent.name not in (PRIVATE, BRIDGE))
    return {_module_path(path): path.parent.relative_to(root).as_posix() for path in found}


def owner(package: str) -> str | None:
    """The hook module that a package belongs to, or the bridge."""
    return next((module for module in (*modules(), BRIDGE_PATH) if package == module or package.startswith(f"{module}/")), None)


def is_sdk(package: str) -> bool:
    """Whether a package belongs to the module that sets up and flushes OpenTelemetry's SDK."""
    module = owner(package)
    return module is not None and modules().get(module) == SUPPORT


def bridge_part(package: str) -> str | None:
    """The part of the bridge that a package is: its folder below that of the bridge. None if it is of something else."""
    return package.removeprefix(f"{BRIDGE_PATH}/") if package.startswith(f"{BRIDGE_PATH}/") else None


def _module_path(path: Path) -> str:
    match = MODULE.search(path.read_text("utf-8"))
    if match is None:
        raise OtelobjError(f"{path} names no module", REINSTALL)
    return match[1]


def body(folder: Path) -> str:
    """What a library's README.md says, without the front matter."""
    return FRONT_MATTER.sub("", (folder / README).read_text("utf-8"))


def _library(folder: Path) -> Library:
    if not NAME.fullmatch(folder.name):
        raise OtelobjError(f"{folder}: no name of a library", "lower-case letters and digits: rules are called NAME_something")
    place = folder / README
    try:
        match = FRONT_MATTER.match(place.read_text("utf-8"))
        head = yaml.safe_load(match[1]) if match else None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise OtelobjError(f"{place}: {error}", REINSTALL) from error
    if not isinstance(head, dict) or head.keys() != KEYS or not isinstance(head["default"], bool):
        raise OtelobjError(f"{place}: the front matter has other keys than {', '.join(sorted(KEYS))}", REINSTALL)
    return Library(folder.name, folder, str(head["title"]), head["default"], str(head["lowest"]), str(head["newest"]))
