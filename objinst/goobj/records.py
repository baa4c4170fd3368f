"""Records of the goobj format (cmd/internal/goobj/objfile.go, the same from Go 1.20 to 1.27): definitions only."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

MAGIC = b"\x00go120ld"
HEADER = struct.Struct("<8s8sI19I")
SYM = struct.Struct("<IIHBBBII")
RELOC = struct.Struct("<iBHqII")
SYM_REF = struct.Struct("<II")
RELOC_SYM = struct.Struct("<15xII")
"""Of a relocation, its symbol alone."""
AUX = struct.Struct("<BII")
AUTOLIB = struct.Struct("<II8s")
STRING_REF = struct.Struct("<II")
REF_NAME = struct.Struct("<IIII")

PKG_NONE, PKG_HASHED64, PKG_HASHED, PKG_BUILTIN, PKG_SELF = 0x7FFFFFFF, 0x7FFFFFFE, 0x7FFFFFFD, 0x7FFFFFFC, 0x7FFFFFFB
STATIC_ABI = 0xFFFF
ABI_INTERNAL = 1
"""cmd/internal/obj/link.go, ABIInternal, Go 1.22-1.27."""
R_WEAK = 0x8000
"""A bit of a relocation's type: the linker may drop what it refers to."""
TYPE_PREFIX = "type:"
"""Of the names of type descriptors."""
FILE_PREFIX = "gofile.."
"""Of the names of source files."""


class Blk(IntEnum):
    """Blocks in file order."""

    AUTOLIB = 0
    PKG_IDX = 1
    FILE = 2
    SYMDEF = 3
    HASHED64DEF = 4
    HASHEDDEF = 5
    NONPKGDEF = 6
    NONPKGREF = 7
    REF_FLAGS = 8
    HASH64 = 9
    HASH = 10
    RELOC_IDX = 11
    AUX_IDX = 12
    DATA_IDX = 13
    RELOC = 14
    AUX = 15
    DATA = 16
    REF_NAME = 17
    END = 18


RECORD_SIZES = {
    Blk.AUTOLIB: 16, Blk.PKG_IDX: 8, Blk.FILE: 8, Blk.SYMDEF: 21, Blk.HASHED64DEF: 21, Blk.HASHEDDEF: 21, Blk.NONPKGDEF: 21,
    Blk.NONPKGREF: 21, Blk.REF_FLAGS: 10, Blk.HASH64: 8, Blk.HASH: 16, Blk.RELOC_IDX: 4, Blk.AUX_IDX: 4, Blk.DATA_IDX: 4,
    Blk.RELOC: 23, Blk.AUX: 9, Blk.DATA: 1, Blk.REF_NAME: 16,
}  # fmt: skip
DEF_BLOCKS = (Blk.SYMDEF, Blk.HASHED64DEF, Blk.HASHEDDEF, Blk.NONPKGDEF)


class SymRef(NamedTuple):
    """A reference: package index and index in that package's block. (0, 0) is nil."""

    pkg: int
    idx: int


class Sym(NamedTuple):
    """A symbol. size, align: bytes; kind, flag, flag2: numbers of this Go version's tables."""

    name: str
    abi: int
    kind: int
    flag: int
    flag2: int
    size: int
    align: int


class Reloc(NamedTuple):
    """A relocation. off: bytes from the start of the symbol's data; size: bytes; type: with the weak bit, R_WEAK."""

    off: int
    size: int
    type: int
    add: int
    sym: SymRef

    def shifted(self, by: int) -> Reloc:
        return self._replace(off=self.off + by)

    def retargeted(self, sym: SymRef) -> Reloc:
        return self._replace(sym=sym)


class Aux(NamedTuple):
    type: int
    sym: SymRef


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a SymRef means. index: in this object's symbol space (definitions and NonPkgRefs), or None; package: import path of
    another package's SymbolDefs; name: as far as it is known ("" otherwise)."""

    index: int | None
    package: str
    name: str
