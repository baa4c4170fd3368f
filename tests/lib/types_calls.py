"""How random programs call their functions, and how these leave: each way is other machine code of the compiler or of the runtime.

A way returns the lines of a Go function that has the arguments in a0, a1, … and, of a method, the receiver in recv; if it keeps the
results, they are in r0, r1, … behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Callee:
    """call: an expression of its function value, with its receiver if it has one; receiver: the type of `recv`, "" if there is none;
    params and results: their types."""

    name: str
    call: str
    receiver: str
    params: list[str]
    results: list[str]
    variadic: bool

    @property
    def arguments(self) -> str:
        return ", ".join(f"a{i}" for i in range(len(self.params))) + ("..." if self.variadic else "")

    @property
    def assigned(self) -> str:
        return ", ".join(f"r{i}" for i in range(len(self.results))) + (" := " if self.results else "")

    @property
    def interface(self) -> str:
        inputs = [*self.params]
        if self.variadic:
            inputs[-1] = "..." + inputs[-1].removeprefix("[]")
        return f"interface{{ {self.name}({', '.join(inputs)}) ({', '.join(self.results)}) }}"


def directly(callee: Callee) -> list[str]:
    return [f"{callee.assigned}{callee.call}({callee.arguments})"]


def as_value(callee: Callee) -> list[str]:
    return [f"f := ty.Keep({callee.call})", f"{callee.assigned}f({callee.arguments})"]


def by_interface(callee: Callee) -> list[str]:
    return [f"f := ty.Keep({callee.interface}(recv))", f"{callee.assigned}f.{callee.name}({callee.arguments})"]


def promoted(callee: Callee) -> list[str]:
    """By a wrapper that the compiler makes of a method of an embedded field."""
    wrapper = f"f := ty.Keep({callee.interface}(struct {{ {callee.receiver} }}{{recv}}))"
    return [wrapper, f"{callee.assigned}f.{callee.name}({callee.arguments})"]


def reflected(callee: Callee) -> list[str]:
    function = f'reflect.ValueOf(recv).MethodByName("{callee.name}")' if callee.receiver else f"reflect.ValueOf({callee.call})"
    pointers = ", ".join(f"&a{i}" for i in range(len(callee.params)))
    out = "out := " if callee.results else ""
    taken = [f"r{i} := out[{i}].Interface().({kind})" for i, kind in enumerate(callee.results)]
    return [f"{out}{function}.Call{'Slice' if callee.variadic else ''}(ty.Values({pointers}))", *taken]


def in_goroutine(callee: Callee) -> list[str]:
    return [f"go {callee.call}({callee.arguments})", "ty.Wait()"]


def deferred(callee: Callee) -> list[str]:
    return [f"func() {{ defer {callee.call}({callee.arguments}) }}()"]


KEEPING: list[Callable[[Callee], list[str]]] = [directly, directly, as_value, reflected]
OF_METHODS: list[Callable[[Callee], list[str]]] = [by_interface, promoted]
DROPPING: list[Callable[[Callee], list[str]]] = [in_goroutine, deferred]

ENDINGS = [
    ("", "return"),
    ("", "return"),
    ("", "switch s % 3 { case 0: ty.Deep(1); return; case 1: return }; ty.Deep(2); return"),
    ("defer ty.Deep(2)", "return"),
    ("for i := 0; i < 2; i++ { defer ty.Deep(i) }", "return"),
    ('defer func() { if recover() == nil { ty.Check("recovered", 1, 2) } }()', 'panic("recovered")'),
    ("defer func() { recover() }()", "if s % 2 == 0 { ty.Deep(1); return }; var none []int; none[s] = 1; return"),
]
"""First and last statements of a function with named results: many returns, deferred calls of both kinds, panics that it recovers."""

GO = """
// Keep hides from the compiler what it calls.
//
//go:noinline
func Keep[T any](v T) T { return v }

// Values are what the pointers point at.
func Values(pointers ...any) []reflect.Value {
	var made []reflect.Value
	for _, p := range pointers {
		made = append(made, reflect.ValueOf(p).Elem())
	}
	return made
}

// Wait returns when all other goroutines have ended.
func Wait() {
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
}
"""
"""What the ways need in package ty."""
