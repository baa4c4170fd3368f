"""Readers say themselves what is wrong with damaged bytes: no exception of theirs is left to be explained by somebody else."""

from __future__ import annotations

import struct

import pytest

import toolchains
from objinst.errors import ObjectError
from objinst.goobj import Object
from objinst.goobj.archive import Archive
from objinst.goobj.records import RELOC, Blk
from objinst.plan.judge import Function, read_function
from objinst.rewrite.static import Fields, Layout, Slice, StaticData, layout
from objinst.types import descriptors

TYPE = "type:sync.Pool"


@pytest.fixture(scope="module")
def obj() -> Object:
    return Archive.read(toolchains.exports("1.26", "arm64", "sync")["sync"]).go_object()[1]


def patched(obj: Object, block: Blk, at: int, data: bytes) -> Object:
    """at: in the block."""
    raw = bytearray(obj.raw)
    start = obj.base + obj.offsets[block] + at
    raw[start : start + len(data)] = data
    return Object.parse(bytes(raw), "damaged")


def function(obj: Object) -> int:
    return next(index for index in obj.text_symbols() if isinstance(found := read_function(obj, index), Function) and found.calls)


@pytest.mark.parametrize("off", [-1, 0x7FFFFFFF])
def test_a_relocation_outside_of_the_code(obj: Object, off: int) -> None:
    index = function(obj)
    other = patched(obj, Blk.RELOC, obj._reloc_idx[index] * RELOC.size, struct.pack("<i", off))
    with pytest.raises(ObjectError, match=rf"a relocation at {off} of \d+ bytes of code"):
        read_function(other, index)


def test_code_that_is_not_all_there(obj: Object) -> None:
    index = function(obj)
    place = index * 4
    other = patched(obj, Blk.DATA_IDX, place, struct.pack("<I", obj._data_idx[index] + 2))
    with pytest.raises(ObjectError, match=r"\d+ of \d+ bytes of code"):
        read_function(other, index)


def descriptor(obj: Object) -> tuple[int, int]:
    """Index, and where its data are in their block."""
    index = obj.find(TYPE)
    assert index is not None
    return index, obj._data_idx[index]


def test_a_struct_that_is_whole(obj: Object) -> None:
    assert "local" in layout(obj, "sync.Pool").fields


@pytest.mark.parametrize(
    ("at", "data", "said"),
    [
        (64, struct.pack("<Q", 1 << 40), "sync.Pool': its list of .* items lies elsewhere"),
        (0, struct.pack("<Q", 1 << 30), "sync.Pool has 1073741824 bytes"),
        (0, struct.pack("<Q", 8), "sync.Pool has 8 bytes, and fields at"),
    ],
)
def test_a_struct_that_says_something_else(obj: Object, at: int, data: bytes, said: str) -> None:
    _, start = descriptor(obj)
    with pytest.raises(ObjectError, match=said):
        layout(patched(obj, Blk.DATA, start + at, data), "sync.Pool")


def test_a_struct_whose_names_or_types_lie_elsewhere(obj: Object) -> None:
    index, start = descriptor(obj)
    (count,) = struct.unpack_from("<Q", obj.block(Blk.DATA), start + 64)
    first = next(reloc.add for reloc in obj.relocs(index) if reloc.off == 56)
    wanted = {56, *range(first, first + 24 * count, 24), *range(first + 8, first + 24 * count, 24)}
    tried = 0
    for number, reloc in enumerate(obj.relocs(index), obj._reloc_idx[index]):
        if reloc.off in wanted:
            with pytest.raises(ObjectError, match="sync.Pool"):
                layout(patched(obj, Blk.RELOC, number * RELOC.size, struct.pack("<i", 1)), "sync.Pool")
            tried += 1
    assert tried == 1 + 2 * count


@pytest.mark.parametrize("start", [-24, -1, 1 << 30])
def test_a_struct_whose_fields_begin_outside_of_it(obj: Object, start: int) -> None:
    """Read for static data, or as a type."""
    index, _ = descriptor(obj)
    number = next(number for number, reloc in enumerate(obj.relocs(index), obj._reloc_idx[index]) if reloc.off == 56)
    damaged = patched(obj, Blk.RELOC, number * RELOC.size + struct.calcsize("<iBH"), struct.pack("<q", start))
    for read in (lambda: layout(damaged, "sync.Pool"), lambda: descriptors.read(damaged, index, lambda near, ref: near.resolve(ref).name)):
        with pytest.raises(ObjectError, match="its list of .* items lies elsewhere"):
            read()


def test_a_field_that_is_not_there() -> None:
    kind = Layout("T", 16, Fields({"A": 0, "B": 4, "C": 8}, "x.a: T"))
    blob = StaticData()
    at = blob.reserve(kind.size)
    with pytest.raises(ObjectError, match="x.a: T has no field D, but A, B, C"):
        blob.put(at, kind, D=1)
    for fields in ({"A": 1 << 32}, {"A": "text"}, {"C": Slice(0, 1)}, {"C": -1}):
        with pytest.raises(ObjectError, match=r"T\.. has \d bytes, too few"):
            blob.put(at, kind, **fields)
    assert len(blob.data) == kind.size
    blob.put(at, kind, A=(1 << 32) - 1, C=(1 << 64) - 1)
