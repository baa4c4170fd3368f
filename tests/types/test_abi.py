"""Names of types and the ABI assignment, by hand: the edges that random signatures meet rarely."""

from __future__ import annotations

import pytest
from objinst.types import GoType, Kind, Param, TypeTable, Unknown, assign
from objinst.signatures.agree import Evidence
from objinst.signatures.agree import agree
from objinst.signatures.dwarf import DICT, _place, dictionary_position
from objinst.types.model import Field
from objinst.types.names import closing, escape, parse, type_arguments, unescape
from trampolines.contract import Piece, RegClass, SpillScan

TABLE = TypeTable(lambda _path: None)


def known(name: str) -> GoType:
    found = TABLE.resolve(name)
    assert not isinstance(found, Unknown), found
    return found


def struct(*fields: tuple[str, int], size: int, align: int = 8) -> GoType:
    items = tuple(Field(f"f{i}", known(name), offset) for i, (name, offset) in enumerate(fields))
    return GoType("struct", Kind.STRUCT, size, align, (False,) * ((size + 7) // 8), items)


def regs(value: str) -> list[str]:
    return [f"{p.reg.value}{p.index}:{p.size}@{p.offset}" for p in assign("amd64", [known(value)], []).spills]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("complex64", ["float0:4@0", "float1:4@4"]),
        ("complex128", ["float0:8@0", "float1:8@8"]),
        ("[1]string", ["int0:8@0", "int1:8@8"]),
        ("[1][1][1]int8", ["int0:1@0"]),
        ("[0]string", []),
        ("[2]int8", []),
        ("[]no.T", ["int0:8@0", "int1:8@8", "int2:8@16"]),
        ("func(no.T) struct { A int }", ["int0:8@0"]),
        ("interface { M(struct { }) }", ["int0:8@0", "int1:8@8"]),
    ],
)
def test_registers_of_one_value(name: str, expected: list[str]) -> None:
    assert regs(name) == expected


def test_the_last_register_and_the_first_value_on_the_stack() -> None:
    """amd64 has nine integer registers: a string as the ninth and tenth goes to the stack, and a later word takes the ninth."""
    abi = assign("amd64", [known("int32")] * 8 + [known("string"), known("int8"), known("int16")], [])
    assert [bool(p.pieces) for p in abi.params] == [True] * 8 + [False, True, False]
    assert [p.offset for p in abi.params[8:]] == [0, 24 + 32, 16]
    assert (abi.spill_offset, abi.spill_size, abi.args_size) == (24, 40, 64)
    assert abi.args_map == (True, False, False, False, False, False, False, False)
    assert len(assign("arm64", [known("int")] * 17, []).spills) == 16
    assert len(assign("arm64", [known("float32")] * 17, []).spills) == 16


def test_zero_sized_values_have_no_register_but_a_place() -> None:
    abi = assign("amd64", [known("int8"), known("[0]int64"), known("int16")], [known("[0]int")])
    assert [p.offset for p in abi.params] == [0, 0, 2]
    assert abi.results[0].in_args
    assert (abi.args_size, abi.results_size, abi.stack_results) == (8, 0, ())


def test_an_array_of_two_sends_its_struct_to_the_stack() -> None:
    both = struct(("int8", 0), ("[2]int8", 1), size=3, align=1)
    empty = struct(("int32", 0), ("[2][0]int", 8), size=16)
    assert assign("amd64", [both, empty], []).spills == ()


def test_results_on_the_stack() -> None:
    abi = assign("amd64", [known("[2]int8")], [known("[2]*int"), known("string"), known("[3]int8")])
    assert [(r.in_args, r.offset) for r in abi.results] == [(True, 8), (False, 0), (True, 24)]
    assert abi.stack_results == ((8, 24),)
    assert abi.exit_args_map == (False, True, True, False)
    assert abi.args_map == (False,) * 4
    assert abi.results_map == (True, False)
    assert abi.result_pieces == (Piece(RegClass.INT, 0, 8, 0), Piece(RegClass.INT, 1, 8, 8))


