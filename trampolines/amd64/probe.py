"""The stub that counts calls, for amd64: no Go call, no stack, no stack map, so any function can have it.

LOCK ADD is atomic on every processor; only the flags change, which no function expects anything of at its entry.
"""

from __future__ import annotations

from trampolines.amd64 import encode as x
from trampolines.amd64.stubs import jump
from trampolines.asm import Assembly
from trampolines.contract import Code, FixupKind


def count_stub(*, atomics: bool) -> Code:
    """LOCK INCQ counter; JMP body. atomics: of no interest here, see arm64."""
    del atomics
    asm = Assembly()
    asm.fixup(FixupKind.PCREL, "counter", 4, at=asm.emit(x.LOCK_INC_PC) + 4)
    jump(asm, "body")
    return asm.finish(0, ())
