"""Imports of objinst point downward from room to room, and in no circle from file to file (ARCHITECTURE.md)."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

from trampolines.arch import ARCHES

LEVELS = (
    ("__main__", "cli"),
    ("bench",),
    ("linked",),
    ("link",),
    ("actions",),  # an action is read from a rule, planned and written: above all three, which ask it without knowing it
    ("rewrite",),
    ("plan",),
    ("hookpkgs", "signatures"),
    ("types",),
    ("gobuild", "goobj", "rules", "collector"),
    ("store", "goversions"),
    ("hooktree",),
    ("paths",),
    ("ending",),
    ("platform",),
    ("errors",),
)
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}
TOOL_PATH_NEVER = {"click", "rich", "lief", "elftools", "capstone", "google", "opentelemetry"}
"""What only commands that people type may import."""


READERS = {"elf"}
"""Of objinst/platform: read linked programs, for commands only."""


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if not {"_hooks", "_demo"} & set(path.parts))


def imports(path: Path) -> set[str]:
    """Full names of what a module imports anywhere in it; `from a import b` gives a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def room(path: Path) -> str:
    """The part of objinst that a file belongs to."""
    return path.relative_to(ROOT / "objinst").parts[0].removesuffix(".py")


def parts(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("objinst.") and name.split(".")[1] in LEVEL}


def upward(here: str, names: set[str]) -> list[str]:
    """Parts that stand above `here`."""
    return sorted(part for part in parts(names) if part != here and LEVEL[part] < LEVEL[here])


def test_every_part_has_its_level() -> None:
    found = {room(path) for path in modules("objinst")} - {"__init__"}
    assert found - set(LEVEL) == set(), "give the new part a level here and in ARCHITECTURE.md"


def test_the_page_has_these_levels() -> None:
    line = next(line for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines() if line.startswith("cli → "))
    levels = [tuple(level.strip("{}").split(", ")) for level in line.split(" → ")]
    assert levels == [tuple(name for name in names if name != "__main__") for names in LEVELS]


@pytest.mark.parametrize("path", modules("objinst"), ids=lambda path: str(path.relative_to(ROOT)))
def test_objinst_imports_downward(path: Path) -> None:
    here = room(path)
    if here != "__init__":
        assert upward(here, imports(path)) == []


def test_the_check_can_fail() -> None:
    assert upward("goobj", {"objinst.plan.model"}) == ["plan"]
    assert upward("plan", {"objinst.goobj.archive", "objinst.errors"}) == []


@pytest.mark.parametrize("path", modules("trampolines"), ids=lambda path: str(path.relative_to(ROOT)))
def test_trampolines_know_nothing_of_objinst(path: Path) -> None:
    names = imports(path)
    assert not [name for name in names if name.split(".")[0] not in {"trampolines", *sys.stdlib_module_names}]
    own = path.relative_to(ROOT / "trampolines").parts[0]
    assert not [name for name in names for goarch in ARCHES if goarch != own and f"trampolines.{goarch}" in name], "folders are loaded by trampolines.load"


def files(package: str) -> dict[str, Path]:
    """Modules by full name; a package's __init__ under the package's own."""
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in modules(package)}


def uses(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules that a file imports: of `from a import b` a.b where that is a module, otherwise a."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {name if name in known else node.module or "" for name in names}
    return found & known.keys()


def circle(known: dict[str, Path]) -> list[str]:
    """Modules that import each other in a circle."""
    try:
        graphlib.TopologicalSorter({name: uses(path, known) - {name} for name, path in known.items()}).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", ["objinst", "trampolines"])
def test_no_file_imports_in_a_circle(package: str) -> None:
    assert circle(files(package)) == []


def test_rooms_of_a_level_do_not_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in modules("objinst"):
        graph.setdefault(room(path), set()).update(parts(imports(path)) - {room(path)})
    graphlib.TopologicalSorter(graph).prepare()


def test_a_circle_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from objinst.b import x")
    (tmp_path / "b.py").write_text("import objinst.c")
    (tmp_path / "c.py").write_text("def f():\n    from objinst import a")
    assert set(circle({f"objinst.{name}": tmp_path / f"{name}.py" for name in "abc"})) == {"objinst.a", "objinst.b", "objinst.c"}


@pytest.mark.parametrize("path", modules("objinst/plan"), ids=lambda path: path.stem)
def test_plan_writes_nothing(path: Path) -> None:
    """What it works out is kept by those who ask (objinst.store.known)."""
    assert "store" not in parts(imports(path))


@pytest.mark.parametrize("path", modules("objinst/plan"), ids=lambda path: path.stem)
def test_plan_opens_nothing(path: Path) -> None:
    """It is handed what others have read."""
    tree = ast.parse(path.read_text())
    called = {node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "") for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not called & {"open", "read_bytes", "read_text", "mmap"}
    assert not {"Archive.read", "mmap"} & {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}


def test_nobody_borrows_from_the_list_of_passes() -> None:
    users = [path for path in modules("objinst") if "objinst.link.main" in imports(path)]
    assert [str(path.relative_to(ROOT / "objinst")) for path in users] == ["__main__.py", "link/external.py"]


def test_errors_import_nothing() -> None:
    assert parts(imports(ROOT / "objinst/errors.py")) == set()


def test_the_link_step_imports_nothing_heavy() -> None:
    waiting, seen = [ROOT / "objinst/link/main.py", ROOT / "objinst/link/external.py", ROOT / "objinst/link/version.py"], set()
    waiting += [path for path in modules("objinst/platform") if path.stem not in READERS]  # they are imported by name
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imports(path):
            assert name.split(".")[0] not in TOOL_PATH_NEVER, f"{path} imports {name}"
            if name.split(".")[0] in {"objinst", "trampolines"}:
                place = ROOT.joinpath(*name.split("."))
                waiting += [found for found in (place.with_suffix(".py"), place / "__init__.py") if found.exists()]
    assert len(seen) > 30


def test_the_version_answer_loads_what_reads_rules_and_no_more() -> None:
    """`link -V=full` is asked at every build. What it must not load rewrites objects, or knows the types of functions."""
    code = "import sys, objinst.link.version\nprint(*(name for name in sys.modules if name.partition('.')[0] in ('objinst', 'trampolines')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"objinst.link.version", "objinst.actions.span", "objinst.rules.load"} <= loaded
    never = ("objinst.rewrite", "objinst.signatures", "objinst.goobj", "objinst.types", "objinst.hookpkgs")
    assert not [name for name in loaded if name.startswith(never)]
    assert {name for name in loaded if name.startswith("trampolines")} <= {"trampolines", "trampolines.arch", "trampolines.contract"}, "records, no code"
