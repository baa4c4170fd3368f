"""docs/configuration.md is the one list of environment variables: it has what the code reads, and of otelobj's own nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from objinst import hooktree
from places import BIN, HOOKS, ROOT

LIST = ROOT / "docs" / "configuration.md"
NAME = re.compile(r"\b(?:OTELOBJ|OTEL)_[A-Z0-9_]*[A-Z0-9]\b")
OWN = "OTELOBJ_"


def sources() -> list[Path]:
    """What runs when a program is built, and what runs inside of it."""
    go = [path for path in HOOKS.rglob("*.go") if not path.name.endswith("_test.go")]
    return [*go, *(ROOT / "objinst").rglob("*.py"), *(ROOT / "objinst").rglob("*.go"), *(path for path in BIN.iterdir() if path.is_file())]


def in_code() -> dict[str, str]:
    """Variable -> a file that names it."""
    return {name: str(path.relative_to(ROOT)) for path in sources() for name in NAME.findall(path.read_text())}


def as_code(text: str) -> set[str]:
    """Variables that stand in a text as code."""
    return {name for code in re.findall(r"`([^`]*)`", text) for name in NAME.findall(code)}


def switches(library: hooktree.Library) -> set[str]:
    """Variables in the section Switches of a library's README.md."""
    return as_code(hooktree.body(library.folder).partition("\n### Switches\n")[2].partition("\n### ")[0])


def listed() -> set[str]:
    return as_code(LIST.read_text())


def test_a_variable_of_one_library_is_listed_with_it() -> None:
    """What a library's folder alone names stands under its switches, from which the list takes it (docs/libraries.py)."""
    assert "OTELOBJ_HTTP_EXCLUDED_PATHS" in switches(hooktree.libraries()["nethttp"]) & listed()
    for library in hooktree.libraries().values():
        own = {name for path in library.folder.glob("*.go") if not path.name.endswith("_test.go") for name in NAME.findall(path.read_text())}
        elsewhere = {name for path in sources() if library.folder not in path.parents for name in NAME.findall(path.read_text())}
        assert not {name for name in own - elsewhere if name.startswith(OWN)} - switches(library), library.name


def test_the_list_has_what_the_code_names() -> None:
    found = in_code()
    assert len(found) > 20
    general = {name: re.sub(r"_(TRACES|METRICS)_(?=[A-Z])", "_", name, count=1) if "_OTLP_" in name else name for name in found}
    missing = {name: found[name] for name in found if name not in listed() and general[name] not in listed()}
    assert not missing, f"not in {LIST.name}: {missing}"


def test_the_code_reads_what_the_list_has() -> None:
    ours = {name for name in listed() if name.startswith(OWN)}
    assert len(ours) > 8
    assert not ours - in_code().keys(), f"listed, but nowhere in the code: {sorted(ours - in_code().keys())}"


def test_variables_in_other_pages_are_in_the_list() -> None:
    pages = [ROOT / "README.md", *(path for path in (ROOT / "docs").glob("*.md") if path != LIST)]
    named = {name: path.name for path in pages for name in NAME.findall(path.read_text()) if name.startswith(OWN)}
    assert not named.keys() - listed(), {name: named[name] for name in named.keys() - listed()}
    assert "docs/configuration.md" in (ROOT / "README.md").read_text()
