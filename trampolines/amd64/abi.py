"""Registers of Go's ABIInternal on amd64 (cmd/compile/abi-internal.md, Go 1.22-1.27). Numbers are the hardware's."""

from __future__ import annotations

AX, CX, DX, BX, SP, BP, SI, DI, R8, R9, R10, R11, R12, R13, R14, R15 = range(16)

INT_ARGS = (AX, BX, CX, DI, SI, R8, R9, R10, R11)
FLOAT_ARGS = tuple(range(15))
G = R14
CLOSURE = DX
"""The closure register."""
