"""The private zone: sources that are pinned, compiled once for a toolchain under import paths of their own, whatever the program's modules are."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hook_sets import GO, disagreements, go_command, request, write
from objinst.errors import OtelobjError
from objinst.gobuild import buildinfo
from objinst.gobuild.gocmd import Go
from objinst.goobj.archive import Archive, fingerprint, peek
from objinst.hookpkgs import HookRequest, HookSet, resolve, sources, zone
from objinst.hookpkgs.compile import Batch, Compiler, content
from objinst.hookpkgs.pins import Pin, pins
from objinst.paths import hooks_dir
from objinst.rules import PRIVATE
from objinst.store import cache
from profiles import profile
from toolchains import exports, go_env, goroot

RT = "github.com/otelobj/otelobj/hooks/rt"
ACTIVE = "github.com/otelobj/otelobj/hooks/active"
API = "go.opentelemetry.io/otel"
HOOKS = "example.com/app/hooks"
APP = {
    "go.mod": "module example.com/app\n\ngo 1.22\n",
    "main.go": 'package main\n\nimport "example.com/app/lib"\n\nfunc main() { println(lib.Name()) }\n',
    "lib/lib.go": 'package lib\n\nimport "strings"\n\nfunc Name() string { return strings.ToLower("LIB") }\n',
    "lib/lib_test.go": 'package lib\n\nimport "testing"\n\nfunc TestName(*testing.T) {}\n',
    "hooks/hooks.go": f'package hooks\n\nimport (\n\t"{API}/trace"\n\t"{ACTIVE}"\n\t"example.com/app/lib"\n)\n\n'
                      'var Span trace.Span\n\nfunc Text() string { _ = active.Context; return lib.Name() }\n',
}  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for the tests of this file: the zone is compiled once."""
    return tmp_path_factory.mktemp("zone") / "cache"


@pytest.fixture
def app(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, value in go_env(GO).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(shared))
    monkeypatch.setenv("GOTMPDIR", str(tmp_path))
    monkeypatch.setenv("GOENV", "off")
    buildinfo.parent_flags.cache_clear()
    write(tmp_path / "app", APP)
    yield tmp_path / "app"
    buildinfo.parent_flags.cache_clear()


def private(found: HookSet) -> dict[str, Path]:
    return {name: path for name, path in found.archives.items() if name.startswith(PRIVATE)}


def linked(wanted: HookRequest, found: HookSet, folder: Path) -> Path:
    """A program that loads hooks/active, linked by Go's own linker against exactly these archives."""
    tools = goroot(GO) / "pkg/tool/linux_amd64"
    everything = {**wanted.link, **found.archives}
    (folder / "cfg").write_text("".join(f"packagefile {name}={path}\n" for name, path in everything.items()))
    (folder / "m.go").write_text(f'package main\n\nimport _ "{ACTIVE}"\n\nfunc main() {{ println("runs") }}\n')
    subprocess.run([tools / "compile", "-p", "main", "-pack", "-trimpath", folder, "-importcfg", "cfg", "-o", "m.a", "m.go"], cwd=folder, check=True)
    subprocess.run([tools / "link", "-importcfg", "cfg", "-o", "m", "m.a"], cwd=folder, check=True)
    return folder / "m"


def of_other_content(archive: Path, folder: Path) -> Path:
    """A copy whose build id names another content, and whose fingerprint is the same."""
    old = content(archive).encode()
    copy = folder / f"{content(archive)}.a"
    copy.write_bytes(archive.read_bytes().replace(old, old.swapcase()))
    assert content(copy) != content(archive) and fingerprint(copy) == fingerprint(archive)
    return copy


def with_other_contents(wanted: HookRequest, folder: Path) -> HookRequest:
    link = {name: of_other_content(path, folder) for name, path in wanted.link.items()}
    return replace(wanted, link=link, identities={name: f"{peek(path).line} {peek(path).build_id}" for name, path in link.items()})


def compiled() -> set[Path]:
    """What is in the cache."""
    return set((cache.root() / "compiled").glob("*/*"))


def never(*_: object, **__: object) -> str:
    raise AssertionError("the go command or the compiler was run")


# what is pinned


def test_a_module_that_is_not_the_pinned_one_is_refused(app: Path, tmp_path: Path) -> None:
    """xxhash as the module cache has it, and with one byte changed. The hash of go.sum is Go's."""
    pin = pins().modules["github.com/cespare/xxhash/v2"]
    found = go_command().download([f"{pin.path}@{pin.version}"])
    assert sources._Module.read(pin, Path(found[0]["Zip"])).language == "1.11"
    with zipfile.ZipFile(found[0]["Zip"]) as original, zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        for name in original.namelist():
            other.writestr(name, original.read(name) + (b" " if name.endswith("/xxhash.go") else b""))
    with pytest.raises(OtelobjError, match=r"other.zip: its hash is h1:\S+, that of github.com/cespare/xxhash/v2 v\S+ is h1:"):
        sources._Module.read(pin, tmp_path / "other.zip")
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises(OtelobjError, match="no.zip"):
        sources._Module.read(pin, tmp_path / "no.zip")


