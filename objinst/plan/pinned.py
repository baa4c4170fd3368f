"""Functions without a stack check that must stay what they are: somebody calls them where the stack must not move.

A function marked //go:nosplit may hold addresses of the stack in integers, or run where nothing may grow the stack; so may assembly,
which calls Go functions through wrappers that are marked (cmd/compile/internal/ssagen/abi.go, makeABIWrapper).
What it calls directly, and what has no stack check itself, runs under the same rule; a hook there would let the stack grow, and the
collector run. What it calls indirectly the linker takes for functions with a check (cmd/link/internal/ld/stackcheck.go), and so
may we. A leaf is marked as nosplit by the assembler (cmd/internal/obj/x86/obj6.go), but it calls nothing. A tail call hands on what
its caller relies on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from objinst.goobj import Object
from objinst.plan.inlining import callee_key
from trampolines import Arch

CALL_SIZE = 4
"""Bytes that a call's relocation covers."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Of one object. pins: callee -> a caller that relies on it; tails: caller -> callees of its tail calls, of functions without a check.
    Names as objinst.plan.inlining has them."""

    pins: dict[str, str]
    tails: dict[str, list[str]]


def unchecked_calls(obj: Object, package: str, arch: Arch) -> Calls:
    """package: import path of the object itself. Raises ObjectError."""
    tables = obj.tables
    call = tables.relocs["R_CALLARM64" if obj.header.goarch == "arm64" else "R_CALL"]
    nosplit = tables.sym_flags["SymFlagNoSplit"]
    pins: dict[str, str] = {}
    tails: dict[str, list[str]] = {}
    for index in obj.text_symbols():
        sym = obj.sym(index)
        flagged = bool(sym.flag & nosplit)
        if not flagged and not arch.LEAVES_UNMARKED:
            continue
        made = [(reloc.off, callee_key(obj, package, reloc.sym)) for reloc in obj.relocs(index) if reloc.type == call]
        if not flagged and any(callee.startswith("runtime.morestack") for _, callee in made):
            continue
        code = obj.data(index)
        for offset, callee in made:
            if not 0 <= offset <= len(code) - CALL_SIZE:
                raise obj.error(f"{sym.name}: a call at {offset:#x}, of {len(code)} bytes of code")
            if not arch.is_call(code, offset):
                for key in own_keys(obj, package, index):
                    tails.setdefault(key, []).append(callee)
            elif flagged:
                pins.setdefault(callee, sym.name)
    return Calls(pins, tails)


def own_keys(obj: Object, package: str, index: int) -> set[str]:
    """The names under which others call a function: by name, and by place in its package."""
    return {obj.sym(index).name} | ({f"{package}#{index}"} if index < obj.starts[1] else set())


def pinned(calls: Iterable[Calls]) -> dict[str, str]:
    """Key of each function that must not be hooked if it has no stack check -> the function that relies on it. calls: of all
    packages of a link."""
    found: dict[str, str] = {}
    tails: dict[str, list[str]] = {}
    for one in calls:
        found |= one.pins
        for key, callees in one.tails.items():
            tails.setdefault(key, []).extend(callees)
    todo = list(found)
    while todo:
        key = todo.pop()
        for callee in tails.get(key, ()):
            if callee not in found:
                found[callee] = found[key]
                todo.append(callee)
    return found
