"""Random programs whose hooks check what they are shown: every argument and result of functions with random signatures.

Module `rnd`: package `ty` has the types and a comparison that follows pointers, `fns` the functions, `hk` a before and an after hook
for each, `main` calls them. Values are functions of a seed, so both sides can make them. A hook forces a garbage collection and grows
the stack before it looks; it takes each value with its type or as interface{}. All choices are those of a random.Random, which may be
hypothesis's, so that what it finds shrinks.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import types_calls

Make = Callable[[int], str]


@dataclass(frozen=True)
class Type:
    """source: as any package but ty writes it. make: an expression of the type from a number; it may use the variable s, the seed.
    differs: a condition, from an expression of the type and that number, that lets nothing escape; "" if there is none."""

    source: str
    make: Make
    differs: Callable[[str, int], str] = lambda _x, _c: ""


@dataclass(frozen=True)
class Value:
    """A parameter or result. boxed: the hook takes it as interface{}; hidden: its type in a hook, for a type parameter's value."""

    type: Type
    number: int
    boxed: bool


NUMBERS = ["int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr"]


def comparable(name: str, make: Make) -> Type:
    return Type(name, make, lambda x, c: f"{x} != {name}({make(c)})")


def basic() -> list[Type]:
    made = [comparable(name, lambda c, name=name: f"{name}((s+{c})%100)") for name in NUMBERS]
    made += [comparable(name, lambda c, name=name: f"{name}(s+{c})*0.5") for name in ("float32", "float64")]
    made += [comparable(name, lambda c, name=name: f"{name}(complex(float64(s+{c}), {c}))") for name in ("complex64", "complex128")]
    text = comparable("string", lambda c: f"string(rune('a'+(s+{c})%26)) + \"-text\"")
    return [
        *made,
        text,
        comparable("bool", lambda c: f"(s+{c})%2 == 0"),
        Type("error", lambda c: f'fmt.Errorf("error %d", s+{c})', lambda x, c: f'{x}.Error() != "error " + fmt.Sprint(s+{c})'),
        Type("any", lambda c: f"any(s+{c})", lambda x, c: f"{x}.(int) != s+{c}"),
        Type("fmt.Stringer", lambda c: f"fmt.Stringer(ty.Name(s+{c}))", lambda x, c: f"{x}.(ty.Name) != ty.Name(s+{c})"),
        comparable("ty.Name", lambda c: f"ty.Name(s+{c})"),
        Type("unsafe.Pointer", lambda c: f"unsafe.Pointer(ty.Ref(s+{c}))", lambda x, c: f"*(*int)({x}) != s+{c}"),
        Type("func(int) string", lambda c: f"ty.Closure(s+{c})"),
        Type("chan int", lambda c: f"make(chan int, s+{c})", lambda x, c: f"cap({x}) != s+{c}"),
        Type("struct{}", lambda c: "struct{}{}"),
        Type("[]byte", lambda c: f"[]byte({text.make(c)})", lambda x, c: f"string({x}) != {text.make(c)}"),
    ]


