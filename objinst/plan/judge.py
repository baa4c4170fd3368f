"""Whether one function can be hooked by given rules, and how: a FunctionPlan or a Refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from objinst.goobj import FuncInfo, Object, pctab
from objinst.plan.forms import Exit, context_use, exit_form, unchecked, unmapped
from objinst.plan.hooks import HookFinder
from objinst.plan.layout import REMEDY, evidence, find_layout
from objinst.plan.model import FunctionPlan, HookUse, ProbeUse, Refusal, Use
from objinst.plan.pinned import NOBODY, Reliance
from objinst.plan.scope import refusal_by_name
from objinst.plan.spans import Subject, plan_span
from objinst.plan.specs import try_encode
from objinst.rules import Action, Probe, ProbeKind, Rule, Span
from objinst.types import FuncABI
from trampolines import Arch
from trampolines.asm import EncodeError

ABI_INTERNAL = 1
MOST_NUMBERS = 1024
"""uintptrs in parameters and results of one function: each is listed in its descriptor."""


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
    calls = {reloc.off: obj.resolve(reloc.sym).name for reloc in obj.code_relocs(index) if reloc.type == kind}
    number = tables["AuxPcfile"][0][0]
    if not 0 <= number < len(obj.files):
        raise obj.error(f"{sym.name}: its pcfile table names file {number} of {len(obj.files)}")
    file = obj.files[number].removeprefix("gofile..")
    info = FuncInfo.parse(raw["AuxFuncInfo"] or b"", f"{obj.origin}: {sym.name}")
    return Function(obj, index, sym.name, info, tuple(tables["AuxPcsp"]), calls, file, info.start_line)


def judge_each(function: Function, rules: Sequence[tuple[Rule, Action]], arch: Arch, finder: HookFinder, pinned_by: Reliance = NOBODY) -> list[FunctionPlan | Refusal]:
    """The outcome for each of the rules (or of none): one that does not fit keeps no other from the function. All plans are the same."""
    whole = judge(function, rules, arch, finder, pinned_by)
    if isinstance(whole, FunctionPlan) or len(rules) <= 1:
        return [whole] * max(len(rules), 1)
    alone = [judge(function, [rule], arch, finder, pinned_by) for rule in rules]
    fitting = [rule for rule, outcome in zip(rules, alone, strict=True) if isinstance(outcome, FunctionPlan)]
    if len(fitting) in (0, len(rules)):
        return alone if not fitting else [whole] * len(rules)
    together = judge(function, fitting, arch, finder, pinned_by)
    return [outcome if isinstance(outcome, Refusal) else together for outcome in alone]


def judge(
    function: Function, rules: Sequence[tuple[Rule, Action]], arch: Arch, finder: HookFinder, pinned_by: Reliance = NOBODY, *, at_exit: bool = False
) -> FunctionPlan | Refusal:
    """rules: those that match the function, in order. One that does not fit refuses the function. pinned_by: see objinst.plan.pinned;
    at_exit: the exit is to be seen, whether or not a rule asks for it."""
    obj, index = function.object, function.index
    refusal = refusal_by_name(function.symbol)
    if refusal:
        return refusal
    if function.info.func_flag & obj.tables.func_flags["FuncFlagAsm"]:
        return Refusal("assembly", "it is written in assembly")
    told = evidence(obj, index, function.info, function.calls, arch)
    place = (function.file, function.line)
    layout = find_layout(obj, index, told, finder.signatures, place, lambda: finder.claimed([action for _, action in rules]))
    if isinstance(layout, Refusal):
        return layout
    refusal = unmapped(pinned_by.frame) or (None if function.morestack else unchecked(function.symbol, layout.params, pinned_by.pin))
    context = context_use(obj, index, function.morestack, function.calls, arch)
    if refusal or isinstance(context, Refusal):
        return refusal or context  # type: ignore[return-value]
    if layout.results is None and (at_exit or any(_needs_results(action) for _, action in rules)):
        return Refusal("no-types", f"its results are not known; {REMEDY}, or hook the entry only")
    params, results = layout.params, layout.results or ()
    uses: list[Use] = []
    for rule, action in rules:
        use = _use(rule, action, Subject.of(function.symbol, params, results, finder.signatures.table, obj), finder)
        if isinstance(use, Refusal):
            return use
        if not isinstance(use, ProbeUse) or not any(isinstance(other, ProbeUse) and other.kind is use.kind for other in uses):
            uses.append(use)  # a second rule measures nothing else
    wanted = at_exit or any(use.needs_exit for use in uses)
    leaving = None
    if layout.results is not None and (wanted or any(isinstance(use, ProbeUse) or "SetSkipCall" in use.methods for use in uses)):
        found = find_exit(function, layout.abi, arch)
        if isinstance(found, Refusal) and wanted:
            return found
        leaving = found if isinstance(found, Exit) else None
    described: frozenset[str] = frozenset()
    if any(use.boxes for use in uses):  # a search through the link for some types, so only where it matters
        table = finder.signatures.table
        described = frozenset(value.type.name for value in (*params, *results) if table.descriptor(value.type.name, obj) is not None)
    plan = FunctionPlan(
        index, function.symbol, function.file, function.line, params, results, layout.abi, context, tuple(uses),
        leaving.epilogues if leaving else None, depth=max(value for value, _ in function.pcsp), checked=bool(function.morestack),
        through=leaving is not None and leaving.through, described=described,
    )  # fmt: skip
    numbers = len(plan.param_numbers) + len(plan.result_numbers)
    if numbers > MOST_NUMBERS:
        return Refusal("too-large", f"it takes or returns {numbers} uintptrs, perhaps addresses; {MOST_NUMBERS} can be looked after")
    try:
        try_encode(arch, plan)
    except EncodeError as error:
        return Refusal("too-large", f"its stub or a thunk of its hooks cannot be made: {error}")
    return plan


def _needs_results(action: Action) -> bool:
    if isinstance(action, Probe):
        return action.kind is ProbeKind.LATENCY
    return isinstance(action, Span) or bool(action.after)


def _use(rule: Rule, action: Action, subject: Subject, finder: HookFinder) -> Use | Refusal:
    """What one action of a rule does to a function."""
    if isinstance(action, Span):
        return plan_span(rule, action, subject)
    if isinstance(action, Probe):
        return ProbeUse(rule.name, rule.instrumentation, action.kind)
    params = subject.params if subject.recv is None else (subject.recv, *subject.params)
    before = finder.find(action.path, action.before, subject.symbol, params, "parameters") if action.before else None
    after = finder.find(action.path, action.after, subject.symbol, subject.results, "results") if action.after else None
    for hook in (before, after):
        if isinstance(hook, Refusal):
            return hook
    return HookUse(rule.name, rule.instrumentation, before, after)  # type: ignore[arg-type]


def find_exit(function: Function, abi: FuncABI, arch: Arch) -> Exit | Refusal:
    """How the exit of a function is seen, or why it is not."""
    scan = arch.find_epilogues(bytes(function.object.data(function.index)), function.pcsp, function.calls)
    wrapper = function.info.func_id == function.object.tables.func_ids["FuncIDWrapper"]
    return exit_form(scan, abi, function.calls.values(), wrapper=wrapper)
