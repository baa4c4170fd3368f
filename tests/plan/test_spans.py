"""Paths of span rules against compiled functions: where values lie, and what is said where a function does not have what a path names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from types_build import Build

from objinst.errors import OtelobjError
from objinst.plan.missing import refused_problems, unfound_problems
from objinst.actions.span import Span, SpanUse
from objinst.plan.hooks import HookFinder
from objinst.plan.model import Status, Target, Value
from objinst.plan.subject import CallValue, Subject, title
from objinst.rewrite.result import read_result, write_result
from objinst.rules import Rule, RuleSet
from rule_files import read_file
from objinst.goversions import for_version
from objinst.rules.names import printed
from objinst.types import Kind, Signature, assign, resolve
from objinst.signatures.dwarf import signature
from objinst.signatures.find import Signatures

SOURCE = """\
package p

import _ "context"

type Base struct{ ID int32 }
type Left struct{ Twice int }
type Right struct{ Twice int }
type Order struct {
	_ [3]int64
	*Base
	Left
	Right
	Name  string
	Next  *Order
	Raw   []byte
	Meta  map[string]int
	Sizes []float64
	Why   error
	Any   any
	Do    func()
	fixed [4]int
}
type Self *Self
type store struct{ region string }

//go:noinline
func (s *store) place(now bool, order *Order, _ int, me Self) (n int, err error) { return 1, order.Why }

//go:noinline
func bare(n int) [2]string { return [2]string{} }
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spans")
    (folder / "go.mod").write_text("module m\n\ngo 1.22\n")
    (folder / "p").mkdir()
    (folder / "p" / "p.go").write_text(SOURCE)
    return Build("1.26", "amd64", folder, "./p")


def subject(build: Build, symbol: str) -> Subject:
    obj = build.object("m/p")
    declared = signature(obj, obj.find(symbol, 1))
    assert isinstance(declared, Signature)
    typed = resolve(declared, build.table, obj)
    abi = assign("amd64", typed.params, typed.results)
    values = [[Value(name.name, home) for name, home in zip(*pair, strict=True)] for pair in ((declared.params, abi.params), (declared.results, abi.results))]
    return Subject.of(symbol, *map(tuple, values), HookFinder("amd64", Signatures(build.table), build.load), obj)


def rule(tmp_path: Path, text: str, where: str = "{ func: place }", more: str = "") -> Rule:
    path = tmp_path / "acme.yaml"
    path.write_text(f"r:\n  target: m/p\n  where: {where}\n  do:\n    - span: {text}\n{more}")
    return read_file(path)[0]


def planned(build: Build, tmp_path: Path, text: str, symbol: str = "m/p.(*store).place", **more: str) -> SpanUse:
    found = rule(tmp_path, text, **more)
    (action,) = found.do
    assert isinstance(action, Span)
    return action.plan(found, subject(build, symbol))


def value(build: Build, tmp_path: Path, path: str, symbol: str = "m/p.(*store).place") -> CallValue:
    use = planned(build, tmp_path, f"{{ attributes: {{ a: {path} }} }}", symbol)
    ((_, found),) = (*use.at_entry, *use.at_return)
    return found


# Arguments: s at 0, now at 8, order at 16, _ at 24, me at 32. Order: _ 24 bytes, *Base at 24, Left 32, Right 40, Name 48, Next 64, Raw 72,
# Meta 96, Sizes 104, Why 128, Any 144, Do 160, fixed 168.
@pytest.mark.parametrize(
    ("path", "offsets", "kind", "more"),
    [
        ("arg.now", (8,), Kind.BOOL, {}),
        ("arg.0", (8,), Kind.BOOL, {}),
        ("arg.2", (24,), Kind.INT, {}),
        ("recv.region", (0, 0), Kind.STRING, {}),
        ("arg.order.Name", (16, 48), Kind.STRING, {}),
        ("arg.1.Next.Next.Name", (16, 64, 64, 48), Kind.STRING, {}),
        ("arg.order.Base.ID", (16, 24, 0), Kind.INT32, {}),
        ("arg.order.ID", (16, 24, 0), Kind.INT32, {}),
        ("arg.order.Left.Twice", (16, 32), Kind.INT, {}),
        ("arg.order.Sizes", (16, 104), Kind.SLICE, {"elem": Kind.FLOAT64, "elem_size": 8}),
        ("arg.order.Why", (16, 128), Kind.INTERFACE, {}),
        ("arg.order.Why.Code.Inner", (16, 128), Kind.INTERFACE, {"fields": ("Code", "Inner")}),
        ("len(arg.order.Why.Code)", (16, 128), Kind.INTERFACE, {"fields": ("Code",), "count": True}),
        ("arg.order.Any", (16, 144), Kind.INTERFACE, {"empty": True}),
        ("len(arg.order.Name)", (16, 56), Kind.INT, {}),
        ("len(arg.order.Raw)", (16, 80), Kind.INT, {}),
        ("len(arg.order.Meta)", (16, 96), Kind.MAP, {"count": True}),
    ],
)
def test_where_a_value_lies(build, tmp_path, path, offsets, kind, more):
    assert value(build, tmp_path, path) == CallValue(in_args=True, offsets=offsets, kind=kind, **more)