def test_disagreement_is_told() -> None:
    abi = assign("amd64", [known("string"), known("float32")], [])
    good = SpillScan(abi.spills)

    def problem(size: int = 24, *more: object) -> str:
        return agree(abi, Evidence("p.f", size, *more)) or ""

    assert problem(24, good, (True, False, False)) == ""
    assert problem(24, SpillScan(())) == ""
    assert problem(24, SpillScan((), ("spills", "unreadable"))) == ""
    assert "32" in problem(32)
    assert "register 1" in problem(24, SpillScan((abi.spills[0], abi.spills[2])))
    assert "float" in problem(24, SpillScan((*abi.spills[:2], Piece(RegClass.FLOAT, 0, 8, 16))))
    assert "byte 8" in problem(24, good, (True, True, False))
    assert problem(24, good, None, b"\xfe\x00\x08\x08\x08\xfd\x10\x04\xff") == ""
    assert "components" in problem(24, good, None, b"\x00\x08\x08\x08\x10\x04\xff")


def test_nothing_taken() -> None:
    assert Evidence("p.f", 0, SpillScan(())).takes_nothing
    assert not Evidence("p.f", 0, SpillScan((), ("spills", "unreadable"))).takes_nothing
    assert Evidence("p.f", 0, SpillScan(None)).takes_nothing  # no stack check, and no spill area in its caller
    assert not Evidence("p.f", 0).takes_nothing
    assert not Evidence("p.f", 8, SpillScan(())).takes_nothing


@pytest.mark.parametrize(
    ("name", "kind", "elem", "package"),
    [
        ("*net/http.Request", Kind.POINTER, "net/http.Request", ""),
        ("gopkg.in/yaml%2ev3.Node", None, "", "gopkg.in/yaml.v3"),
        ("main.T·1", None, "", "main"),
        ('a/b.Pair[c/d.T,map[string]struct { A int "x]" }]', None, "", "a/b"),
        ('map[struct { A int "]" }]a.T', Kind.MAP, "a.T", ""),
        ("chan (<-chan int)", Kind.CHAN, "<-chan int", ""),
        ("<-chan chan<- int", Kind.CHAN, "chan<- int", ""),
        ("[0]func(...interface {}) (int, error)", Kind.ARRAY, "func(...interface {}) (int, error)", ""),
        ("noalg.struct { F uintptr }", Kind.STRUCT, "", ""),
    ],
)
def test_names(name: str, kind: Kind | None, elem: str, package: str) -> None:
    found = parse(name)
    assert (found.kind, found.elem, found.package) == (kind, elem, package)


@pytest.mark.parametrize("name", ["", "T", "[x]int", "[3", "map[int", "a/b.", ".T", "a.T[int"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(name)


def test_paths() -> None:
    for path, escaped in {"a.b/c.d": "a.b/c%2ed", "main": "main", "x/ü%": "x/%c3%bc%25", "gopkg.in/yaml.v3": "gopkg.in/yaml%2ev3"}.items():
        assert escape(path) == escaped
        assert unescape(escaped) == path
    assert type_arguments('p.T[int,map[a.B]struct { A int ",]" },[]q.R[x.Y,z.W]]') == ["int", 'map[a.B]struct { A int ",]" }', "[]q.R[x.Y,z.W]"]
    assert closing('[a"]\\""]', 0) == 7


@pytest.mark.parametrize(
    ("symbol", "position"),
    [
        ("a/b.c/d%2ee.F[go.shape.int]", 0),
        ("p.(*T[go.shape.struct { a/b.x int; Y func(string) }]).M", 1),
        ("p.T[go.shape.int].M", 1),
        ("unique.T[go.shape.int].internal/sync.m", 1),
        ("a/unique.(*T[go.shape.int]).internal/sync.m", 1),
        ("a/b.(*T).M[go.shape.int]", 1),
        ("p.F[go.shape.int].func1", None),
        ("p.(*T[go.shape.int]).M.func2", None),
        ("p.(*S).m.Keys[go.shape.map[string]bool,go.shape.string].func1", None),
        ("p.(*T[go.shape.int]).M-fm", None),
        ("p.F[go.shape.int]-range1", None),
        ("type:.eq.p.T[go.shape.int]", None),
        ("p.F[int]", None),
        ("p.F", None),
    ],
)
def test_dictionary_position(symbol: str, position: int | None) -> None:
    assert dictionary_position(symbol) == position


def test_parameters_are_placed_where_their_names_say() -> None:
    given = [Param(name, "int") for name in ("a", "b", "~p3", "~p0")]
    placed = _place(given, {1: DICT})
    assert placed is not None
    assert [param.name for param in placed] == ["~p0", ".dict", "a", "~p3", "b"]
    assert _place([Param("~p1", "int")], {}) is None
    assert _place([Param("~p0", "int")], {0: DICT}) is None