def test_escaped_paths() -> None:
    """golang.org/x/mod/module, EscapePath."""
    assert sources._escaped("github.com/Azure/azure-SDK") == "github.com/!azure/azure-!s!d!k"


def test_embedded_files_are_part_of_a_package(tmp_path: Path) -> None:
    files = {
        "a/a.go": 'package a\n\nimport _ "m.com/m/b"\n\n//go:embed data\nvar d string\n', "a/data/x.txt": "", "a/data/_y": "", "b/b.go": "package b\n",
        "b/note.txt": "", "b/b_amd64.s": "", "c/c.go": "package c\n", "a/a_test.go": 'package a\n\nimport _ "m.com/m/c"\n', "go.mod": "module m.com/m\n\ngo 1.23.1\n",
    }  # fmt: skip
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(f"m.com/m@v1.0.0/{name}", text)
    with pytest.raises(OtelobjError) as caught:
        sources._Module.read(Pin("m.com/m", "v1.0.0", ""), tmp_path / "m.zip")
    module = sources._Module.read(Pin("m.com/m", "v1.0.0", caught.value.what.split("its hash is ")[1].split(",")[0]), tmp_path / "m.zip")
    reached = sources._reach({"m.com/m": module}, ["m.com/m/a"])
    assert "m.com/m/b" in reached and "m.com/m/c" not in reached and module.language == "1.23"
    assert sorted(module.names_of(reached)) == ["a/a.go", "a/data/_y", "a/data/x.txt", "b/b.go", "b/b_amd64.s"]


