"""Whether the sources that tell a function's layout agree: its types, its code, and what the compiler noted of it.

The code before morestack stores every register of every parameter, used or not (cmd/compile/internal/ssagen/ssa.go, buildssa:
"using all the parameters (used, partially used, and unused)"), so its stores must equal the assignment; or it stores none,
if the function uses none of them (cmd/compile/internal/amd64/ssa.go and arm64/ssa.go: the first OpArgIntReg or
OpArgFloatReg adds them all). The function's own stack map covers parameters that are live at entry only: a subset.
"""

from __future__ import annotations

from collections.abc import Sequence

from objinst.types.abi import FuncABI
from trampolines.contract import Piece, SpillScan


def agree(abi: FuncABI, args_size: int, spills: SpillScan | None = None, entry_map: Sequence[bool] | None = None) -> str | None:
    """None if everything given agrees, otherwise a sentence on the first disagreement.

    args_size: FuncInfo.Args. spills: of the function's code; nothing stored says nothing. entry_map: bitmap 0 of
    its ArgsPointerMaps.
    """
    if abi.args_size != args_size:
        return f"its types take {abi.args_size} bytes of arguments, the compiler noted {args_size}"
    if spills is not None and spills.refusal is None and spills.pieces:
        reason = _compare(abi.spills, spills.pieces)
        if reason:
            return reason
    if entry_map is not None:
        expected = abi.args_map
        for word, pointer in enumerate(entry_map):
            if pointer and not (word < len(expected) and expected[word]):
                return f"the compiler has a pointer at byte {8 * word} of its arguments, its types have none there"
    return None


def _compare(computed: Sequence[Piece], decoded: Sequence[Piece]) -> str | None:
    ours, theirs = set(computed), set(decoded)
    for piece in sorted(ours ^ theirs, key=lambda p: (p.offset, p.reg.value, p.index)):
        who = "its types" if piece in ours else "its stores"
        other = "its stores" if piece in ours else "its types"
        place = f"{piece.reg.value} register {piece.index} ({piece.size} bytes) at byte {piece.offset}"
        return f"{who} put {place} of its arguments, {other} do not"
    return None
