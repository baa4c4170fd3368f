"""What both assemblers share: growing code with fixups, labels and the pc-to-SP table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trampolines.contract import Code, Fixup, FixupKind


class EncodeError(ValueError):
    """An operand that an instruction cannot hold, or a frame that a stub may not have."""


@dataclass(slots=True)
class Assembly:
    """Code under construction. sp: bytes that SP has moved since the entry; `track` records it from here on."""

    code: bytearray = field(default_factory=bytearray)
    fixups: list[Fixup] = field(default_factory=list)
    entries: dict[str, int] = field(default_factory=dict)
    sp: int = 0
    _pcsp: list[tuple[int, int]] = field(default_factory=list)

    @property
    def here(self) -> int:
        return len(self.code)

    def emit(self, code: bytes) -> int:
        """Appends an instruction; returns its offset."""
        at = len(self.code)
        self.code += code
        return at

    def moved(self, sp: int) -> None:
        """From the next instruction on SP has moved by `sp` bytes in all."""
        if sp != self.sp:
            self._close()
            self.sp = sp

    def _close(self) -> None:
        if self.code and (not self._pcsp or self._pcsp[-1][1] != len(self.code)):
            self._pcsp.append((self.sp, len(self.code)))

    def fixup(self, kind: FixupKind, role: str, size: int, *, at: int, addend: int = 0) -> None:
        self.fixups.append(Fixup(at, size, kind, role, addend))

    def finish(self, frame: int, locals_map: Sequence[bool]) -> Code:
        self._close()
        return Code(bytes(self.code), tuple(self.fixups), tuple(self._pcsp), frame, tuple(locals_map), tuple(self.entries.items()))
