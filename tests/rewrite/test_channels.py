"""The mark of a channel: bytes of runtime.hchan that are no field's, as DWARF has them; an unknown shape of the type is refused by name."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

from places import HOOKS
import toolchains
from objinst.goobj.archive import Archive
from objinst.errors import ObjectError
from objinst.goobj import Edit, Object
from objinst.rewrite.channels import channel_offsets
from objinst.types.descriptors import MIDDLE

FIELD = 24
"""Size of abi.StructField: name, type, offset."""


def runtime(version: str, goarch: str) -> Object:
    return Archive.read(toolchains.exports(version, goarch, "runtime")["runtime"]).go_object()[1]


def members(version: str, goarch: str, folder: Path) -> dict[str, dict[str, range]]:
    """Of runtime.hchan and runtime.scase: the bytes of each field, from the debug information of a program."""
    (folder / "main.go").write_text("package main\n\nfunc main() { c := make(chan int, 1); select { case c <- 1: case <-c: } }\n")
    toolchains.go(version, folder, "build", "-o", "program", "main.go", goarch=goarch)
    info = ELFFile(io.BytesIO((folder / "program").read_bytes())).get_dwarf_info()
    found: dict[str, dict[str, range]] = {}
    for unit in info.iter_CUs():
        for die in unit.iter_DIEs():
            if die.tag == "DW_TAG_structure_type" and (name := text(die)) in ("runtime.hchan", "runtime.scase"):
                found[name] = {text(child): place(child) for child in die.iter_children()}
    return found


def text(die: DIE) -> str:
    return die.attributes["DW_AT_name"].value.decode() if "DW_AT_name" in die.attributes else ""


def place(member: DIE) -> range:
    kind = member.get_DIE_from_attribute("DW_AT_type")
    while kind.tag == "DW_TAG_typedef":
        kind = kind.get_DIE_from_attribute("DW_AT_type")
    size = kind.attributes["DW_AT_byte_size"].value if "DW_AT_byte_size" in kind.attributes else 8  # a pointer
    at = member.attributes["DW_AT_data_member_location"].value
    return range(at, at + size)


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("version", toolchains.versions())
def test_the_mark_is_no_field(version: str, goarch: str, tmp_path: Path) -> None:
    known = channel_offsets(runtime(version, goarch))
    types = members(version, goarch, tmp_path)
    chan, case = types["runtime.hchan"], types["runtime.scase"]
    mark = range(known["MarkOff"], known["MarkOff"] + known["MarkSize"])
    taken = {byte for field in chan.values() for byte in field}
    assert len(mark) in (1, 2)
    assert not taken & set(mark)
    assert mark.stop < max(taken)
    assert mark.start % len(mark) == 0
    assert mark.start // 4 == (mark.stop - 1) // 4, "it is changed as a part of one word"
    assert known["ElemsizeOff"] == chan["elemsize"].start
    assert len(chan["elemsize"]) == 2
    assert known["TimerOff"] == (chan["timer"].start if "timer" in chan else 0)
    assert [known[name] for name in ("QcountOff", "DataqsizOff", "RecvqOff")] == [chan[name].start for name in ("qcount", "dataqsiz", "recvq")]
    assert [known[name] for name in ("CaseChanOff", "CaseElemOff")] == [case[name].start for name in ("c", "elem")]
    assert known["CaseSize"] == max(field.stop for field in case.values())


def changed(offsets: dict[str, int], names: dict[str, str] | None = None) -> Object:
    """Package runtime with fields of type:runtime.hchan elsewhere, or under other names of the same length."""
    plain = runtime("1.26", "amd64")
    edit = Edit(plain)
    index = plain.find("type:runtime.hchan")
    assert index is not None
    data, relocs = bytearray(plain.data(index)), list(plain.relocs(index))
    start = next(reloc.add for reloc in relocs if reloc.off == MIDDLE)
    for at in range(start, len(data), FIELD):
        reloc = next((reloc for reloc in relocs if reloc.off == at), None)
        target = None if reloc is None else plain.resolve(reloc.sym).index
        if reloc is None or target is None:
            continue
        encoded = bytes(plain.data(target))
        name = encoded[2 : 2 + encoded[1]].decode()
        if name in offsets:
            struct.pack_into("<Q", data, at + 16, offsets[name])
        if names and name in names:
            other = edit.add_def("", 0xFFFF, edit.tables.kinds["SRODATA"], data=encoded.replace(name.encode(), names[name].encode()))
            relocs[relocs.index(reloc)] = reloc.retargeted(other)
    edit.replace(index, data=bytes(data), relocs=relocs)
    return Object.parse(edit.to_bytes(), "changed")


def test_a_channel_without_room_is_refused() -> None:
    with pytest.raises(ObjectError, match=r"runtime\.hchan has no byte that belongs to no field") as refused:
        channel_offsets(
            changed({"closed": 26, "timer": 30, "elemtype": 38, "sendx": 46, "recvx": 54, "recvq": 62, "sendq": 78, "bubble": 94, "lock": 102})
        )
    assert "please report it with `go version`" in str(refused.value)


def test_a_channel_with_other_fields_is_refused() -> None:
    with pytest.raises(ObjectError, match=r"runtime\.hchan has the fields .*elemSize"):
        channel_offsets(changed({}, {"elemsize": "elemSize"}))


def test_the_change_alone_is_no_reason() -> None:
    assert channel_offsets(changed({})) == channel_offsets(runtime("1.26", "amd64"))


RULE = "count:\n  target: fmt\n  where: { func: Sprint }\n  do: [{ probe: count }]\n"
WITHOUT = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Sprint(1) }\n'
WITH = 'package main\n\nimport (\n\t"fmt"\n\n\t"github.com/otelobj/otelobj/hooks/rt"\n)\n\nfunc main() { fmt.Sprint(1); rt.Enter(nil, 1) }\n'


@pytest.mark.parametrize(("source", "watched"), [(WITHOUT, False), (WITH, True)], ids=["without", "with"])
def test_channel_operations_are_watched_where_somebody_keeps_a_context(source: str, watched: bool, tmp_path: Path) -> None:
    """A program that is only counted does not pay for it."""
    (tmp_path / "main.go").write_text(source)
    (tmp_path / "rules.yaml").write_text(RULE)
    rt = f"require github.com/otelobj/otelobj/hooks/rt v0.0.0\nreplace github.com/otelobj/otelobj/hooks/rt => {HOOKS}/rt\n" if watched else ""
    (tmp_path / "go.mod").write_text(f"module example.com/m\n\ngo 1.24\n\n{rt}")
    toolexec = f"-toolexec=otelobj --rules {tmp_path / 'rules.yaml'}"
    toolchains.go("1.26", tmp_path, "build", toolexec, "-o", "program", ".", OTELOBJ_DISABLE="all")
    symbols = ELFFile(io.BytesIO((tmp_path / "program").read_bytes())).get_section_by_name(".symtab")
    names = {symbol.name for symbol in symbols.iter_symbols()}
    assert "github.com/otelobj/otelobj/hooks/rt.onPanic" in names
    assert ("github.com/otelobj/otelobj/hooks/rt.onSend" in names) == watched
