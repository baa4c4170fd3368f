"""Judges one function by itself: whether and how given rules can hook it, and whether it can have a stub in front. Only objinst.plan.admission calls
this module; it adds what the rest of the link says.

Almost any function can have a stub in front, such as a counter, because it calls nothing, needs no stack and knows no types. Excluded are the functions
that the symbol swap cannot handle: assembly (its callers may use conventions of their own, and on arm64 the stub changes R16, R17 and R27),
FIPS text (its checksum covers the code), and functions without code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from objinst.goobj import ABI_INTERNAL, FuncInfo, Object, pctab
from objinst.plan.action import Plannable
from objinst.plan.forms import Exit, closure_use, exit_form, unchecked, unmapped
from objinst.plan.hooks import HookFinder
from objinst.plan.layout import REMEDY, Layout, evidence, find_layout
from objinst.plan.model import FrontPlan, FunctionPlan, Refusal, Use
from objinst.plan.nosplit import NOBODY, Reliance
from objinst.plan.scope import refusal_by_name
from objinst.plan.specs import try_encode
from objinst.plan.subject import Subject
from objinst.rules import Rule
from objinst.signatures.agree import Evidence
from objinst.types import FuncABI, Signature
from trampolines import Arch
from trampolines.asm import EncodeError
from trampolines.contract import EpilogueScan

FIPS = Refusal("fips", "it is part of the FIPS module, whose checksum covers the code")
WRAPPER = Refusal("assembly", "it is written in assembly or only a wrapper for it")
ASSEMBLY = Refusal("assembly", "it is written in assembly")
EMPTY = Refusal("empty", "the compiler left no code of it")
MOST_NUMBERS = 1024
"""uintptrs in parameters and results of one function: each is listed in its descriptor."""


@dataclass(frozen=True, slots=True)
class Function:
    """A candidate: its position, and what has been read about it. refusal: set by admission, for a function that no rule can change."""

    object: Object
    index: int
    symbol: str
    info: FuncInfo
    pcsp: tuple[tuple[int, int], ...]
    calls: dict[int, str]
    file: str
    line: int
    refusal: Refusal | None = None

    @property
    def morestack(self) -> str:
        return next((name for name in self.calls.values() if name.startswith("runtime.morestack")), "")


def _not_swapped(obj: Object, index: int) -> Refusal | None:
    """Why no other code can take a function's place, judging by its symbol."""
    sym = obj.sym(index)
    if sym.kind == obj.tables.kinds.get("STEXTFIPS"):
        return FIPS
    return WRAPPER if sym.abi != ABI_INTERNAL else None


def is_assembly(obj: Object, info: FuncInfo) -> bool:
    """Whether a function is assembly, even if it looks like compiled code."""
    return bool(info.func_flag & obj.tables.func_flags["FuncFlagAsm"])


def read_function(obj: Object, index: int) -> Function | Refusal:
    """Raises ObjectError if the object's tables do not make sense."""
    refusal = _not_swapped(obj, index)
    if refusal:
        return refusal
    sym = obj.sym(index)
    raw = {name: obj.aux_data(index, name) for name in ("AuxFuncInfo", "AuxPcsp", "AuxPcfile", "AuxPcline")}
    if any(value is None for value in raw.values()):
        return WRAPPER
    tables = {name: pctab.decode(raw[name] or b"", obj.traits.quantum, sym.size) for name in ("AuxPcsp", "AuxPcfile", "AuxPcline")}
    if not all(tables.values()):
        return EMPTY
    number = tables["AuxPcfile"][0][0]
    file = obj.source(number)
    if file is None:
        raise obj.error(f"{sym.name}: its pcfile table names file {number} of {len(obj.files)}")
    info = FuncInfo.parse(raw["AuxFuncInfo"] or b"", f"{obj.origin}: {sym.name}")
    return Function(obj, index, sym.name, info, tuple(tables["AuxPcsp"]), obj.calls(index), file, info.start_line)


def judge_front(obj: Object, index: int) -> FrontPlan | Refusal:
    """Raises ObjectError if the object's tables do not make sense."""
    refusal = _not_swapped(obj, index)
    if refusal:
        return refusal
    sym = obj.sym(index)
    if not sym.size:
        return EMPTY
    found = obj.aux_indices(index)
    places = [found.get(obj.tables.aux[name]) for name in ("AuxFuncInfo", "AuxPcfile", "AuxPcline")]
    raw_info, raw_file, raw_line = (b"" if place is None else obj.data(place) for place in places)
    if not raw_info or not raw_file or not raw_line:
        return WRAPPER
    info = FuncInfo.parse_head(raw_info, f"{obj.origin}: {sym.name}")
    if is_assembly(obj, info):
        return ASSEMBLY
    return FrontPlan(index, sym.name, info, pctab.first(raw_file), pctab.first(raw_line))


