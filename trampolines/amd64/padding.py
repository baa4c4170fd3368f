"""Padding between instructions, on amd64 alone: it keeps jumps off 32-byte boundaries (cmd/internal/obj/x86/asm6.go, makePjcCtx, Go 1.22-1.27)."""

from __future__ import annotations

NOPS = (b"\x90", b"\x66\x90", b"\x0f\x1f\x00", b"\x0f\x1f\x40\x00", b"\x0f\x1f\x44\x00\x00", b"\x66\x0f\x1f\x44\x00\x00", b"\x0f\x1f\x80\x00\x00\x00\x00",
        b"\x0f\x1f\x84\x00\x00\x00\x00\x00", b"\x66\x0f\x1f\x84\x00\x00\x00\x00\x00")  # fmt: skip
"""The assembler's own (cmd/internal/obj/x86/asm6.go, nop)."""


def skip_nops(code: bytes, at: int, end: int) -> int:
    """The first offset from `at` on that is no padding."""
    while at < end:
        nop = next((nop for nop in NOPS if code.startswith(nop, at, end)), None)
        if nop is None:
            break
        at += len(nop)
    return at