class Generator:
    def __init__(self, rng: random.Random, named: int) -> None:
        self.random = rng
        self.basic = basic()
        self.named: list[Type] = []
        self.declared: list[str] = []
        for number in range(named):
            fields = self.fields(1)
            body = "; ".join(f"{name} {kind.source}" for name, kind in fields)
            self.declared.append(f"type P{number} struct {{ {body.replace('ty.', '')} }}")
            self.named.append(Type(f"ty.P{number}", *self.literal(f"ty.P{number}", fields)))

    def fields(self, depth: int) -> list[tuple[str, Type]]:
        return [(f"F{i}", self.type(depth + 1)) for i in range(self.random.choice([0, 1, 1, 2, 2, 3, 4]))]

    def flat(self) -> Type:
        """A type whose values are made, copied and compared without a call."""
        inner = self.random.choice(self.basic[: len(NUMBERS) + 4])
        count = self.random.choice([0] * 12 + [1, 1, 2])
        if not count:
            return inner
        name = f"[{count}]{inner.source}"
        return Type(name, lambda c: name + "{" + ", ".join(inner.make(c + i) for i in range(count)) + "}")

    @staticmethod
    def literal(name: str, fields: list[tuple[str, Type]]) -> tuple[Make, Callable[[str, int], str]]:
        def differs(x: str, c: int) -> str:
            return next((found for i, (field, kind) in enumerate(fields) if (found := kind.differs(f"{x}.{field}", c + i))), "")

        return lambda c: name + "{" + ", ".join(f"{field}: {kind.make(c + i)}" for i, (field, kind) in enumerate(fields)) + "}", differs

    def type(self, depth: int = 0) -> Type:
        roll = self.random.random()
        if roll < 0.4 or depth > 3:
            return self.random.choice(self.basic)
        if roll < 0.55 and self.named:
            return self.random.choice(self.named)
        inner = self.type(depth + 1)
        kind = self.random.choice(["pointer", "slice", "array", "map", "struct", "pair"])
        if kind == "pointer":
            return Type(f"*{inner.source}", lambda c: f"ty.Ref({self.typed(inner, c)})", lambda x, c: inner.differs(f"(*{x})", c))
        if kind == "slice":
            return Type(
                f"[]{inner.source}", lambda c: f"[]{inner.source}{{{inner.make(c)}, {inner.make(c + 1)}}}", lambda x, c: inner.differs(f"{x}[1]", c + 1)
            )
        if kind == "array":
            count = self.random.choice([0, 1, 1, 2, 3])
            name = f"[{count}]{inner.source}"
            made = lambda c: name + "{" + ", ".join(inner.make(c + i) for i in range(count)) + "}"  # noqa: E731
            return Type(name, made, (lambda x, c: inner.differs(f"{x}[{count - 1}]", c + count - 1)) if count else lambda _x, _c: "")
        if kind == "map":
            return Type(
                f"map[string]{inner.source}", lambda c: f'map[string]{inner.source}{{"k": {inner.make(c)}}}', lambda x, c: inner.differs(f'{x}["k"]', c)
            )
        if kind == "pair":
            other = self.type(depth + 1)
            name = f"ty.Pair[{inner.source}, {other.source}]"
            return Type(
                name,
                lambda c: f"{name}{{X: {inner.make(c)}, Y: {other.make(c + 1)}}}",
                lambda x, c: other.differs(f"{x}.Y", c + 1) or inner.differs(f"{x}.X", c),
            )
        fields = self.fields(depth + 1)
        name = "struct { " + "; ".join(f"{field} {kind.source}" for field, kind in fields) + " }"
        return Type(name, *self.literal(name, fields))

    @staticmethod
    def typed(kind: Type, c: int) -> str:
        """An expression whose type is exactly this one, also where nothing asks for it."""
        return f"({kind.source})({kind.make(c)})"