def judge_each(
    function: Function, rules: Sequence[tuple[Rule, Plannable]], arch: Arch, finder: HookFinder, reliance: Reliance = NOBODY, *, at_exit: bool = False
) -> list[FunctionPlan | Refusal]:
    """The outcome for each rule, or for none. A rule whose hook does not match does not affect the others. All plans are the same."""
    whole = judge(function, rules, arch, finder, reliance, at_exit=at_exit)
    if isinstance(whole, FunctionPlan) or len(rules) <= 1:
        return [whole] * max(len(rules), 1)
    alone = [judge(function, [rule], arch, finder, reliance) for rule in rules]
    fitting = [rule for rule, outcome in zip(rules, alone, strict=True) if isinstance(outcome, FunctionPlan)]
    if len(fitting) in (0, len(rules)):
        return alone if not fitting else [whole] * len(rules)
    together = judge(function, fitting, arch, finder, reliance)
    return [outcome if isinstance(outcome, Refusal) else together for outcome in alone]


def judge(
    function: Function, rules: Sequence[tuple[Rule, Plannable]], arch: Arch, finder: HookFinder, reliance: Reliance = NOBODY, *, at_exit: bool = False
) -> FunctionPlan | Refusal:
    """rules: those that match the function, in order. If one does not match, the function is refused. reliance: see objinst.plan.nosplit;
    at_exit: the exit must be seen, whether or not a rule asks for it."""
    obj, index = function.object, function.index
    refusal = refusal_by_name(function.symbol)
    if refusal:
        return refusal
    _, layout = look(function, rules, arch, finder)
    if isinstance(layout, Refusal):
        return layout
    refusal = unmapped(reliance.frame) or (None if function.morestack else unchecked(function.symbol, layout.params, reliance.nosplit))
    closure = closure_use(obj, index, function.morestack, function.calls, arch)
    if refusal:
        return refusal
    if isinstance(closure, Refusal):
        return closure
    wanted = at_exit or any(action.needs_exit for _, action in rules)
    if layout.results is None and wanted:
        return Refusal("no-types", f"its results are not known; {REMEDY}, or hook the entry only")
    params, results = layout.params, layout.results or ()
    subject = Subject.of(function.symbol, params, results, finder, obj)
    uses: list[Use] = []
    for rule, action in rules:
        use = action.plan(rule, subject)
        if isinstance(use, Refusal):
            return use
        if not any(use.repeats(other) for other in uses):
            uses.append(use)
    leaving = None
    if layout.results is not None and (wanted or any(use.takes_exit for use in uses)):
        found = find_exit(function, layout.abi, arch)
        if isinstance(found, Refusal) and wanted:
            return found
        leaving = found if isinstance(found, Exit) else None
    described: frozenset[str] = frozenset()
    if any(use.boxes for use in uses):  # may search the whole link for some types, so only if needed
        table = finder.signatures.table
        described = frozenset(value.type.name for value in (*params, *results) if table.descriptor(value.type.name, obj) is not None)
    plan = FunctionPlan(
        index, function.symbol, function.file, function.line, params, results, layout.abi, closure, tuple(uses),
        leaving.epilogues if leaving else None, depth=max(value for value, _ in function.pcsp), checked=bool(function.morestack),
        through=leaving is not None and leaving.through, described=described,
    )  # fmt: skip
    numbers = len(plan.param_numbers) + len(plan.result_numbers)
    if numbers > MOST_NUMBERS:
        return Refusal("too-large", f"it takes or returns {numbers} uintptrs, perhaps addresses; at most {MOST_NUMBERS} are supported")
    try:
        try_encode(arch, plan)
    except EncodeError as error:
        return Refusal("too-large", f"its stub or a thunk of its hooks cannot be made: {error}")
    return plan


def look(function: Function, rules: Sequence[tuple[Rule, Plannable]], arch: Arch, finder: HookFinder) -> tuple[Evidence, Layout | Refusal]:
    """What is known of a function's arguments: without types, and with those that some source names, if only the rules' own hooks."""
    obj, index = function.object, function.index
    told = evidence(obj, index, function.info, function.calls, arch)
    return told, find_layout(obj, index, told, finder.signatures, (function.file, function.line), lambda: _claimed(rules, finder))


def _claimed(rules: Sequence[tuple[Rule, Plannable]], finder: HookFinder) -> Signature | None:
    claims = next((action.claims for _, action in rules if action.claims), None)
    return None if claims is None else finder.claimed(*claims)


def scan_returns(function: Function, arch: Arch) -> EpilogueScan:
    """Where a function returns."""
    return arch.find_epilogues(bytes(function.object.data(function.index)), function.pcsp, function.calls)


def find_exit(function: Function, abi: FuncABI, arch: Arch) -> Exit | Refusal:
    """How the exit of a function can be seen, or why it cannot."""
    scan = scan_returns(function, arch)
    wrapper = function.info.func_id == function.object.tables.func_ids["FuncIDWrapper"]
    return exit_form(scan, abi, function.calls.values(), wrapper=wrapper)
