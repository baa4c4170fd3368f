"""Static data by field name, against the layouts that the compiler gave the runtime package's structs."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from places import HOOKS
import toolchains

from objinst.goobj.archive import Archive
from objinst.goobj import Edit, Object, verify
from objinst.rewrite.static import Address, Layout, Slice, StaticData, layout

RT = "github.com/otelobj/otelobj/hooks/rt"


@pytest.fixture(scope="module")
def rt() -> Object:
    import json

    out = toolchains.go("1.26", HOOKS / "rt", "list", "-export", "-json=Export", ".")
    return Archive.read(Path(json.loads(out)["Export"])).go_object()[1]


def test_layout_is_the_compilers(rt: Object) -> None:
    desc = layout(rt, f"{RT}.Desc")
    assert list(desc.fields)[:2] == ["On", "Flags"]
    assert desc.fields["On"] == 0 and desc.fields["Flags"] == 4 and desc.fields["Func"] == 8
    assert desc.size == max(desc.fields.values()) + 24


def test_fields_strings_and_slices() -> None:
    kind = Layout("T", 56, {"A": 0, "B": 4, "Name": 8, "Items": 24, "Next": 48})
    blob = StaticData()
    at = blob.reserve(kind.size)
    items = blob.words([7, Address(None, 8)])
    blob.put(at, kind, A=1, B=2, Name="héllo", Items=Slice(items, 2), Next=Address(None, 24))
    assert struct.unpack_from("<II", blob.data) == (1, 2)
    assert struct.unpack_from("<Q", blob.data, 16) == (6,)
    assert struct.unpack_from("<QQ", blob.data, 32) == (2, 2)
    targets = {where: to.offset for where, to in blob.pointers}
    assert bytes(blob.data[targets[8] : targets[8] + 6]).decode() == "héllo"
    assert targets[24] == items and targets[48] == 24 and targets[items + 8] == 8
    with pytest.raises(KeyError):
        blob.put(at, kind, Nme="x")


def test_it_becomes_a_symbol_that_points_at_itself(rt: Object) -> None:
    edit = Edit(rt)
    blob = StaticData()
    blob.words([Address(None, 8), 5])
    ref = blob.add_to(edit, "otelobj.test", 0)
    again = Object.parse(edit.to_bytes(), "rewritten")
    verify(again, edit.touched())
    (reloc,) = again.relocs(again.resolve(ref).index)
    assert (reloc.off, reloc.size, reloc.add, reloc.sym) == (0, 8, 8, ref)
