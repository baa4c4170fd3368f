"""The stub that counts calls, for arm64: no Go call, no stack, no stack map, so any function can have it.

R16, R17 and R27 are free at every entry: the linker's trampolines may change them on any call (cmd/compile/abi-internal.md).
"""

from __future__ import annotations

from trampolines.arm64 import encode as a
from trampolines.arm64.abi import R16, R17, R27, ZR
from trampolines.arm64.stubs import address, jump
from trampolines.asm import Assembly
from trampolines.contract import Code


def count_stub(*, atomics: bool) -> Code:
    """Adds one to counter, then B body. atomics: the program may use the atomic instructions of Armv8.1 (GOARM64)."""
    asm = Assembly()
    address(asm, R16, "counter")
    if atomics:
        asm.emit(a.move_immediate(R17, 1))
        asm.emit(a.atomic_add(R17, ZR, R16))
    else:
        again = asm.emit(a.load_exclusive(R17, R16))
        asm.emit(a.add(R17, R17, 1))
        asm.emit(a.store_exclusive(R27, R17, R16))
        asm.emit(a.branch_if_not_zero_word(R27, again - asm.here))
    jump(asm, "body")
    return asm.finish(0, ())
