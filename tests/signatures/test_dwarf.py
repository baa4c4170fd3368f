"""Signatures and layouts of a package whose source is known, in every Go version's DWARF."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from objinst.goobj.archive import Archive
from objinst.errors import OtelobjError
from objinst.goobj import Object
from objinst.types import GoType, NoSignature, Signature, TypeTable, Unknown, assign, interface_methods, resolve
from objinst.signatures.agree import agree
from objinst.signatures.dwarf import signature
from places import TESTBINS
from types_build import Build, evidence
from toolchains import newest, telemetry, versions

ABI = TESTBINS / "abi"
PATH = "example.com/abi/x.y"
P = "example.com/abi/x%2ey"
NEWEST = "1.26"
SOME = [pytest.param(v, a, marks=[] if v in {telemetry(), NEWEST, newest()} else [pytest.mark.long]) for v in versions() for a in ("amd64", "arm64")]
each_build = pytest.mark.parametrize(("version", "goarch"), SOME)


@lru_cache(maxsize=None)
def abi(version: str = NEWEST, goarch: str = "amd64", flags: tuple[str, ...] = ()) -> Build:
    return Build(version, goarch, ABI, "./...", flags)


def named(obj: Object, symbol: str) -> Signature | NoSignature:
    index = obj.find(symbol, 1)
    assert index is not None, symbol
    return signature(obj, index)


def text(found: Signature | NoSignature) -> tuple[list[str], list[str]]:
    assert isinstance(found, Signature), found
    return [f"{p.name} {p.type}" for p in found.params], [f"{p.name} {p.type}" for p in found.results]


def known(built: Build, name: str) -> GoType:
    found = built.table.resolve(name)
    assert isinstance(found, GoType), found
    return found


@each_build
def test_signatures(version: str, goarch: str) -> None:
    obj = abi(version, goarch).object(PATH)
    assert text(named(obj, f"{P}.Inlined")) == (
        ["~p0 int8", "a string", "~p2 bool", f"b *{P}.Loop"],
        ["~r0 error", "n int", "~r2 []uint8"],
    )
    assert text(named(obj, f"{P}.Twice")) == (["x int", "y []uint8"], ["n int", "err error"])
    assert text(named(obj, f"{P}.None")) == ([], [])
    assert text(named(obj, f"{P}.Desc.Value")) == (
        [f"d {P}.Desc", f"c {P}.Context", "~p2 struct {}", f"l {P}.Loop"],
        [f"~r0 *{P}.Desc", f"~r1 [1]{P}.Loop"],
    )


@each_build
def test_dictionaries(version: str, goarch: str) -> None:
    built = abi(version, goarch)
    obj = built.object(PATH)
    for shape in ("int,go.shape.string", "*uint8,go.shape.float32"):
        params, results = text(named(obj, f"{P}.(*Pair[go.shape.{shape}]).Get"))
        assert [p.split()[0] for p in params] == ["p", ".dict", "n", "~p3"]
        assert results == [f"~r0 go.shape.{shape.split(',')[0]}", "~r1 error"]
    params, _ = text(named(obj, f"{P}.Each[go.shape.int8]"))
    assert [p.split()[0] for p in params] == [".dict", "items", "f"]
    checked = 0
    for index in obj.text_symbols():
        found = signature(obj, index)
        if isinstance(found, Signature) and obj.sym(index).abi == 1:
            typed = resolve(found, built.table, obj)
            assert not isinstance(typed, Unknown), typed
            layout = assign(goarch, typed.params, typed.results)
            assert agree(layout, evidence(goarch, obj, index)) is None, obj.sym(index).name
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("version", [NEWEST, telemetry()])
def test_without_dwarf_there_is_no_signature(version: str) -> None:
    obj = abi(version, flags=("-gcflags=-dwarf=false",)).object(PATH)
    for symbol in (f"{P}.Inlined", f"{P}.None", f"{P}.Each[go.shape.int8]"):
        found = named(obj, symbol)
        assert isinstance(found, NoSignature)
        assert "-dwarf=false" in found.reason


def test_without_optimization() -> None:
    obj = abi(flags=("-gcflags=-N -l",)).object(PATH)
    assert text(named(obj, f"{P}.Inlined"))[0] == ["~p0 int8", "a string", "~p2 bool", f"b *{P}.Loop"]
    assert text(named(obj, f"{P}.Each[go.shape.int8]"))[0][0].startswith(".dict ")


def test_interface_methods_are_in_itab_order() -> None:
    methods = interface_methods(known(abi(), f"{P}.Context"))
    assert [(m.name, m.package, m.type) for m in methods] == [
        ("GetData", "", "func() interface {}"),
        ("SetData", "", "func(interface {})"),
        ("abc", PATH, "func(int) string"),
        ("zed", PATH, "func()"),
    ]
    with pytest.raises(ValueError, match="not an interface"):
        interface_methods(known(abi(), f"{P}.Desc"))


def test_layouts() -> None:
    built = abi()
    desc = known(built, f"{P}.Desc")
    assert [(f.name, f.offset) for f in desc.fields][:7] == [
        ("On", 0), ("Small", 4), ("Name", 8), ("Items", 24), ("Next", 48), ("Nums", 56), ("Inner", 64),
    ]  # fmt: skip
    assert desc.size == 112
    assert [i for i, pointer in enumerate(desc.ptr_words) if pointer] == [1, 3, 6, 11, 13]
    assert not known(built, f"{P}.Loop").flat
    assert known(built, f"[4]{P}.Loop").ptr_words == known(built, f"{P}.Loop").ptr_words * 4
    assert known(built, "[3]uint16").flat
    assert known(built, f"{P}.Pair[int,string]").fields[1].offset == 8


def test_unknown_types_have_reasons() -> None:
    table = abi().table
    for name in ("no/such/package.T", "struct { A int; b no.T }", "[2]no/such/package.T", "rubbish", "[4", "map[int"):
        found = table.resolve(name)
        assert isinstance(found, Unknown)
        assert found.reason


def test_only_what_is_needed_is_loaded() -> None:
    built = Build(NEWEST, "amd64", ABI, "net/http")
    assert known(built, "*net/http.Request").size == 8
    assert known(built, "[]map[string]int").size == 24
    assert built.loaded == ["net/http"]
    assert known(built, "net/http.Request").field("Body").type.name == "io.ReadCloser"
    assert 1 < len(built.loaded) < 20


def test_what_is_nowhere_is_searched_for_once() -> None:
    """Every mention of it would cost a search of the whole link; an object that has it is still found."""
    built = abi()
    asked: list[str] = []

    def load(package: str) -> Object | None:
        asked.append(package)
        return None if package == PATH else built.load(package)

    table = TypeTable(load, tuple(built.paths))
    name, defines = f"*{P}.Loop", built.object(PATH)
    mentions = Build(NEWEST, "amd64", ABI, "errors").object("errors")
    assert [table.descriptor(name, mentions) for _ in range(3)] == [None] * 3
    assert asked == [PATH]
    found = table.descriptor(name, defines)
    assert found is not None and found[0] is defines
    assert table.descriptor(name) == found


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damage_is_an_otelobj_error(data: st.DataObject) -> None:
    """Flipped bytes in DWARF and type descriptors: an answer or an OtelobjError."""
    raw = bytearray(Archive.read(Path(abi().paths[PATH])).go_object()[1].raw)
    clean = abi().object(PATH)
    start = clean.base + clean.offsets[14]
    for _ in range(data.draw(st.integers(1, 40))):
        raw[data.draw(st.integers(start, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        obj = Object.parse(bytes(raw), "damaged")
        table = TypeTable(lambda path: obj if path == PATH else None)
        for index in obj.text_symbols():
            found = signature(obj, index)
            typed = resolve(found, table, obj) if isinstance(found, Signature) else Unknown("", "")
            if not isinstance(typed, Unknown):
                assign("amd64", typed.params, typed.results)
        table.resolve(f"{P}.Desc", obj)
    except OtelobjError:
        return
    assert dataclasses.is_dataclass(found)
