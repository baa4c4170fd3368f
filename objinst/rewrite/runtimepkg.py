"""The copy of package runtime: a goroutine slot in runtime.g, its handover to new goroutines, and stubs at the ends of goroutines.

`type:runtime.g` grows by one pointer word at its end, which no compiled code knows of, so all offsets stay right; the
garbage collector scans the word because the type's pointer mask has its bit, and g0, a variable of that type, grows with it.
Everything is read from the type descriptor at hand and checked before it is changed; an unknown shape is refused.
Source: runtime/runtime2.go (type g), runtime/proc.go (malg, newproc1, goexit1), internal/abi/type.go; Go 1.22-1.27.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from objinst.errors import ObjectError
from objinst.goobj import Edit
from objinst.rewrite.text import STATIC_ABI

WORD = 8
TYPE_SIZE, TYPE_PTRDATA, TYPE_TFLAG, TYPE_GCDATA = 0, 8, 20, 32
"""Offsets of abi.Type's fields in bytes (internal/abi/type.go)."""
TFLAG_GC_MASK_ON_DEMAND = 1 << 4
REMEDY = "this Go version's runtime.g is not known to otelobj; please report it with `go version`"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the goroutine slot lies. offset: bytes from the start of runtime.g; size: of the extended runtime.g."""

    offset: int
    size: int


def extend_g(edit: Edit) -> Slot:
    """Adds the slot to runtime.g. Raises ObjectError if the type does not look as expected."""
    obj = edit.object
    type_index = obj.find("type:runtime.g", 0)
    g0 = obj.find("runtime.g0", 0)
    if type_index is None or g0 is None:
        raise ObjectError(f"{obj.origin}: no type:runtime.g or runtime.g0", REMEDY)
    data = bytearray(obj.data(type_index))
    size, ptrdata = struct.unpack_from("<QQ", data)
    if data[TYPE_TFLAG] & TFLAG_GC_MASK_ON_DEMAND or size % WORD or ptrdata > size or obj.sym(g0).size != size:
        raise ObjectError(f"{obj.origin}: runtime.g has size {size}, pointers up to {ptrdata}, runtime.g0 {obj.sym(g0).size}", REMEDY)
    struct.pack_into("<QQ", data, 0, size + WORD, size + WORD)
    edit.replace(type_index, data=bytes(data), relocs=[_with_mask(edit, reloc, size, ptrdata) for reloc in obj.relocs(type_index)])
    edit.replace(g0, size=size + WORD)
    return Slot(size, size + WORD)


def _with_mask(edit: Edit, reloc: object, size: int, ptrdata: int) -> object:
    """The relocation of GCData at a longer mask with the slot's bit set; any other relocation as it is."""
    if reloc.off != TYPE_GCDATA:
        return reloc
    target = edit.object.resolve(reloc.sym).index
    if target is None:
        raise ObjectError(f"{edit.object.origin}: the pointer mask of runtime.g lies elsewhere", REMEDY)
    words = ptrdata // WORD
    mask = int.from_bytes(bytes(edit.object.data(target)), "little") & ((1 << words) - 1)
    mask |= 1 << (size // WORD)
    length = (size // WORD // 64 + 1) * 8
    name = "runtime.gcbits.otelobj.g"
    ref = edit.add_def(name, STATIC_ABI, edit.tables.kinds["SRODATA"], align=1, data=mask.to_bytes(length, "little"))
    return reloc.retargeted(ref)
