"""Decodes the spill code before the call of morestack: where each argument register is stored (amd64).

Source: cmd/internal/obj/x86/obj6.go (stacksplit) and cmd/internal/obj.(*FuncInfo).SpillRegisterArgs, Go 1.22-1.27.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from trampolines.amd64.abi import FLOAT_ARGS, INT_ARGS
from trampolines.amd64.epilogue import CALL
from trampolines.amd64.padding import skip_nops
from trampolines.amd64.prologue import stack_check
from trampolines.contract import Piece, RegClass, SpillScan

RETURN_ADDRESS = 8
DISP_SP = rb"(?:([\x44\x4c\x54\x5c\x64\x6c\x74\x7c])\x24(.)|([\x84\x8c\x94\x9c\xa4\xac\xb4\xbc])\x24(.{4}))"
"""ModRM, SIB and displacement of n(SP), in one byte or in four."""
STORE = re.compile(rb"(\x66?)([\x40\x44\x48\x4c]?)([\x88\x89])" + DISP_SP, re.DOTALL)
"""MOV{B,W,L,Q} reg, n(SP). No REX.X or REX.B: SP is the base, and there is no index."""
STORE_FLOAT = re.compile(rb"([\xf2\xf3])(\x44?)\x0f\x11" + DISP_SP, re.DOTALL)
"""MOVSD / MOVSS Xreg, n(SP)"""
REX_R, REX_W = 4, 8


def find_spills(code: bytes, calls: Mapping[int, str]) -> SpillScan:
    """calls: offset of each call's displacement -> name of the callee. Offsets of the pieces count from the args base."""
    grow = [at for at, name in calls.items() if name.startswith("runtime.morestack") and at and code[at - 1] == CALL]
    if not grow:
        return SpillScan(None)
    check = stack_check(code)
    if check is None or len(grow) != 1 or check.tail > grow[0] - 1:
        return SpillScan((), ("spills", "its stack check is not understood"))
    pieces: list[Piece] = []
    at, end = check.tail, grow[0] - 1
    while at < end:
        after = skip_nops(code, at, end)
        if after > at:
            at = after
            continue
        match = STORE.match(code, at, end) or STORE_FLOAT.match(code, at, end)
        piece = _piece(match) if match else None
        if match is None or piece is None:
            return SpillScan((), ("spills", f"the instruction at {at:#x} before morestack is not a spill"))
        pieces.append(piece)
        at = match.end()
    return SpillScan(tuple(pieces))


def _piece(match: re.Match[bytes]) -> Piece | None:
    """None if it is no argument register that is stored, or not into the args area."""
    *_, short_modrm, short, near_modrm, near = match.groups()
    modrm = (short_modrm or near_modrm)[0]
    offset = (struct.unpack("<b", short)[0] if short else struct.unpack("<i", near)[0]) - RETURN_ADDRESS
    rex = match[2][0] if match[2] else 0
    number = (modrm >> 3 & 7) | (8 if rex & REX_R else 0)
    if offset < 0:
        return None
    if match.re is STORE_FLOAT:
        return Piece(RegClass.FLOAT, number, 8 if match[1] == b"\xf2" else 4, offset) if number in FLOAT_ARGS else None
    byte = match[3] == b"\x88"
    if number not in INT_ARGS or (byte and ((not rex and number >= 4) or match[1] or rex & REX_W)) or (match[1] and rex & REX_W):
        return None  # without a REX prefix the byte registers 4 to 7 are AH, CH, DH, BH
    size = 1 if byte else 8 if rex & REX_W else 2 if match[1] else 4
    return Piece(RegClass.INT, INT_ARGS.index(number), size, offset)