TY = """// Package ty has the types of random programs.
package ty

import (
	"fmt"
	"reflect"
	"runtime"
	"unsafe"
)

var _ unsafe.Pointer

type Name int

func (n Name) String() string { return fmt.Sprint("name ", int(n)) }

type Pair[A, B any] struct {
	X A
	Y B
}

// Seed is what all values are made of, and Seen counts the values that hooks have looked at.
var Seed, Seen, Wrong int

func Ref[T any](v T) *T { return &v }

func Closure(n int) func(int) string { return func(m int) string { return fmt.Sprint(n + m) } }

// Check compares what a hook was shown with what it should be.
func Check(where string, got, want any) {
	Seen++
	if !same(reflect.ValueOf(got), reflect.ValueOf(want)) {
		Wrong++
		fmt.Printf("WRONG %s: %T %+v, not %T %+v\\n", where, got, got, want, want)
	}
}

// Deep makes the stack grow.
func Deep(n int) byte {
	var pad [256]byte
	pad[n%256] = byte(n)
	if n == 0 {
		return pad[0]
	}
	return Deep(n-1) + pad[(n+1)%256]
}

func same(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() {
		return false
	}
	if !a.IsValid() {
		return true
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		return a.IsNil() == b.IsNil() && (a.IsNil() || same(a.Elem(), b.Elem()))
	case reflect.UnsafePointer:
		return *(*int)(a.UnsafePointer()) == *(*int)(b.UnsafePointer())
	case reflect.Func:
		return a.Interface().(func(int) string)(1) == b.Interface().(func(int) string)(1)
	case reflect.Chan:
		return a.Cap() == b.Cap()
	case reflect.Struct:
		for i := 0; i < a.NumField(); i++ {
			if a.Type().Field(i).IsExported() && !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return a.Type().PkgPath() == "rnd/ty" || a.Type().PkgPath() == "" || reflect.DeepEqual(a.Interface(), b.Interface())
	case reflect.Array, reflect.Slice:
		for i := 0; i < a.Len() && i < b.Len(); i++ {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return a.Len() == b.Len()
	case reflect.Map:
		for _, key := range b.MapKeys() {
			if !same(a.MapIndex(key), b.MapIndex(key)) {
				return false
			}
		}
		return a.Len() == b.Len()
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

"""
HEADER = 'import ("fmt"; "runtime"; "unsafe"; "rnd/ty"%s)\nvar _ = fmt.Sprint\nvar _ unsafe.Pointer\nvar _ = runtime.GC\nvar _ ty.Name\n'
FORMS = ["function", "function", "function", "pointer method", "value method", "method value", "closure", "generic", "variadic"]
SHAPES = ["int32", "string", "float64", "[]uint8", "map[string]int"]


@dataclass
class Program:
    """values: rule -> how many values are looked at in one call of its function, in its hooks and behind them. leaves: rules of functions
    that call nothing."""

    folder: Path
    values: dict[str, int]
    leaves: set[str]


def write(folder: Path, rng: random.Random, count: int, rounds: int, named: int = 12) -> Program:
    """A module that prints `seen N wrong M` and a line for each wrong value. named: how many struct types have names."""
    generator = Generator(rng, named)
    fns, hooks, calls, rules = [], [], [], []
    values, leaves = {}, set()
    for number in range(count):
        made = _function(generator, number)
        fns.append(made.function)
        hooks.append(made.hooks)
        calls.append(made.call)
        rules.append(made.rule)
        values[f"f{number}"] = made.values
        leaves |= {f"f{number}"} if made.leaf else set()
    for name in ("ty", "fns", "hk"):
        (folder / name).mkdir(parents=True)
    (folder / "go.mod").write_text("module rnd\n\ngo 1.24\n")
    (folder / "ty/ty.go").write_text(TY + types_calls.GO + "\n".join(generator.declared) + "\n")
    (folder / "fns/fns.go").write_text("// Package fns has the functions.\npackage fns\n" + HEADER % "" + "\n".join(fns))
    context = "// Ctx is the context of the hooks.\ntype Ctx interface{ GetParamCount() int; GetReturnValCount() int }\n"
    settle = "func settle() { ty.Deep(60); runtime.GC() }\n"
    (folder / "hk/hk.go").write_text(
        "// Package hk has the hooks.\npackage hk\n" + HEADER % '; "rnd/fns"' + "var _ fns.Any\n" + context + settle + "\n".join(hooks)
    )
    body = "\n".join(f"\tcall{number}()" for number in range(count))
    main = f'func main() {{\n\tfor ty.Seed = 1; ty.Seed <= {rounds}; ty.Seed++ {{\n{body}\n\t}}\n\tfmt.Println("seen", ty.Seen, "wrong", ty.Wrong)\n}}\n'
    (folder / "main.go").write_text(
        "package main\n" + HEADER % '; "rnd/fns"; "reflect"' + "var _ reflect.Value\nvar sink []any\n" + "\n".join(calls) + "\n" + main
    )
    (folder / "rules.yaml").write_text("".join(rules))
    return Program(folder, values, leaves)


@dataclass
class Made:
    function: str
    hooks: str
    call: str
    rule: str
    values: int
    leaf: bool


