"""The specifications of one planned function for the architecture: entry stub, exit stub, thunks."""

from __future__ import annotations

from dataclasses import dataclass

from objinst.plan.model import FunctionPlan, HookFunction, Value
from trampolines import Arch
from trampolines.asm import WORD, exit_room
from trampolines.contract import Base, Copy, EntrySpec, ExitSpec, GrowGuard, Load, Piece, ThroughSpec, ThunkSpec

BOX_SIZE = 16


@dataclass(frozen=True, slots=True)
class Offsets:
    """What stubs read of runtime.g and runtime.m. slot: offset of the goroutine slot in g, in bytes."""

    slot: int
    guard: GrowGuard


ANY_OFFSETS = Offsets(8, GrowGuard(8, 8, 8, 8))
"""Stands for the runtime's while it is only asked whether a stub can be made."""


def entry_spec(arch: Arch, plan: FunctionPlan, offsets: Offsets) -> EntrySpec:
    """The entry stub. If the function has no stack check, the stub also checks the room that the exit stub needs. Raises EncodeError."""
    room = 0
    if not plan.checked and plan.epilogues is not None:
        room = exit_room(arch.exit_stub(exit_spec(plan, offsets)).frame + 2 * WORD)
    return EntrySpec(
        plan.abi.spills, plan.closure, skippable=plan.skippable, results=plan.abi.result_pieces, stack_results=plan.abi.stack_results,
        guard=None if plan.checked else offsets.guard, room=room,
    )  # fmt: skip


def exit_spec(plan: FunctionPlan, offsets: Offsets) -> ExitSpec:
    """The exit stub of a plan that has epilogues."""
    if plan.epilogues is None:
        raise ValueError(f"{plan.symbol} has no exit hook")
    site = plan.epilogues.sites[0]
    abi = plan.abi
    return ExitSpec(
        site.teardown, site.body_frame, abi.result_pieces, abi.results_size, abi.results_map, offsets.slot,
        checked=plan.depth if plan.checked else 0, unchecked=not plan.checked,
    )  # fmt: skip


def through_spec(arch: Arch, plan: FunctionPlan, offsets: Offsets) -> ThroughSpec:
    """The call-through of a plan that has one."""
    abi = plan.abi
    return ThroughSpec(entry_spec(arch, plan, offsets), abi.args_size, abi.results_size, abi.results_map, offsets.slot)


def thunk_spec(hook: HookFunction, values: tuple[Value, ...], base: Base) -> ThunkSpec:
    """base: of values that are not in the args area."""
    loads: list[Load] = []
    copies: list[Copy] = []
    for number, home in enumerate(hook.abi.params[1:]):
        if number in hook.boxed:
            source, offset = Base.BOXES, BOX_SIZE * hook.boxed.index(number)
        else:
            value = values[number]
            source, offset = Base.ARGS if value.home.in_args else base, value.home.offset
        if home.pieces:
            loads += [Load(source, Piece(p.reg, p.index, p.size, p.offset - home.offset + offset)) for p in home.pieces]
        elif home.type.size:
            copies.append(Copy(source, offset, home.offset, home.type.size))
    return ThunkSpec(tuple(loads), tuple(copies), hook.abi.args_size)


BUILT_IN_THUNK = ThunkSpec((), (), 40)
"""A hook that reads the areas itself is called with what the thunk was called with: five words, which it may spill."""


def hook_thunks(plan: FunctionPlan) -> list[ThunkSpec]:
    """The thunks of all hooks of a plan."""
    built_in = [BUILT_IN_THUNK] if any(not use.typed for use in plan.hooks) else []
    return built_in + [
        thunk_spec(hook, values, base)
        for use in plan.hooks
        for hook, values, base in ((use.before, plan.params, Base.ARGS), (use.after, plan.results, Base.RESULTS))
        if hook is not None
    ]


def try_encode(arch: Arch, plan: FunctionPlan) -> None:
    """Raises EncodeError if a stub or thunk of the plan cannot be made."""
    if plan.through:
        arch.through_stub(through_spec(arch, plan, ANY_OFFSETS))
    else:
        arch.entry_stub(entry_spec(arch, plan, ANY_OFFSETS))
    if plan.epilogues is not None:
        arch.exit_stub(exit_spec(plan, ANY_OFFSETS))
    for spec in hook_thunks(plan):
        arch.thunk(spec)
