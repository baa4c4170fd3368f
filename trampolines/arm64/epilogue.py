"""Finds the returns of a compiled function: all of them, or a reason why not all can be patched (arm64).

Instructions have one size, so the search is exact. RET is matched to the letter: `RET Rn` is an indirect tail call from Go 1.27 on.
At a RET the frame is gone and R30 restored. Source: cmd/internal/obj/arm64/obj7.go (preprocess, case obj.ARET), Go 1.22-1.27.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from trampolines.arm64.encode import B
from trampolines.contract import EpilogueScan, Fixup, FixupKind, Patched, PatchSite

RET = 0xD65F_03C0
BRANCH_MASK, BRANCH = 0xFC00_0000, 0x1400_0000
INDIRECT_MASK, RET_REGISTER, BR_REGISTER = 0xFFFF_FC1F, 0xD65F_0000, 0xD61F_0000
LITERAL_MASK, LITERAL = 0x3B00_0000, 0x1800_0000


def refuse(code: str, why: str) -> EpilogueScan:
    return EpilogueScan((), (code, why))


def is_call(code: bytes | memoryview, offset: int) -> bool:
    """offset: of a relocated branch. BL; otherwise B, out of the function."""
    return bool(code[offset + 3] >> 7)


def find_epilogues(code: bytes, pcsp: Sequence[tuple[int, int]], calls: Mapping[int, str]) -> EpilogueScan:
    """calls: offset of each call instruction -> name of the callee."""
    sites = []
    for at, (word,) in enumerate(struct.iter_unpack("<I", code)):
        offset = 4 * at
        if word & BRANCH_MASK == BRANCH and offset in calls:
            return refuse("tail-call", "it ends in a tail call, which never comes back to its exit")
        if word & INDIRECT_MASK == RET_REGISTER and word != RET:
            return refuse("tail-call", f"it leaves at {offset:#x} by an indirect tail call")
        if word & INDIRECT_MASK == BR_REGISTER and _sp(pcsp, offset) <= 0:
            return refuse("tail-call", f"it may leave at {offset:#x} by an indirect jump")
        if word & LITERAL_MASK == LITERAL:
            return refuse("literal-pool", f"it reads data between its instructions at {offset:#x}")
        if word == RET:
            if _sp(pcsp, offset) != 0:
                return refuse("epilogue", f"the frame is still there at the return at {offset:#x}")
            sites.append(PatchSite(offset, 4, b"", 0))
    return EpilogueScan(tuple(sites))


def patch_returns(code: bytes, sites: Sequence[PatchSite]) -> Patched:
    """Every RET has the size of a B."""
    patched = bytearray(code)
    for site in sites:
        patched[site.offset : site.offset + 4] = B
    return Patched(bytes(patched), tuple(Fixup(site.offset, 4, FixupKind.CALL, "target") for site in sites))


def _sp(pcsp: Sequence[tuple[int, int]], offset: int) -> int:
    """-1 where the table says nothing."""
    return next((value for value, end in pcsp if offset < end), -1)
