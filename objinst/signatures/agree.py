"""Whether the sources that tell a function's layout agree: its types, its code, and what the compiler noted of it.

The code before morestack stores every register of every parameter, used or not (cmd/compile/internal/ssagen/ssa.go, buildssa:
"using all the parameters (used, partially used, and unused)"), so its stores must equal the assignment; or it stores none,
if the function uses none of them (cmd/compile/internal/amd64/ssa.go and arm64/ssa.go: the first OpArgIntReg or
OpArgFloatReg adds them all). The function's own stack map covers parameters that are live at entry only: a subset. What is noted
for tracebacks (`arg_info`) shows how types are nested, so a string is no struct of two words there.

What all of these together cannot tell apart: types of the same shape (*A and *B, int and uint64, two slices), a parameter without
bytes, and everything about results in registers. For that a source that names types is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from objinst.signatures.arginfo import arg_info
from objinst.types.abi import FuncABI
from trampolines.contract import Piece, SpillScan


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an object says of a function's arguments without naming their types.

    symbol: its name; args_size: FuncInfo.Args, in bytes. spills: the code before morestack, decoded; nothing stored says nothing.
    entry_map: bitmap 0 of its ArgsPointerMaps. arg_info: its FUNCDATA_ArgInfo. None: the object does not have it.
    """

    symbol: str
    args_size: int
    spills: SpillScan | None = None
    entry_map: Sequence[bool] | None = None
    arg_info: bytes | None = None

    @property
    def takes_nothing(self) -> bool:
        """No argument that has bytes, and no result on the stack; of results in registers this says nothing."""
        return self.args_size == 0 and self.spills is not None and self.spills.refusal is None and not self.spills.pieces


def agree(abi: FuncABI, evidence: Evidence) -> str | None:
    """None if all of the evidence agrees, otherwise a sentence on the first disagreement."""
    if abi.args_size != evidence.args_size:
        return f"its types take {abi.args_size} bytes of arguments, the compiler noted {evidence.args_size}"
    spills = evidence.spills
    if spills is not None and spills.refusal is None and spills.pieces:
        reason = _compare(abi.spills, spills.pieces)
        if reason:
            return reason
    expected = abi.args_map
    for word, pointer in enumerate(evidence.entry_map or ()):
        if pointer and not (word < len(expected) and expected[word]):
            return f"the compiler has a pointer at byte {8 * word} of its arguments, its types have none there"
    if evidence.arg_info is not None and abi.params and evidence.arg_info != arg_info(evidence.symbol, abi.params):
        return "the compiler noted other components of its arguments than its types have"
    return None


def _compare(computed: Sequence[Piece], decoded: Sequence[Piece]) -> str | None:
    ours, theirs = set(computed), set(decoded)
    for piece in sorted(ours ^ theirs, key=lambda p: (p.offset, p.reg.value, p.index)):
        who = "its types" if piece in ours else "its stores"
        other = "its stores" if piece in ours else "its types"
        place = f"{piece.reg.value} register {piece.index} ({piece.size} bytes) at byte {piece.offset}"
        return f"{who} put {place} of its arguments, {other} do not"
    return None
