"""Random signatures with numbers that are the only reference to an object, or addresses in a stack, among their parameters and results.

Every function is hooked with what collects garbage and moves the stack. Wherever a uintptr lies (in a register, on the stack, in structs and
arrays), what it refers to must still be there, and everything beside it must be what it was.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import scriptrunner
from toolchains import newest, oldest

FUNCTIONS = 24
LEAVES = {
    "int8": "int8(7)", "int": "-5", "float32": "1.5", "float64": "2.5", "string": '"abc"', "[]byte": "[]byte{1}", "any": "any(3)", "uint16": "uint16(9)",
    "complex64": "complex64(1)", "bool": "true",
}  # fmt: skip
"""Types without numbers and a value of each."""
OBJECT, PLACE = "object", "place"
"""What a uintptr is the address of: an object on the heap, or a variable of the caller."""
HOOKS = """// Package hooks collects garbage and moves the stack.
package hooks

import "runtime"

var sink []*[8]uint64

// Calls counts the hooks that ran.
var Calls int

func disturb() {
	Calls++
	runtime.GC()
	sink = nil
	for i := 0; i < 64; i++ {
		sink = append(sink, new([8]uint64))
	}
	grow(12)
}

//go:noinline
func grow(depth int) byte {
	var room [1024]byte
	room[depth] = byte(depth)
	if depth > 0 {
		room[0] += grow(depth - 1)
	}
	return room[0] + room[depth]
}
"""
MAIN = """
type T struct{ words [8]uint64 }

//go:noinline
func object() *T {
	t := new(T)
	for i := range t.words {
		t.words[i] = 1<<40 + uint64(i)
	}
	return t
}

//go:noinline
func nothing() {}

// whole reports whether the object at an address is still there.
//
//go:noinline
func whole(at uintptr) bool {
	t := (*T)(unsafe.Pointer(at))
	for i := range t.words {
		if t.words[i] != 1<<40+uint64(i) {
			return false
		}
	}
	return true
}

func must(ok bool, what string) {
	if !ok {
		bad++
		fmt.Println(what)
	}
}

var bad int