def test_what_cannot_be_fetched_is_named_with_the_command(app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("GOPROXY", "off")
    with pytest.raises(OtelobjError, match=r"module \S+ v\S+ of the private zone cannot be fetched: .*GOPROXY=off") as caught:
        sources.sources(go_command(), hooks_dir(), GO)
    assert "otelobj cache warm" in caught.value.remedy
    assert not cache.has("sources", next(iter((tmp_path / "cache/sources").glob("*/*")), Path("none")).name)


# what is compiled


def test_the_zone_has_paths_of_its_own_and_links(app: Path) -> None:
    wanted = request(app, (ACTIVE, RT), "build", "-work", "-o", "x", ".")
    found = resolve(wanted, go_command())
    assert {ACTIVE, RT, f"{PRIVATE}{API}/attribute", f"{PRIVATE}{API}/trace"} <= found.archives.keys() and not found.archives.keys() & wanted.link.keys()
    assert not [name for name in found.archives if "." in name.split("/")[0] and not name.startswith((PRIVATE, "github.com/otelobj/"))]
    assert disagreements(wanted, found) == []
    assert found.modules.keys() == {ACTIVE, RT}
    program = linked(wanted, found, app.parent)
    assert subprocess.run([program], capture_output=True, text=True, check=True).stderr == "runs\n"
    names = subprocess.run([goroot(GO) / "bin/go", "tool", "nm", program], capture_output=True, text=True, check=True).stdout
    assert f" {PRIVATE}{API}/trace." in names and f" {API}" not in names


def test_another_program_compiles_nothing(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its modules, and whatever of the standard library it lacks."""
    first = resolve(request(app, (ACTIVE, RT), "build", "-work", "-o", "x", "."), go_command())
    other = app.parent / "other" / "app"
    text = 'package main\n\nimport _ "net/http"\n\nfunc main() {}\n'
    write(other, {"go.mod": "module example.com/other\n\ngo 1.21\n\nrequire go.opentelemetry.io/otel v1.0.0\n", "main.go": text})
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOTMPDIR", str(other.parent))
    wanted = request(other, (ACTIVE, RT), "build", "-work", "-o", "x", ".")
    assert "net/http" in wanted.link and "log" not in first.archives
    monkeypatch.setattr(Go, "run", never)
    monkeypatch.setattr(Go, "tool", never)
    found = resolve(wanted, go_command())
    assert private(found) == private(first) and disagreements(wanted, found) == []


def test_a_profile_that_changes_no_fingerprint_compiles_nothing(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With -pgo, std has other archives for each program."""
    plain = request(app, (ACTIVE, RT), "build", "-work", "-o", "x", ".")
    first = resolve(plain, go_command())
    wanted = with_other_contents(plain, app)
    before = compiled()
    shutil.rmtree(cache.root() / "closure")  # what is remembered
    assert private(resolve(wanted, go_command())) == private(first) and compiled() == before
    monkeypatch.setattr(Go, "run", never)
    found = resolve(wanted, go_command())
    assert private(found) == private(first) and disagreements(wanted, found) == []
    assert private(resolve(plain, go_command())) == private(first)


@pytest.mark.long
def test_profiles(app: Path) -> None:
    """One whose hot calls are the program's, and one that makes strings.ToLower inlinable, which changes what importers of strings see."""
    plain = request(app, (ACTIVE, RT), "build", "-work", "-o", "x", ".")
    first = resolve(plain, go_command())
    (app / "own.pprof").write_bytes(profile([("main.main", "example.com/app/lib.Name", 1)]))
    (app / "std.pprof").write_bytes(profile([("example.com/app/lib.Name", "strings.ToLower", 0)]))
    before = compiled()
    own = request(app, (ACTIVE, RT), "build", "-work", "-pgo=own.pprof", "-o", "x", ".")
    assert private(resolve(own, go_command())) == private(first) and compiled() == before
    std = request(app, (ACTIVE, RT), "build", "-work", "-pgo=std.pprof", "-o", "x", ".")
    differ = {name for name in std.link if name in plain.link and fingerprint(std.link[name]) != fingerprint(plain.link[name])}
    assert "strings" in differ and "strconv" not in differ
    found = resolve(std, go_command())
    assert disagreements(std, found) == []
    changed = {name for name, path in private(found).items() if path != private(first)[name]}
    importers = {name for name, path in private(first).items() if differ & dict(Archive.read(path).go_object()[1].autolib).keys()}
    assert importers and importers <= changed < private(first).keys()
    before = compiled()
    again = request(app, (ACTIVE, RT), "build", "-work", "-a", "-pgo=std.pprof", "-o", "x", ".")
    assert private(resolve(again, go_command())) == private(found) and compiled() == before


def test_importers_of_what_changed_inside_are_kept(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with other code and the same export data has the same importers."""
    names = ("low", "high")
    packages = {name: {"ImportPath": f"m.com/{name}", "Dir": str(app / name), "GoFiles": ["x.go"], "Imports": []} for name in names}
    packages["high"]["Imports"] = ["m.com/low"]
    by_path = {package["ImportPath"]: package for package in packages.values()}
    write(app, {"low/x.go": "package low\n\n//go:noinline\nfunc F() int { return 1 }\n", "high/x.go": 'package high\n\nimport "m.com/low"\n\nfunc F() int { return low.F() }\n'})
    asked: list[str] = []
    run = Go.tool
    monkeypatch.setattr(Go, "tool", lambda self, name, args, cwd: (asked.append(cwd.name), run(self, name, args, cwd)))

    def build() -> dict[str, Path]:
        asked.clear()
        header = peek(exports(GO, "amd64", "sort")["sort"]).line
        batch = Batch(Compiler(go_command(), header, {"-trimpath": "true"}, lambda _: []), by_path, {})
        assert set(batch.missing()) <= by_path.keys()
        return {name: batch.archive(f"m.com/{name}") for name in names}

    first = build()
    assert asked == ["low", "high"]
    assert build() == first and asked == []
    (app / "low/x.go").write_text("package low\n\n//go:noinline\nfunc F() int { return 2 }\n")
    second = build()
    assert asked == ["low"] and second["high"] == first["high"] and second["low"] != first["low"]
    (app / "low/x.go").write_text("package low\n\nfunc F() int { return 2 }\n")
    third = build()
    assert asked == ["low", "high"] and third["high"] != first["high"]


def test_archives_are_the_same_on_every_machine(app: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = request(app, (ACTIVE, RT), "build", "-work", "-o", "x", ".")
    first = resolve(wanted, go_command())
    elsewhere = app.parent / "elsewhere" / "deep"
    shutil.copytree(shared / "sources", elsewhere / "sources")
    elsewhere.chmod(0o700)
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(elsewhere))
    second = resolve(wanted, go_command())
    assert private(first).keys() == private(second).keys()
    for name, path in first.archives.items():
        if name.startswith((PRIVATE, "github.com/")):
            data = second.archives[name].read_bytes()
            assert second.archives[name].is_relative_to(elsewhere) and data == path.read_bytes(), name
            assert os.fsencode(elsewhere) not in data and os.fsencode(shared) not in data, f"{name} tells of this machine"


def test_test_variants_are_compiled_for(app: Path) -> None:
    """Coverage of everything recompiles the standard library: the zone follows, and only then."""
    plain = resolve(request(app, (ACTIVE, RT), "build", "-work", "-o", "x", "."), go_command())
    test = request(app, (ACTIVE, RT), "test", "-c", "-work", "-o", "x", "./lib")
    assert private(resolve(test, go_command())) == private(plain)
    covered = request(app, (ACTIVE, RT), "test", "-c", "-cover", "-coverpkg=strings,./lib", "-work", "-o", "x", "./lib")
    found = resolve(covered, go_command())
    assert disagreements(covered, found) == []
    assert private(found)[f"{PRIVATE}{API}/attribute"] != private(plain)[f"{PRIVATE}{API}/attribute"]


def test_flags_of_the_link_reach_the_zone_and_tags_do_not(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = resolve(request(app, (ACTIVE, RT), "build", "-work", "-o", "x", "."), go_command())
    tagged = resolve(request(app, (ACTIVE, RT), "build", "-work", "-tags=purego,appengine", "-o", "x", "."), go_command())
    assert private(tagged) == private(plain)
    asked: list[list[str]] = []
    run = Go.tool
    monkeypatch.setattr(Go, "tool", lambda self, name, args, cwd: (asked.append([name, *args]), run(self, name, args, cwd)))
    monkeypatch.setattr(zone, "in_order", lambda needs, work, done: [work(name) for name in needs])
    pie = request(app, (ACTIVE, RT), "build", "-work", "-buildmode=pie", "-o", "x", ".")
    found = resolve(pie, go_command())
    assert private(found) != private(plain) and disagreements(pie, found) == []
    assert asked and all("-shared" in words for words in asked if words[0] == "compile") and any("-trimpath" in words for words in asked)


# hook packages of the user's own


@pytest.mark.parametrize("module", ["example.com/app", "app"])
def test_hooks_of_the_users_own_share_the_private_api(app: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their module requires another version of the API, which is not looked at: there is no such module. Its path may have no dot."""
    write(app, {name: text.replace("example.com/app", module) for name, text in APP.items()})
    (app / "go.mod").write_text(f"module {module}\n\ngo 1.22\n\nrequire go.opentelemetry.io/otel/trace v1.0.99\n")
    monkeypatch.setenv("GOPROXY", "off")
    wanted = request(app, (f"{module}/hooks", RT), "build", "-mod=mod", "-work", "-o", "x", ".")
    found = resolve(wanted, go_command())
    assert disagreements(wanted, found) == []
    hooks = found.archives[f"{module}/hooks"]
    imports = dict(Archive.read(hooks).go_object()[1].autolib)
    assert {f"{PRIVATE}{API}/trace", ACTIVE, f"{module}/lib"} <= imports.keys() and f"{API}/trace" not in found.archives
    assert peek(hooks).line == wanted.header
    (app / "hooks/hooks.go").write_text((app / "hooks/hooks.go").read_text().replace("lib.Name()", "lib.Name() + 1"))
    with pytest.raises(OtelobjError, match=r"hooks\.go:11"):
        resolve(wanted, go_command())


def test_only_the_sources_that_changed_are_compiled(app: Path) -> None:
    """A key is that of sources and fingerprints of imports, not of where they lie."""
    compiler = Compiler(go_command(), "header", {"-trimpath": "true"}, lambda _: [])
    (app / "a").mkdir()
    (app / "b").mkdir()
    for folder in ("a", "b"):
        (app / folder / "x.go").write_text("package x\n")
    package = {"ImportPath": f"{PRIVATE}m.com/x", "Place": "m.com/x", "Imports": ["m.com/y"], "ImportMap": {"m.com/y": f"{PRIVATE}m.com/y"}, "GoFiles": ["x.go"]}
    archives = exports(GO, "amd64", "sort", "strings")
    one, two = archives["sort"], archives["strings"]
    key = compiler.key({**package, "Dir": str(app / "a")}, {f"{PRIVATE}m.com/y": one})
    assert key == compiler.key({**package, "Dir": str(app / "b")}, {f"{PRIVATE}m.com/y": one})
    assert key == compiler.key({**package, "Dir": str(app / "b")}, {f"{PRIVATE}m.com/y": of_other_content(one, app)})
    assert key != compiler.key({**package, "Dir": str(app / "b")}, {f"{PRIVATE}m.com/y": two})
    assert key != compiler.key({**package, "Dir": str(app / "b"), "ImportMap": {}}, {"m.com/y": one})
    (app / "b" / "x.go").write_text("package x \n")
    assert key != compiler.key({**package, "Dir": str(app / "b")}, {f"{PRIVATE}m.com/y": one})
