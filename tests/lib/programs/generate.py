"""Makes a whole random program: module `rnd`, packages p0, p1, …, each of which uses those before it, and main, which runs every function.

It ends, since every call and every turn of a loop burns fuel, and prints the same in every run: a line for each function with the checksum of
all that was computed in it. No variable is shared by goroutines but those that are made for it; nothing depends on addresses, time or the order of maps.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from programs import assembly
from programs.expressions import Expressions, Scope, Var
from programs.kinds import ANY, ERROR, INT, TASK, Type, func_of, pointer_to, slice_of, struct_of
from programs.statements import Statements
from programs.tree import Node, Program, leaf
from programs.world import Function, Interface, World

SUPPORT = Path(__file__).parent / "sup"
IMPORTS = {
    "context": "context.Background", "crypto/sha256": "sha256.Sum256", "encoding/hex": "hex.EncodeToString", "encoding/json": "json.Marshal", "fmt": "fmt.Sprint",
    "math": "math.Sqrt", "reflect": "reflect.ValueOf", "runtime": "runtime.GC", "slices": "slices.Sort[[]int]", "sort": "sort.Ints", "strconv": "strconv.Itoa",
    "strings": "strings.Repeat", "sync": "sync.OnceFunc", "sync/atomic": "atomic.AddInt64", "time": "time.Now", "unsafe": "unsafe.Pointer(nil)", "rnd/sup": "sup.New",
}  # fmt: skip
SINCE = {23: {"iter": "iter.Pull[int]"}, 24: {"weak": "weak.Make[int]"}}
MAIN = {"errors": "errors.New", "log": "log.Fatal", "os": "os.Exit", "os/signal": "signal.Notify", "syscall": "syscall.Kill"}
PARAMS = (Type("TA", "param", names=("any",)), Type("TB", "param", names=("any",)), Type("TA", "param", names=("sup.Integer",)))
FEATURES = frozenset({"holding"})
"""What may be left out, by name."""


def make(seed: int, minor: int, packages: int = 1, size: int = 6, features: frozenset[str] = FEATURES) -> Program:
    """A program for Go 1.`minor`. size: functions of a package, about."""
    return Maker(seed, minor, packages, size, features).program


class Maker:
    def __init__(self, seed: int, minor: int, packages: int, size: int, features: frozenset[str]) -> None:
        self.rng = random.Random(seed)
        self.world = World(self.rng, minor, packages)
        self.size, self.features = size, features
        self.number = 0
        self.program = Program(seed)
        self.program.fixed["go.mod"] = f"module rnd\n\ngo 1.{minor}\n"
        self.program.fixed |= {f"sup/{path.name}": path.read_text() for path in sorted(SUPPORT.glob("*.go"))}
        for home in range(packages + 1):
            self.package(home)

    def next(self) -> int:
        self.number += 1
        return self.number

    def name(self, home: int, letter: str) -> str:
        return f"{self.package_name(home)}.{letter}{self.next()}"

    def package_name(self, home: int) -> str:
        return "main" if home == self.world.packages else f"p{home}"

    def package(self, home: int) -> None:
        name = self.package_name(home)
        nodes = [self.imports(home), *self.types(home)]
        first = len(self.world.functions)
        nodes += self.interfaces(home)
        stubs = self.declare(home)
        bodies = [self.function(function) for function in self.world.functions[first:] if not function.assembly]
        for stub in stubs:
            nodes.append(leaf(stub.helper + self.head(stub.function)))
            if len(self.world.functions) % 2:
                nodes[-1].kept = True
            nodes[-1].kept = True
        nodes += bodies
        if name == "main":
            nodes += self.main(home)
        nodes += [Node([text], kept=True) for text in self.world.hash_texts.get(home, [])]
        place = "main.go" if name == "main" else f"{name}/{name}.go"
        self.program.files[place] = [self.local(home, node) for node in nodes]
        for goarch in ("amd64", "arm64"):
            text = assembly.HEADER + "\n".join(stub.text[goarch] for stub in stubs)
            self.program.fixed[f"{'' if name == 'main' else name + '/'}stubs_{goarch}.s"] = text

    def local(self, home: int, node: Node) -> Node:
        """Without the prefix of the package itself."""
        prefix = re.compile(rf"\b{self.package_name(home)}\.(?=[A-Z])")
        for each in (node, *node.children()):
            each.pieces = [prefix.sub("", piece) if isinstance(piece, str) else piece for piece in each.pieces]
        return node

    def imports(self, home: int) -> Node:
        used = dict(IMPORTS)
        for since, more in SINCE.items():
            used |= more if self.world.minor >= since else {}
        if home == self.world.packages:
            used |= MAIN
        own = [self.package_name(at) for at in range(home)]
        lines = [f"package {self.package_name(home)}", "import ("]
        lines += [f'"{path}"' for path in used] + [f'"rnd/{name}"' for name in own] + [")"]
        lines += [f"var _ = {what}" for what in used.values()] + [f"var _ {name}.Keep" for name in own] + ["// Keep is what importers refer to.", "type Keep struct{}"]
        return Node(["\n".join(lines)], kept=True)

    # declarations

    def types(self, home: int) -> list[Node]:
        nodes = []
        for _ in range(self.rng.randint(3, 6)):
            fields: list[tuple[str, Type]] = []
            embedded = set()
            bases = self.world.structs_of(home)
            if bases and self.rng.random() < 0.4:
                base = self.rng.choice(bases)
                name = base.source.partition(".")[2]
                fields.append((name, pointer_to(base) if self.rng.random() < 0.4 else base))
                embedded.add(name)
            fields += [(f"F{self.next()}", self.world.type(home, 1) if self.rng.random() < 0.7 else self.world.flat()) for _ in range(self.rng.choice((0, 1, 2, 3, 4)))]
            kind = struct_of(self.name(home, "S"), tuple(fields), frozenset(embedded))
            self.world.structs.append((home, kind))
            lines = "\n".join(each.source if name in embedded else f"{name} {each.source}" for name, each in fields)
            nodes.append(Node([f"type {kind.source} struct {{\n{lines}\n}}".replace(f"type {self.package_name(home)}.", "type ")], kept=True))
        name = self.name(home, "Box")
        fields = [("X", PARAMS[0]), ("N", INT), ("Y", PARAMS[0])][: self.rng.randint(1, 3)]
        self.world.generics.append((home, name, tuple(fields)))
        lines = "\n".join(f"{field} {each.source}" for field, each in fields)
        nodes.append(Node([f"type {name.partition('.')[2]}[TA any] struct {{\n{lines}\n}}"], kept=True))
        return nodes

    def signature(self, home: int, most: int = 5) -> tuple[tuple[Type, ...], tuple[Type, ...]]:
        """With a task at some place."""
        params = [self.world.type(home) for _ in range(self.rng.choice((0, 1, 1, 2, 2, 3, most, 9)))]
        params.insert(self.rng.randint(0, len(params)), TASK)
        return tuple(params), tuple(self.world.type(home) for _ in range(self.rng.choice((0, 1, 1, 1, 1, 2, 3))))

    def interfaces(self, home: int) -> list[Node]:
        nodes = []
        for _ in range(self.rng.randint(1, 2)):
            name = self.name(home, "I")
            own = [kind for at, kind in self.world.structs if at == home]
            chosen = self.rng.sample(own, min(len(own), self.rng.randint(1, 3)))
            receivers = tuple(kind if self.rng.random() < 0.5 else pointer_to(kind) for kind in chosen)
            methods: list[Function] = []
            lines = []
            for _ in range(self.rng.choice((1, 1, 2))):
                method = f"M{self.next()}"
                params, results = self.signature(home)
                made = [Function(method, home, params, results, recv=recv, named=self.rng.random() < 0.7) for recv in receivers]
                self.world.functions += made
                methods.append(made[0])
                lines.append(f"{method}{made[0].type.source.removeprefix('func')}")
            kind = Type(name, "iface")
            self.world.interfaces.append((home, Interface(kind, tuple(methods), receivers)))
            nodes.append(Node([f"type {name.partition('.')[2]} interface {{\n{chr(10).join(lines)}\n}}"], kept=True))
        return nodes

    def declare(self, home: int) -> list[assembly.Stub]:
        """Functions, methods and stubs: only their types."""
        rng, world = self.rng, self.world
        for _ in range(rng.randint(self.size // 2, self.size)):
            params, results = self.signature(home)
            world.functions.append(Function(self.name(home, "F"), home, params, results, named=rng.random() < 0.6))
        for _ in range(rng.randint(1, 3)):
            params = tuple(world.flat() for _ in range(rng.randint(1, 5)))
            world.functions.append(Function(self.name(home, "Leaf"), home, params, (world.flat(),), leaf=True, named=False))
        for _ in range(rng.randint(1, 3)):
            recv = rng.choice(world.structs)
            if recv[0] == home:
                params, results = self.signature(home)
                kind = recv[1] if rng.random() < 0.5 else pointer_to(recv[1])
                world.functions.append(Function(f"M{self.next()}", home, params, results, recv=kind))
        for _ in range(2):
            given = rng.choice(((PARAMS[0],), (PARAMS[2],), (PARAMS[0], PARAMS[1]), (PARAMS[2], PARAMS[1])))
            pool = [*given, *given, *(slice_of(each) for each in given), func_of((given[0],), (given[-1],)), INT, ANY, ERROR, pointer_to(given[0])]
            params = (TASK, *(rng.choice(pool) for _ in range(rng.randint(1, 4))))
            world.functions.append(Function(self.name(home, "G"), home, params, (rng.choice((*given, rng.choice(pool))),), given=given))
        targets = [each for each in world.functions if each.home == home and assembly.fits(each)]
        stubs = [assembly.computing(self.name(home, "A"), home, rng)]
        if targets:
            stubs += [assembly.calling(self.name(home, "A"), rng.choice(targets), rng), assembly.jumping(self.name(home, "A"), rng.choice(targets))]
        if "holding" in self.features:
            stubs.append(assembly.holding(self.name(home, "A"), home, rng))
        stubs = [stub for stub in stubs if stub.function.results]
        world.functions += [stub.function for stub in stubs]
        return stubs

    # bodies

    def head(self, function: Function, names: tuple[str, ...] = (), results: tuple[str, ...] = ()) -> str:
        names = names or tuple(f"a{i}" for i in range(len(function.params)))
        taken = ", ".join(f"{name} {kind.source}" for name, kind in zip(names, function.params, strict=True))
        given = ", ".join(f"{name} {kind.source}" for name, kind in zip(results, function.results, strict=True)) if results else ", ".join(k.source for k in function.results)
        short = function.name.rpartition(".")[2]
        types = f"[{', '.join(f'{each.source} {each.names[0]}' for each in function.given)}]" if function.given else ""
        recv = f"(self {function.recv.source}) " if function.recv else ""
        return f"func {recv}{short}{types}({taken}) ({given})"

    def function(self, function: Function) -> Node:
        rng = self.rng
        writer = Statements(self.world, function.home, function.given)
        names = tuple("t" if kind.kind == "task" else writer.fresh("a") for kind in function.params)
        scope = Scope([Var(name, kind) for name, kind in zip(names, function.params, strict=True) if kind.kind != "task"], function.results, task=not function.leaf)
        if function.recv is not None:
            scope.vars.append(Var("self", function.recv))
        if function.given:
            writer.below = self.world.functions.index(function)
        if function.leaf:
            writer.room = 6
            quiet = rng.choice(("//go:nosplit\n", "//go:noinline\n", "//go:noinline\n//go:nosplit\n", ""))
            return Node([f"{self.plain(function, quiet)}{self.head(function, names)} {{\nreturn {self.simple(writer, function, scope)}\n}}"], kept=True)
        results = tuple(writer.fresh("r") for _ in function.results) if function.named else ()
        scope.named = results
        scope.vars += [Var(name, kind) for name, kind in zip(results, function.results, strict=False)]
        zeros = "return" if function.named else f"return {', '.join(f'*new({kind.source})' for kind in function.results)}".rstrip()
        mark = rng.choice(("//go:noinline\n", "//go:noinline\n", ""))
        body = writer.block(scope, rng.randint(2, 5 if not function.given else 3))
        writer.room = 6
        return Node([f"\n{mark}{self.head(function, names, results)} {{\nif !t.Go() {{\n{zeros}\n}}", body, f"{writer.values(scope)}\n}}"])

    @staticmethod
    def plain(function: Function, mark: str) -> str:
        """No //go:nosplit where a frame could be large."""
        return mark if all(kind.kind == "int" for kind in (*function.params, *function.results)) else "//go:noinline\n"

    def simple(self, writer: Expressions, function: Function, scope: Scope) -> str:
        """Arithmetic on the parameters; nothing is called."""
        kind = function.results[0]
        value = next((var.name for var in scope.vars if var.type == kind), None)
        if kind.kind == "int":
            return " + ".join(f"{kind.source}({var.name})" for var in scope.vars if var.type.kind in {"int", "float"}) or f"{kind.source}(1)"
        if kind.kind == "float":
            return " * ".join(f"{kind.source}({var.name})" for var in scope.vars if var.type.kind in {"int", "float"}) or f"{kind.source}(1)"
        return value or f"*new({kind.source})"

    # main

    def main(self, home: int) -> list[Node]:
        rng = self.rng
        acts = []
        chosen = [each for each in self.world.functions if not each.leaf or rng.random() < 0.3]
        rng.shuffle(chosen)
        for number, function in enumerate(chosen):
            writer = Statements(self.world, home)
            writer.room = 20
            scope = Scope()
            call = writer.call_of(function, scope, 1)
            if call is None:
                continue
            values = ", ".join(writer.fresh() for _ in function.results)
            if function.given:
                hashes = "\n".join(f"t.Any({name})" for name in values.split(", ") if name)
            else:
                hashes = "\n".join(self.world.hash(home, kind, name) for kind, name in zip(function.results, filter(None, values.split(", ")), strict=True))
            label = f"{number} {function.name}"
            acts.append(leaf(f'sup.Run("{label}", {12 if function.assembly else rng.choice((15, 30, 60))}, {25 if function.assembly else rng.choice((1, 1, 3))}, {rng.choice(("true", "false"))}, func(t *sup.T) {{\n{values + " := " if values else ""}{call}\n{hashes}\n}})'))
            if rng.random() < 0.1:
                acts.append(leaf(self.signals()))
        end = leaf(self.end())
        return [Node(["func main() {", [*acts, end], "}"], kept=True)]

    def signals(self) -> str:
        name = self.rng.choice(("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGHUP", "SIGINT", "SIGURG", "SIGWINCH"))
        return self.rng.choice((
            f"{{\nc := make(chan os.Signal, 1)\nsignal.Notify(c, syscall.{name})\nsyscall.Kill(syscall.Getpid(), syscall.{name})\nfmt.Println(<-c)\nsignal.Stop(c)\n}}"
            if name != "SIGURG" else "",
            f"{{\nctx, stop := signal.NotifyContext(context.Background(), syscall.{name})\nsyscall.Kill(syscall.Getpid(), syscall.{name})\n<-ctx.Done()\nstop()\nfmt.Println(ctx.Err())\n}}"
            if name != "SIGURG" else "",
            f"signal.Ignore(syscall.{name})\nsyscall.Kill(syscall.Getpid(), syscall.{name})\nfmt.Println(signal.Ignored(syscall.{name}))\nsignal.Reset(syscall.{name})"
            if name in {"SIGUSR1", "SIGUSR2", "SIGWINCH"} else "",
        )) or 'fmt.Println("no signal")'  # fmt: skip

    def end(self) -> str:
        rng = self.rng
        return rng.choice((
            "", "", "", "", f"os.Exit({rng.randrange(120)})", 'log.SetFlags(0)\nlog.Fatal("fatal ", 5)', 'panic("the end")', "panic(sup.Err(5))", "var p *sup.E\nprintln(p.Code)",
            'defer func() { panic(fmt.Sprint("second ", recover())) }()\npanic("first")', 'defer func() { panic("second") }()\npanic(sup.Err(1))',
            "syscall.Kill(syscall.Getpid(), syscall.SIGTERM)\ntime.Sleep(time.Hour)",
            "go func() {\nvar m map[string]int\nm[`a`]++\n}()\ntime.Sleep(time.Hour)", "defer os.Exit(4)\npanic(errors.New(`not seen`))",
            "sup.Run(`end`, 50, 1, false, func(t *sup.T) {\ndefer os.Exit(5)\nruntime.Goexit()\n})",
        ))  # fmt: skip