func main() {
	for _, f := range calls {
		for i := 0; i < 2; i++ {
			done := make(chan bool)
			go func() { f(); close(done) }()
			<-done
		}
	}
	fmt.Println("bad", bad, "hooked", hooks.Calls > len(calls))
}
"""


class Program:
    """A Go program of random functions, their hooks and rules."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.source: list[str] = []
        self.calls: list[str] = []
        self.rules: list[str] = []
        self.hooks: set[tuple[str, int]] = set()
        for number in range(FUNCTIONS):
            self.function(number)

    def type(self, depth: int = 0) -> str:
        kind = self.rng.random()
        if kind < 0.35:
            return "uintptr"
        if kind < 0.75 or depth > 1:
            return self.rng.choice(sorted(LEAVES))
        if kind < 0.85:
            return f"[{self.rng.choice((0, 1, 2, 3))}]{self.type(depth + 1)}"
        fields = [f"F{i} {self.type(depth + 1)}" for i in range(self.rng.randrange(4))]
        return f"struct{{ {'; '.join(fields)} }}"

    def parts(self, typ: str, path: str) -> list[tuple[str, str]]:
        """(path, type) of each leaf."""
        if typ.startswith("struct"):
            found, depth, start, body = [], 0, 0, typ[len("struct{ ") : -len(" }")]
            for at, char in enumerate(body + ";"):
                depth += (char in "{[") - (char in "}]")
                if char == ";" and not depth:
                    name, _, inner = body[start:at].strip().partition(" ")
                    found += self.parts(inner, f"{path}.{name}") if name else []
                    start = at + 1
            return found
        if typ.startswith("[") and not typ.startswith("[]"):
            count, _, inner = typ[1:].partition("]")
            return [part for i in range(int(count)) for part in self.parts(inner, f"{path}[{i}]")]
        return [(path, typ)]

    def function(self, number: int) -> None:
        params = [self.type() for _ in range(self.rng.randrange(5))]
        results = [self.type() for _ in range(self.rng.randrange(1, 5))]
        given = [part for i, typ in enumerate(params) for part in self.parts(typ, f"p{i}")]
        made = [part for i, typ in enumerate(results) for part in self.parts(typ, f"r{i}")]
        numbers = {path: self.rng.choice((OBJECT, PLACE)) for path, typ in made if typ == "uintptr"}
        body, call = ["nothing()"] if self.rng.random() < 0.7 or any(typ == "uintptr" for _, typ in given) else [], []
        call += [f"var {name} {typ}" for name, typ in ((f"p{i}", typ) for i, typ in enumerate(params))]
        for path, typ in given:
            call.append(f"{path} = uintptr(unsafe.Pointer(object()))" if typ == "uintptr" else f"{path} = {LEAVES[typ]}")
            body.append(self.check(path, typ, f"f{number}: {path}"))
        places = [path for path, kind in numbers.items() if kind == PLACE]
        call.append(f"var places [{len(places) + 1}]uint64")
        for path, typ in made:
            if typ != "uintptr":
                body.append(f"{path} = {LEAVES[typ]}")
        body += [
            f"{path} = uintptr(unsafe.Pointer(&places[{places.index(path)}]))" if kind == PLACE else f"{path} = uintptr(unsafe.Pointer(kept[{i}]))"
            for i, (path, kind) in enumerate(numbers.items())
        ]
        objects = ", ".join("object()" if kind == OBJECT else "nil" for kind in numbers.values())
        names = [f"p{i}" for i in range(len(params))]
        results_of = ", ".join(f"r{i}" for i in range(len(results)))
        inputs = [f"p{i} {typ}" for i, typ in enumerate(params)] + [f"kept [{len(numbers)}]*T", f"places *[{len(places) + 1}]uint64"]
        self.source.append(
            f"//go:noinline\nfunc f{number}({', '.join(inputs)}) ({', '.join(f'r{i} {typ}' for i, typ in enumerate(results))}) {{\n\t"
            + "\n\t".join(body) + "\n\treturn\n}\n"
        )  # fmt: skip
        call.append(f"{results_of} := f{number}({', '.join([*names, f'[{len(numbers)}]*T{{{objects}}}', '&places'])})")
        call += [f"_ = r{i}" for i in range(len(results))]
        # A number is good for one conversion at once: all of them first, before anything is called.
        for at, (path, kind) in enumerate(numbers.items()):
            call.append(f"c{at} := unsafe.Pointer({path})" if kind == OBJECT else f"*(*uint64)(unsafe.Pointer({path})) = {at + 1}")
        for at, (path, kind) in enumerate(numbers.items()):
            good = f"whole(uintptr(c{at}))" if kind == OBJECT else f"places[{places.index(path)}] == {at + 1}"
            call.append(f'must({good}, "f{number}: {path}")')
        call += [self.check(path, typ, f"f{number}: {path}") for path, typ in made if typ != "uintptr"]
        self.calls.append("\tfunc() {\n\t\t" + "\n\t\t".join(call) + "\n\t},")
        before, after = f"Before{len(inputs)}", f"After{len(results)}"
        self.hooks |= {(before, len(inputs)), (after, len(results))}
        self.rules.append(
            f"f{number}:\n  target: main\n  where: {{ func: f{number} }}\n  optional: true\n  do:\n"
            f"    - inject_hooks: {{ before: {before}, after: {after}, path: example.com/random/hooks }}\n"
        )

    @staticmethod
    def check(path: str, typ: str, what: str) -> str:
        """A statement that complains unless a leaf is what it was made. what: names it."""
        if typ == "uintptr":
            return f'must(whole({path}), "{what}")'
        if typ == "[]byte":
            return f'must(len({path}) == 1 && {path}[0] == 1, "{what}")'
        return f'must({path} == {LEAVES[typ]}, "{what}")'

    def files(self) -> dict[str, str]:
        hooks = "".join(f"\nfunc {name}(ctx any{', _ interface{}' * count}) {{ disturb() }}\n" for name, count in sorted(self.hooks))
        head = 'package main\n\nimport (\n\t"fmt"\n\t"unsafe"\n\n\t"example.com/random/hooks"\n)\n'
        calls = "var calls = []func(){\n" + "\n".join(self.calls) + "\n}\n"
        return {
            "go.mod": "module example.com/random\n\ngo 1.22\n", "rules.yaml": "".join(self.rules), "hooks/hooks.go": HOOKS + hooks,
            "main.go": head + MAIN + "\n" + "\n".join(self.source) + "\n" + calls,
        }  # fmt: skip


SCRIPT = """env OTELOBJ_DISABLE=all
env GODEBUG=clobberfree=1
exec go build -o plain .
run ./plain
stdout '^bad 0 hooked false$'
exec go build -toolexec='otelobj --rules rules.yaml' -o app .
run ./app
stdout '^bad 0 hooked true$'
"""


def cases() -> list[object]:
    quick = [(1, "1.26", "amd64"), (2, "1.26", "arm64")]
    more = [(seed, version, goarch) for seed in range(3, 8) for version in (oldest(), newest()) for goarch in ("amd64", "arm64")]
    return [pytest.param(*case, id="-".join(map(str, case))) for case in quick] + [
        pytest.param(*case, id="-".join(map(str, case)), marks=pytest.mark.long) for case in more
    ]


@pytest.mark.parametrize(("seed", "version", "goarch"), cases())
def test_random_numbers(seed: int, version: str, goarch: str, tmp_path: Path) -> None:
    lines = tuple(enumerate(SCRIPT.splitlines(), 1))
    script = scriptrunner.Script(Path(f"random-{seed}"), lines, Program(seed).files())
    if missing := script.missing(goarch):
        pytest.skip(f"not installed: {', '.join(missing)}")
    scriptrunner.play(script, version, goarch, tmp_path)
