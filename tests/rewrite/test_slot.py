"""The edit of runtime.g: the slot is where the type ends, in every version; an unknown shape of the type is refused by name."""

from __future__ import annotations

import struct

import pytest

import toolchains
from objinst.goobj.archive import Archive
from objinst.errors import ObjectError
from objinst.goobj import Edit, Object
from objinst.rewrite import runtimepkg


def runtime(version: str, goarch: str) -> Object:
    return Archive.read(toolchains.exports(version, goarch, "runtime")["runtime"]).go_object()[1]


def changed(obj: Object, *, size: int = 0, ptrdata: int = 0, tflag: int = 0, g0: int = 0) -> Object:
    """The object with these added to fields of type:runtime.g and to the size of runtime.g0."""
    edit = Edit(obj)
    index, variable = obj.find("type:runtime.g", 0), obj.find("runtime.g0", 0)
    assert index is not None
    assert variable is not None
    data = bytearray(obj.data(index))
    struct.pack_into("<QQ", data, 0, *(old + more for old, more in zip(struct.unpack_from("<QQ", data), (size, ptrdata), strict=True)))
    data[runtimepkg.TYPE_TFLAG] |= tflag
    edit.replace(index, data=bytes(data))
    edit.replace(variable, size=obj.sym(variable).size + g0)
    return Object(edit.to_bytes(), "changed")


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("version", toolchains.versions())
def test_the_slot_is_one_pointer_more(version: str, goarch: str) -> None:
    """size, ptrdata and mask read again from the bytes that the linker would get."""
    plain = runtime(version, goarch)
    edit = Edit(plain)
    slot = runtimepkg.extend_g(edit)
    made = Object(edit.to_bytes(), "made")
    index, g0 = made.find("type:runtime.g", 0), made.find("runtime.g0", 0)
    assert index is not None
    assert g0 is not None
    size, ptrdata = struct.unpack_from("<QQ", made.data(index))
    assert (size, ptrdata, made.sym(g0).size) == (slot.offset + 8, slot.offset + 8, slot.offset + 8)
    masks = [bytes(obj.data(obj.resolve(reloc.sym).index)) for obj in (plain, made) for reloc in obj.relocs(obj.find("type:runtime.g", 0)) if reloc.off == 32]
    old, new = (int.from_bytes(mask, "little") for mask in masks)
    assert new == old | 1 << slot.offset // 8 != old
    assert len(masks[1]) * 8 > slot.offset // 8


@pytest.mark.parametrize("change", [{"tflag": runtimepkg.TFLAG_GC_MASK_ON_DEMAND}, {"size": 4, "g0": 4}, {"ptrdata": 1 << 12}, {"size": 8}, {"g0": 8}], ids=str)
def test_an_unknown_shape_is_refused(change: dict[str, int]) -> None:
    edit = Edit(changed(runtime("1.26", "amd64"), **change))
    with pytest.raises(ObjectError, match=r"runtime\.g has size") as refused:
        runtimepkg.extend_g(edit)
    assert "please report it with `go version`" in str(refused.value)
    assert not edit.dirty


def test_the_change_alone_is_no_reason() -> None:
    assert runtimepkg.extend_g(Edit(changed(runtime("1.26", "amd64")))).size % 8 == 0
