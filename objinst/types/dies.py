"""DIEs of an object's DWARF symbols: a reader of attribute values by abbreviation (cmd/internal/dwarf/dwarf.go, putattr).

References are relocations, not numbers: a reference's value here is the relocation at its place. Text addresses of DWARF 5
(R_DWTXTADDR_*) are placeholders as long as their relocation says.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from objinst.errors import ObjectError
from objinst.goobj.leb128 import read_unsigned
from objinst.goobj.object import Object
from objinst.goobj.records import Reloc
from objinst.types.abbrevs import Abbrev, for_header

_FIXED = {"data1": 1, "data2": 2, "data4": 4, "data8": 8, "flag": 1}
_REFERENCES = {"ref_addr": 4, "sec_offset": 4, "addr": 8}

Value = int | str | bytes | Reloc | None


@dataclass(frozen=True, slots=True)
class Die:
    """A DIE. at, end: bytes in its symbol, of the DIE without its children."""

    abbrev: Abbrev
    attrs: dict[str, Value]
    at: int
    end: int


class DieReader:
    """DIEs of one DWARF symbol of an object. index: in the object's symbol space."""

    def __init__(self, obj: Object, index: int) -> None:
        self.object = obj
        self.index = index
        self.data = bytes(obj.data(index))
        self._abbrevs = for_header(obj.header)

    @functools.cached_property
    def _relocs(self) -> dict[int, Reloc]:
        return {reloc.off: reloc for reloc in self.object.relocs(self.index) if reloc.size}

    def error(self, at: int, what: str) -> ObjectError:
        name = self.object.sym(self.index).name
        return self.object.error(f"DWARF symbol {self.index} {name!r}, offset {at:#x}: {what}")

    def read(self, at: int) -> Die | None:
        """The DIE at an offset; None: the end of a list of children. Raises ObjectError."""
        abbrev, end = self.abbrev(at)
        if abbrev is self._abbrevs[0]:
            return None
        attrs: dict[str, Value] = {}
        for attr, form in abbrev.attrs:
            attrs[attr], end = self._value(form, end)
        return Die(abbrev, attrs, at, end)

    def abbrev(self, at: int) -> tuple[Abbrev, int]:
        """The abbreviation at the beginning of a DIE, and where its attributes begin. Raises ObjectError."""
        number, end = self.number(at)
        if number >= len(self._abbrevs):
            raise self.error(at, f"abbreviation {number} of {len(self._abbrevs)}")
        return self._abbrevs[number], end

    def children(self, parent: Die) -> Iterator[Die]:
        """Direct children only. Raises ObjectError if the lists do not end."""
        if not parent.abbrev.children:
            return
        at, depth = parent.end, 1
        while depth:
            die = self.read(at)
            if die is None:
                depth -= 1
                at += 1
                continue
            if depth == 1:
                yield die
            depth += die.abbrev.children
            at = die.end

    def _value(self, form: str, at: int) -> tuple[Value, int]:
        if form in _REFERENCES:
            return self._relocs.get(at), self._within(at + _REFERENCES[form])
        if form == "addrx":
            reloc = self._relocs.get(at)
            return reloc, self._within(at + reloc.size) if reloc else self.number(at)[1]
        if form in _FIXED:
            end = self._within(at + _FIXED[form])
            return int.from_bytes(self.data[at:end], "little"), end
        if form in {"udata", "sdata"}:
            return self.number(at)
        if form == "string":
            end = self.data.find(b"\0", at)
            if end < 0:
                raise self.error(at, "string without end")
            return self.data[at:end].decode("utf-8", "surrogateescape"), end + 1
        if form == "block1":
            self._within(at + 1)
            end = self._within(at + 1 + self.data[at])
            return self.data[at + 1 : end], end
        raise self.error(at, f"form {form}")

    def _within(self, end: int) -> int:
        if end > len(self.data):
            raise self.error(end, f"after the end of {len(self.data)} bytes")
        return end

    def number(self, at: int) -> tuple[int, int]:
        """The ULEB128 number at an offset, and the offset after it."""
        if at < 0:
            raise self.error(at, "before the beginning")
        try:
            return read_unsigned(self.data, at)
        except ObjectError as error:
            raise self.error(at, "truncated number") from error
