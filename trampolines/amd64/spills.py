"""Decodes the spill code before the call of morestack: which argument register lies where (amd64).

Source: cmd/internal/obj/x86/obj6.go (stacksplit) and cmd/internal/obj.(*FuncInfo).SpillRegisterArgs, Go 1.22-1.27.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from trampolines.amd64.abi import FLOAT_ARGS, INT_ARGS
from trampolines.amd64.epilogue import CALL, skip_nops
from trampolines.contract import Piece, RegClass, SpillScan

RETURN_ADDRESS = 8
STORE = re.compile(rb"(\x66?)([\x40-\x4f]?)([\x88\x89])(?:([\x44\x4c\x54\x5c\x64\x6c\x74\x7c])\x24(.)|([\x84\x8c\x94\x9c\xa4\xac\xb4\xbc])\x24(.{4}))", re.DOTALL)
STORE_FLOAT = re.compile(rb"([\xf2\xf3])([\x40-\x4f]?)\x0f\x11(?:([\x44\x4c\x54\x5c\x64\x6c\x74\x7c])\x24(.)|([\x84\x8c\x94\x9c\xa4\xac\xb4\xbc])\x24(.{4}))", re.DOTALL)
CHECK = re.compile(rb"(?:\x49\x3b\x66\x10|\x4c\x8d(?:\x64\x24.|\xa4\x24.{4})\x4d\x3b\x66\x10)(?:\x76(.)|\x0f\x86(.{4}))", re.DOTALL)
LARGE = re.compile(rb"\x49\x89\xe4\x49\x81\xec.{4}(?:\x72(?P<c8>.)|\x0f\x82(?P<c32>.{4}))\x4d\x3b\x66\x10(?:\x76(.)|\x0f\x86(.{4}))", re.DOTALL)


def find_spills(code: bytes, calls: Mapping[int, str]) -> SpillScan:
    """calls: offset of each call's displacement -> name of the callee. Offsets of the pieces count from the args base."""
    grow = [at for at, name in calls.items() if name.startswith("runtime.morestack") and code[at - 1] == CALL]
    if not grow:
        return SpillScan(None)
    start = _tail(code)
    if start is None or len(grow) != 1 or not start <= grow[0] - 1:
        return SpillScan((), ("spills", "its stack check is not understood"))
    pieces = []
    at, end = start, grow[0] - 1
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


def _tail(code: bytes) -> int | None:
    """Where the jump of the stack check goes."""
    match = CHECK.match(code) or LARGE.match(code)
    if match is None:
        return None
    short, near = match.groups()[-2:]
    distance: int = struct.unpack("<b", short)[0] if short else struct.unpack("<i", near)[0]
    return match.end() + distance


def _piece(match: re.Match[bytes]) -> Piece | None:
    *_, short_modrm, short, near_modrm, near = match.groups()
    modrm = (short_modrm or near_modrm)[0]
    offset = (struct.unpack("<b", short)[0] if short else struct.unpack("<i", near)[0]) - RETURN_ADDRESS
    rex = match[2][0] if match[2] else 0
    number = (modrm >> 3 & 7) | (8 if rex & 4 else 0)
    if match.re is STORE_FLOAT:
        return Piece(RegClass.FLOAT, FLOAT_ARGS.index(number), 8 if match[1] == b"\xf2" else 4, offset)
    size = 1 if match[3] == b"\x88" else 8 if rex & 8 else 2 if match[1] else 4
    return Piece(RegClass.INT, INT_ARGS.index(number), size, offset) if number in INT_ARGS else None
