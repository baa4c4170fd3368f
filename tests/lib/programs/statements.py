"""Statements: control flow, deferred calls, panics, goroutines, and snippets that each lean on one promise of Go."""

from __future__ import annotations

from collections.abc import Callable

from programs.expressions import Expressions, Scope, Var
from programs.kinds import ANY, BYTE, ERROR, INT, SCALARS, STRING, Type, chan_of, slice_of
from programs.tree import Node, leaf
from programs.world import Function

Block = list[Node]


class Statements(Expressions):
    depth = 0

    def body(self, scope: Scope, count: int) -> str:
        return "".join(line + "\n" for node in self.block(scope, count) for line in node.lines())

    def block(self, scope: Scope, count: int) -> Block:
        self.depth += 1
        made = []
        for _ in range(count):
            self.room = 9
            made.append(self.statement(scope))
        self.depth -= 1
        return made

    def small(self, scope: Scope, most: int = 3) -> Block:
        """A block within a statement; the scope is its own."""
        return self.block(scope.inner(), self.rng.randint(1, most))

    def statement(self, scope: Scope) -> Node:
        simple: list[tuple[int, Callable[[Scope], Node]]] = [
            (20, self.declare), (14, self.assign), (9, self.hashed), (9, self.call_statement), (3, self.panic), (3, self.returns), (4, self.leave_loop),
            (2, self.traced), (2, self.deep), (4, self.standard), (3, self.unsafe), (3, self.reflected), (3, self.assembled), (2, self.asserted), (2, self.weak),
        ]  # fmt: skip
        nested: list[tuple[int, Callable[[Scope], Node]]] = [
            (9, self.branch), (7, self.loop), (5, self.switch), (3, self.type_switch), (6, self.deferred), (4, self.attempt), (5, self.function), (4, self.goroutines),
            (3, self.pipeline), (3, self.select), (4, self.iterate), (2, self.jump), (2, self.shared), (2, self.iterator),
        ]  # fmt: skip
        ways = simple if self.depth > 2 + (self.rng.random() < 0.3) else simple + nested
        if not scope.task:
            ways = [(1, self.declare), (1, self.assign)]
        return self.rng.choices([way for _, way in ways], [weight for weight, _ in ways])[0](scope)

    # values

    def declare(self, scope: Scope) -> Node:
        kind = self.world.type(self.home) if not self.given or self.rng.random() < 0.6 else self.rng.choice(self.given)
        name = self.fresh()
        value = self.expr(kind, scope)
        form = f"var {name} {kind.source} = {value}" if self.rng.random() < 0.5 or kind.kind == "func" else f"{name} := {self.typed(kind, value)}"
        scope.vars.append(Var(name, kind))
        return leaf(f"{form}\n_ = {name}")

    @staticmethod
    def typed(kind: Type, value: str) -> str:
        """A value whose type is exactly this one."""
        return value if kind.kind in {"struct", "slice", "array", "map", "string"} and not value.startswith("*") else f"({kind.source})({value})"

    def assign(self, scope: Scope) -> Node:
        rng = self.rng
        held = [var for var in scope.vars if not var.fixed and var.type.kind not in {"task"}]
        if not held:
            return self.declare(scope)
        var = rng.choice(held)
        of = var.type
        roll = rng.random()
        if of.kind == "int" and roll < 0.3:
            return leaf(f"{var.name} {rng.choice(('+=', '-=', '*=', '^=', '|='))} {self.expr(of, scope)}")
        if of.kind == "int" and roll < 0.4:
            return leaf(f"{var.name}{rng.choice(('++', '--'))}")
        if of.kind == "struct" and of.names and roll < 0.7:
            at = rng.randrange(len(of.names))
            return leaf(f"{var.name}.{of.names[at]} = {self.expr(of.of[at], scope)}")
        if (of.kind == "slice" or (of.kind == "array" and of.count)) and roll < 0.6:
            return leaf(f"{var.name}[sup.Ix({self.number(scope)}, len({var.name}))] = {self.expr(of.of[0], scope)}")
        if of.kind == "map" and roll < 0.7:
            return leaf(f"if {var.name} != nil && len({var.name}) < 6 {{\n{var.name}[{self.expr(of.of[0], scope)}] = {self.expr(of.of[1], scope)}\n}}")
        if of.kind == "pointer" and roll < 0.5:
            return leaf(f"*{var.name} = {self.expr(of.of[0], scope)}")
        if of.kind == "pointer" and of.of[0].kind == "struct" and of.of[0].names and roll < 0.8:
            at = rng.randrange(len(of.of[0].names))
            return leaf(f"{var.name}.{of.of[0].names[at]} = {self.expr(of.of[0].of[at], scope)}")
        others = [other for other in held if other.type == of and other is not var]
        if others and roll < 0.85:
            other = rng.choice(others)
            return leaf(f"{var.name}, {other.name} = {other.name}, {self.expr(of, scope)}")
        return leaf(f"{var.name} = {self.expr(of, scope)}")

    def hashed(self, scope: Scope) -> Node:
        held = [var for var in scope.vars if var.type.kind != "task"]
        if not held:
            return leaf("t.Mix(9)")
        var = self.rng.choice(held[-6:])
        if self.rng.random() < 0.15:
            return leaf(f"t.Any({var.name})")
        return leaf(self.world.hash(self.home, var.type, var.name))

    def call_statement(self, scope: Scope) -> Node:
        found = [each for each in self.callable(scope)]
        if not found:
            return self.declare(scope)
        function = self.rng.choice(found)
        call = self.call_of(function, scope, 0)
        if call is None:
            return self.declare(scope)
        if not function.results or self.rng.random() < 0.1:
            return leaf(call)
        if function.given:
            names = [self.fresh() for _ in function.results]
            return leaf(f"{', '.join(names)} := {call}\n" + "\n".join(f"t.Any({name})" for name in names))
        names = [self.fresh() if self.rng.random() < 0.85 else "_" for _ in function.results]
        made = [Var(name, kind) for name, kind in zip(names, function.results, strict=True) if name != "_"]
        scope.vars += made
        if not made:
            return leaf(call)
        return leaf(f"{', '.join(names)} := {call}\n" + "\n".join(f"_ = {var.name}" for var in made))

    # ends

    def values(self, scope: Scope) -> str:
        if scope.named and self.rng.random() < 0.4:
            return "return"
        return f"return {', '.join(self.expr(kind, scope, 1) for kind in scope.results)}".rstrip()

    def returns(self, scope: Scope) -> Node:
        return leaf(f"if {self.expr(Type('bool', 'bool'), scope)} {{\n{self.values(scope)}\n}}")

    def panic(self, scope: Scope) -> Node:
        number = self.number(scope)
        rng = self.rng
        value = rng.choice(
            [f"panic(sup.Err(int({number})))", f'panic(fmt.Sprint("panic ", {number}))', f"panic({self.expr(self.world.flat(), scope, 2)})", "panic(&sup.E{Code: 5})",
             f"_ = []int{{1, 2}}[sup.V(int({number}))]", "var p *sup.E\n_ = p.Code", f"_ = 5 / sup.V(int({number}) - int({number}))", "_ = any(t).(fmt.Stringer)",
             "var m map[string]int\nm[`a`] = 1", f"_ = make([]int, sup.V(-1-int({number})&7))", "c := make(chan int)\nclose(c)\nclose(c)", "_ = [4]int([]int{1})"]
        )  # fmt: skip
        return leaf(f"if {self.expr(INT, scope, 2)}%{rng.choice((2, 3, 5, 7))} == 1 {{\n{value}\n}}")

    def leave_loop(self, scope: Scope) -> Node:
        if not scope.loops:
            return self.returns(scope)
        label, is_loop = self.rng.choice(scope.loops)
        word = self.rng.choice(("break", "continue")) if is_loop else "break"
        return leaf(f"if {self.expr(Type('bool', 'bool'), scope, 1)} {{\n{word} {label}\n}}")

    # control flow

    def branch(self, scope: Scope) -> Node:
        pieces: list[str | Block] = [f"if {self.expr(Type('bool', 'bool'), scope)} {{", self.small(scope)]
        if self.rng.random() < 0.3:
            name = self.fresh()
            inner = scope.inner()
            inner.vars.append(Var(name, INT))
            pieces += [f"}} else if {name} := {self.expr(INT, scope)}; {name}&1 == 0 {{", self.small(inner)]
        if self.rng.random() < 0.5:
            pieces += ["} else {", self.small(scope)]
        return Node([*pieces, "}"])

    def loop(self, scope: Scope) -> Node:
        rng = self.rng
        label = self.fresh("L")
        inner = scope.inner()
        inner.loops = (*scope.loops, (label, True))
        name = self.fresh("i")
        way = rng.choice(("count", "while", "range", "slice", "string", "forever"))
        if way == "count":
            head = f"for {name} := 0; {name} < {rng.randint(1, 5)} && t.Go(); {name}++ {{"
            inner.vars.append(Var(name, INT, fixed=rng.random() < 0.8))
        elif way == "while":
            head = f"for {self.expr(Type('bool', 'bool'), scope)} && t.Go() {{"
        elif way == "range":
            head = f"for {name} := range {rng.randint(1, 5)} {{\n_ = {name}\nif !t.Go() {{\nbreak\n}}"
            inner.vars.append(Var(name, INT))
        elif way == "slice":
            kind = self.world.type(self.home, 1)
            over = self.expr(slice_of(kind), scope)
            each = self.fresh()
            head = f"for {name}, {each} := range {over} {{\n_, _ = {name}, {each}\nif !t.Go() {{\nbreak\n}}"
            inner.vars += [Var(name, INT), Var(each, kind)]
        elif way == "string":
            head = f"for {name}, c := range sup.Cut({self.expr(STRING, scope)}) {{\n_ = {name}\nif !t.Go() {{\nbreak\n}}\nt.Mix(uint64(c))"
            inner.vars.append(Var(name, INT))
        else:
            head = "for {\nif !t.Go() {\nbreak\n}"
        return Node([f"{label}:", head, self.small(inner), "}"])

    def switch(self, scope: Scope) -> Node:
        rng = self.rng
        label = self.fresh("L")
        inner = scope.inner()
        inner.loops = (*scope.loops, (label, False))
        kind = rng.choice((INT, STRING, BYTE))
        pieces: list[str | Block] = [f"{label}:", f"switch x := {self.typed(kind, self.expr(kind, scope))}; {rng.choice(('x', 'sup.V(x)'))} {{"]
        values = list(range(12)) if kind is not STRING else ['""', '"a"', '"bc"', '"héllo"', '"0"', '"true"']
        rng.shuffle(values)
        count = rng.randint(1, 4)
        for at in range(count):
            pieces += [f"case {values[at]}:", self.small(inner, 2)]
            if at + 1 < count and rng.random() < 0.2:
                pieces.append("fallthrough")
        if rng.random() < 0.6:
            pieces += ["default:", self.small(inner, 2)]
        return Node([*pieces, "}"])

    def type_switch(self, scope: Scope) -> Node:
        rng = self.rng
        name = self.fresh()
        pieces: list[str | Block] = [f"switch {name} := ({self.expr(rng.choice((ANY, ERROR)), scope)}).(type) {{"]
        pieces[0] = f"switch {name} := any({self.expr(rng.choice((ANY, ANY, ERROR)), scope)}).(type) {{"
        seen: set[str] = set()
        for _ in range(rng.randint(1, 4)):
            kind = self.world.type(self.home, 1)
            if kind.source in seen or kind.kind in {"any", "iface", "error", "param"}:
                continue
            seen.add(kind.source)
            inner = scope.inner()
            inner.vars.append(Var(name, kind))
            pieces += [f"case {kind.source}:\n_ = {name}", self.small(inner, 2)]
        pieces += ["case error:", [leaf(f"t.Str({name}.Error())")], "default:", [leaf(f"t.Any({name})")], "}"]
        return Node(pieces)

    def jump(self, scope: Scope) -> Node:
        label, name = self.fresh("L"), self.fresh("i")
        inner = scope.inner()
        inner.vars.append(Var(name, INT, fixed=True))
        return Node([f"{{\n{name} := 0", f"{label}:", "{", self.small(inner), f"}}\nif {name}++; {name} < 4 && t.Go() {{\ngoto {label}\n}}\n}}"])

    # deferred calls, panics, recover

    def deferred(self, scope: Scope) -> Node:
        rng = self.rng
        quiet = Scope(list(scope.vars), (), (), ())
        way = rng.choice(("recover", "recover", "block", "block", "catch", "holder", "catcher", "deeper", "call", "loop", "value", "bare", "again", "nested"))
        if way == "recover":
            return Node(["defer func() {\nif r := recover(); r != nil {\nt.Caught(r)", self.small(quiet, 2), "}\n}()"])
        if way == "block":
            return Node(["defer func() {", self.small(quiet), "}()"])
        if way == "nested":
            return Node(["defer func() {\ndefer func() {\nt.Caught(recover())\n}()", self.small(quiet), "}()"])
        if way == "loop":
            name = self.fresh("i")
            quiet.vars.append(Var(name, INT))
            inner = self.small(quiet, 2)
            return Node([f"for {name} := range {rng.randint(1, 4)} {{\ndefer func(x int) {{\nt.Mix(uint64(x + {name}))", inner, f"}}({name} * {self.expr(INT, scope)})\n}}"])
        if way == "again":
            return Node(["defer func() {\nif r := recover(); r != nil {\nt.Caught(r)", self.small(quiet, 1), "panic(fmt.Sprint(`again `, sup.Cut(sup.Text(r))))\n}\n}()"])
        if way == "call":
            found = [each for each in self.callable(scope) if not each.given]
            call = self.call_of(rng.choice(found), scope, 0) if found else None
            if call is not None and call.endswith(")"):
                return leaf(f"defer {call}")
        text = {
            "catch": "defer t.Catch()",
            "holder": rng.choice(("defer sup.Holder{T: t}.Catch()", "defer (&sup.Holder{T: t}).Catch()", "defer sup.Catcher(sup.Holder{T: t}).Catch()")),
            "catcher": "defer sup.Catcher(t).Catch()",
            "deeper": "defer t.Deeper()",
            "value": rng.choice(("defer (*sup.T).Catch(t)", "defer recover()", "f := t.Catch\ndefer f()")),
            "bare": f"defer t.Mix(uint64({self.expr(INT, scope)}))",
            "call": "defer t.Trace(20)",
        }[way]
        return leaf(f"{{\n{text}\n}}" if text.startswith("f :=") else text)

    def attempt(self, scope: Scope) -> Node:
        inner = Scope(list(scope.vars), (), (), ())
        end = self.rng.choice(("t.Catch()", "func() { t.Caught(recover()) }()", "sup.Holder{T: t}.Catch()"))
        return Node([f"func() {{\ndefer {end}", self.small(inner, 4), "}()"])

    def function(self, scope: Scope) -> Node:
        """A closure that later statements may call; it may call itself."""
        kind = self.func_type()
        name = self.fresh("f")
        inner = Scope(list(scope.vars), kind.results, (), ())
        own = self.rng.random() < 0.4
        params = [Var(self.fresh("a"), each) for each in kind.params]
        inner.vars += params
        head = f"{name} := func" if not own else f"var {name} {kind.source}\n{name} = func"
        if own:
            inner.vars.append(Var(name, kind, fixed=True))
        results = tuple(self.fresh("r") for _ in kind.results)
        inner.named = results
        inner.vars += [Var(result, each) for result, each in zip(results, kind.results, strict=True)]
        taken = ", ".join(f"{var.name} {var.type.source}" for var in params)
        given = ", ".join(f"{result} {each.source}" for result, each in zip(results, kind.results, strict=True))
        body = self.small(inner, 4)
        end = self.values(inner)
        scope.vars.append(Var(name, kind))
        return Node([f"{head}({taken}) ({given}) {{\nif !t.Go() {{\nreturn\n}}", body, f"{end}\n}}\n_ = {name}"])

    # goroutines and channels

    def apart(self, scope: Scope) -> tuple[Scope, str, str]:
        """The scope of another goroutine: copies of values that share nothing, and its own task; parameters and arguments."""
        inner = Scope([], (), (), ())
        held = [var for var in scope.vars if var.type.flat]
        chosen = self.rng.sample(held, min(len(held), self.rng.randint(0, 4)))
        inner.vars = [Var(self.fresh("c"), var.type) for var in chosen]
        return inner, "".join(f", {var.name} {var.type.source}" for var in inner.vars), "".join(f", {var.name}" for var in chosen)

    def goroutines(self, scope: Scope) -> Node:
        rng = self.rng
        inner, params, args = self.apart(scope)
        tasks, wait = self.fresh("g"), self.fresh("w")
        exits = [leaf(f"if {self.expr(INT, inner, 2)}%3 == 0 {{\nruntime.Goexit()\n}}")] if rng.random() < 0.3 else []
        body = [*self.small(inner, 4), *exits]
        own = self.small(scope)
        pieces: list[str | Block] = [
            f"{{\nvar {wait} sync.WaitGroup\nvar {tasks} []*sup.T\nfor range {rng.randint(1, 3)} {{\nc := t.Fork()\n{tasks} = append({tasks}, c)\n{wait}.Add(1)\n"
            f"go func(t *sup.T{params}) {{\ndefer {wait}.Done()\ndefer t.Catch()",
            body,
            f"}}(c{args})\n}}\nfunc() {{\ndefer {wait}.Wait()",
            [Node(["func() {\ndefer t.Catch()", self.small(Scope(list(scope.vars), (), (), ())), "}()"])] if own else [],
            f"}}()\nfor _, c := range {tasks} {{\nt.Join(c)\n}}\n}}",
        ]
        return Node(pieces)

    def pipeline(self, scope: Scope) -> Node:
        rng = self.rng
        kind = self.world.type(self.home, 1)
        inner, params, args = self.apart(scope)
        channel, value = self.fresh("ch"), self.fresh()
        body = self.small(inner, 2)
        sent = self.expr(kind, inner, 1)
        received = scope.inner()
        received.vars.append(Var(value, kind))
        taken = self.small(Scope(received.vars, (), (), ()), 2)
        return Node([
            f"{{\n{channel} := make({chan_of(kind).source}, {rng.choice((0, 0, 1, 2))})\nc := t.Fork()\ngo func(t *sup.T{params}) {{\ndefer close({channel})\ndefer t.Catch()\n"
            f"for range {rng.randint(1, 4)} {{\nif !t.Go() {{\nreturn\n}}",
            body,
            f"{channel} <- {sent}\n}}\n}}(c{args})\nfor {value} := range {channel} {{\n_ = {value}\nfunc() {{\ndefer t.Catch()",
            taken,
            f"{self.world.hash(self.home, kind, value)}\n}}()\n}}\nt.Join(c)\n}}",
        ])  # fmt: skip

    def select(self, scope: Scope) -> Node:
        rng = self.rng
        kind = self.world.flat() if rng.random() < 0.5 else self.world.type(self.home, 1)
        one, two, value = self.fresh("ch"), self.fresh("ch"), self.fresh()
        first, second = scope.inner(), scope.inner()
        first.vars.append(Var(value, kind))
        ready = rng.random() < 0.6
        # One case at most is ready: another channel is nil, or nobody sends there.
        fill = f"{one} <- {self.expr(kind, scope)}\n" if ready else ""
        other = rng.choice((f"case {two} <- {self.expr(kind, scope, 1)}:", f"case <-{two}:", "case <-time.After(time.Hour):"))
        last = rng.choice(("default:", f"case <-time.After({rng.choice(('1', 'time.Microsecond'))}):")) if not ready else "case <-time.After(time.Hour):"
        return Node([
            f"{{\n{one}, {two} := make({chan_of(kind).source}, 1), {chan_of(kind).source}(nil)\n_ = {two}\n{fill}select {{\ncase {value} := <-{one}:\n_ = {value}",
            self.small(first, 2),
            other,
            self.small(second, 1),
            last,
            self.small(second, 2),
            "}\n}",
        ])  # fmt: skip

    def shared(self, scope: Scope) -> Node:
        """Goroutines that add under a lock, through a pool and once; sums do not depend on their order."""
        rng = self.rng
        inner, params, args = self.apart(scope)
        value = self.expr(INT, inner, 1)
        times = rng.randint(2, 4)
        return leaf(
            f"{{\nvar mu sync.{rng.choice(('Mutex', 'RWMutex'))}\nvar once sync.Once\nvar wg sync.WaitGroup\nvar n atomic.Int64\nsum, made := 0, 0\npool := sync.Pool{{New: func() any {{ return new([3]int) }}}}\n"
            f"for i := range {times} {{\nwg.Add(1)\ngo func(t *sup.T{params}) {{\ndefer wg.Done()\ndefer t.Catch()\np := pool.Get().(*[3]int)\n*p = [3]int{{i, i, int({value})}}\nonce.Do(func() {{ made++ }})\n"
            f"mu.Lock()\ndefer mu.Unlock()\nsum += p[0]*3 + p[2]\nn.Add(int64(p[1]))\npool.Put(p)\n}}(t.Fork(){args})\n}}\nwg.Wait()\nt.Mix(uint64(sum))\nt.Mix(uint64(made) + uint64(n.Load()))\n}}"
        )

    # iterators

    def iterate(self, scope: Scope) -> Node:
        rng = self.rng
        if self.world.minor < 23:
            return self.loop(scope)
        label = self.fresh("L")
        inner = scope.inner()
        inner.loops = (*scope.loops, (label, True))
        name = self.fresh()
        if rng.random() < 0.5:
            head = f"for {name} := range sup.Seq(t, {rng.randint(1, 5)}) {{\n_ = {name}"
            inner.vars.append(Var(name, INT))
        else:
            kind = self.world.type(self.home, 1)
            each = self.fresh()
            head = f"for {name}, {each} := range sup.Seq2(t, {self.expr(slice_of(kind), scope)}) {{\n_, _ = {name}, {each}"
            inner.vars += [Var(name, INT), Var(each, kind)]
        return Node([f"{label}:", head, self.small(inner), "}"])

    def iterator(self, scope: Scope) -> Node:
        """An iterator with a body of its own, ranged over or pulled."""
        if self.world.minor < 23:
            return self.jump(scope)
        rng = self.rng
        kind = self.world.type(self.home, 1)
        name, each, label = self.fresh("f"), self.fresh(), self.fresh("L")
        inner = Scope(list(scope.vars), (), (), ())
        made = self.small(inner, 2)
        value = self.expr(kind, inner, 1)
        ranged = scope.inner()
        ranged.vars.append(Var(each, kind))
        ranged.loops = (*scope.loops, (label, True))
        head = f"{{\n{name} := func(yield func({kind.source}) bool) {{\nfor t.Go() {{"
        tail = f"if !yield({value}) {{\nreturn\n}}\n}}\n}}"
        if rng.random() < 0.4:
            use: list[str | Block] = [f"next, stop := iter.Pull({name})\nfor range 2 {{\nif x, ok := next(); ok {{\n_ = x\n{self.world.hash(self.home, kind, 'x')}\n}}\n}}\nstop()\n}}"]
        else:
            use = [f"{label}:\nfor {each} := range {name} {{\n_ = {each}", self.small(ranged), "}\n}"]
        return Node([head, made, tail, *use])

    # snippets

    def traced(self, scope: Scope) -> Node:
        return leaf(self.rng.choice(("t.Trace(12)", "t.Trace(40)", "t.Where(0)", "t.Where(1)", "t.Where(2)", "t.Stack()")))

    def deep(self, scope: Scope) -> Node:
        name = self.fresh()
        value = self.expr(Type("uint64", "int"), scope)
        scope.vars.append(Var(name, Type("uint64", "int")))
        return leaf(f"var {name} uint64 = {value}\nt.Mix(t.Deep({self.rng.choice((3, 10, 30, 100))}, &{name}))")

    def asserted(self, scope: Scope) -> Node:
        kind = self.world.type(self.home, 1)
        if kind.kind == "param":
            kind = INT
        name, ok = self.fresh(), self.fresh()
        value = self.expr(ANY, scope)
        scope.vars += [Var(name, kind), Var(ok, Type("bool", "bool"))]
        return leaf(f"{name}, {ok} := any({value}).({kind.source})\n_, _ = {name}, {ok}")

    def standard(self, scope: Scope) -> Node:
        rng = self.rng
        kind = self.world.flat()
        return leaf(
            rng.choice([
                lambda: f"t.Str(fmt.Sprintf(\"%v|%8.3v|%T\", {self.expr(kind, scope)}, {self.expr(SCALARS[12], scope)}, {self.expr(self.world.flat(), scope)}))",
                lambda: f"{{\ns := {self.typed(slice_of(INT), self.expr(slice_of(INT), scope))}\nsort.Slice(s, func(i, j int) bool {{ t.Mix(uint64(len(s))); return s[i] < s[j] }})\n{self.world.hash(self.home, slice_of(INT), 's')}\n}}",
                lambda: f"{{\ns := slices.Clone({self.expr(slice_of(STRING), scope)})\nslices.SortFunc(s, func(a, b string) int {{ return strings.Compare(b, a) }})\nt.Str(strings.Join(s, `,`))\n}}",
                lambda: f"if n, err := strconv.ParseInt({self.expr(STRING, scope)}, 36, 64); err != nil {{\nt.Str(err.Error())\n}} else {{\nt.Mix(uint64(n))\n}}",
                lambda: f"t.Str(strings.Map(func(r rune) rune {{ t.Mix(uint64(r)); return r + 1 }}, sup.Cut({self.expr(STRING, scope)})))",
                lambda: f"{{\nvar b strings.Builder\nfmt.Fprintf(&b, \"%d %q\", {self.expr(INT, scope)}, {self.expr(STRING, scope)})\nt.Str(b.String())\n}}",
                lambda: f"{{\nx := t.Fork()\ntm := time.AfterFunc(time.Hour, func() {{ x.Go() }})\nt.Bool(tm.Stop())\nd := make(chan int, 1)\ntime.AfterFunc(1, func() {{ d <- {rng.randrange(9)} }})\nt.Mix(uint64(<-d))\n}}",
                lambda: f"{{\nctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), sup.E{{Code: 1}}, {self.expr(INT, scope)}))\ncancel(sup.Err(int({self.number(scope)})))\n<-ctx.Done()\nt.Any(context.Cause(ctx))\nt.Any(ctx.Value(sup.E{{Code: 1}}))\n}}",
                lambda: f"{{\nh := sha256.Sum256([]byte({self.expr(STRING, scope)}))\nt.Str(hex.EncodeToString(h[:]))\n}}",
                lambda: f"{{\nvar m sync.Map\nm.Store({self.number(scope)}, {self.expr(STRING, scope)})\nm.Range(func(k, v any) bool {{ t.Any(k); t.Any(v); return true }})\n}}",
                lambda: f"{{\ndata, err := json.Marshal(map[string]any{{`b`: {self.expr(INT, scope)}, `a`: {self.expr(STRING, scope)}}})\nt.Str(string(data))\nt.Any(err)\nvar back any\nt.Any(json.Unmarshal(data, &back))\nt.Any(back)\n}}",
            ])()  # fmt: skip
        )

    def unsafe(self, scope: Scope) -> Node:
        """The six patterns of package unsafe, on objects that nothing else refers to where a pattern allows it."""
        rng = self.rng
        flat = Type("[4]uint64", "array", (Type("uint64", "int"),), count=4)
        numbers = f"[4]uint64{{uint64({self.number(scope)}), 2, 3, uint64({self.expr(INT, scope)})}}"
        small = f"struct{{ a byte; b, c uint32; s string }}{{1, 2, uint32({self.number(scope)}), {self.expr(STRING, scope)}}}"
        return leaf(
            rng.choice([
                lambda: f"{{\nf := float64({self.expr(Type('float64', 'float'), scope)})\nt.Mix(*(*uint64)(unsafe.Pointer(&f)) &^ 1)\n}}",
                lambda: f"{{\np := sup.Ref({numbers})\nfor i := range uintptr(4) {{\nt.Mix(*(*uint64)(unsafe.Pointer(uintptr(unsafe.Pointer(p)) + i*unsafe.Sizeof(p[0]))))\n}}\n}}",
                lambda: f"{{\nx := {small}\np := (*uint32)(unsafe.Add(unsafe.Pointer(&x), unsafe.Offsetof(x.c)))\n*p += 5\nt.Mix(uint64(x.c))\nt.Str(*(*string)(unsafe.Pointer(uintptr(unsafe.Pointer(&x)) + unsafe.Offsetof(x.s))))\n}}",
                lambda: f"{{\np := (*[4]uint64)(unsafe.Pointer(reflect.ValueOf(sup.Ref({numbers})).Pointer()))\n{self.world.hash(self.home, flat, '*p')}\n}}",
                lambda: f"{{\np := (*[4]uint64)(unsafe.Pointer(reflect.ValueOf(sup.Ref({numbers})).Elem().UnsafeAddr()))\n{self.world.hash(self.home, flat, '*p')}\n}}",
                lambda: f"{{\ns := sup.Cut({self.expr(STRING, scope)})\nb := unsafe.Slice(unsafe.StringData(s), len(s))\nfor _, c := range b {{\nt.Mix(uint64(c))\n}}\n}}",
                lambda: f"{{\nb := append([]byte(nil), {self.expr(STRING, scope)}...)\nt.Str(unsafe.String(unsafe.SliceData(b), len(b)))\n}}",
                lambda: f"t.Str(sup.Piped({self.expr(STRING, scope)}))",
                lambda: f"{{\nvar b [16]byte\nn := copy(b[:], {self.expr(STRING, scope)})\nt.Str(sup.PipedBytes(b[:n]))\n}}",
                lambda: f"{{\ns := {self.typed(slice_of(BYTE), self.expr(slice_of(BYTE), scope))}\nh := (*reflect.SliceHeader)(unsafe.Pointer(&s))\nh.Len = min(h.Len, 2)\n{self.world.hash(self.home, slice_of(BYTE), 's')}\n}}",
                lambda: f"{{\np := atomic.Pointer[[4]uint64]{{}}\np.Store(sup.Ref({numbers}))\nold := p.Swap(new([4]uint64))\n{self.world.hash(self.home, flat, '*old')}\n}}",
            ])()  # fmt: skip
        )

    def reflected(self, scope: Scope) -> Node:
        rng = self.rng
        found = [each for each in self.callable(scope) if not each.given and not each.assembly]
        if not found:
            return self.traced(scope)
        function = rng.choice(found)
        arguments = self.arguments(function.params, scope, 1)
        if function.recv is None:
            if rng.random() < 0.4 and function.results:
                names = [self.fresh("m") for _ in function.results]
                hashes = "\n".join(self.world.hash(self.home, kind, name) for name, kind in zip(names, function.results, strict=True))
                return leaf(f"{{\n{', '.join(names)} := sup.Made(t, {function.name})({arguments})\n{hashes}\n}}")
            return leaf(f"for _, r := range sup.Call({', '.join(filter(None, [function.name, self.boxed_arguments(function, scope)]))}) {{\nt.Any(r)\n}}")
        value = self.expr(function.recv, scope, 1)
        return leaf(f"for _, r := range sup.Lookup({', '.join(filter(None, [value, chr(34) + function.name + chr(34), self.boxed_arguments(function, scope)]))}) {{\nt.Any(r)\n}}")

    def boxed_arguments(self, function: Function, scope: Scope) -> str:
        """Arguments for reflection: each converted to its type, as constants would get another."""
        return ", ".join("t" if each.kind == "task" else self.typed(each, self.expr(each, scope, 1)) for each in function.params)

    def assembled(self, scope: Scope) -> Node:
        found = [each for each in self.world.functions if each.assembly and each.home <= self.home]
        if not found:
            return self.unsafe(scope)
        function = self.rng.choice(found)
        call = f"{function.name}({self.arguments(function.params, scope, 0)})"
        names = [self.fresh() for _ in function.results]
        scope.vars += [Var(name, kind) for name, kind in zip(names, function.results, strict=True)]
        return leaf(f"{', '.join(names)} := {call}\n" + "\n".join(f"_ = {name}" for name in names))

    def weak(self, scope: Scope) -> Node:
        """Finalizers and their like, where what they do is determined: an object that is alive, or one that is not and is waited for."""
        number = self.number(scope)
        ways = [
            f"{{\np := &struct{{ n int; s []int }}{{int({number}), []int{{1, 2}}}}\nran := false\nruntime.SetFinalizer(p, func(any) {{ ran = true }})\nruntime.GC()\nt.Bool(ran)\nt.Mix(uint64(p.n))\nruntime.SetFinalizer(p, nil)\nruntime.KeepAlive(p)\n}}",
            f"{{\nd := make(chan int, 1)\nfunc() {{\np := &[5]int{{int({number})}}\nruntime.SetFinalizer(p, func(p *[5]int) {{ d <- p[0] + 1 }})\n}}()\nt.Mix(uint64(sup.Await(d)))\n}}",
        ]
        if self.world.minor >= 24:
            ways += [
                f"{{\np := &[5]int{{int({number})}}\nw := weak.Make(p)\nruntime.GC()\nq := w.Value()\nt.Bool(q != nil && q[0] == p[0])\nruntime.KeepAlive(p)\n}}",
                f"{{\nd := make(chan int, 1)\nfunc() {{\np := &[5]int{{int({number})}}\nruntime.AddCleanup(p, func(n int) {{ d <- n }}, p[0] + 2)\n}}()\nt.Mix(uint64(sup.Await(d)))\n}}",
            ]
        return leaf(self.rng.choice(ways))


