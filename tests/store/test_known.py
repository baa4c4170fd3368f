"""objinst.store.known: what archives say, read once for what tells each from others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from objinst.store import parallel
from objinst.store.known import Known


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    found = {name: tmp_path / name for name in "abc"}
    for name, path in found.items():
        path.write_text(f"{name} says this")
    return found


def known(packages: dict[str, Path], read: list[str], kind: str = "facts") -> Known:
    def said(package: str) -> dict[str, Any]:
        read.append(package)
        return {"text": packages[package].read_text(), "name": "\udcff"}

    return Known(kind, packages, lambda path: path.read_text(), said)


def test_an_archive_is_read_once(packages: dict[str, Path]) -> None:
    read: list[str] = []
    first = known(packages, read).of("a")
    assert first == known(packages, read).of("a") == {"text": "a says this", "name": "\udcff"}
    assert read == ["a"]
    packages["a"].write_text("a says more")
    assert known(packages, read).of("a")["text"] == "a says more"
    assert read == ["a", "a"]


def test_the_same_archive_of_another_package_or_kind_is_another(packages: dict[str, Path]) -> None:
    read: list[str] = []
    same = dict.fromkeys(packages, packages["a"])
    assert known(same, read).of_each(["a", "b"]).keys() == {"a", "b"} and read == ["a", "b"]
    known(same, read, "inlined").of("a")
    assert read == ["a", "b", "a"]


def test_several_processes_leave_what_they_read(packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2})
    read: list[str] = []
    found = known(packages, read).of_each(["a", "b", "c"])
    assert {name: one["text"] for name, one in found.items()} == {name: f"{name} says this" for name in "abc"}
    assert len(read) == 1, "the others were read by other processes"


def test_what_packages_say_together(packages: dict[str, Path]) -> None:
    read: list[str] = []
    made: list[str] = []

    def together(what: str, *names: str) -> dict[str, Any]:
        return known(packages, read).together(what, names, lambda: {"made": made.append(what) or len(made)})  # type: ignore[func-returns-value]

    assert together("sum", "a", "b") == together("sum", "a", "b") == {"made": 1}
    assert together("sum", "a") == {"made": 2} and together("rest", "a", "b") == {"made": 3}
    packages["b"].write_text("b says more")
    assert together("sum", "a", "b") == {"made": 4} and together("sum", "a") == {"made": 2}
    assert read == []
