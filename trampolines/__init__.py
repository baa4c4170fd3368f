"""Machine code per architecture: encoders, sequences, and the finders that read compiled functions. Imports nothing from objinst.

    arch.py         a record per architecture, and ArchError for what one lacks
    contract.py     what a caller passes and what it gets back
    asm.py          the macro-assembler: labels, fixups, the pc-to-SP table
    checks.py       checks of what a caller passes
    sequences.py    the stubs, written once
    stubs.py        Arch: an architecture's stubs and finders
    flow.py         walks over a compiled function
    amd64/, arm64/  abi, encode, decode, macros, prologue, epilogue, spills, readback: the same names in both
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trampolines.stubs import ARCHITECTURES, Arch, load, part, readback

__all__ = ["ARCHITECTURES", "Arch", "load", "part", "readback"]


def __getattr__(name: str) -> object:
    """What is in stubs.py is loaded where it is used: who asks for a record alone (every `link -V=full` does) must not pay for the stubs."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from trampolines import stubs  # noqa: PLC0415

    return getattr(stubs, name)
