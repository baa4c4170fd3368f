"""Every function of net/http, and in long mode of everything below it: types, spill code and FuncInfo.Args agree."""

from __future__ import annotations

import collections
import re

import pytest
from objinst.goobj import Object
from objinst.types import GoType, NoSignature, Signature, TypeTable, Unknown, assign, resolve
from objinst.signatures.agree import agree
from objinst.signatures.methods import method_signature
from objinst.signatures.dwarf import signature
from places import TESTBINS
from types_build import Build, evidence
from toolchains import versions

NEWEST = "1.26"
MODULE = TESTBINS / "abi"
KNOWN = re.compile(r"^go\.shape\.|-range\d+$|\[go\.shape\..*\]\.func\d+$")
"""Functions whose parameters DWARF does not tell in full. agree() refuses them: methods that were promoted through a shape,
bodies of range-over-func loops with unnamed parameters, closures called where they stand that take the dictionary."""


def judge(built: Build, obj: Object, index: int) -> str:
    """One word, or what disagrees."""
    if obj.sym(index).abi != 1:
        return "not ABIInternal"
    found = signature(obj, index)
    if isinstance(found, NoSignature):
        return "no code" if not obj.sym(index).size else found.reason
    typed = resolve(found, built.table, obj)
    if isinstance(typed, Unknown):
        return typed.reason
    layout = assign(built.goarch, typed.params, typed.results)
    return agree(layout, evidence(built.goarch, obj, index)) or "agrees"


def judge_all(built: Build, packages: list[str]) -> tuple[collections.Counter[str], list[tuple[str, str]]]:
    counts: collections.Counter[str] = collections.Counter()
    wrong = []
    for package in packages:
        obj = built.object(package)
        for index in obj.text_symbols():
            word = judge(built, obj, index)
            counts[word if word in {"agrees", "no code", "not ABIInternal"} else "wrong"] += 1
            if word not in {"agrees", "no code", "not ABIInternal"} and not KNOWN.search(obj.sym(index).name):
                wrong.append((obj.sym(index).name, word))
    return counts, wrong


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("version", [pytest.param(v, marks=[] if v == NEWEST else [pytest.mark.long]) for v in versions()])
def test_net_http(version: str, goarch: str) -> None:
    counts, wrong = judge_all(Build(version, goarch, MODULE, "net/http"), ["net/http"])
    assert wrong == []
    assert counts["agrees"] > 1300
    assert counts["wrong"] == 0
    assert counts["no code"] < 20


@pytest.mark.long
@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("version", versions())
def test_everything_below_net_http(version: str, goarch: str) -> None:
    built = Build(version, goarch, MODULE, "net/http")
    counts, wrong = judge_all(built, list(built.paths))
    assert wrong == []
    assert counts["agrees"] > 12000
    assert counts["wrong"] < counts["agrees"] // 200


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("version", [pytest.param(v, marks=[] if v == NEWEST else [pytest.mark.long]) for v in versions()])
def test_method_tables_say_what_dwarf_says(version: str, goarch: str) -> None:
    """Two sources that know nothing of each other, for every method in a method table."""
    built = Build(version, goarch, MODULE, "net/http")
    obj = built.object("net/http")
    compared = unexported = 0
    for index in obj.text_symbols():
        told, read = method_signature(obj, index, built.table.name_of), signature(obj, index)
        if isinstance(told, Signature) and isinstance(read, Signature):
            name = obj.sym(index).name
            for side in ("params", "results"):
                assert [param.type for param in getattr(told, side)] == [param.type for param in getattr(read, side)], name
            compared += 1
            unexported += name.rpartition(".")[2][0].islower()
    assert compared > 700
    assert unexported > 300


@pytest.mark.parametrize("version", [pytest.param(v, marks=[] if v == NEWEST else [pytest.mark.long]) for v in versions()])
def test_structs_are_laid_out_from_their_names(version: str) -> None:
    """Every unnamed struct with a descriptor, laid out again without it."""
    built = Build(version, "amd64", MODULE, "net/http")
    bare = TypeTable(lambda path: None)
    compared = 0
    for package in built.paths:
        obj = built.object(package)
        for symbol in obj.names():
            name = symbol.removeprefix("type:")
            index = obj.find(symbol) if symbol.startswith("type:struct {") else None
            if index is None or not obj.sym(index).size:
                continue
            real, spelled = built.table.resolve(name, obj), WithoutStructs(built).resolve(name, obj)
            assert real == spelled or isinstance(real, Unknown), name
            compared += isinstance(real, GoType)
    assert compared > 80
    assert isinstance(bare.resolve("struct { a int8; b *p.T; c struct {} }"), GoType)


class WithoutStructs(TypeTable):
    """Finds no descriptor of an unnamed struct."""

    def __init__(self, built: Build) -> None:
        super().__init__(built.load, tuple(built.paths))

    def descriptor(self, name: str, near: Object | None = None) -> tuple[Object, int] | None:
        return None if name.startswith("struct {") else super().descriptor(name, near)