def test_results_in_registers_and_on_the_stack(build, tmp_path):
    assert value(build, tmp_path, "result.n") == CallValue(in_args=False, offsets=(0,), kind=Kind.INT)
    use = planned(build, tmp_path, "{ name: '{arg.now} at {recv.region}', kind: consumer }")
    assert use.errors == (CallValue(in_args=False, offsets=(8,), kind=Kind.INTERFACE),)
    assert use.name == (CallValue(in_args=True, offsets=(8,), kind=Kind.BOOL), " at ", CallValue(in_args=True, offsets=(0, 0), kind=Kind.STRING))
    assert (use.title, use.function, use.kind, use.go_context) == ("p.(*store).place", "m/p.(*store).place", 5, None)


@pytest.mark.parametrize(
    ("path", "what", "remedy"),
    [
        ("arg.ordr", "m/p.(*store).place has no parameter ordr, it has arg.now, arg.order, arg.2, arg.me", "did you mean 'arg.order'?"),
        ("arg.4", "has no parameter 4", ""),
        ("result.er", "has no result er, it has result.n, result.err", "did you mean 'result.err'?"),
        ("arg.order.Nam", "m/p.Order has no field Nam, its fields are: Base, Left, Right, Name, Next, Raw", "did you mean 'Name'?"),
        ("arg.order.Twice", "Twice is ambiguous in m/p.Order", ""),
        ("arg.now.x", "bool has no fields", ""),
        ("arg.order", "m/p.Order is a struct; name one of its fields: Base, Left", ""),
        ("arg.order.Raw", "a value of type []uint8 cannot be an attribute; len(arg.order.Raw) is its length", ""),
        ("arg.order.Meta", "cannot be an attribute; len(arg.order.Meta) is its length", ""),
        ("arg.order.Do", "a value of type func() cannot be an attribute", "a number, text, bool"),
        ("arg.order.fixed", "a value of type [4]int cannot be an attribute", ""),
        ("len(arg.now)", "a value of type bool has no length", ""),
        ("arg.me", "is a pointer to pointers", ""),
    ],
)
def test_what_a_function_does_not_have(build, tmp_path, path, what, remedy):
    text = f"{{ attributes: {{ a: {path} }} }}"
    with pytest.raises(OtelobjError) as caught:
        planned(build, tmp_path, text)
    assert caught.value.what.startswith(f"{tmp_path}/acme.yaml:5: rule r: {path}: "), caught.value
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    for lenient in ({"where": '{ func: "pl*" }'}, {"more": "  optional: true\n"}):
        use = planned(build, tmp_path, text, **lenient)
        assert use.at_entry == use.at_return == ()
        (why,) = use.left_out
        assert why.startswith(f"{path}: ") and what in why


def test_functions_without_receiver_results_or_names(build, tmp_path):
    with pytest.raises(OtelobjError, match="m/p.bare has no receiver"):
        value(build, tmp_path, "recv.region", "m/p.bare")
    with pytest.raises(OtelobjError, match=r"it has result\.0"):
        value(build, tmp_path, "result.err", "m/p.bare")
    with pytest.raises(OtelobjError, match="cannot be an attribute"):
        value(build, tmp_path, "result.0", "m/p.bare")


def test_a_name_with_a_hole_is_the_functions_own(build, tmp_path):
    use = planned(build, tmp_path, "{ name: 'a {arg.n} {arg.now}' }", where='{ func: "*" }')
    assert use.name == () and [why.split(":")[0] for why in use.left_out] == ["arg.n"]


