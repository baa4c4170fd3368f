"""One planned function: descriptor, thunks, itabs, exit stub, body and entry stub, all in the function's own object."""

from __future__ import annotations

from collections.abc import Mapping

from objinst.goobj import ABI_INTERNAL, Edit, Reloc, SymRef
from objinst.plan.model import FunctionPlan, Value
from objinst.plan.specs import Offsets, entry_spec, exit_spec, through_spec
from objinst.rewrite.site import Runtime, Site, type_ref
from objinst.rewrite.static import Address, Layout, Slice, StaticData
from objinst.rewrite.swap import add_call_through, add_exit_stub, count_frame, morestack_ref, move_body, patch_body, put_stub, read_original
from objinst.rewrite.tables import ObjectTable
from objinst.rewrite.text import Role, TextShape, add_text
from objinst.types import Kind
from trampolines import Arch

DESC_SKIPPABLE, DESC_HAS_EXIT = 1, 2
IN_ARGS, STRING, SLICE, FLAT, POINTER, IFACE, EFACE = (1 << bit for bit in range(7))
HOLD_NAME = "runtime.otelobj.hold"
"""Like a private function of the runtime, so that debuggers step through it (rewrite/dwarf.py)."""


def hook_function(edit: Edit, arch: Arch, rt: Runtime, plan: FunctionPlan, package: str, offsets: Offsets, tables: Mapping[str, ObjectTable]) -> str:
    """Applies the plan of one function; returns the name of its descriptor symbol, unique in the link. tables: see Site."""
    original = read_original(edit, plan.index)
    body = move_body(edit, plan.index)
    name = f"otelobj.desc.{package}.{plan.symbol}#{plan.index}"  # from Go 1.27 on an object may have several functions of a name
    desc = _descriptor(edit, arch, rt, plan, package, name, tables)
    held = bool(plan.param_numbers or plan.result_numbers)
    variant = "Held" if held else "Timed" if _only_timed(plan) else ""
    roles = {"desc": Role(desc), "body": Role(body), "enter": _run_time(edit, arch, f"{rt.path}.enter{variant}", held=held)}
    roles["morestack"] = Role(morestack_ref(edit, plan.index, plan.closure))
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
    """What a stub calls to have hooks run: a function of hooks/rt. held: through a holding stub, which is shared by the whole object."""
    ref = edit.add_ref(function, ABI_INTERNAL)
    if not held:
        return Role(ref)
    key = f"hold {function}"
    if key not in edit.shared:
        shape = TextShape(0, (), edit.tables.func_ids["FuncID_asyncPreempt"], 0, 1, edit.add_file("<otelobj>"), 1, HOLD_NAME)
        edit.shared[key] = add_text(edit, HOLD_NAME, arch.hold_stub(), shape, {"callee": Role(ref)}, flag=edit.tables.sym_flags["SymFlagNoSplit"])
    return Role(edit.shared[key])


def _only_timed(plan: FunctionPlan) -> bool:
    """Whether hooks/rt does everything itself, without a thunk."""
    return len(plan.hooks) == 1 and plan.hooks[0].only_timed


def _type_markers(edit: Edit, plan: FunctionPlan) -> list[Reloc]:
    """R_USEIFACE for every type that a hook may box; otherwise dead-code elimination drops its methods (deadcode.go)."""
    kind = edit.tables.relocs["R_USEIFACE"]
    return [Reloc(0, 0, kind, 0, type_ref(edit, name)) for name in sorted(plan.described)]


def _descriptor(edit: Edit, arch: Arch, rt: Runtime, plan: FunctionPlan, package: str, name: str, tables: Mapping[str, ObjectTable]) -> SymRef:
    blob = StaticData()
    at = blob.reserve(rt.desc.size)
    shown = any(use.typed for use in plan.hooks)
    params = _values(edit, blob, rt.value, plan, plan.params if shown else ())
    results = _values(edit, blob, rt.value, plan, plan.results if shown else ())
    start = blob.reserve(rt.hook.size * len(plan.hooks))
    site = Site(edit, arch, rt, blob, plan, tables)
    for number, use in enumerate(plan.hooks):
        blob.put(start + number * rt.hook.size, rt.hook, Rule=use.rule, Instr=use.instrumentation, On=1, **use.emit(site))
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
        pointer = Address(type_ref(edit, typ.name)) if typ.name in plan.described else None
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
