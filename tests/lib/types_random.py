"""Random Go packages: functions with random signatures, and what a reader of their objects should find.

Two packages, `rnd/p` and `rnd/q`. Every function F comes with a mirror whose parameters are F's results, so that the code
before morestack of the mirror shows how the compiler places F's results. `Sizes` holds size and alignment of every type used.
All choices are those of a random.Random, which may be hypothesis's, so that what it finds shrinks.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

BASIC = [
    "bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr", "float32", "float64",
    "complex64", "complex128", "string", "unsafe.Pointer", "error",
]  # fmt: skip
UNNAMED = [
    ("*int", "*int"), ("[]byte", "[]uint8"), ("[]string", "[]string"), ("map[string]int", "map[string]int"), ("chan int", "chan int"),
    ("<-chan bool", "<-chan bool"), ("func(int) string", "func(int) string"), ("any", "interface {}"), ("io.Reader", "io.Reader"),
    ("interface{ M(int) }", "interface { M(int) }"), ("struct{}", "struct {}"), ("*q.Q0", "*rnd/q.Q0"), ("[]q.Q1", "[]rnd/q.Q1"),
    ("atomic.Int64", "sync/atomic.Int64"), ("atomic.Pointer[int]", "sync/atomic.Pointer[int]"), ("time.Time", "time.Time"),
    ("q.Pair[int8, *string]", "rnd/q.Pair[int8,*string]"), ("q.Pair[q.Q0, float32]", "rnd/q.Pair[rnd/q.Q0,float32]"),
]  # fmt: skip
STRUCT = "struct {"
"""Link name of a struct literal as far as it is compared."""


@dataclass(frozen=True)
class Type:
    """source: as package p writes it; link: its link name, or STRUCT, or a prefix that ends with STRUCT."""

    source: str
    link: str


@dataclass
class Function:
    """symbol: link name; params and results: (name, link name of the type), names as the compiler makes them."""

    symbol: str
    params: list[tuple[str, str]]
    results: list[tuple[str, str]]
    mirror: str


@dataclass
class Package:
    folder: Path
    functions: list[Function] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)


class Generator:
    def __init__(self, rng: random.Random, named: int) -> None:
        self.random = rng
        self.package = "p"
        self.named = self.limit = named

    def type(self, depth: int = 0) -> Type:
        roll = self.random.random()
        if roll < 0.35 or depth > 3:
            name = self.random.choice(BASIC)
            return Type(name, name)
        if roll < 0.55:
            pool = [pair for pair in UNNAMED if self.package == "p" or "q." not in pair[0]]
            return Type(*self.random.choice(pool))
        if roll < 0.7:
            inner = self.type(depth + 1)
            count = self.random.choice([0, 1, 1, 1, 2, 3])
            return Type(f"[{count}]{inner.source}", f"[{count}]{inner.link}")
        if roll < 0.85 and self.package == "p":
            package, prefix = self.random.choice([("", "rnd/p.P"), ("q.", "rnd/q.Q")] if self.limit else [("q.", "rnd/q.Q")])
            number = self.random.randrange(self.named if package else self.limit)
            return Type(f"{package}{prefix[-1]}{number}", f"{prefix}{number}")
        return Type(self.struct(depth + 1), STRUCT)

    def struct(self, depth: int) -> str:
        fields = []
        for i in range(self.random.choice([0, 1, 1, 2, 2, 3, 4])):
            name = self.random.choice([f"X{i}", f"x{i}", f"x{i}", "_"])
            tag = self.random.choice(["", "", "", ' `json:"x]}{)"`'])
            fields.append(f"{name} {self.type(depth).source}{tag}")
        return "struct { " + "; ".join(fields) + " }"

    def declarations(self, prefix: str) -> list[str]:
        """Types that refer to lower numbers only, so that none is recursive by value."""
        lines = []
        for number in range(self.named):
            self.limit = number
            kind = self.struct(1) if self.random.random() < 0.7 else self.type(1).source
            lines.append(f"type {prefix}{number} {kind}")
        self.limit = self.named
        return lines


IMPORTS = 'import ("io"; "sync/atomic"; "time"; "unsafe"%s)\nvar _ io.Reader; var _ atomic.Int64; var _ time.Time; var _ unsafe.Pointer\n'


def write(folder: Path, rng: random.Random, count: int, named: int = 24) -> Package:
    """The module `rnd` in a folder. named: how many types of each package have names, at least 2."""
    made = Package(folder)
    generator = Generator(rng, named)
    for name in ("p", "q"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text("module rnd\n\ngo 1.22\n")
    generator.package = "q"
    pair = "type Pair[A, B any] struct { a A; B B }\n"
    (folder / "q" / "q.go").write_text("package q\n" + IMPORTS % "" + pair + "\n".join(generator.declarations("Q")) + "\n")
    generator.package = "p"
    body = ["package p", IMPORTS % '; "rnd/q"', "var _ q.Q0\n\n//go:noinline\nfunc keep(x any) {}\nvar global any\n", *generator.declarations("P")]
    used: dict[str, None] = {}
    for number in range(count):
        body.append(_function(generator, made, number, used))
    body += [f"type A{i} = {source}" for i, source in enumerate(used)]
    items = ", ".join(f"unsafe.Sizeof(*new(A{i})), unsafe.Alignof(*new(A{i}))" for i in range(len(used)))
    body.append(f"var Sizes = [...]uintptr{{{items}}}")
    body += [f"var V{i} func(A{i})" for i in range(len(used))]
    made.sizes = list(used)
    (folder / "p" / "p.go").write_text("\n".join(body) + "\n")
    return made


def _function(generator: Generator, made: Package, number: int, used: dict[str, None]) -> str:
    rng = generator.random
    params = [generator.type() for _ in range(rng.choice([0, 1, 2, 3, 4, 6, 9]))]
    results = [generator.type() for _ in range(rng.choice([0, 1, 1, 2, 3, 5]))]
    used.update(dict.fromkeys(kind.source for kind in [*params, *results]))
    receiver = rng.choice(["", "", "*", "value"])
    names = [f"p{i}" if rng.random() < 0.7 else "_" for i in range(len(params))]
    named_results = rng.random() < 0.5
    result_names = [(f"r{i}" if rng.random() < 0.7 else "_") if named_results else "" for i in range(len(results))]
    inputs = ", ".join(f"{name} {kind.source}" for name, kind in zip(names, params, strict=True))
    outputs = ", ".join(f"{name} {kind.source}".strip() for name, kind in zip(result_names, results, strict=True))
    found = Function("", [], [], f"rnd/p.M{number}")
    head, lines = f"func F{number}", []
    found.symbol = f"rnd/p.F{number}"
    if receiver:
        lines.append(f"type R{number} {generator.struct(1)}")
        star = "*" if receiver == "*" else ""
        head = f"func (recv {star}R{number}) F{number}"
        found.symbol = f"rnd/p.({star}R{number}).F{number}" if star else f"rnd/p.R{number}.F{number}"
        found.params.append(("recv", f"{star}rnd/p.R{number}"))
    shift = bool(receiver)
    found.params += [(n if n != "_" else f"~p{i + shift}", k.link) for i, (n, k) in enumerate(zip(names, params, strict=True))]
    found.results += [(n if n not in {"_", ""} else f"~r{i}", k.link) for i, (n, k) in enumerate(zip(result_names, results, strict=True))]
    inline = rng.random() < 0.2 and not receiver
    statements = [] if inline else [f"keep({name})" for name in names if name != "_" and rng.random() < 0.8]
    statements += [f"global = &{name}" for name in result_names if name not in {"_", ""} and rng.random() < 0.15]
    end = "return" if named_results or not results else "panic(1)"
    if not named_results and results and rng.random() < 0.6:
        statements.append("; ".join(f"var z{i} {kind.source}" for i, kind in enumerate(results)))
        end = "return " + ", ".join(f"z{i}" for i in range(len(results)))
    noinline = "" if inline else "//go:noinline\n"
    lines.append(f"{noinline}{head}({inputs}) ({outputs}) {{ {'; '.join([*statements, end])} }}")
    if inline:
        zeros = ", ".join(f"*new({kind.source})" for kind in params)
        lines.append(f"//go:noinline\nfunc call{number}() {{ keep(1); F{number}({zeros}) }}")
    mirror = ", ".join(f"m{i} {kind.source}" for i, kind in enumerate(results))
    keeps = "; ".join(f"keep(m{i})" for i in range(len(results)))
    lines.append(f"//go:noinline\nfunc M{number}({mirror}) {{ {keeps} }}")
    made.functions.append(found)
    return "\n".join(lines)
