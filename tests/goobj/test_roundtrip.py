"""Parse and write give the same bytes, for every archive of the standard library; edits keep everything else as it was."""

from __future__ import annotations


import pytest
import toolchains

from objinst.goobj.archive import Archive, fingerprint, peek
from objinst.goobj import STATIC_ABI, Edit, Object, verify

EVERYWHERE = [(version, goarch) for version in toolchains.versions() for goarch in ("amd64", "arm64")]
QUICK = [("1.26", "amd64"), ("1.26", "arm64")]
CASES = [pytest.param(*case, marks=[] if case in QUICK else [pytest.mark.long]) for case in EVERYWHERE]


@pytest.mark.parametrize(("version", "goarch"), CASES)
def test_std_round_trip(version: str, goarch: str) -> None:
    archives = toolchains.std_archives(version, goarch)
    assert len(archives) > 100
    for path in archives:
        data = path.read_bytes()
        archive = Archive.parse(data, str(path))
        assert archive.to_bytes() == data, path
        for member, obj in archive.objects().items():
            edit = Edit(obj)
            assert edit.to_bytes() == archive.members[member].data, path
            # The writer proper, not the shortcut for objects without a change.
            edit.replace(0, size=obj.sym(0).size) if obj.n_defs else edit.add_file("x")
            rewritten = edit.to_bytes()
            assert rewritten == archive.members[member].data or not obj.n_defs, path


@pytest.mark.parametrize("version", [toolchains.telemetry(), "1.26", toolchains.newest()])
def test_verifier_accepts_what_the_compiler_writes(version: str) -> None:
    archives = toolchains.exports(version, "amd64", "net/url", "sort")
    for path in archives.values():
        for obj in Archive.read(path).objects().values():
            verify(obj)


def test_added_symbols_leave_the_others_alone() -> None:
    path = toolchains.exports("1.26", "amd64", "fmt")["fmt"]
    archive = Archive.read(path)
    member, obj = archive.go_object()
    edit = Edit(obj)
    ref = edit.add_def("otelobj.test", STATIC_ABI, obj.tables.kinds["SRODATA"], data=b"hello")
    edit.add_ref("example.com/other.F", 1)
    edit.add_autolib("example.com/other", b"\1" * 8)
    again = Object.parse(edit.to_bytes(), "rewritten")
    verify(again, edit.touched())
    added = again.resolve(ref).index
    assert added == obj.starts[1]
    assert bytes(again.data(added)) == b"hello"
    assert again.autolib == (*obj.autolib, ("example.com/other", b"\1" * 8))
    for index in range(obj.n_defs):
        new = index if index < added else index + 1
        assert again.sym(new) == obj.sym(index)
        assert again.relocs(new) == obj.relocs(index)
        assert again.aux(new) == obj.aux(index)
        assert again.data(new) == obj.data(index)


def test_names_agree_with_go_tool_nm() -> None:
    path = toolchains.exports("1.26", "amd64", "sort")["sort"]
    out = toolchains.go("1.26", ".", "tool", "nm", path)
    theirs = {line.split(maxsplit=2)[2] for line in out.splitlines() if len(line.split()) > 2 and line.split()[1] in "Tt"}
    _, obj = Archive.read(path).go_object()
    ours = {obj.sym(index).name for index in obj.text_symbols()}
    assert theirs
    assert theirs <= ours


def test_peek_reads_what_the_object_says() -> None:
    path = toolchains.exports("1.26", "amd64", "sort")["sort"]
    _, obj = Archive.read(path).go_object()
    assert peek(path).line == obj.header.line
    assert peek(path).build_id == obj.header.build_id != ""
    assert fingerprint(path) == obj.fingerprint


@pytest.mark.parametrize("package", ["net", "errors"])
def test_users_of_a_symbol(package: str) -> None:
    obj = Archive.read(toolchains.exports("1.26", "amd64", "net")[package]).go_object()[1]
    names = {"runtime.chanrecv1", "runtime.newobject", "runtime.gopanic"}
    refs = obj.builtin_refs(names)
    assert {obj.resolve(ref).name for ref in refs} == names
    plain = {index for index in range(obj.n_defs) if any(reloc.sym in refs for reloc in obj.relocs(index))}
    assert plain and obj.users(refs) == plain
    assert obj.users([]) == set()