def _function(generator: Generator, number: int) -> Made:
    rng = generator.random
    form = rng.choice(FORMS)
    leaf = form in {"function", "pointer method", "value method"} and rng.random() < 0.25
    boxes = rng.random() < 0.5

    def value(i: int) -> Value:
        return Value(generator.flat() if leaf else generator.type(), 7 * number + i, boxes and rng.random() < 0.5)

    params = [value(i) for i in range(rng.choice([0, 1, 2, 3, 4] if leaf else [0, 1, 2, 3, 4, 6, 9, 12]))]
    results = [value(100 + i) for i in range(rng.choice([0, 1, 1, 2, 3, 5]))]
    shape = Type(rng.choice(SHAPES), None)  # type: ignore[arg-type]
    if form == "generic":
        known = {
            "int32": "int32(s)",
            "string": 'fmt.Sprint("shape ", s)',
            "float64": "float64(s)",
            "[]uint8": "[]uint8{uint8(s)}",
            "map[string]int": 'map[string]int{"s": s}',
        }
        shape = Type(shape.source, lambda _c, text=known[shape.source]: text)
        params.insert(rng.randrange(len(params) + 1), Value(shape, 0, False))
        results.insert(0, Value(shape, 0, False))
    last = Value(Type("[]string", lambda c: f'[]string{{"v", fmt.Sprint(s+{c})}}'), number, False)
    params += [last] if form == "variadic" else []
    inside = lambda v: "E" if v.type is shape and form == "generic" else v.type.source  # noqa: E731

    def declared(i: int, v: Value) -> str:
        name = f"p{i}" if used[i] else "_"
        return f"{name} ...string" if v is last else f"{name} {inside(v)}"

    used = [rng.random() < 0.7 for _ in params]
    inputs = ", ".join(declared(i, v) for i, v in enumerate(params))
    outputs = ", ".join(f"r{i} {inside(v)}" for i, v in enumerate(results))
    keeps = "\n\t".join(_use(number, i, v, rng.random()) for i, v in enumerate(params) if used[i] and v.type is not shape)
    given = next((f"p{i}" for i, v in enumerate(params) if v.type is shape), "r0")
    lines = [f"\tr{i} = {given if v.type is shape and form == 'generic' else Generator.typed(v.type, v.number)}" for i, v in enumerate(results)]
    if form == "generic":
        used[next(i for i, v in enumerate(params) if v.type is shape)] = True
        inputs = ", ".join(declared(i, v) for i, v in enumerate(params))
    first, last = rng.choice(types_calls.ENDINGS)
    if leaf:
        first, last, keeps = "", rng.choice(["return", "switch s % 3 { case 0: return; case 1: return }; return"]), ""
    else:
        first += "\n\tty.Deep(3)"
    body = f"{{\n\ts := ty.Seed; _ = s\n\t{first}\n\t{keeps}\n" + "\n".join(lines) + f"\n\t{last}\n}}"
    receiver, name, rule = "", f"F{number}", f"func: F{number}"
    shown = [(f"a{i}", v) for i, v in enumerate(params)]
    prefix, call, setup, kind = "", f"fns.F{number}", "", ""
    if form in {"pointer method", "value method", "method value"}:
        star = "*" if form != "value method" else ""
        prefix = f"type R{number} struct {{ N int; S string }}\n\n"
        receiver, rule = f"(recv {star}R{number}) ", f'func: F{number}, recv: "{star}R{number}"'
        made = f'fns.R{number}{{s, fmt.Sprint("receiver ", s)}}'
        setup = f"\trecv := {'&' if star else ''}{made}\n" + ("\tsink = append(sink, recv)\n" if boxes else "")
        call = f"recv.F{number}"
        if form == "method value":
            setup += f"\tbound := recv.F{number}\n"
            call = "bound"
        kind = f"{star}fns.R{number}"
        shown.insert(0, ("recv", Value(Type(kind, lambda _c: ("&" if star else "") + made), 0, boxes and rng.random() < 0.5)))
    if form == "closure":
        prefix = f"//go:noinline\nfunc Make{number}(k int) func({inputs}) ({outputs}) {{\n\treturn func({inputs}) ({outputs}) "
        function = prefix + body.replace("\n", f'\n\tif k != {number} {{ ty.Check("context", 1, 2) }}\n', 1) + "\n}\n"
        rule, call = f"func: Make{number}.func1", f"fns.Make{number}({number})"
    else:
        nosplit = "//go:nosplit\n" if leaf and rng.random() < 0.3 else ""
        function = f"{prefix}//go:noinline\n{nosplit}func {receiver}{name}{'[E any]' if form == 'generic' else ''}({inputs}) ({outputs}) {body}\n"
    if form == "generic":
        call += f"[{shape.source}]"
    if number == 0:
        function = "type Any = any\n\n" + function
    callee = types_calls.Callee(
        f"F{number}", call, kind if form != "method value" else "", [v.type.source for v in params], [v.type.source for v in results], form == "variadic"
    )
    way = rng.choice([*types_calls.KEEPING, *types_calls.DROPPING, *(types_calls.OF_METHODS if callee.receiver else [])])
    kept = [] if way in types_calls.DROPPING else results
    values = 2 + len(shown) + len(results) + len(kept)
    return Made(function, _hooks(number, shown, results), _call(number, setup, way(callee), params, kept, boxes), _rule(number, rule), values, leaf)