@pytest.mark.parametrize(
    ("symbol", "offset"), [("m/p.f", 16), ("context.WithCancel", None), ("context.(*cancelCtx).propagateCancel", None), ("m/context.f", 16)]
)
def test_the_context_of_a_call(build, symbol, offset):
    abi = assign("amd64", [build.table.resolve("string"), build.table.resolve("context.Context"), build.table.resolve("int")], [])
    values = tuple(Value(name, home) for name, home in zip(("recv", "ctx", "n"), abi.params, strict=True))
    assert Subject(symbol, values[0], values[1:], (), build.table, build.object("m/p")).go_context == offset


def test_a_path_that_no_function_of_a_glob_has(tmp_path):
    def targets(*left_out: tuple[str, ...]) -> list[Target]:
        return [Target("r", "m/p.f", "m/p", "f.go", 1, Status.HOOKED, "", True, True, 0, left_out=found) for found in left_out]

    globbing = rule(tmp_path, "{ name: 'x {arg.n}', attributes: { a: arg.n, b: len(arg.n) } }", where='{ func: "*" }')
    nowhere = ("arg.n: f has no parameter n", "len(arg.n): f has no parameter n")
    assert unfound_problems(targets(nowhere, ()), RuleSet((globbing,))) == []
    assert unfound_problems([], RuleSet((globbing,))) == []
    first, second = unfound_problems(targets(nowhere, nowhere), RuleSet((globbing,)))
    assert first.what == f"{tmp_path}/acme.yaml:5: rule r: no function that it names has arg.n; arg.n: f has no parameter n"
    assert "has len(arg.n); len(arg.n): f has" in second.what
    assert unfound_problems(targets(nowhere), RuleSet((replace(globbing, optional=True),))) == []


def test_what_a_link_keeps_at_hand_tells_the_same_problems(tmp_path):
    """A cached archive's targets are read one by one only for the report."""
    globbing = rule(tmp_path, "{ name: 'x {arg.n}' }", where='{ func: "*" }')
    plain = replace(globbing, name="plain", do=())
    literal = replace(rule(tmp_path, "{ name: x }"), name="literal")
    rules = RuleSet((globbing, plain, literal, replace(globbing, name="o1", optional=True), replace(literal, name="o2", optional=True)))
    missed = ("arg.n: f has no parameter n",)
    targets = [
        Target(one.name, f"m/p.f{left_out}", "m/p", "f.go", 1, status, "" if status is Status.HOOKED else "fork: it can", True, True, 0, left_out=left_out)
        for one in rules.rules
        for status in (Status.HOOKED, Status.REFUSED)
        for left_out in (missed, ())
    ]
    folder = tmp_path / "made"
    folder.mkdir()

    def told(targets: list[Target]) -> list[str]:
        return [str(problem) for find in (refused_problems, unfound_problems) for problem in find(targets, rules)]

    for given in (targets, targets[::2], targets[1::2]):
        write_result(folder, rules, given, [], ["t"])
        result = read_result(folder, tmp_path)
        assert told(list(result.telling)) == told(given)
        assert result.targets() == given and result.rules == tuple(sorted({target.rule for target in given}))
        assert {target.rule for target in result.telling} <= {globbing.name, literal.name}
    assert told(targets[::2])


@pytest.mark.parametrize(
    ("symbol", "name", "newer", "short"),
    [
        ("example.com/acme/shop.(*Store).Place", "example.com/acme/shop.(*Store).Place", "", "shop.(*Store).Place"),
        ("main.f.func1", "main.f.func1", "", "main.f.func1"),
        ("gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml%2ev3.Unmarshal", "", "yaml.v3.Unmarshal"),
        ("slices.Sort[go.shape.[]int,go.shape.int]", "slices.Sort[...]", "", "slices.Sort[...]"),
        ("a/b.(*T[go.shape.struct { X a/c.D }]).M.func1", "a/b.(*T[...]).M.func1", "", "b.(*T[...]).M.func1"),
        ("p.F[go.shape.[4]int].G[go.shape.[]int].func1", "p.F[...].func1", "p.F[...].G[...].func1", "p.F[...].G[...].func1"),
        ("p.T[a].M[b[c]].N[d]", "p.T[...]", "p.T[...].M[...]", "p.T[...].M[...]"),
    ],
)
def test_names(symbol, name, newer, short):
    assert (*(printed(symbol, for_version(f"go{go}").runtime.bracket_pairs) for go in ("1.22", "1.26", "1.27")), title(symbol)) == (name, name, newer or name, short)
