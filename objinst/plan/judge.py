"""Whether one function can be hooked by given rules, and how: a FunctionPlan or a Refusal.

Sources that must agree: the parameters in DWARF with the layouts of the type descriptors, run through the ABI's assignment;
FuncInfo.Args; the spill code before morestack. If they do not, the function is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from objinst.goobj import FuncInfo, Object, pctab, stackmap
from objinst.plan.hooks import HookFinder
from objinst.plan.model import FunctionPlan, HookUse, Refusal, Value
from objinst.plan.scope import refusal_by_name
from objinst.plan.specs import try_encode
from objinst.rules import InjectHooks, Rule
from objinst.types import Assigned, Kind, NoSignature, Param, Signature, TypeTable, Unknown, agree, assign, resolve, signature
from trampolines import Arch
from trampolines.asm import EncodeError
from trampolines.contract import ContextUse

ABI_INTERNAL = 1
KNOWN = {"main.main": Signature((), ())}
"""Signatures that the language fixes: `go run` compiles package main without DWARF."""


@dataclass(frozen=True, slots=True)
class Function:
    """A candidate: its place and what was read of it once."""

    object: Object
    index: int
    symbol: str
    info: FuncInfo
    pcsp: tuple[tuple[int, int], ...]
    calls: dict[int, str]
    file: str
    line: int

    @property
    def morestack(self) -> str:
        return next((name for name in self.calls.values() if name.startswith("runtime.morestack")), "")


def read_function(obj: Object, index: int) -> Function | Refusal:
    """Raises ObjectError if the object's tables do not make sense."""
    sym = obj.sym(index)
    if sym.kind == obj.tables.kinds.get("STEXTFIPS"):
        return Refusal("fips", "it is part of the FIPS module, whose checksum covers the code")
    raw = {name: obj.aux_data(index, name) for name in ("AuxFuncInfo", "AuxPcsp", "AuxPcfile", "AuxPcline")}
    if sym.abi != ABI_INTERNAL or any(value is None for value in raw.values()):
        return Refusal("assembly", "it is written in assembly or only a wrapper for it")
    quantum = obj.tables.pc_quantum(obj.header.goarch)
    tables = {name: pctab.decode(raw[name] or b"", quantum, sym.size) for name in ("AuxPcsp", "AuxPcfile", "AuxPcline")}
    if not all(tables.values()):
        return Refusal("empty", "the compiler left no code of it")
    kind = obj.tables.relocs["R_CALLARM64" if obj.header.goarch == "arm64" else "R_CALL"]
    calls = {reloc.off: obj.resolve(reloc.sym).name for reloc in obj.relocs(index) if reloc.type == kind}
    file = obj.files[tables["AuxPcfile"][0][0]].removeprefix("gofile..")
    info = FuncInfo.parse(raw["AuxFuncInfo"] or b"", f"{obj.origin}: {sym.name}")
    return Function(obj, index, sym.name, info, tuple(tables["AuxPcsp"]), calls, file, info.start_line)


def judge(function: Function, rules: Sequence[tuple[Rule, InjectHooks]], arch: Arch, finder: HookFinder) -> FunctionPlan | Refusal:
    """rules: those that match the function, in order. One that does not fit refuses the function."""
    obj, index = function.object, function.index
    refusal = refusal_by_name(function.symbol)
    if refusal:
        return refusal
    if function.info.func_flag & obj.tables.func_flags["FuncFlagAsm"]:
        return Refusal("assembly", "it is written in assembly")
    if obj.sym(index).flag & obj.tables.sym_flags["SymFlagNoSplit"] or not function.morestack:
        return Refusal("nosplit", "it has no stack check (a leaf function, or //go:nosplit), so no Go code may run at its entry")
    declared = KNOWN.get(function.symbol) or signature(obj, index)
    if isinstance(declared, NoSignature):
        return Refusal("no-types", f"its parameters are not known: {declared.reason}")
    typed = resolve(declared, finder.table, obj)
    if isinstance(typed, Unknown):
        return Refusal("no-types", f"type {typed.name}: {typed.reason}")
    abi = assign(obj.header.goarch, typed.params, typed.results)
    problem = agree(abi, function.info.args, arch.find_spills(bytes(obj.data(index)), function.calls), _entry_map(obj, index))
    if problem:
        return Refusal("sources-disagree", problem)
    params = _values(declared.params, abi.params, finder.table, obj)
    results = _values(declared.results, abi.results, finder.table, obj)
    uses = []
    for rule, hooks in rules:
        before = finder.find(hooks.path, hooks.before, function.symbol, params) if hooks.before else None
        after = finder.find(hooks.path, hooks.after, function.symbol, results) if hooks.after else None
        for hook in (before, after):
            if isinstance(hook, Refusal):
                return hook
        uses.append(HookUse(rule.name, rule.instrumentation, before, after))  # type: ignore[arg-type]
    epilogues = None
    if any(use.after or "SetSkipCall" in use.methods for use in uses):
        epilogues = arch.find_epilogues(bytes(obj.data(index)), function.pcsp, function.calls)
        refusal = Refusal(*epilogues.refusal) if epilogues.refusal else None if epilogues.sites else Refusal("no-return", "it never returns")
        if refusal and any(use.after for use in uses):
            return refusal
        epilogues = None if refusal else epilogues
    context = ContextUse.RAW if function.morestack == "runtime.morestack_noctxt" else ContextUse.POINTER
    depth = max(value for value, _ in function.pcsp)
    plan = FunctionPlan(index, function.symbol, function.file, function.line, params, results, abi, context, tuple(uses), epilogues, depth)
    try:
        try_encode(arch, plan)
    except EncodeError as error:
        return Refusal("too-large", f"its stub or a thunk of its hooks cannot be made: {error}")
    return plan


def _entry_map(obj: Object, index: int) -> tuple[bool, ...] | None:
    """Bitmap 0 of the function's own ArgsPointerMaps: its parameters that are live at entry."""
    for ref in obj.aux_symbols(index, "AuxFuncdata")[:1]:
        target = obj.resolve(ref).index
        if target is not None and target < obj.n_defs and obj.sym(target).size:
            return stackmap.decode(obj.data(target))[0]
    return None


def _values(names: Sequence[Param], homes: Sequence[Assigned], table: TypeTable, near: Object) -> tuple[Value, ...]:
    """What hooks see: everything but the dictionary of a generic function."""
    values = []
    for name, home in zip(names, homes, strict=True):
        if name.hidden:
            continue
        elem = table.resolve(home.type.elem, near) if home.type.kind is Kind.SLICE else None
        known = elem is not None and not isinstance(elem, Unknown)
        values.append(
            Value(
                name.name,
                home,
                elem.size if known else 0,  # type: ignore[union-attr]
                known and elem.flat,  # type: ignore[union-attr]
                table.descriptor(home.type.name, near) is not None,
            )
        )
    return tuple(values)
