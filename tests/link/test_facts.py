"""objinst.link.facts: what all packages of a link say together, remembered one by one and together."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from toolchains import exports, go_env, newest, oldest

import trampolines
from objinst.goobj.archive import Archive
from objinst.link.build import identity, read_header
from objinst.link.facts import gather
from objinst.link.passes import package_key
from objinst.link.session import Session, loader
from objinst.plan import facts
from objinst.plan.keys import own_keys
from objinst.plan.nosplit import combined, relied_on
from rule_files import load

ARCH = trampolines.load("amd64")


def found_in(packages: Mapping[str, Path], rt: str) -> facts.Facts:
    return gather(packages, rt, ARCH, identity, loader(packages))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path))
    return dict(exports("1.26", "amd64", "net/http"))


def test_facts_of_a_link(packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    found = found_in(packages, "sync/atomic")
    assert {"runtime", "internal/abi", "sync/atomic"} <= found.excluded
    assert not {"net/http", "os", "syscall"} & found.excluded
    # Whoever sorts with a function has an instance of what slices declares.
    assert "slices" in found.instances["net/http"]
    assert all("[" not in name for names in found.instances.values() for name in names)
    # What syscall's marked functions call may not move the stack.
    calls = relied_on(list(Archive.read(packages["syscall"]).objects().values()), "syscall", ARCH)
    own = {key for key in calls.nosplit if key.startswith("syscall#") or key in calls.names}
    assert len(own) > 5 and own <= found.nosplit["syscall"].keys()
    assert not found.excluded & found.nosplit.keys()
    # Every package knows all of its own functions that somebody relies on, and of nothing else.
    archives = {package: list(Archive.read(path).objects().values()) for package, path in packages.items()}
    together = combined(relied_on(objects, package, ARCH) for package, objects in archives.items()).nosplit
    for package in packages.keys() - found.excluded:
        keys = {key for obj in archives[package] for index in obj.text_symbols() for key in own_keys(obj, package, index)}
        by_name = relied_on(archives[package], package, ARCH).names
        assert found.nosplit.get(package, {}).keys() == {key for key in keys if key in together and ("#" in key or key in by_name)}, package
        assert all(caller in found.reliance_of(package) for caller in found.nosplit.get(package, {}).values())

    # Loops over channels, of packages that can be hooked.
    assert list(found.workers) == sorted(set(found.workers)) and "net/http.(*persistConn).writeLoop" in {name for name, _ in found.workers}
    assert not any(name.startswith(f"{package}.") for package in found.excluded for name, _ in found.workers)

    # A second link reads no archive, and one with another root only that.
    def unread(path: Path) -> Archive:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(Archive, "read", staticmethod(unread))
    assert found_in(packages, "sync/atomic") == found
    monkeypatch.undo()


def test_root_is_apart(packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    found_in(packages, "sync/atomic")
    read: list[Path] = []
    plain = Archive.read
    monkeypatch.setattr(Archive, "read", staticmethod(lambda path: read.append(path) or plain(path)))
    found = found_in({**packages, "main": packages["net/http"]}, "sync/atomic")
    assert read == [packages["net/http"]]
    assert found.instances["main"] == found.instances["net/http"]


def test_workers_of_the_root_and_of_open_packages(packages: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = found_in(packages, "sync/atomic").workers
    alone = found_in({"main": packages["net/http"]}, "sync/atomic").workers
    assert alone == tuple((name, place) for name, place in both if name.startswith("net/http."))
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "with another rt"))
    without = found_in(packages, "net/http")
    assert "net/http" in without.excluded and not without.workers


def test_other_packages_change_no_key(packages: dict[str, Path], tmp_path: Path) -> None:
    """A package that comes into a program makes nobody else's archive be rewritten again."""
    rules = load([], {})
    more = {**exports("1.26", "amd64", "testing"), **packages}
    assert {"testing", "flag"} <= more.keys() - packages.keys()
    links = [Session(read_header(found["runtime"]), found, {}, rules, "", loader(found), tmp_path) for found in (packages, more)]
    for link in links:
        link.__dict__["facts"] = found_in(link.packages, "sync/atomic")
    assert [package for package in packages if package_key(links[0], package) != package_key(links[1], package)] == []


def test_root_pins_by_name(packages: dict[str, Path]) -> None:
    """What only the root package relies on, and names by name, is found in the packages that have it."""
    before = found_in(packages, "sync/atomic")
    names = {package: relied_on(list(Archive.read(path).objects().values()), package, ARCH).names for package, path in packages.items()}
    free = ((package, name) for package in names.keys() - before.excluded for name in sorted(names[package]) if "[" in name)
    holder, name = next((package, name) for package, name in free if name not in before.nosplit.get(package, {}))
    plain = facts.read

    def reads(archive: Archive, package: str, arch: trampolines.Arch) -> dict[str, Any]:
        found = plain(archive, package, arch)
        return {**found, "nosplit": {**found["nosplit"], name: "main.f"}} if package == facts.ROOT else found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "read", reads)
        found = found_in({**packages, facts.ROOT: packages["net/http"]}, "sync/atomic")
    holders = {package for package in names.keys() - found.excluded if name in names[package]}
    assert {package for package in found.nosplit if name in found.nosplit[package]} - {facts.ROOT} == holders
    assert found.nosplit[holder][name] == "main.f"


SOURCES = {
    "main.go": """package main

import "internal/abi"

var done bool

//go:noinline
func started() { done = true }

//go:noinline
func called() { done = true }

//go:noinline
func deferred(p *bool) func() { return func() { *p = true } }

var kept = map[string]func(){"called": called}

//go:nosplit
func relies() { called() }

func main() {
	println(abi.FuncPCABIInternal(started))
	deferred(&done)()
	relies()
}
""",
}


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("version", [oldest(), newest()])
def test_address_of_code(version: str, goarch: str, tmp_path: Path) -> None:
    """A function whose code's address is taken is called by what is not Go code; a closure is not meant."""
    imports = exports(version, goarch, "runtime")
    (tmp_path / "importcfg").write_text("".join(f"packagefile {package}={path}\n" for package, path in imports.items()))
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text)
    command = ["go", "tool", "compile", "-std", "-p", "main", "-importcfg", "importcfg", "-o", "main.a", *SOURCES]
    subprocess.run(command, cwd=tmp_path, env=go_env(version, goarch), check=True)
    objects = list(Archive.read(tmp_path / "main.a").objects().values())
    found = relied_on(objects, "main", trampolines.load(goarch))
    assert found.nosplit["main.started"] == "main.main (address)"
    assert found.nosplit[f"main#{objects[0].find('main.called')}"] == "main.relies"
    assert not any("deferred" in key or objects[0].name(int(key.partition("#")[2])) == "main.deferred.func1" for key in found.nosplit if key.startswith("main#"))
