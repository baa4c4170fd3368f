"""objinst.types against the compiler: random signatures, and what the object says of them in other places.

The choices are those of seeds, or of hypothesis, which shrinks what it finds: a few programs by default, $OTELOBJ_TYPES_EXAMPLES of them
in a long run.

Oracles: FuncInfo.Args, the code before morestack, the stack map at entry, FUNCDATA_ArgInfo (offsets and sizes of all
parameters for tracebacks), constants of unsafe.Sizeof, and for results the parameters of a mirror function.
"""

from __future__ import annotations

import os
import random
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest
import types_random
from hypothesis import HealthCheck, given, settings, strategies
from objinst.goobj import Object
from objinst.types import FuncABI, Signature, Typed, assign, resolve
from objinst.signatures.agree import agree
from objinst.signatures.dwarf import signature
from objinst.signatures.arginfo import arg_info as arg_info_of
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
EXAMPLES = int(os.environ.get("OTELOBJ_TYPES_EXAMPLES", "100"))


@dataclass(frozen=True)
class Case:
    """A package of random functions and what the compiler made of it."""

    made: types_random.Package
    built: Build
    obj: Object

    @staticmethod
    def build(version: str, goarch: str, folder: Path, rng: random.Random, count: int, named: int = 24) -> Case:
        made = types_random.write(folder, rng, count, named)
        built = Build(version, goarch, made.folder, "./p")
        return Case(made, built, built.object("rnd/p"))

    def layout(self, symbol: str) -> tuple[int, Typed, FuncABI]:
        index = self.obj.find(symbol, 1)
        assert index is not None, symbol
        found = signature(self.obj, index)
        assert isinstance(found, Signature), found
        typed = resolve(found, self.built.table, self.obj)
        assert isinstance(typed, Typed), typed
        return index, typed, assign(self.built.goarch, typed.params, typed.results)


@lru_cache(maxsize=None)
def seeded(version: str, goarch: str, seed: int, count: int, folder: Path) -> Case:
    return Case.build(version, goarch, folder / f"{version}-{goarch}-{seed}", random.Random(seed), count)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


# checks: each returns how many functions, or types, it could compare


def signature_is_the_source(case: Case) -> int:
    for function in case.made.functions:
        index = case.obj.find(function.symbol, 1)
        assert index is not None, function.symbol
        found = signature(case.obj, index)
        assert isinstance(found, Signature), found
        for expected, got in ((function.params, found.params), (function.results, found.results)):
            assert [name for name, _ in expected] == [param.name for param in got], function.symbol
            for (_, link), param in zip(expected, got, strict=True):
                cut = link.find(types_random.STRUCT) + len(types_random.STRUCT) if types_random.STRUCT in link else None
                assert param.type[:cut] == link[:cut], function.symbol
    return len(case.made.functions)


def layout_agrees_with_the_compiler(case: Case) -> int:
    obj, goarch = case.obj, case.built.goarch
    scan = spill_scan(goarch)
    spilled = 0
    for function in case.made.functions:
        index, _, abi = case.layout(function.symbol)
        spills = scan(obj, index)
        assert agree(abi, evidence(goarch, obj, index)) is None, function.symbol
        spilled += bool(spills.pieces and spills.refusal is None)
        arg_info = funcdata(obj, index, "FUNCDATA_ArgInfo")
        if abi.params:
            assert arg_info == arg_info_of(function.symbol, abi.params), function.symbol
    return spilled


def results_are_placed_like_the_parameters_of_a_mirror(case: Case) -> int:
    obj, goarch = case.obj, case.built.goarch
    scan = spill_scan(goarch)
    compared = 0
    for function in case.made.functions:
        _, _, abi = case.layout(function.symbol)
        index, _, mirror = case.layout(function.mirror)
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
    return compared


def sizes(case: Case) -> int:
    obj, built = case.obj, case.built
    index = obj.find("rnd/p.Sizes")
    assert index is not None
    measured = list(struct.iter_unpack("<QQ", obj.data(index)))
    assert len(measured) == len(case.made.sizes)
    checked = {}
    for function in case.made.functions:
        _, typed, _ = case.layout(function.symbol)
        for param, kind in zip((*typed.signature.params, *typed.signature.results), (*typed.params, *typed.results), strict=True):
            checked[param.type] = kind
            assert len(kind.ptr_words) == (kind.size + 7) // 8
    for i, source in enumerate(case.made.sizes):
        index = obj.find(f"rnd/p.V{i}")
        assert index is not None, source
        aux = obj.aux_symbols(index, "AuxGotype")
        name = built.table.name_of(obj, aux[0]).removeprefix("type:func(").removesuffix(")")
        assert (checked[name].size, checked[name].align) == measured[i], source
    return len(measured)


CHECKS = [signature_is_the_source, layout_agrees_with_the_compiler, results_are_placed_like_the_parameters_of_a_mirror, sizes]


@each_case
@pytest.mark.parametrize("check", CHECKS)
def test_random_functions(check: Callable[[Case], int], version: str, goarch: str, seed: int, count: int, folder: Path) -> None:
    assert check(seeded(version, goarch, seed, count, folder)) > count // 3


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("examples", [5, pytest.param(EXAMPLES, marks=pytest.mark.long)])
def test_functions_found_by_hypothesis(examples: int, goarch: str) -> None:
    """Smaller packages, chosen by hypothesis, which shrinks what it finds."""

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategies.randoms(use_true_random=False))
    def look(rng: random.Random) -> None:
        with tempfile.TemporaryDirectory() as folder:
            case = Case.build(NEWEST, goarch, Path(folder) / "rnd", rng, 6, 4)
            for check in CHECKS:
                check(case)

    look()
