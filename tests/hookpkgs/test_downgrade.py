"""Older releases for programs whose own modules are old, looked up at a module proxy of files; the go command judges what they are good for."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from objinst.hookpkgs import downgrade
from objinst.gobuild.gocmd import Go
from objinst.hookpkgs.modules import Pin
from objinst.errors import OtelobjError
from toolchains import goroot

GO = "1.26"

LOW = {"v1.0.0": "", "v1.1.0": "func New() {}\n"}
MID = {
    "v1.0.0": ("v1.0.0", "low.Old()"), "v1.1.0": ("v1.0.0", "low.Old()"), "v1.1.1-rc.1": ("v1.0.0", "low.Old()"), "v1.2.0": ("v1.1.0", "low.New()"),
    "v1.3.0": ("v1.1.0", "low.New()"), "v1.4.0": ("v1.1.0", "low.New()"),
}  # fmt: skip


class Proxy:
    """A module proxy of files, and a folder with the main module of a closure."""

    def __init__(self, folder: Path) -> None:
        self.files, self.main = folder / "proxy", folder / "main"
        self.main.mkdir()
        (self.main / "main.go").write_text("package main\n\nimport _ \"ex.com/top\"\n\nfunc main() {}\n")
        env = {"GOPROXY": self.files.as_uri(), "GONOSUMDB": "*", "GOMODCACHE": str(folder / "cache"), "GOFLAGS": "-modcacherw"}
        self.go = Go(goroot(GO), env)

    def add(self, path: str, version: str, requires: Mapping[str, str], source: str) -> None:
        folder = self.files / path / "@v"
        folder.mkdir(parents=True, exist_ok=True)
        mod = f"module {path}\n\ngo 1.24\n" + "".join(f"require {other} {wanted}\n" for other, wanted in requires.items())
        with (folder / "list").open("a") as known:
            known.write(version + "\n")
        (folder / f"{version}.mod").write_text(mod)
        (folder / f"{version}.info").write_text(f'{{"Version": "{version}"}}')
        with zipfile.ZipFile(folder / f"{version}.zip", "w") as archive:
            archive.writestr(f"{path}@{version}/go.mod", mod)
            archive.writestr(f"{path}@{version}/p.go", f"package {path.rsplit('/', 1)[1]}\n\n{source}")

    def require(self, *pins: Pin) -> None:
        lines = [line for pin in pins for line in (f"require {pin.path} {pin.target}", f"replace {pin.path} => {pin.path} {pin.target}")]
        (self.main / "go.mod").write_text("module ex.com/closure\n\ngo 1.24\n\n" + "\n".join(lines) + "\n")

    def problem(self) -> str | None:
        """What the go command says of the build, None if nothing."""
        try:
            self.go.run(["list", "-mod=mod", "-deps", "-export", "."], self.main)
        except OtelobjError as error:
            return str(error)
        return None

    def older(self, *users: str) -> Pin | None:
        said = self.problem()
        assert said is not None
        return downgrade.older_release(self.go, self.main, ["-mod=mod", "."], said, users)


@pytest.fixture
def proxy(tmp_path: Path) -> Proxy:
    made = Proxy(tmp_path)
    for version, source in LOW.items():
        made.add("ex.com/low", version, {}, "func Old() {}\n" + source)
    for version, (low, call) in MID.items():
        made.add("ex.com/mid", version, {"ex.com/low": low}, f'import "ex.com/low"\n\nfunc init() {{ {call} }}\n')
    made.add("ex.com/top", "v1.0.0", {"ex.com/low": "v1.0.0"}, 'import _ "ex.com/low"\n')
    made.add("ex.com/top", "v1.1.0", {"ex.com/mid": "v1.4.0"}, 'import _ "ex.com/mid"\n')
    return made


USERS = Pin("ex.com/low", "v1.0.0")


def test_the_newest_release_that_asks_for_no_more_than_the_users_version(proxy: Proxy) -> None:
    top = Pin("ex.com/top", "v1.1.0")
    proxy.require(USERS, top)
    pin = proxy.older(USERS.path)
    assert pin == Pin("ex.com/mid", "v1.1.0")
    proxy.require(USERS, top, pin)
    assert proxy.problem() is None


def test_an_importer_gives_way_where_no_release_fits(proxy: Proxy) -> None:
    proxy.add("ex.com/new", "v1.0.0", {"ex.com/low": "v1.1.0"}, 'import "ex.com/low"\n\nfunc init() { low.New() }\n')
    proxy.add("ex.com/top", "v1.2.0", {"ex.com/mid": "v1.1.0", "ex.com/new": "v1.0.0"}, 'import (\n\t_ "ex.com/mid"\n\t_ "ex.com/new"\n)\n')
    proxy.require(USERS, Pin("ex.com/top", "v1.2.0"), Pin("ex.com/mid", "v1.1.0"))
    pin = proxy.older(USERS.path)
    assert pin == Pin("ex.com/top", "v1.1.0")
    proxy.require(USERS, pin, Pin("ex.com/mid", "v1.1.0"))
    assert proxy.problem() is None


def test_a_package_that_the_users_version_does_not_have(proxy: Proxy) -> None:
    proxy.add("ex.com/mid", "v1.5.0", {"ex.com/low": "v1.1.0"}, 'import _ "ex.com/low/later"\n')
    top = Pin("ex.com/top", "v1.1.0")
    proxy.require(USERS, top, Pin("ex.com/mid", "v1.5.0"))
    assert proxy.older(USERS.path) == Pin("ex.com/mid", "v1.1.0")


def test_the_smallest_step_comes_first(proxy: Proxy) -> None:
    proxy.add("ex.com/wide", "v1.0.0", {}, "func Old() {}\n")
    proxy.add("ex.com/wide", "v1.1.0", {}, "func Old() {}\n")
    for version, wide in (("v1.0.5", "v1.0.0"), ("v1.1.0", "v1.1.0")):
        proxy.add("ex.com/two", version, {"ex.com/low": "v1.0.0", "ex.com/wide": wide}, 'import (\n\t"ex.com/low"\n\t_ "ex.com/wide"\n)\n\nfunc init() { low.Old() }\n')
    proxy.add("ex.com/two", "v1.2.0", {"ex.com/low": "v1.1.0", "ex.com/wide": "v1.1.0"}, 'import (\n\t"ex.com/low"\n\t_ "ex.com/wide"\n)\n\nfunc init() { low.New() }\n')
    proxy.add("ex.com/top", "v1.4.0", {"ex.com/two": "v1.2.0"}, 'import _ "ex.com/two"\n')
    proxy.require(USERS, Pin("ex.com/wide", "v1.0.0"), Pin("ex.com/top", "v1.4.0"))
    assert proxy.older(USERS.path, "ex.com/wide") == Pin("ex.com/two", "v1.1.0")


def test_modules_of_the_users_build_stay(proxy: Proxy) -> None:
    proxy.require(USERS, Pin("ex.com/top", "v1.1.0"), Pin("ex.com/mid", "v1.4.0"))
    assert proxy.older(USERS.path, "ex.com/mid", "ex.com/top") is None


def test_what_is_broken_in_itself_stays(proxy: Proxy) -> None:
    proxy.add("ex.com/top", "v1.3.0", {"ex.com/low": "v1.0.0"}, 'import "ex.com/low"\n\nfunc init() { low.Never() }\n')
    proxy.require(USERS, Pin("ex.com/top", "v1.3.0"))
    assert proxy.older(USERS.path) is None


def test_a_silent_proxy_is_an_error(proxy: Proxy) -> None:
    proxy.require(USERS, Pin("ex.com/top", "v1.1.0"))
    said = proxy.problem()
    assert said is not None
    (proxy.files / "ex.com/mid/@v/list").unlink()
    with pytest.raises(OtelobjError, match="ex.com/mid"):
        downgrade.older_release(proxy.go, proxy.main, ["-mod=mod", "."], said, [USERS.path])


def test_modules_that_need_a_newer_go_are_no_matter_of_releases(proxy: Proxy) -> None:
    proxy.require(USERS)
    (proxy.main / "go.mod").write_text("module ex.com/closure\n\ngo 9.99\n")
    assert proxy.older() is None
