"""A linked Go program: its memory as the loader sets it up, and its functions.

Functions come from the runtime's own table, which no stripping removes (cmd/link/internal/ld/pcln.go; runtime/symtab.go, pcHeader,
moduledata and _func; Go 1.22-1.27). The table counts from the start of Go's text, which moduledata tells (its field minpc is the
first function's address).
"""

from __future__ import annotations

import functools
import importlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from objinst import goversions
from objinst.errors import OtelobjError
from objinst.goobj import pctab
from objinst.platform.target import DamagedImageError, Image, Target, platforms, targets

PCLN_MAGIC = 0xFFFFFFF1
FLAG_ASM = 4
"""abi.FuncFlagAsm (internal/abi/symtab.go)."""
MINPC = 160
"""Offset of moduledata.minpc: a pointer and six slices before findfunctab."""
DAMAGE = (struct.error, ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError)
"""What reading a damaged file raises."""


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
    """See the module. goos: the system whose programs look like this one. Raises OtelobjError for what is no Go program of a known system."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                system, what = self._system(file.read(4))
                file.seek(0)
                if not system.reader:
                    raise self.error(f"{what}: otelobj hooks {_hooked()}s only")
                image: Image = importlib.import_module(system.reader).read(file)
        except OSError as error:
            raise OtelobjError(f"{path}: {error.strerror}", _remedy()) from error
        except DamagedImageError as error:
            raise self.error(str(error)) from error
        except DAMAGE as error:
            raise self.error(f"damaged: {error}") from error
        self.goos, self.goarch, self.segments, self._pcln, self.symbols = system.goos, image.goarch, image.segments, image.function_table, image.symbols

    def _system(self, head: bytes) -> tuple[Target, str]:
        """The system whose programs begin so, and what it calls them."""
        for system in targets():
            for magic, what in system.programs.items():
                if head.startswith(magic):
                    return system, what
        raise self.error(f"no {_hooked()}")

    def error(self, what: str) -> OtelobjError:
        return OtelobjError(f"{self.path}: {what}", _remedy())

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
            known = f"Go {goversions.lowest()} to {goversions.newest()}"
            raise self.error(f"its function table begins with {self.word(table, 4):#x}: not of {known}")
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


def _hooked() -> str:
    """What programs that can be hooked are, such as `ELF program`."""
    return " or ".join(what.partition(" ")[2] for system in targets() if system.reader for what in system.programs.values())


def _remedy() -> str:
    return f"name a program that `go build -toolexec=otelobj` or `otelobj link` wrote for {' or '.join(platforms())}"
