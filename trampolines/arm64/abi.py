"""Registers of Go's ABIInternal on arm64 (cmd/compile/abi-internal.md, Go 1.22-1.27). Numbers are the hardware's."""

from __future__ import annotations

INT_ARGS = tuple(range(16))
FLOAT_ARGS = tuple(range(16))
R0, R1, R2, R8, R9, R10, R11, R12, R16, R17, R19, R20, R21 = 0, 1, 2, 8, 9, 10, 11, 12, 16, 17, 19, 20, 21
R27, G, FP, LR, SP, ZR = 27, 28, 29, 30, 31, 31
"""R16, R17 and R27 are scratch; the linker's trampolines use them at a call, never between two instructions of ours."""
CLOSURE = 26
"""The closure register."""
