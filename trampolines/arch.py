"""One record per architecture. Everything that depends on an architecture's name, in this folder or in objinst, is here.

A new architecture gets a record here and a folder next to this file (docs/contributing/architecture.md). Anything that a record or a folder
lacks raises ArchError on use, so no architecture is mistaken for another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trampolines.contract import FixupKind, RegClass


class ArchError(NotImplementedError):
    """An architecture that is unknown, or lacks what is requested."""


@dataclass(frozen=True, slots=True)
class Traits:
    """The properties of an architecture, apart from its code. Sizes and offsets in bytes.

    name: GOARCH. machine: what uname(2) calls it. quantum: of a pc table, the smallest instruction (cmd/internal/sys/arch.go, MinLC).
    int_args, float_args: Go's names of ABIInternal's argument registers, in order (cmd/compile/internal/ssa/opGen.go, ParamIntRegNames,
        ParamFloatRegNames).
    relocations: for each kind of place in `Code` that needs an address, the type of its relocation (cmd/internal/objabi/reloctype.go).
    address: the kind that takes an address in code.
    call_head, call_tail: from the first byte of a call to the place of its relocation, and from there to its return address.
    call_pushes: what a call puts on the stack.
    return_below_args: from the args area of a call down to its return address, while its entry stub calls enter.
    leaves_unmarked: some functions without a stack check lack the mark that says so, AttrNoSplit.
    level: the environment variable that chooses the instructions a program may use. has_atomics: whether it may use those that count_stub asks
        for, by that variable's value, "" if the object does not say.
    elf_machine, elf_relative: e_machine as elf.h names it; the relocation of a word that holds an address in the program itself.
    has_through: a return may have no room for a jump; then a call-through runs the hooks, and the folder has through.py.
    capstone: names of capstone's constants for architecture and mode.
    """

    name: str
    machine: str
    quantum: int
    int_args: tuple[str, ...]
    float_args: tuple[str, ...]
    relocations: Mapping[FixupKind, str]
    address: FixupKind
    call_head: int
    call_tail: int
    call_pushes: int
    return_below_args: int
    leaves_unmarked: bool
    level: str
    has_atomics: Callable[[str], bool]
    has_through: bool
    elf_machine: str
    elf_relative: int
    capstone: tuple[str, str]

    def relocation(self, kind: FixupKind) -> str:
        """The relocation type of a kind of place. Raises ArchError if the record has none."""
        try:
            return self.relocations[kind]
        except KeyError:
            raise ArchError(f"architecture {self.name} has no relocation for {kind.value}: its record in trampolines/arch.py must name one") from None

    @property
    def call_relocation(self) -> str:
        """Of a direct call, and of a jump out of a function. Raises ArchError if the record has none."""
        return self.relocation(FixupKind.CALL)

    @property
    def address_relocation(self) -> str:
        """Of code that takes an address. Raises ArchError if the record has none."""
        return self.relocation(self.address)

    def register(self, reg: RegClass, index: int) -> str:
        """Go's name of an argument register."""
        return (self.int_args if reg is RegClass.INT else self.float_args)[index]


def _armv8_1(level: str) -> bool:
    """Whether GOARM64 promises Armv8.1's atomic instructions (cmd/go, GOARM64: v8.1 and later, or ,lse). Without a word it is v8.0."""
    return ",lse" in level or not (level or "v8.0").startswith("v8.0")


AMD64 = Traits(
    name="amd64",
    machine="x86_64",
    quantum=1,
    int_args=("AX", "BX", "CX", "DI", "SI", "R8", "R9", "R10", "R11"),
    float_args=tuple(f"X{i}" for i in range(15)),
    relocations={FixupKind.CALL: "R_CALL", FixupKind.PCREL: "R_PCREL"},
    address=FixupKind.PCREL,
    call_head=1,
    call_tail=4,
    call_pushes=8,
    return_below_args=8,
    leaves_unmarked=False,
    level="GOAMD64",
    has_atomics=lambda _: True,  # LOCK, on every processor
    has_through=True,
    elf_machine="EM_X86_64",
    elf_relative=8,  # R_X86_64_RELATIVE
    capstone=("CS_ARCH_X86", "CS_MODE_64"),
)

ARM64 = Traits(
    name="arm64",
    machine="aarch64",
    quantum=4,
    int_args=tuple(f"R{i}" for i in range(16)),
    float_args=tuple(f"F{i}" for i in range(16)),
    relocations={FixupKind.CALL: "R_CALLARM64", FixupKind.ADDR: "R_ADDRARM64"},
    address=FixupKind.ADDR,
    call_head=0,
    call_tail=4,
    call_pushes=0,
    return_below_args=56,  # the entry stub's frame, and the slot of R30 below the args area
    leaves_unmarked=True,  # leaves without a frame (cmd/internal/obj/arm64/obj7.go)
    level="GOARM64",
    has_atomics=_armv8_1,
    has_through=False,
    elf_machine="EM_AARCH64",
    elf_relative=1027,  # R_AARCH64_RELATIVE
    capstone=("CS_ARCH_ARM64", "CS_MODE_LITTLE_ENDIAN"),
)

ARCHES = {found.name: found for found in (AMD64, ARM64)}
"""By GOARCH."""
LEVELS = tuple(found.level for found in ARCHES.values())


def traits(goarch: str) -> Traits:
    """The record of an architecture. Raises ArchError for one that has none."""
    try:
        return ARCHES[goarch]
    except KeyError:
        raise ArchError(f"architecture {goarch!r} is not known to this otelobj (it knows {', '.join(ARCHES)})") from None
