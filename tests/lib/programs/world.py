"""What a random program declares: packages with types, functions, methods, generic functions, interfaces and stubs in assembly."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from programs.kinds import (
    ANY,
    BYTE,
    ERROR,
    INT,
    SCALARS,
    STRING,
    Type,
    array_of,
    chan_of,
    func_of,
    map_of,
    pointer_to,
    slice_of,
    struct_of,
)


@dataclass(eq=False)
class Function:
    """name: as other packages write it, of a method without the receiver. recv: a struct or a pointer to one. params: with the task, if it takes one.

    given: type parameters with their constraints. leaf: it computes one expression of its parameters and calls nothing.
    """

    name: str
    home: int
    params: tuple[Type, ...]
    results: tuple[Type, ...]
    recv: Type | None = None
    given: tuple[Type, ...] = ()
    leaf: bool = False
    assembly: bool = False
    named: bool = True

    @property
    def type(self) -> Type:
        return func_of(self.params, self.results)


@dataclass(frozen=True)
class Interface:
    """The methods are those of these functions' names and types; implementers: structs and pointers to structs."""

    type: Type
    methods: tuple[Function, ...]
    implementers: tuple[Type, ...]


@dataclass
class World:
    """What is declared so far. minor: of the Go version, 26 for Go 1.26. goarch is not known: stubs are written for all."""

    rng: random.Random
    minor: int
    packages: int
    structs: list[tuple[int, Type]] = field(default_factory=list)
    generics: list[tuple[int, str, tuple[tuple[str, Type], ...]]] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    interfaces: list[tuple[int, Interface]] = field(default_factory=list)
    hashes: dict[tuple[int, str], str] = field(default_factory=dict)
    labels: int = 0
    instances: dict[tuple[int, bool], list[Type]] = field(default_factory=dict)
    hash_texts: dict[int, list[str]] = field(default_factory=dict)

    def structs_of(self, home: int) -> list[Type]:
        return [kind for at, kind in self.structs if at <= home]

    def methods(self, kind: Type) -> Iterator[Function]:
        """Methods that a variable of this type has, promoted ones too; of embedded fields the first with a name."""
        base = kind.of[0] if kind.kind == "pointer" else kind
        for function in self.functions:
            if function.recv is not None and base in (function.recv, *function.recv.of[:1] * (function.recv.kind == "pointer")):
                yield function
        for name, each in zip(base.names, base.of, strict=True) if base.kind == "struct" else ():
            if name in base.embedded:
                yield from self.methods(each)

    def flat(self, depth: int = 0) -> Type:
        """A type whose values share nothing."""
        if depth > 1 or self.rng.random() < 0.6:
            return self.rng.choice(SCALARS)
        return array_of(self.rng.choice((0, 1, 2, 3)), self.flat(depth + 1))

    def type(self, home: int, depth: int = 0) -> Type:
        rng = self.rng
        roll = rng.random()
        if roll < 0.42 or depth > 2:
            return rng.choice(SCALARS)
        structs = self.structs_of(home)
        if roll < 0.57 and structs:
            return rng.choice(structs)
        if roll < 0.62:
            return rng.choice((ANY, ERROR))
        interfaces = [each.type for at, each in self.interfaces if at <= home]
        if roll < 0.66 and interfaces:
            return rng.choice(interfaces)
        generics = [each for each in self.generics if each[0] <= home]
        if roll < 0.70 and generics:
            return self.boxed(rng.choice(generics), self.flat())
        match rng.choice(("slice", "slice", "array", "pointer", "pointer", "map", "func", "chan", "bytes")):
            case "slice":
                return slice_of(self.type(home, depth + 1))
            case "array":
                return array_of(rng.choice((0, 1, 1, 2, 3, 5)), self.type(home, depth + 1))
            case "pointer":
                return pointer_to(self.type(home, depth + 1))
            case "map":
                return map_of(rng.choice((INT, STRING)), self.type(home, depth + 1))
            case "func":
                params = tuple(self.type(home, depth + 1) for _ in range(rng.choice((0, 1, 2))))
                return func_of(params, tuple(self.type(home, depth + 1) for _ in range(rng.choice((1, 1, 2)))))
            case "chan":
                return chan_of(self.type(home, depth + 1))
        return slice_of(BYTE)

    def arguments(self, home: int, param: Type) -> list[Type]:
        """Type arguments that package `home` uses: few, since instances are as many as there are ways to combine them."""
        key = (home, param.integral)
        if key not in self.instances:
            self.instances[key] = [self.rng.choice(SCALARS[:11]) for _ in range(2)] if param.integral else [self.type(home, 1) for _ in range(2)]
        return self.instances[key]

    @staticmethod
    def boxed(generic: tuple[int, str, tuple[tuple[str, Type], ...]], argument: Type) -> Type:
        _, name, fields = generic
        return struct_of(f"{name}[{argument.source}]", tuple((field, argument if kind.kind == "param" else kind) for field, kind in fields))

    def hash(self, home: int, kind: Type, x: str) -> str:
        """A statement that adds a value to the checksum."""
        match kind.kind:
            case "int":
                return f"t.Mix(uint64({x}))"
            case "float":
                return f"t.Float(float64({x}))"
            case "complex":
                return f"t.Complex(complex128({x}))"
            case "string":
                return f"t.Str({x})"
            case "bool":
                return f"t.Bool({x})"
            case "any" | "error" | "iface" | "param":
                return f"t.Any({x})"
            case "chan":
                return f"t.Mix(uint64(len({x})))"
        if kind.generic:
            return f"t.Any({x})"
        key = (home, kind.source)
        if key not in self.hashes:
            name = self.hashes[key] = f"h{len(self.hashes)}"
            self.hash_texts.setdefault(home, []).append(
                f"{self.rng.choice(('', '//go:noinline'))}\nfunc {name}(t *sup.T, x {kind.source}) {{\n{self.parts(home, kind)}\n}}\n"
            )
        return f"{self.hashes[key]}(t, {x})"

    def parts(self, home: int, kind: Type) -> str:
        match kind.kind:
            case "slice" | "array":
                return f"t.Mix(uint64(len(x)))\nfor _, e := range x {{\n_ = e\n{self.hash(home, kind.of[0], 'e')}\n}}"
            case "struct":
                return "\n".join(self.hash(home, each, f"x.{name}") for name, each in zip(kind.names, kind.of, strict=True))
            case "pointer":
                return f"if x == nil {{\nt.Mix(8)\nreturn\n}}\n{self.hash(home, kind.of[0], '(*x)')}"
            case "map":
                each = self.hash(home, kind.of[1], "x[key]")
                return f"for _, key := range sup.Keys(x) {{\n{self.hash(home, kind.of[0], 'key')}\n{each}\n}}"
            case "func":
                if any(each.kind == "task" or not each.flat for each in kind.params):
                    return "t.Bool(x == nil)"
                zeros = ", ".join(f"*new({each.source})" for each in kind.params)
                names = [f"r{i}" for i in range(len(kind.results))]
                hashes = "\n".join(self.hash(home, each, name) for name, each in zip(names, kind.results, strict=True))
                return f"if x == nil || !t.Go() {{\nreturn\n}}\n{', '.join(names)} := x({zeros})\n{hashes}" if names else "t.Bool(x == nil)"
        return "_ = x"
