"""Whether a function can have a counter: almost any can, since its stub calls nothing, needs no stack and knows no types.

What is left out is what the symbol swap itself cannot do: assembly (its callers may have conventions of their own, and on arm64
the stub changes R16, R17 and R27), FIPS text (its checksum covers the code), functions without code.
"""

from __future__ import annotations

from dataclasses import dataclass

from objinst.goobj import FuncInfo, Object, pctab
from objinst.plan.model import Refusal

ABI_INTERNAL = 1


@dataclass(frozen=True, slots=True)
class CountPlan:
    """A function that gets a counter. info: without its inlined calls; file: index in the object's file table; line: of its first
    instruction."""

    index: int
    symbol: str
    info: FuncInfo
    file: int
    line: int


def judge_count(obj: Object, index: int) -> CountPlan | Refusal:
    """Raises ObjectError if the object's tables do not make sense."""
    sym = obj.sym(index)
    if sym.kind == obj.tables.kinds.get("STEXTFIPS"):
        return Refusal("fips", "it is part of the FIPS module, whose checksum covers the code")
    if sym.abi != ABI_INTERNAL:
        return Refusal("assembly", "it is written in assembly or only a wrapper for it")
    if not sym.size:
        return Refusal("empty", "the compiler left no code of it")
    found = obj.aux_indices(index)
    places = [found.get(obj.tables.aux[name]) for name in ("AuxFuncInfo", "AuxPcfile", "AuxPcline")]
    raw_info, raw_file, raw_line = (b"" if place is None else obj.data(place) for place in places)
    if not raw_info or not raw_file or not raw_line:
        return Refusal("assembly", "it is written in assembly or only a wrapper for it")
    info = FuncInfo.parse_head(raw_info, f"{obj.origin}: {sym.name}")
    if info.func_flag & obj.tables.func_flags["FuncFlagAsm"]:
        return Refusal("assembly", "it is written in assembly")
    return CountPlan(index, sym.name, info, pctab.first(raw_file), pctab.first(raw_line))
