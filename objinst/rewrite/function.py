"""One planned function: descriptor, thunks, itabs, exit stub, body and entry stub, all in the function's own object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from objinst import hooktree
from objinst.goobj import Edit, Object, Reloc, SymRef
from objinst.plan.model import FunctionPlan, HookFunction, HookUse, ProbeUse, SpanUse, Value
from objinst.plan.specs import BUILT_IN_THUNK, Offsets, entry_spec, exit_spec, through_spec, thunk_spec
from objinst.rewrite.dwarf import entry_name
from objinst.rewrite.probes import Probes
from objinst.rewrite.spans import AFTER, BEFORE, SpanLayouts, add_config
from objinst.rewrite.static import Address, Layout, Slice, StaticData, layout
from objinst.rewrite.swap import add_call_through, add_exit_stub, count_frame, morestack_ref, move_body, patch_body, put_stub, read_original
from objinst.rewrite.text import ABI_INTERNAL, Role, TextShape, add_text
from objinst.types import Kind
from trampolines import Arch
from trampolines.contract import Base, ThunkSpec

DESC_SKIPPABLE, DESC_HAS_EXIT = 1, 2
HOOK_TELEMETRY, HOOK_SUPPORT = 1, 2
IN_ARGS, STRING, SLICE, FLAT, POINTER, IFACE, EFACE = (1 << bit for bit in range(7))
THUNK_ARGS = 40
HOLD_NAME = "runtime.otelobj.hold"
"""Like a private function of the runtime, so that debuggers step through it (rewrite/dwarf.py)."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the rewrite of a function needs to know of hooks/rt and, if rules ask for spans, of hooks/span. call_hash: type hash of
    *rt.Call, for itabs."""

    path: str
    desc: Layout
    value: Layout
    hook: Layout
    call_hash: int
    span: SpanLayouts | None = None

    @classmethod
    def of(cls, obj: Object, path: str, span: Object | None) -> Runtime:
        """Reads the layouts from the archives of rt and span. Raises ObjectError if one is of another version."""
        index = obj.find(f"type:*{path}.Call")
        call_hash = 0 if index is None else int.from_bytes(obj.data(index)[16:20], "little")
        desc, value, hook = (layout(obj, f"{path}.{name}") for name in ("Desc", "Value", "Hook"))
        return cls(path, desc, value, hook, call_hash, None if span is None else SpanLayouts.of(span))


def hook_function(edit: Edit, arch: Arch, rt: Runtime, plan: FunctionPlan, package: str, offsets: Offsets, probes: Probes | None = None) -> str:
    """Applies the plan of one function; returns the name of its descriptor symbol, unique in the link. probes: of this object, if the
    link has any."""
    original = read_original(edit, plan.index)
    body = move_body(edit, plan.index)
    name = f"otelobj.desc.{package}.{plan.symbol}#{plan.index}"  # from Go 1.27 on an object may have several functions of a name
    desc = _descriptor(edit, arch, rt, plan, package, name, probes)
    held = bool(plan.param_numbers or plan.result_numbers)
    variant = "Held" if held else "Timed" if _only_timed(plan) else ""
    roles = {"desc": Role(desc), "body": Role(body), "enter": _run_time(edit, arch, f"{rt.path}.enter{variant}", held=held)}
    roles["morestack"] = Role(morestack_ref(edit, plan.index, plan.context))
    if plan.has_exit:
        exit_hook = {"exit_hook": _run_time(edit, arch, f"{rt.path}.exit{variant}", held=held)}
    if plan.epilogues is not None:
        exit_code = arch.exit_stub(exit_spec(plan, offsets))
        exit_ref = add_exit_stub(edit, original, body, exit_code, plan.abi.exit_args_map, {"desc": Role(desc), **exit_hook})
        roles["exit"] = Role(exit_ref, exit_code.entry("frameless"))
        patch_body(edit, plan.index, body, plan.epilogues, arch, exit_ref)
    if plan.through:
        through = arch.through_stub(through_spec(arch, plan, offsets))
        roles |= {"called": Role(body), "body": Role(count_frame(edit, original, body, through))}
        roles["through"] = Role(add_call_through(edit, original, body, through, plan.abi.args_map, roles | exit_hook))
    stub = arch.head_stub() if plan.through else arch.entry_stub(entry_spec(arch, plan, offsets))
    put_stub(edit, original, stub, plan.abi.args_map, roles, _type_markers(edit, plan))
    return name


def _run_time(edit: Edit, arch: Arch, function: str, *, held: bool) -> Role:
    """What a stub calls to have hooks run: a function of hooks/rt. held: by way of a holding stub, one of which serves the whole object."""
    ref = edit.add_ref(function, ABI_INTERNAL)
    if not held:
        return Role(ref)
    key = f"hold {function}"
    if key not in edit.shared:
        shape = TextShape(0, (), edit.tables.func_ids["FuncID_asyncPreempt"], 0, 1, edit.add_file("<otelobj>"), 1, HOLD_NAME)
        edit.shared[key] = add_text(edit, HOLD_NAME, arch.hold_stub(), shape, {"callee": Role(ref)}, flag=edit.tables.sym_flags["SymFlagNoSplit"])
    return Role(edit.shared[key])


def _only_timed(plan: FunctionPlan) -> bool:
    """Whether `probe: latency` is all there is: hooks/rt does that without a thunk."""
    return len(plan.hooks) == 1 and isinstance(plan.hooks[0], ProbeUse) and plan.hooks[0].latency


def _type_markers(edit: Edit, plan: FunctionPlan) -> list[Reloc]:
    """R_USEIFACE for every type that a hook may box, or dead-code elimination drops its methods (deadcode.go)."""
    kind = edit.tables.relocs["R_USEIFACE"]
    return [Reloc(0, 0, kind, 0, _type_ref(edit, name)) for name in sorted(plan.described)]


def _type_ref(edit: Edit, type_name: str) -> SymRef:
    return edit.add_ref(f"type:{type_name}", 0)


def _descriptor(edit: Edit, arch: Arch, rt: Runtime, plan: FunctionPlan, package: str, name: str, probes: Probes | None) -> SymRef:
    blob = StaticData()
    at = blob.reserve(rt.desc.size)
    shown = any(isinstance(use, HookUse) for use in plan.hooks)
    params = _values(edit, blob, rt.value, plan, plan.params if shown else ())
    results = _values(edit, blob, rt.value, plan, plan.results if shown else ())
    start = blob.reserve(rt.hook.size * len(plan.hooks))
    for number, use in enumerate(plan.hooks):
        place = start + number * rt.hook.size
        if isinstance(use, SpanUse):
            _span(edit, arch, rt, blob, place, plan, use)
        elif isinstance(use, ProbeUse):
            _probe(edit, arch, rt, blob, place, plan, use, probes)
        else:
            _hook(edit, arch, rt, blob, place, plan, use)
    blob.put(
        at,
        rt.desc,
        On=len(plan.hooks),
        Flags=(DESC_SKIPPABLE if plan.skippable else 0) | (DESC_HAS_EXIT if plan.has_exit else 0),
        Func=plan.symbol,
        Pkg=package,
        File=plan.file,
        Line=plan.line,
        ArgsSize=plan.abi.args_size,
        ResultsSize=plan.abi.results_size,
        Params=params,
        Results=results,
        Hooks=Slice(start, len(plan.hooks)),
        ParamNumbers=blob.int32s(plan.param_numbers),
        ResultNumbers=blob.int32s(plan.result_numbers),
    )
    return blob.add_to(edit, name, 0)


def _values(edit: Edit, blob: StaticData, kind: Layout, plan: FunctionPlan, values: tuple[Value, ...]) -> Slice:
    start = blob.reserve(kind.size * len(values))
    for number, value in enumerate(values):
        typ = value.type
        pointer = Address(_type_ref(edit, typ.name)) if typ.name in plan.described else None
        blob.put(
            start + number * kind.size, kind, Name=value.name, Off=value.home.offset, Size=typ.size,
            Flags=(IN_ARGS if value.home.in_args else 0) | _kind_flags(value), ElemSize=value.elem_size, Type=pointer,
        )  # fmt: skip
    return Slice(start, len(values))


def _kind_flags(value: Value) -> int:
    typ = value.type
    interface = EFACE if typ.methods == () else IFACE
    flags = {Kind.STRING: STRING, Kind.SLICE: SLICE, Kind.POINTER: POINTER, Kind.INTERFACE: interface}.get(typ.kind, 0)
    return flags | (FLAT if value.elem_flat else 0)


def _hook(edit: Edit, arch: Arch, rt: Runtime, blob: StaticData, at: int, plan: FunctionPlan, use: HookUse) -> None:
    fields: dict[str, Address | Slice | None] = {}
    for label, hook, values, base in (("Before", use.before, plan.params, Base.ARGS), ("After", use.after, plan.results, Base.RESULTS)):
        if hook is None:
            continue
        thunk = _thunk(edit, arch, rt, hook.symbol, thunk_spec(hook, values, base))
        fields[label] = Address(None, blob.words([Address(thunk)]))
        fields[f"{label}Tab"] = Address(None, _itab(edit, rt, blob, hook)) if hook.methods else Address(_type_ref(edit, f"*{rt.path}.Call"))
        fields[f"{label}Boxes"] = blob.int32s(hook.boxed)
    blob.put(at, rt.hook, Rule=use.rule, Instr=use.instrumentation, On=1, Flags=_hook_flags(use.instrumentation), **fields)


def _hook_flags(instrumentation: str) -> int:
    """What the program switches off as one, and what it does not speak of."""
    if instrumentation in hooktree.supporting():
        return HOOK_SUPPORT
    return HOOK_TELEMETRY if instrumentation in hooktree.libraries() else 0


def _itab(edit: Edit, rt: Runtime, blob: StaticData, hook: HookFunction) -> int:
    """An itab of (the hook's context interface, *rt.Call): internal/abi/iface.go, ITab, Go 1.22-1.27."""
    words: list[Address | int] = [Address(_type_ref(edit, hook.context_type)), Address(_type_ref(edit, f"*{rt.path}.Call")), rt.call_hash]
    words += [Address(edit.add_ref(f"{rt.path}.(*Call).{method}", ABI_INTERNAL)) for method in hook.methods]
    return blob.words(words)


def _span(edit: Edit, arch: Arch, rt: Runtime, blob: StaticData, at: int, plan: FunctionPlan, use: SpanUse) -> None:
    """The hooks of hooks/span, which get the config where other hooks get the itab of their context."""
    if rt.span is None:
        raise ValueError("hooks/span is not in the link")
    config = Address(None, add_config(blob, rt.span, use, plan.file, plan.line))
    before, after = (_built_in(edit, arch, rt, blob, hook) for hook in (BEFORE, AFTER))
    blob.put(at, rt.hook, Rule=use.rule, Instr=use.instrumentation, On=1, Flags=HOOK_TELEMETRY, Before=before, After=after, BeforeTab=config, AfterTab=config)


def _probe(edit: Edit, arch: Arch, rt: Runtime, blob: StaticData, at: int, plan: FunctionPlan, use: ProbeUse, probes: Probes | None) -> None:
    """The hooks of hooks/probe, which get, where other hooks get the itab of their context, the table of this object and the
    histogram of this function: the table stays in the program as long as the descriptor does."""
    if probes is None:
        raise ValueError("hooks/probe is not in the link")
    before, after = (_built_in(edit, arch, rt, blob, f"{probes.path}.{part}{use.kind.value.capitalize()}") for part in ("before", "after"))
    table = Address(probes.table)
    place = Address(probes.histograms, probes.histogram(plan.symbol)) if use.latency else table
    blob.put(at, rt.hook, Rule=use.rule, Instr=use.instrumentation, On=1, Before=before, After=after, BeforeTab=table, AfterTab=place)


def _built_in(edit: Edit, arch: Arch, rt: Runtime, blob: StaticData, hook: str) -> Address:
    """A func value of the thunk of a hook that comes with otelobj; one thunk serves the whole object."""
    if hook not in edit.shared:
        edit.shared[hook] = _thunk(edit, arch, rt, hook, BUILT_IN_THUNK)
    return Address(None, blob.words([Address(edit.shared[hook])]))


def _thunk(edit: Edit, arch: Arch, rt: Runtime, hook: str, spec: ThunkSpec) -> SymRef:
    code = arch.thunk(spec)
    file = edit.add_file("<otelobj>")
    nosplit = bool(dict(code.entries).get("nosplit"))
    shape = TextShape(THUNK_ARGS, (not nosplit,) * (THUNK_ARGS // 8), 0, 0, 1, file, 1, entry_name(hook))
    flag = edit.tables.sym_flags["SymFlagNoSplit"] if nosplit else 0
    roles: Mapping[str, Role] = {
        "hook": Role(edit.add_ref(hook, ABI_INTERNAL)),
        "catch": Role(edit.add_ref(f"{rt.path}.catch·f", 0)),
        "deferreturn": Role(edit.add_ref("runtime.deferreturn", ABI_INTERNAL)),
        "morestack": Role(edit.add_ref("runtime.morestack_noctxt", 0)),
    }
    return add_text(edit, f"otelobj.thunk.{hook}", code, shape, roles, flag=flag)
