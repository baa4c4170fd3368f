"""Registers of Go's ABIInternal on arm64 (cmd/compile/abi-internal.md, Go 1.22-1.27). Numbers are the hardware's."""

from __future__ import annotations

INT_ARGS = tuple(range(16))
FLOAT_ARGS = tuple(range(16))
INT_REGS = len(INT_ARGS)
FLOAT_REGS = len(FLOAT_ARGS)
LEAVES_UNMARKED = True
"""Leaves without a frame have no check and no AttrNoSplit (cmd/internal/obj/arm64/obj7.go)."""
R0, R1, R2, R3, R4, R16, R17, R19, R20, R21 = 0, 1, 2, 3, 4, 16, 17, 19, 20, 21
CONTEXT, R27, G, FP, LR, SP, ZR = 26, 27, 28, 29, 30, 31, 31
"""R16, R17 and R27 are scratch; the linker's trampolines use them at a call, never between two instructions of ours."""

STACK_LO = 0
"""Offset of g.stack.lo."""
STACK_HI = 8
"""Offset of g.stack.hi (runtime/runtime2.go: stack is g's first field)."""
STACK_GUARD = 16
"""Offset of g.stackguard0."""
