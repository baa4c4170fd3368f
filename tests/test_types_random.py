"""objinst.types against the compiler: random signatures, and what the object says of them in other places.

Oracles: FuncInfo.Args, the code before morestack, the stack map at entry, FUNCDATA_ArgInfo (offsets and sizes of all
parameters for tracebacks), constants of unsafe.Sizeof, and for results the parameters of a mirror function.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path

import pytest
import types_random
from objinst.goobj import Object
from objinst.types import FuncABI, Signature, Typed, agree, assign, resolve, signature
from objinst.types.arginfo import arg_info as arg_info_of
from types_build import Build, evidence, funcdata, spill_scan
from toolchains import versions

NEWEST = "1.26"
CASES = [
    pytest.param(version, goarch, seed, count, marks=[pytest.mark.long] if long else [])
    for version, goarch, seed, count, long in [
        (NEWEST, "amd64", 1, 150, False),
        (NEWEST, "arm64", 2, 150, False),
        *((version, goarch, 100 + n, 600, True) for n, version in enumerate(versions()) for goarch in ("amd64", "arm64")),
    ]
]
each_case = pytest.mark.parametrize(("version", "goarch", "seed", "count"), CASES)


@lru_cache(maxsize=None)
def build(version: str, goarch: str, seed: int, count: int, folder: Path) -> tuple[types_random.Package, Build, Object]:
    made = types_random.write(folder / f"{version}-{goarch}-{seed}", seed, count)
    built = Build(version, goarch, made.folder, "./p")
    return made, built, built.object("rnd/p")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


def layout(built: Build, obj: Object, symbol: str) -> tuple[int, Typed, FuncABI]:
    index = obj.find(symbol, 1)
    assert index is not None, symbol
    found = signature(obj, index)
    assert isinstance(found, Signature), found
    typed = resolve(found, built.table, obj)
    assert isinstance(typed, Typed), typed
    return index, typed, assign(built.goarch, typed.params, typed.results)


@each_case
def test_signature_is_the_source(version: str, goarch: str, seed: int, count: int, folder: Path) -> None:
    made, built, obj = build(version, goarch, seed, count, folder)
    for function in made.functions:
        index = obj.find(function.symbol, 1)
        assert index is not None, function.symbol
        found = signature(obj, index)
        assert isinstance(found, Signature), found
        for expected, got in ((function.params, found.params), (function.results, found.results)):
            assert [name for name, _ in expected] == [param.name for param in got], function.symbol
            for (_, link), param in zip(expected, got, strict=True):
                cut = link.find(types_random.STRUCT) + len(types_random.STRUCT) if types_random.STRUCT in link else None
                assert param.type[:cut] == link[:cut], function.symbol
    assert built.goarch == goarch


@each_case
def test_layout_agrees_with_the_compiler(version: str, goarch: str, seed: int, count: int, folder: Path) -> None:
    made, built, obj = build(version, goarch, seed, count, folder)
    scan = spill_scan(goarch)
    spilled = 0
    for function in made.functions:
        index, _, abi = layout(built, obj, function.symbol)
        spills = scan(obj, index)
        assert agree(abi, evidence(goarch, obj, index)) is None, function.symbol
        spilled += bool(spills.pieces and spills.refusal is None)
        arg_info = funcdata(obj, index, "FUNCDATA_ArgInfo")
        if abi.params:
            assert arg_info == arg_info_of(function.symbol, abi.params), function.symbol
    assert spilled > count // 3


@each_case
def test_results_are_placed_like_the_parameters_of_a_mirror(version: str, goarch: str, seed: int, count: int, folder: Path) -> None:
    made, built, obj = build(version, goarch, seed, count, folder)
    scan = spill_scan(goarch)
    compared = 0
    for function in made.functions:
        _, _, abi = layout(built, obj, function.symbol)
        index, _, mirror = layout(built, obj, function.mirror)
        spills = scan(obj, index)
        assert agree(mirror, evidence(goarch, obj, index)) is None, function.mirror
        base = abi.stack_results[0][0] if abi.stack_results else 0
        assert abi.results_size == mirror.spill_size
        assert sum(size for _, size in abi.stack_results) == mirror.stack_args_size
        for result, param in zip(abi.results, mirror.params, strict=True):
            assert result.in_args == (not param.pieces)
            assert result.offset == param.offset + (base if result.in_args else -mirror.spill_offset) or not result.type.size
        if spills.pieces and spills.refusal is None:
            compared += 1
            decoded = {(p.reg, p.index, p.size, p.offset - mirror.spill_offset) for p in spills.pieces}
            assert decoded == {(p.reg, p.index, p.size, p.offset) for p in abi.result_pieces}, function.symbol
        assert abi.results_map == mirror.args_map[mirror.spill_offset // 8 :], function.symbol
    assert compared > count // 3


@each_case
def test_sizes(version: str, goarch: str, seed: int, count: int, folder: Path) -> None:
    made, built, obj = build(version, goarch, seed, count, folder)
    index = obj.find("rnd/p.Sizes")
    assert index is not None
    sizes = list(struct.iter_unpack("<QQ", obj.data(index)))
    assert len(sizes) == len(made.sizes)
    checked = {}
    for function in made.functions:
        _, typed, _ = layout(built, obj, function.symbol)
        for param, kind in zip((*typed.signature.params, *typed.signature.results), (*typed.params, *typed.results), strict=True):
            checked[param.type] = kind
            assert len(kind.ptr_words) == (kind.size + 7) // 8
    for i, source in enumerate(made.sizes):
        index = obj.find(f"rnd/p.V{i}")
        assert index is not None, source
        aux = obj.aux_symbols(index, "AuxGotype")
        name = built.table.name_of(obj, aux[0]).removeprefix("type:func(").removesuffix(")")
        assert (checked[name].size, checked[name].align) == sizes[i], source
