"""Copies of definitions, references turned elsewhere, jump tables: against what a slow look at every record says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolchains
from objinst.goobj.archive import Archive
from objinst.errors import ObjectError
from objinst.goobj import Edit, Object, Reloc, SymRef, verify, verify_copies, verify_turned
from objinst.goobj.edit import retargeted
from objinst.goobj.records import RELOC

PACKAGES = ("encoding/json", "fmt", "net/http", "os")


def objects(version: str, goarch: str) -> list[Object]:
    exports = toolchains.exports(version, goarch, *PACKAGES)
    return [Archive.read(exports[package]).go_object()[1] for package in PACKAGES]


@pytest.mark.parametrize(("version", "goarch"), [(toolchains.oldest(), "amd64"), (toolchains.newest(), "amd64"), (toolchains.newest(), "arm64")])
def test_jump_tables(version: str, goarch: str) -> None:
    count = 0
    for obj in objects(version, goarch):
        for index in obj.text_symbols():
            function = obj.name(index)
            pointed = {obj.resolve(reloc.sym).index for reloc in obj.relocs(index)}
            tables = {i for i in pointed if i is not None and obj.name(i).startswith(f"{function}.jump") and not obj.is_text(i)}
            assert tables <= set(obj.jump_tables.get(function, ()))
            count += len(tables)
    assert count or goarch == "arm64", "the compiler makes jump tables for amd64 in all versions"


def test_copies_are_compared() -> None:
    obj = objects(toolchains.newest(), "amd64")[1]
    edit = Edit(obj)
    indices = [index for index in obj.text_symbols() if obj.sym(index).size][:20]
    for index in indices:
        edit.add_copy(index, flag=0, flag2=0)
    made = Object.parse(edit.to_bytes(), "copies")
    pairs = edit.copies()
    assert [index for _, index in pairs] == indices and not edit.touched()
    verify_copies(made, obj, pairs)
    verify(made)
    for wrong in ([(pairs[0][0], pairs[1][1])], [(pairs[0][0] + 1, pairs[0][1])]):
        with pytest.raises(ObjectError, match="is not a copy of symbol"):
            verify_copies(made, obj, wrong)


def test_turned_references_are_compared() -> None:
    """Nothing else of such a definition may differ, and nothing may be left that was to be turned."""
    obj = objects(toolchains.newest(), "amd64")[1]
    edit = Edit(obj)
    index = next(i for i in obj.text_symbols() if obj.sym(i).size and i < obj.starts[1])
    about = obj.aux_indices(index)[obj.tables.aux["AuxDwarfInfo"]]
    old = obj.ref_of(index)
    body = edit.add_copy(index, flag=0, flag2=0)
    edit.retarget(about, old, body)
    made = Object.parse(edit.to_bytes(), "turned")
    ((place, _, _, _),) = edit.turned()
    assert place not in edit.touched() and made.resolve(body).name == obj.name(index)
    # What every record says, one by one.
    wanted = [reloc.retargeted(body) if reloc.sym == old else reloc for reloc in obj.relocs(about)]
    assert made.relocs(place) == wanted != obj.relocs(about)
    verify_turned(made, obj, edit.turned())
    verify(made)

    other = SymRef(old.pkg, old.idx + 1)
    for wrong in ([(place, about, other, body)], [(place, about, old, other)], [(place, about, body, old)], [(place + 1, about, old, body)]):
        with pytest.raises(ObjectError, match="with its references turned|is not that of symbol"):
            verify_turned(made, obj, wrong)
    raw = bytearray(made.raw)
    at = bytes(raw).index(bytes(made.raw_relocs(place)))
    raw[at + 7] ^= 1  # an addend
    with pytest.raises(ObjectError, match="is not that of symbol"):
        verify_turned(Object.parse(bytes(raw), "damaged"), obj, edit.turned())


def test_the_name_of_a_copy_is_written_once() -> None:
    obj = objects(toolchains.newest(), "amd64")[1]
    edit = Edit(obj)
    index = next(i for i in obj.text_symbols() if len(obj.name(i)) > 10)
    edit.add_copy(index, flag=0, flag2=0)
    name = obj.name(index).encode()
    assert edit.to_bytes().count(name) == obj.raw.count(name)


REFS = st.builds(SymRef, st.sampled_from([0x7FFFFFFB, 0x7FFFFFFF, 3]), st.integers(0, 300))
RELOCS = st.builds(Reloc, st.integers(0, 1 << 20), st.sampled_from([4, 8]), st.integers(0, 100), st.integers(-(1 << 63), (1 << 63) - 1), REFS)


@given(st.lists(RELOCS, max_size=30), REFS, REFS, st.binary(max_size=8))
def test_references_are_turned_record_by_record(relocs: list[Reloc], old: SymRef, new: SymRef, noise: bytes) -> None:
    """The reference's bytes may stand in an addend, too."""
    relocs = [*relocs, Reloc(0, 8, 1, int.from_bytes(RELOC.pack(0, 0, 0, 0, *old)[-8:], "little", signed=True), new)]
    raw = b"".join(RELOC.pack(*r[:4], *r.sym) for r in relocs)
    wanted = b"".join(RELOC.pack(*r[:4], *(new if r.sym == old else r.sym)) for r in relocs)
    changed = retargeted(memoryview(raw), old, new)
    assert (raw if changed is None else changed) == wanted
    assert (changed is None) == all(r.sym != old for r in relocs)
