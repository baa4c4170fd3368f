"""Expressions of a wanted type, from what is in scope."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from programs.kinds import INT, SCALARS, STRING, TASK, Type, func_of, pointer_to, substitute
from programs.world import Function, World


@dataclass(frozen=True)
class Var:
    """fixed: nothing may be assigned to it."""

    name: str
    type: Type
    fixed: bool = False


@dataclass
class Scope:
    """What a place in a function sees. results: of the function around it; named: their names, or () if they have none."""

    vars: list[Var] = field(default_factory=list)
    results: tuple[Type, ...] = ()
    named: tuple[str, ...] = ()
    loops: tuple[tuple[str, bool], ...] = ()
    task: bool = True

    def inner(self) -> Scope:
        return Scope(list(self.vars), self.results, self.named, self.loops, self.task)


def filled(form: str, *values: str) -> str:
    """A form with its `{}` replaced in order; other braces are Go's."""
    parts = form.split("{}")
    return "".join(part + value for part, value in zip(parts, (*values, ""), strict=True))


class Expressions:
    """Writes expressions for a function of package `home`. room: how much more one statement may hold."""

    def __init__(self, world: World, home: int, params: tuple[Type, ...] = ()) -> None:
        self.world = world
        self.home = home
        self.rng: random.Random = world.rng
        self.given = params
        self.counter = 0
        self.room = 0
        self.below: int | None = None

    def fresh(self, prefix: str = "v") -> str:
        """A name; of labels unique in the program, so that one is easily known to be used."""
        if prefix == "L":
            self.world.labels += 1
            return f"L{self.world.labels}"
        self.counter += 1
        return f"{prefix}{self.counter}"

    def body(self, scope: Scope, count: int) -> str:
        """Statements of a closure; Statements has them."""
        raise NotImplementedError

    # what is in scope

    def places(self, scope: Scope, kind: Type) -> Iterator[str]:
        """Variables of a type, and what is one step away from a variable."""
        for var in scope.vars:
            if var.type == kind:
                yield var.name
            of = var.type
            match of.kind:
                case "struct":
                    yield from (f"{var.name}.{name}" for name, each in zip(of.names, of.of, strict=True) if each == kind)
                case "pointer" if of.of[0] == kind:
                    yield f"*{var.name}"
                case "pointer" if of.of[0].kind == "struct":
                    yield from (f"{var.name}.{name}" for name, each in zip(of.of[0].names, of.of[0].of, strict=True) if each == kind)
                case "slice" | "array" if of.of[0] == kind and of.count != 0 or of.kind == "slice" and of.of[0] == kind:
                    yield f"{var.name}[sup.Ix({self.number(scope)}, len({var.name}))]"
                case "map" if of.of[1] == kind:
                    yield f"{var.name}[{self.literal(of.of[0], scope)}]"

    def number(self, scope: Scope) -> str:
        """A small number: a variable or a constant."""
        found = [var.name for var in scope.vars if var.type.kind == "int"]
        if found and self.rng.random() < 0.7:
            return self.rng.choice(found)
        return str(self.rng.randrange(9))

    def places_one(self, scope: Scope, kind: Type) -> str | None:
        found = list(self.places(scope, kind))
        return self.rng.choice(found) if found else None

    # literals

    def literal(self, kind: Type, scope: Scope, depth: int = 0) -> str:
        rng = self.rng
        match kind.kind:
            case "int":
                low = 0 if kind.source.startswith("u") else -100
                return f"sup.V[{kind.source}]({rng.randrange(low, 120)})"
            case "float":
                return f"sup.V[{kind.source}]({rng.randrange(-1000, 1000) / 8})"
            case "complex":
                return f"sup.V[{kind.source}](complex({rng.randrange(-50, 50) / 4}, {rng.randrange(-50, 50) / 4}))"
            case "string":
                return rng.choice(('""', '"a"', '"bc"', '"héllo"', '"a longer text that is not short"'))
            case "bool":
                return rng.choice(("sup.V(true)", "sup.V(false)"))
            case "any":
                boxed = self.world.type(self.home, 1) if depth < 2 else rng.choice(SCALARS)
                return f"any({self.literal(boxed, scope, depth + 1)})" if rng.random() < 0.85 else "any(nil)"
            case "error":
                return f"sup.Err(int({self.number(scope)}))" if rng.random() < 0.8 else "error(nil)"
            case "iface":
                found = next(each for _, each in self.world.interfaces if each.type == kind)
                maker = rng.choice(found.implementers)
                value = f"&{self.literal(maker.of[0], scope, depth + 1)}" if maker.kind == "pointer" else self.literal(maker, scope, depth + 1)
                return f"{kind.source}({value})"
            case "slice":
                return f"{kind.source}{{{', '.join(self.literal(kind.of[0], scope, depth + 1) for _ in range(rng.choice((1, 1, 2, 3)) if depth < 2 else 1))}}}"
            case "array":
                return f"{kind.source}{{{', '.join(self.literal(kind.of[0], scope, depth + 1) for _ in range(rng.randrange(kind.count + 1) if depth < 2 else 0))}}}"
            case "struct":
                chosen = [(n, k) for n, k in zip(kind.names, kind.of, strict=True) if n in kind.embedded or (depth < 3 and rng.random() < 0.7)]
                return f"{kind.source}{{{', '.join(f'{n}: {self.literal(k, scope, depth + 1)}' for n, k in chosen)}}}"
            case "pointer":
                inner = kind.of[0]
                if inner.kind == "struct":
                    return f"&{self.literal(inner, scope, depth + 1)}"
                return f"sup.Ref[{inner.source}]({self.literal(inner, scope, depth + 1)})" if rng.random() < 0.8 else f"new({inner.source})"
            case "map":
                return f"{kind.source}{{{self.literal(kind.of[0], scope, depth + 1)}: {self.literal(kind.of[1], scope, depth + 1)}}}"
            case "chan":
                return f"make({kind.source}, {rng.randrange(1, 4)})"
            case "func":
                return self.closure(kind, scope, 0)
        return f"*new({kind.source})"

    def closure(self, kind: Type, scope: Scope, count: int) -> str:
        """A function literal that captures what is in scope. count: statements beside its return."""
        inner = Scope(list(scope.vars), kind.results, (), (), scope.task)
        params = []
        for each in kind.params:
            name = "t" if each.kind == "task" else self.fresh("a")
            params.append(f"{name} {each.source}")
            if each.kind != "task":
                inner.vars.append(Var(name, each))
            else:
                inner.task = True
        named = self.rng.random() < 0.4
        names = tuple(self.fresh("r") for _ in kind.results) if named else ()
        inner.named = names
        inner.vars += [Var(name, each) for name, each in zip(names, kind.results, strict=False)]
        results = ", ".join(f"{name} {each.source}" for name, each in zip(names, kind.results, strict=True)) if named else ", ".join(k.source for k in kind.results)
        body = self.body(inner, count) if count else ""
        room, self.room = self.room, min(self.room, 4)
        values = ", ".join(self.expr(each, inner, 2) for each in kind.results)
        self.room = room
        return f"func({', '.join(params)}) ({results}) {{\n{body}return {values}\n}}"

    # everything else

    def expr(self, kind: Type, scope: Scope, depth: int = 0) -> str:
        """An expression of exactly this type."""
        self.room -= 1
        place = self.places_one(scope, kind)
        if self.room <= 0 or depth > 3:
            return place if place is not None and self.rng.random() < 0.9 else self.literal(kind, scope, 2)
        ways: list[tuple[int, Callable[[], str | None]]] = [(2, lambda: self.literal(kind, scope, 1)), (5, lambda: self.call(kind, scope, depth))]
        if place is not None:
            ways.append((8, lambda: place))
        operate = self.operations(kind, scope, depth)
        if operate:
            ways.append((8, lambda: self.rng.choice(operate)()))
        for _ in range(4):
            found = self.rng.choices([way for _, way in ways], [weight for weight, _ in ways])[0]()
            if found is not None:
                return found
        return self.literal(kind, scope, 1)

    def operand(self, kind: Type, scope: Scope, depth: int) -> str:
        """An operand that is no constant."""
        return self.expr(kind, scope, depth + 1)

    def operations(self, kind: Type, scope: Scope, depth: int) -> list[Callable[[], str]]:
        rng = self.rng

        def two(form: str, of: Type = kind) -> Callable[[], str]:
            return lambda: filled(form, self.operand(of, scope, depth), self.operand(of, scope, depth))

        def other(form: str, of: Type) -> Callable[[], str]:
            return lambda: filled(form, self.operand(of, scope, depth))

        at_random = lambda: rng.choice(SCALARS[:13])  # noqa: E731
        made: list[Callable[[], str]] = []
        if kind.integral:
            made += [two(f"({{}} {op} {{}})") for op in ("+", "-", "*", "^", "&", "|", "&^")]
            made += [two("({} / sup.NZ({}))"), two("({} % sup.NZ({}))"), two("min({}, {})"), two("max({}, {})")]
            made += [lambda: f"({self.operand(kind, scope, depth)} << (uint({self.operand(INT, scope, depth)}) & 7))"]
            made += [lambda: f"({self.operand(kind, scope, depth)} >> (uint({self.operand(INT, scope, depth)}) & 7))"]
        if kind.kind == "int":
            made += [lambda: other(f"{kind.source}({{}})", at_random())()] * 2
            made += [other(f"{kind.source}(len(sup.V({{}})))", STRING), other(f"{kind.source}(sup.Code({{}}))", Type("error", "error"))]
            if rng.random() < 0.1:
                made.append(two("({} / {})"))
        if kind.kind == "float":
            made += [two(f"({{}} {op} {{}})") for op in ("+", "-", "*", "/")]
            made += [lambda: other(f"{kind.source}({{}})", at_random())(), other(f"{kind.source}(math.Sqrt(float64({{}})))", kind)]
        if kind.kind == "complex":
            made += [two(f"({{}} {op} {{}})") for op in ("+", "-", "*", "/")]
        if kind.kind == "string":
            made += [two("sup.Cut({} + {})"), other("strconv.Itoa({})", INT), other("sup.Cut(strings.Repeat({}, 2))", STRING), other("sup.Cut(strings.ToUpper({}))", STRING)]
            made += [lambda: other("sup.Cut(fmt.Sprint({}))", self.world.flat())(), other("sup.Cut(strconv.Quote({}))", STRING)]
        if kind.kind == "bool":
            made += [two("({} && {})"), two("({} || {})"), other("!{}", kind)]
            made += [lambda: two(f"({{}} {rng.choice(('<', '<=', '>', '>=', '==', '!='))} {{}})", at_random())()] * 3
            made += [lambda: two("({} == {})", self.comparable())()]
        if kind.kind == "any":
            made += [lambda: other("any({})", self.world.type(self.home, 1))()] * 3
        if kind.kind == "slice":
            made += [lambda: f"sup.Lim(append({self.operand(kind, scope, depth)}, {self.operand(kind.of[0], scope, depth)}))", two("sup.Lim(append({}, {}...))")]
            made += [lambda: f"slices.Clone({self.operand(kind, scope, depth)})", other("sup.Tail({})", kind)]
            if kind.of[0].source == "uint8":
                made.append(other("[]uint8({})", STRING))
        if kind.kind == "pointer":
            held = [var.name for var in scope.vars if var.type == kind.of[0] and not var.fixed]
            made += [lambda name=name: f"&{name}" for name in held] * 2
        if kind.kind == "func" and self.room > 6:
            made += [lambda: self.closure(kind, scope, self.rng.choice((0, 1, 2)))] * 2
            if kind.params or kind.results:
                made += [other("sup.Made(t, {})", kind)]
            made += [lambda found=found: found for found in self.method_values(kind, scope)]
        if kind.kind == "chan":
            made += [lambda: f"sup.Filled({self.operand(kind, scope, depth)}, {self.expr(kind.of[0], scope, depth + 1)})"]
        if not kind.generic and kind.kind not in {"task", "iface", "error"} and scope.task:
            made += [lambda: f"sup.Pick(t, {self.operand(kind, scope, depth)}, {self.operand(kind, scope, depth)})"]
        return made

    def comparable(self) -> Type:
        found = [kind for kind in (*SCALARS, *self.world.structs_of(self.home)) if kind.comparable]
        return self.rng.choice(found)

    def method_values(self, kind: Type, scope: Scope) -> Iterator[str]:
        for var in scope.vars:
            if var.type.kind in {"struct", "pointer"} and not var.type.generic and (var.type.kind == "struct" or var.type.of[0].kind == "struct"):
                yield from (f"{var.name}.{method.name}" for method in self.world.methods(var.type) if method.type == kind)
        for function in self.world.functions:
            if function.recv is None and not function.given and function.type == kind and function.home <= self.home:
                yield function.name

    def arguments(self, params: tuple[Type, ...], scope: Scope, depth: int) -> str:
        return ", ".join("t" if each.kind == "task" else self.expr(each, scope, depth + 1) for each in params)

    def callable(self, scope: Scope) -> list[Function]:
        return [
            each
            for each in self.world.functions
            if each.home <= self.home and (scope.task or TASK not in each.params) and not (each.given and self.below is not None and self.world.functions.index(each) >= self.below)
        ]

    def call(self, kind: Type, scope: Scope, depth: int) -> str | None:
        """A call that has one result of this type."""
        if not scope.task:
            return None
        rng = self.rng
        found = [each for each in self.callable(scope) if len(each.results) == 1 and (each.results[0] == kind or each.results[0] in each.given)]
        funcs = [var for var in scope.vars if var.type.kind == "func" and var.type.results == (kind,)]
        if funcs and (not found or rng.random() < 0.3):
            chosen = rng.choice(funcs)
            return f"{chosen.name}({self.arguments(chosen.type.params, scope, depth)})"
        if not found:
            return None
        exact = [each for each in found if not each.given]
        return self.call_of(rng.choice(exact if exact and rng.random() < 0.8 else found), scope, depth, kind)

    def call_of(self, function: Function, scope: Scope, depth: int, wanted: Type | None = None) -> str | None:
        rng = self.rng
        if function.given:
            given: dict[str, Type] = {}
            for each in function.given:
                chosen = wanted if wanted is not None and function.results and function.results[0] == each else None
                if chosen is None:
                    pool = self.world.arguments(self.home, each) if self.below is None else [INT, *(one for one in self.given if each.names == ("any",) or one.names == each.names)]
                    chosen = rng.choice(pool)
                if (each.integral and not chosen.integral) or (self.below is not None and chosen.source not in {"int", "TA", "TB"}) or (chosen.generic and chosen.kind != "param") or (chosen is wanted and rng.random() < 0.5 and wanted not in self.world.arguments(self.home, each)):
                    return None
                given[each.source] = chosen
            params = tuple(substitute(each, given) for each in function.params)
            return f"{function.name}[{', '.join(given[each.source].source for each in function.given)}]({self.arguments(params, scope, depth)})"
        arguments = self.arguments(function.params, scope, depth)
        recv = function.recv
        if recv is None:
            return f"{function.name}({arguments})"
        base = recv.of[0] if recv.kind == "pointer" else recv
        way = rng.random()
        if way < 0.2:
            star = f"(*{base.source})" if recv.kind == "pointer" else base.source
            value = self.expr(recv, scope, depth + 1)
            return f"{star}.{function.name}({', '.join(filter(None, [value, arguments]))})"
        if way < 0.4:
            return f"({self.expr(pointer_to(base), scope, depth + 1)}).{function.name}({arguments})"
        held = [var.name for var in scope.vars if self.has(var, function)]
        if held:
            return f"{rng.choice(held)}.{function.name}({arguments})"
        return f"({self.literal(pointer_to(base), scope, 1)}).{function.name}({arguments})"

    def has(self, var: Var, function: Function) -> bool:
        """Whether the variable has this method, by promotion too, and it is the one that its name selects."""
        kind = var.type
        if not (kind.kind == "struct" or (kind.kind == "pointer" and kind.of[0].kind == "struct")) or kind.generic:
            return False
        return next((each for each in self.world.methods(kind) if each.name == function.name), None) is function

    def func_type(self) -> Type:
        return func_of(tuple(self.world.type(self.home, 2) for _ in range(self.rng.choice((0, 1, 2)))), (self.world.type(self.home, 1),))
