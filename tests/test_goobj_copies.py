"""Copies of definitions, references turned elsewhere, jump tables: against what a slow look at every record says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolchains
from objinst.archive import Archive
from objinst.errors import ObjectError
from objinst.goobj import Edit, Object, Reloc, SymRef, verify, verify_copies
from objinst.goobj.records import RELOC
from objinst.rewrite.swap import retargeted

PACKAGES = ("encoding/json", "fmt", "net/http", "os")


def objects(version: str, goarch: str) -> list[Object]:
    exports = toolchains.exports(version, goarch, *PACKAGES)
    return [Archive.read(exports[package]).go_object()[1] for package in PACKAGES]


@pytest.mark.parametrize(("version", "goarch"), [("1.22", "amd64"), ("1.27", "amd64"), ("1.27", "arm64")])
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
    obj = objects("1.27", "amd64")[1]
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
        with pytest.raises(ObjectError, match="is no copy of symbol"):
            verify_copies(made, obj, wrong)


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
