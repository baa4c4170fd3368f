"""A linked Go program in ELF: its memory as the loader sets it up, and its functions.

Functions come from the runtime's own table, which no stripping removes (cmd/link/internal/ld/pcln.go; runtime/symtab.go, pcHeader,
moduledata and _func; Go 1.22-1.27). The table counts from the start of Go's text, which moduledata tells (its field minpc is the
first function's address).
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

from objinst.errors import OtelobjError
from objinst.goobj import pctab
from trampolines.arch import ARCHES

MACHINES = {found.elf_machine: found for found in ARCHES.values()}
PCLN_MAGIC = 0xFFFFFFF1
EXECUTE = 1
FLAG_ASM = 4
"""abi.FuncFlagAsm (internal/abi/symtab.go)."""
MINPC = 160
"""Offset of moduledata.minpc: a pointer and six slices before findfunctab."""
FOREIGN = {b"\xcf\xfa\xed\xfe": "a Mach-O program", b"\xca\xfe\xba\xbe": "a universal Mach-O program", b"MZ": "a PE program (Windows)"}
DAMAGE = (ELFError, ConstructError, struct.error, ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError)
"""What reading a damaged file raises."""
REMEDY = "name a program that `go build -toolexec=otelobj` or `otelobj link` wrote for " + " or ".join(f"linux/{goarch}" for goarch in ARCHES)


@dataclass(frozen=True, slots=True)
class Func:
    """A function. start, end, pcsp: addresses of its code and of its table of SP's distances, whose pcs count in `quantum` bytes; assembly: it
    is written in assembly."""

    name: str
    start: int
    end: int
    pcsp: int
    quantum: int
    assembly: bool


class Program:
    """See the module. Raises OtelobjError for what is no Go program in ELF."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                head = file.read(4)
                foreign = next((what for magic, what in FOREIGN.items() if head.startswith(magic)), "")
                if foreign or head != b"\x7fELF":
                    raise self.error(f"{foreign}: otelobj hooks ELF programs only" if foreign else "no ELF program")
                self._read(ELFFile(file))
        except OSError as error:
            raise OtelobjError(f"{path}: {error.strerror}", REMEDY) from error
        except DAMAGE as error:
            raise self.error(f"damaged: {error}") from error

    def error(self, what: str) -> OtelobjError:
        return OtelobjError(f"{self.path}: {what}", REMEDY)

    def _read(self, elf: ELFFile) -> None:
        machine = elf["e_machine"]
        if machine not in MACHINES:
            raise self.error(f"a program for {machine}")
        self.traits = MACHINES[machine]
        self.goarch = self.traits.name
        self.segments = [(seg["p_vaddr"], bytearray(seg.data()), bool(seg["p_flags"] & EXECUTE)) for seg in elf.iter_segments("PT_LOAD")]
        for section in elf.iter_sections("SHT_RELA"):
            self._relocate(section.data())
        tables = [section["sh_addr"] for section in elf.iter_sections() if section.name.endswith(".gopclntab")]
        if not tables:
            raise self.error("no section .gopclntab: no Go program")
        self._pcln: int = tables[0]
        self.symbols = {symbol.name: symbol["st_value"] for section in elf.iter_sections("SHT_SYMTAB") for symbol in section.iter_symbols()}

    def _relocate(self, table: bytes) -> None:
        for offset, info, addend in struct.iter_unpack("<QQq", table):
            if info & 0xFFFFFFFF == self.traits.elf_relative:
                for start, data, _ in self.segments:
                    if start <= offset <= start + len(data) - 8:
                        struct.pack_into("<Q", data, offset - start, addend)

    # memory

    def read(self, address: int, size: int) -> bytes:
        """Raises OtelobjError for addresses that the file does not fill."""
        data, start = self._segment(address, size)
        return bytes(data[address - start : address - start + size])

    def _segment(self, address: int, size: int = 1) -> tuple[bytearray, int]:
        for start, data, _ in self.segments:
            if start <= address and address + size <= start + len(data):
                return data, start
        raise self.error(f"nothing at address {address:#x}")

    def word(self, address: int, size: int = 8) -> int:
        return int.from_bytes(self.read(address, size), "little")

    def string(self, address: int) -> str:
        """A Go string's header and bytes."""
        start, length = self.word(address), self.word(address + 8)
        return self.read(start, length).decode("utf-8", "replace") if 0 < length < 1 << 16 else ""

    def find_word(self, value: int) -> Iterator[int]:
        """Addresses, multiples of 8, of words with this value."""
        wanted = struct.pack("<Q", value)
        for start, data, _ in self.segments:
            at = data.find(wanted)
            while at >= 0:
                if (start + at) % 8 == 0:
                    yield start + at
                at = data.find(wanted, at + 1)

    # functions

    @functools.cached_property
    def functions(self) -> dict[str, list[Func]]:
        """By name: a function, its stubs and its ABI wrapper may share one."""
        table = self._pcln
        if self.word(table, 4) != PCLN_MAGIC:
            raise self.error(f"its function table begins with {self.word(table, 4):#x}: not of Go 1.22 to 1.27")
        quantum, count = self.word(table + 6, 1), self.word(table + 8)
        names, pctab, funcs = (table + self.word(table + at) for at in (32, 56, 64))
        entries = list(struct.iter_unpack("<II", self.read(funcs, 8 * count)))
        ends = [off for off, _ in entries[1:]] + [self.word(funcs + 8 * count, 4)]
        text = self._text(table, entries[0][0])
        found: dict[str, list[Func]] = {}
        data, base = self._segment(names)
        for (off, place), end in zip(entries, ends, strict=True):
            name_off, pcsp, flag = struct.unpack("<I8xI21xB", self.read(funcs + place + 4, 38))
            start = names - base + name_off
            name = data[start : data.index(0, start)].decode("utf-8", "replace")
            found.setdefault(name, []).append(Func(name, text + off, text + end, pctab + pcsp, quantum, bool(flag & FLAG_ASM)))
        return found

    def copies(self, symbol: str) -> list[Func]:
        """Functions of a symbol's name, in whose package path dots may be escaped."""
        return self.functions.get(symbol) or self.functions.get(unquote(symbol)) or []

    def _text(self, table: int, first: int) -> int:
        """The start of Go's text. first: offset of the first function from it."""
        for module in self.find_word(table):
            minpc = self.word(module + MINPC)
            if any(start <= minpc < start + len(data) and code for start, data, code in self.segments):
                return minpc - first
        raise self.error("nothing names its function table")

    def code(self, func: Func) -> bytes:
        return self.read(func.start, func.end - func.start)

    def pcsp(self, func: Func) -> list[tuple[int, int]]:
        """(value, end) pairs of a function: how far SP has moved, below which offset."""
        data, base = self._segment(func.pcsp)
        at = func.pcsp - base
        return pctab.decode(bytes(data[at : data.index(0, at + 1) + 1]), func.quantum)
