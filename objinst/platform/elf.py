"""Linked programs in ELF. Not for the tool path: it needs pyelftools."""

from __future__ import annotations

import struct
from typing import BinaryIO

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

from objinst.platform.target import DamagedImageError, Image
from trampolines.arch import ARCHES

MACHINES = {found.elf_machine: found for found in ARCHES.values()}
EXECUTE = 1


def read(file: BinaryIO) -> Image:
    """Raises DamagedImageError, and whatever else a damaged file makes of pyelftools."""
    try:
        return _read(ELFFile(file))
    except (ELFError, ConstructError) as error:
        raise DamagedImageError(f"damaged: {error}") from error


def _read(elf: ELFFile) -> Image:
    machine = elf["e_machine"]
    if machine not in MACHINES:
        raise DamagedImageError(f"a program for {machine}")
    segments = [(seg["p_vaddr"], bytearray(seg.data()), bool(seg["p_flags"] & EXECUTE)) for seg in elf.iter_segments("PT_LOAD")]
    for section in elf.iter_sections("SHT_RELA"):
        _relocate(segments, section.data(), MACHINES[machine].elf_relative)
    tables = [section["sh_addr"] for section in elf.iter_sections() if section.name.endswith(".gopclntab")]
    if not tables:
        raise DamagedImageError("no section .gopclntab: no Go program")
    symbols = {symbol.name: symbol["st_value"] for section in elf.iter_sections("SHT_SYMTAB") for symbol in section.iter_symbols()}
    return Image(MACHINES[machine].name, segments, tables[0], symbols)


def _relocate(segments: list[tuple[int, bytearray, bool]], table: bytes, relative: int) -> None:
    for offset, info, addend in struct.iter_unpack("<QQq", table):
        if info & 0xFFFFFFFF == relative:
            for start, data, _ in segments:
                if start <= offset <= start + len(data) - 8:
                    struct.pack_into("<Q", data, offset - start, addend)
