"""objinst.plan.facts: what all packages of a link say together, remembered one by one and together."""

from __future__ import annotations

from pathlib import Path

import pytest
from toolchains import exports

import trampolines
from objinst.archive import Archive
from objinst.instrument import identity
from objinst.plan import facts
from objinst.plan.pinned import unchecked_calls

ARCH = trampolines.arch("amd64")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path))
    return dict(exports("1.26", "amd64", "net/http"))


def test_facts_of_a_link(packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    found = facts.gather(packages, "sync/atomic", ARCH, identity)
    assert {"runtime", "internal/abi", "sync/atomic"} <= found.closed
    assert not {"net/http", "os", "syscall"} & found.closed
    # Whoever sorts with a function has an instance of what slices declares.
    assert "slices" in found.instances["net/http"]
    assert all("[" not in name for names in found.instances.values() for name in names)
    # What syscall's marked functions call may not move the stack.
    obj = Archive.read(packages["syscall"]).go_object()[1]
    assert set(unchecked_calls(obj, "syscall", ARCH).pins) - set(found.pinned) <= {
        key for key in unchecked_calls(obj, "syscall", ARCH).pins if key.partition("#")[0] in found.closed
    }
    # Every one is found again, by its package or by name.
    shared_out = {package: found.pinned_of(package) for package in (*packages, "")}
    assert sorted(pair for pairs in shared_out.values() for pair in pairs) == sorted(found.pinned.items())
    assert all(key.startswith(f"{package}#") == bool(package) for package, pairs in shared_out.items() for key, _ in pairs)

    # Loops over channels, of packages that can be hooked.
    assert list(found.workers) == sorted(set(found.workers)) and "net/http.(*persistConn).writeLoop" in {name for name, _ in found.workers}
    assert not any(name.startswith(f"{package}.") for package in found.closed for name, _ in found.workers)

    # A second link reads no archive, and one with another root only that.
    def unread(path: Path) -> Archive:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(Archive, "read", staticmethod(unread))
    assert facts.gather(packages, "sync/atomic", ARCH, identity) == found
    monkeypatch.undo()


def test_root_is_apart(packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    facts.gather(packages, "sync/atomic", ARCH, identity)
    read: list[Path] = []
    plain = Archive.read
    monkeypatch.setattr(Archive, "read", staticmethod(lambda path: read.append(path) or plain(path)))
    found = facts.gather({**packages, "main": packages["net/http"]}, "sync/atomic", ARCH, identity)
    assert read == [packages["net/http"]]
    assert found.instances["main"] == found.instances["net/http"]


def test_workers_of_the_root_and_of_open_packages(packages: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = facts.gather(packages, "sync/atomic", ARCH, identity).workers
    alone = facts.gather({"main": packages["net/http"]}, "sync/atomic", ARCH, identity).workers
    assert alone == tuple((name, place) for name, place in both if name.startswith("net/http."))
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "with another rt"))
    without = facts.gather(packages, "net/http", ARCH, identity)
    assert "net/http" in without.closed and not without.workers
