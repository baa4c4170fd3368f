"""Paths and links in documents are those of files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

from objinst import hooktree

OTHERS = {"docs/peers.md", "CHANGELOG.md"}
"""They name files of other projects, and of earlier releases."""
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/contributing/*.md", "hooks/instrumentation/*/README.md")
    for path in ROOT.glob(pattern)
    if path.relative_to(ROOT).as_posix() not in OTHERS
)
BASES = (ROOT, ROOT / "objinst", ROOT / "trampolines", ROOT / "hooks", ROOT / "tests")
"""Where the paths of documents begin."""
NOT_OURS = {"bin/go", "database/sql"}
MADE_UP = re.compile(r"\b(kettle|mark)\b")
"""What the pages about a library and an action have the reader write."""
FILES = re.compile(r"\.(py|go|md|mod|sum|json|yaml|txt|txtar|sh)$")
BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
FOLDERS = ("objinst", "trampolines", "tests", "docs", "hooks", "bin")
SOURCES = {path.name for path in [*ROOT.glob("*.*"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*"))] if FILES.search(path.name)}


def named(text: str) -> Iterator[str]:
    """Words in backquotes that look like paths."""
    for code in re.findall(r"`([^`]+)`", BLOCK.sub("", text)):
        for word in code.split():
            if re.fullmatch(r"[\w*/][\w.*/-]*", word) and ("/" in word.strip("/") or FILES.search(word)):
                yield word


def gone(word: str) -> bool:
    """Whether a word is a path of this repository that leads nowhere. Words in capitals stand for any name. What follows a dot after a folder is a
    symbol of a Go package. A bare name is that of a file anywhere, and Go's sources and other projects have no Python."""
    if word in NOT_OURS or MADE_UP.search(word):
        return False
    if "/" not in word.strip("/"):
        return not re.search(r"[*]|\b[A-Z]{2,}\b", word) and word not in SOURCES
    pattern = re.sub(r"\b[A-Z]{2,}\b|\b1\.N\b", "*", word).strip("/")
    folder, _, last = pattern.rpartition("/")
    if "." in last and not FILES.search(last):
        pattern = f"{folder}/{last.partition('.')[0]}*"
    first = pattern.partition("/")[0]
    ours = [base for base in BASES if (base / first).exists()]
    return (bool(ours) or word.endswith(".py")) and not any(any(base.glob(pattern)) for base in ours)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_paths_lead_somewhere(page: Path) -> None:
    assert [word for word in named(page.read_text()) if gone(word)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)", BLOCK.sub("", page.read_text()))
    for path, anchor in links:
        target = (page.parent / path).resolve() if path else ROOT / "docs/libraries.md" if page.name == hooktree.README and page.parent != ROOT else page
        assert target.exists(), f"no {path}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text()), f"no {path}#{anchor}"


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)}


@pytest.mark.parametrize(
    ("word", "is_gone"),
    [
        ("trampolines/ARCH/gate.py", True), ("trampolines/ARCH/macros.py", False), ("objinst/plan/nowhere.py", True), ("plan/layout.py", False),
        ("tests/hooks/test_go_tests.py", True), ("nowhere.py", True), ("driver/nowhere.py", True), ("layout.py", False), ("hooks/probe.table", False), ("hooks/nowhere.table", True),
        ("net/http", False), ("cmd/internal/sys/arch.go", False), ("objinst/goversions/1.N/", False), ("hooks/instrumentation/NAME", False),
    ],
)  # fmt: skip
def test_what_is_gone(word: str, is_gone: bool) -> None:
    assert gone(word) is is_gone


def test_pages_of_libraries_are_among_them() -> None:
    assert len(PAGES) > 20 and {library.folder / hooktree.README for library in hooktree.libraries().values()} <= set(PAGES)
