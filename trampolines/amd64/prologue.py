"""Reads the stack check at the head of a compiled function (amd64).

Three forms, by the size of the frame: SP against the guard; SP - frame against it; the same guarded against underflow.
Functions that check g.stackguard1 (//go:systemstack) are not among them: they run on the system stack, where nothing is hooked.
Source: cmd/internal/obj/x86/obj6.go (stacksplit), Go 1.22-1.27.
"""

from __future__ import annotations

import re
import struct

from trampolines.flow import StackCheck

JLS = rb"(?:\x76(?P<ls8>.)|\x0f\x86(?P<ls32>.{4}))"
JCS = rb"(?:\x72(?P<cs8>.)|\x0f\x82(?P<cs32>.{4}))"
CMP_R12_GUARD = rb"\x4d\x3b\x66\x10"
FORMS = (
    re.compile(rb"\x49\x3b\x66\x10" + JLS, re.DOTALL),  # CMPQ SP, 16(R14); JLS tail
    re.compile(rb"\x4c\x8d(?:\x64\x24.|\xa4\x24.{4})" + CMP_R12_GUARD + JLS, re.DOTALL),  # LEAQ -n(SP), R12; CMPQ R12, 16(R14); JLS tail
    re.compile(rb"\x49\x89\xe4\x49\x81\xec.{4}" + JCS + CMP_R12_GUARD + JLS, re.DOTALL),  # MOVQ SP, R12; SUBQ $n, R12; JCS tail; CMPQ ...
)


def stack_check(code: bytes) -> StackCheck | None:
    """The check at offset 0; None if there is none, or none that is known."""
    match = next((found for form in FORMS if (found := form.match(code))), None)
    if match is None:
        return None
    groups = match.groupdict()
    tail = _target(match, "ls", groups)
    if "cs8" in groups and _target(match, "cs", groups) != tail:
        return None
    return StackCheck(match.end(), tail) if match.end() <= tail < len(code) else None


def _target(match: re.Match[bytes], condition: str, groups: dict[str, bytes | None]) -> int:
    """Where one of the jumps goes: its displacement counts from its own end."""
    short, near = groups[f"{condition}8"], groups[f"{condition}32"]
    end = match.end(f"{condition}8") if short is not None else match.end(f"{condition}32")
    distance: int = struct.unpack("<b", short)[0] if short is not None else struct.unpack("<i", near or bytes(4))[0]
    return end + distance