def _use(number: int, i: int, v: Value, roll: float) -> str:
    """What a function does with a parameter: nothing, let it escape, or look at it where it is; what it sees is what it was passed."""
    condition = v.type.differs(f"p{i}", v.number)
    if roll < 0.2 or not condition:
        return f"_ = p{i}"
    return f"fmt.Sprint(p{i})" if roll < 0.4 else f'if {condition} {{ ty.Check("F{number} inside p{i}", 1, 2) }}'


def _hooks(number: int, shown: list[tuple[str, Value]], results: list[Value]) -> str:
    def taken(name: str, v: Value) -> str:
        return f"{name} interface{{}}" if v.boxed else f"{name} {v.type.source}"

    def check(label: str, name: str, v: Value) -> str:
        return f'\tty.Check("F{number} {label} {name}", {name}, {Generator.typed(v.type, v.number)})'

    after = [(f"r{i}", v) for i, v in enumerate(results)]
    texts = []
    for word, values, count in (("Before", shown, "GetParamCount"), ("After", after, "GetReturnValCount")):
        inputs = "".join(f", {taken(name, v)}" for name, v in values)
        checks = "\n".join(check(word, name, v) for name, v in values)
        texts.append(
            f"func {word}{number}(ctx Ctx{inputs}) {{\n\tsettle()\n\ts := ty.Seed; _ = s\n"
            f'\tty.Check("F{number} {word} count", ctx.{count}(), {len(values)})\n{checks}\n}}\n'
        )
    return "\n".join(texts)


def _call(number: int, setup: str, call: list[str], params: list[Value], results: list[Value], boxes: bool) -> str:
    """The values that a hook takes as interface{} are kept off the stack: it is not shown stack memory."""
    lines = [f"\ta{i} := {Generator.typed(v.type, v.number)}" for i, v in enumerate(params)]
    lines += [f"\tsink = append(sink, a{i})" for i in range(len(params)) if boxes]
    lines += [f"\t{line}" for line in call]
    lines += [f'\tty.Check("F{number} returned r{i}", r{i}, {Generator.typed(v.type, v.number)})' for i, v in enumerate(results)]
    return f"//go:noinline\nfunc call{number}() {{\n\ts := ty.Seed; _ = s\n{setup}" + "\n".join(lines) + "\n\tsink = sink[:0]\n}\n"


def _rule(number: int, where: str) -> str:
    hooks = f"{{ inject_hooks: {{ before: Before{number}, after: After{number}, path: rnd/hk }} }}"
    return f"f{number}: {{ optional: true, target: rnd/fns, where: {{ {where} }}, do: [ {hooks} ] }}\n"
