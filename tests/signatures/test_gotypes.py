"""objinst.signatures.gotypes against DWARF: what export data and source say of a function is what the compiler said of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from places import TESTBINS
import types_random
from objinst.gobuild.gocmd import Go
from objinst.errors import OtelobjError
from objinst.goobj import Object
from objinst.signatures.gotypes import GoTypes
from objinst.signatures.find import Signatures
from objinst.types import NoSignature, Signature
from objinst.signatures.dwarf import signature
from types_build import Build
from toolchains import goroot, telemetry, versions

MODULE = TESTBINS / "abi"
NEWEST = "1.26"
each_version = pytest.mark.parametrize("version", [pytest.param(v, marks=[] if v in {telemetry(), NEWEST} else [pytest.mark.long]) for v in versions()])


@pytest.fixture(autouse=True, scope="module")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def helper(built: Build, version: str, *, has_sources: bool = True) -> GoTypes:
    go = Go(goroot(version), {"GOOS": "linux", "GOARCH": built.goarch})
    return GoTypes(go, "linux", built.goarch, {name: Path(path) for name, path in built.paths.items()}, (), has_sources)


def compare(told: Mapping[str, Signature], obj: Object, *, names: bool) -> int:
    """How many functions were compared."""
    compared = 0
    for symbol, mine in told.items():
        index = obj.find(symbol, 1)
        read = None if index is None else signature(obj, index)
        if isinstance(read, Signature):
            for side in ("params",) if read.incomplete else ("params", "results"):
                pairs = [[(param.name if names else "", param.type) for param in getattr(which, side)] for which in (mine, read)]
                assert pairs[0] == pairs[1], symbol
            compared += 1
    return compared


@each_version
def test_net_http(version: str) -> None:
    built = Build(version, "amd64", MODULE, "net/http")
    obj = built.object("net/http")
    reader = helper(built, version)
    exported = reader.exported("net/http")
    assert not isinstance(exported, NoSignature), exported
    assert compare(exported, obj, names=True) > 300
    folder = goroot(version) / "src/net/http"
    written = reader.written("net/http", (str(folder / "server.go"),))
    assert not isinstance(written, NoSignature), written
    assert compare(written, obj, names=True) > 900
    assert {**written, **exported} == {**exported, **written}


@each_version
def test_random_types(version: str, tmp_path: Path) -> None:
    made = types_random.write(tmp_path / "random", random.Random(77), 150)
    built = Build(version, "arm64", made.folder, "./p")
    obj = built.object("rnd/p")
    written = helper(built, version).written("rnd/p", (str(made.folder / "p/p.go"),))
    exported = helper(built, version).exported("rnd/p")
    assert not isinstance(written, NoSignature), written
    assert not isinstance(exported, NoSignature), exported
    assert compare(written, obj, names=True) > 290
    assert compare(exported, obj, names=True) > 290


def test_instances_of_generic_functions() -> None:
    built = Build(NEWEST, "amd64", MODULE, "./...")
    path = "example.com/abi/x.y"
    with_dwarf, without = built.object(path), Build(NEWEST, "amd64", MODULE, "./...", ("-gcflags=-dwarf=false",)).object(path)
    source = Signatures(built.table, helper(built, NEWEST))
    compared = 0
    for index in without.text_symbols():
        name = without.sym(index).name
        told = source.of(without, index)
        place = with_dwarf.find(name, 1)
        if "[" in name and isinstance(told, Signature) and place is not None:
            read = signature(with_dwarf, place)
            assert isinstance(read, Signature)
            assert [p.type for p in told.params] == [p.type for p in read.params], name
            assert [p.type for p in told.results] == [p.type for p in read.results], name
            compared += any(param.hidden for param in told.params)
    assert compared == 3


def test_what_is_not_known_has_a_reason() -> None:
    built = Build(NEWEST, "amd64", MODULE, "./...")
    reader = helper(built, NEWEST, has_sources=False)
    assert "not in the link" in reader.exported("no/such/package").reason
    assert "nothing says" in reader.written("example.com/abi/x.y", ("/nowhere/a.go",)).reason
    reader = helper(built, NEWEST)
    assert "/nowhere" in reader.written("example.com/abi/x.y", ("/nowhere/a.go",)).reason


def test_places_of_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMODCACHE", "/cache")
    reader = GoTypes(Go(Path("/goroot"), {}), "linux", "amd64", {}, modules={"a.test/m": tmp_path, "a.test/m/sub": tmp_path / "other"})
    assert reader.place("/abs/x.go") == Path("/abs/x.go")
    assert reader.place("$GOROOT/src/fmt/print.go") == reader.place("fmt/print.go") == Path("/goroot/src/fmt/print.go")
    assert reader.place("a.test/m/p/x.go") == tmp_path / "p/x.go"
    assert reader.place("a.test/m/sub/x.go") == tmp_path / "other/x.go"
    assert reader.place("github.com/BurntSushi/toml@v1.2.3/parse.go") == Path("/cache/github.com/!burnt!sushi/toml@v1.2.3/parse.go")


def test_a_toolchain_that_cannot_build_the_reader_is_an_error(tmp_path: Path) -> None:
    """No refusal: those are remembered with the archive."""
    built = Build(NEWEST, "amd64", MODULE, "./...")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/go").write_text("#!/bin/sh\necho no space left on device >&2\nexit 1\n")
    (tmp_path / "bin/go").chmod(0o755)
    reader = GoTypes(Go(tmp_path, {}), "linux", "amd64", {name: Path(path) for name, path in built.paths.items()})
    with pytest.raises(OtelobjError, match="no space left on device"):
        reader.exported("example.com/abi/x.y")


def test_a_package_that_does_not_type_check_tells_nothing(tmp_path: Path) -> None:
    built = Build(NEWEST, "amd64", MODULE, "./...")
    (tmp_path / "a.go").write_text("package a\n\nfunc F(x Missing) {}\n")
    answer = helper(built, NEWEST).written("a", (str(tmp_path / "a.go"),))
    assert isinstance(answer, NoSignature)
    assert "undefined: Missing" in answer.reason


@pytest.mark.long
@pytest.mark.parametrize("version", versions())
def test_the_standard_library(version: str) -> None:
    """Every function of every package that names no types of cgo or of other systems."""
    built = Build(version, "amd64", MODULE, "std")
    reader = helper(built, version)
    compared = 0
    for package in built.paths:
        obj = built.object(package)
        here = tuple(name for name in (name.removeprefix("gofile..") for name in obj.files) if name.rpartition("/")[0] == f"$GOROOT/src/{package}")
        written = reader.written(package, here) if here else NoSignature("")
        assert not isinstance(written, NoSignature) or not here, (package, written)
        if not isinstance(written, NoSignature):
            compared += compare(written, obj, names=False)
    assert compared > 15000
