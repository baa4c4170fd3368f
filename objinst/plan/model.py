"""The plan as data: which functions are hooked, by what, and which are refused and why. Definitions only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from objinst.rules import ProbeKind
from objinst.types import Assigned, FuncABI, GoType, Kind
from trampolines.contract import ContextUse, EpilogueScan

BOXING = frozenset({"GetParam", "SetParam", "GetReturnVal", "SetReturnVal"})
"""Methods of a hook's context that hand values over as interfaces."""


class Status(Enum):
    HOOKED = "hooked"
    REFUSED = "refused"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a function or a hook is not used. code: stable word for machines; why: a sentence for people, with what to do."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter or result of a target. home: where it lives; elem_size (bytes), elem_flat (no pointers in it): of a slice's
    elements."""

    name: str
    home: Assigned
    elem_size: int = 0
    elem_flat: bool = False

    @property
    def type(self) -> GoType:
        return self.home.type


def number_places(values: Iterable[Value]) -> tuple[int, ...]:
    """Where the uintptrs of parameters or results are: offsets in the results area, or ^offset in the args area, in bytes."""
    return tuple(
        ~(value.home.offset + offset) if value.home.in_args else value.home.offset + offset for value in values for offset in value.type.numbers
    )


@dataclass(frozen=True, slots=True)
class HookFunction:
    """One typed hook. package, symbol: as the linker names it; abi: of the hook itself, context interface included.

    Its parameters behind the context are the target's parameters (before) or results (after), one for one; boxed: the
    indices of those that it takes as interface{}. methods: of the context interface, in itab order.
    """

    package: str
    symbol: str
    abi: FuncABI
    context_type: str
    methods: tuple[str, ...]
    boxed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HookUse:
    """One rule's hooks on one target."""

    rule: str
    instrumentation: str
    before: HookFunction | None
    after: HookFunction | None

    @property
    def methods(self) -> frozenset[str]:
        return frozenset(m for hook in (self.before, self.after) if hook for m in hook.methods)

    @property
    def needs_exit(self) -> bool:
        return self.after is not None

    @property
    def boxes(self) -> bool:
        """May ask for values as interfaces."""
        return bool(self.methods & BOXING) or any(hook.boxed for hook in (self.before, self.after) if hook)


@dataclass(frozen=True, slots=True)
class SpanValue:
    """Where a span finds a value. offsets: the first in the args area (in_args) or the results area, each further one behind the
    pointer found so far; kind: internal/abi.Kind of what lies there. elem, elem_size: of a slice. count: the length is wanted.
    fields: names that only the dynamic type of the interface found there has."""

    in_args: bool
    offsets: tuple[int, ...]
    kind: Kind
    elem: Kind | None = None
    elem_size: int = 0
    empty: bool = False
    count: bool = False
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpanUse:
    """One rule's span on one target. name: literals and values, empty for title. title: the function as people write it; function:
    as runtime.FuncForPC does. kind: OpenTelemetry's SpanKind. context: offset of the context.Context parameter.

    left_out: paths of the rule that this function does not have, `path: why`; its spans do without them.
    """

    rule: str
    instrumentation: str
    title: str
    function: str
    name: tuple[str | SpanValue, ...]
    kind: int
    at_entry: tuple[tuple[str, SpanValue], ...]
    at_return: tuple[tuple[str, SpanValue], ...]
    errors: tuple[SpanValue, ...]
    context: int | None
    left_out: tuple[str, ...] = ()

    @property
    def methods(self) -> frozenset[str]:
        return frozenset()

    @property
    def needs_exit(self) -> bool:
        return True

    @property
    def boxes(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ProbeUse:
    """A measurement by Go code: of latency, which needs the exit, or a disturbance (stress, hot), which takes it where it can have it."""

    rule: str
    instrumentation: str
    kind: ProbeKind

    @property
    def latency(self) -> bool:
        return self.kind is ProbeKind.LATENCY

    @property
    def methods(self) -> frozenset[str]:
        return frozenset()

    @property
    def needs_exit(self) -> bool:
        return self.latency

    @property
    def boxes(self) -> bool:
        return False


Use = HookUse | SpanUse | ProbeUse


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """Everything that the rewrite of one function needs. index: in its object's symbol space."""

    index: int
    symbol: str
    file: str
    line: int
    params: tuple[Value, ...]
    results: tuple[Value, ...]
    abi: FuncABI
    context: ContextUse
    hooks: tuple[Use, ...]
    epilogues: EpilogueScan | None
    depth: int
    """The deepest that the function's own code moves SP, in bytes: what its stack check has made room for."""
    checked: bool = True
    """The function has a stack check of its own."""
    through: bool = False
    """Its exit is seen by a call-through, not by patched epilogues."""
    described: frozenset[str] = frozenset()
    """Its types that have descriptors in the link, if a hook may ask for boxed values."""

    @property
    def param_numbers(self) -> tuple[int, ...]:
        """See number_places."""
        return number_places(self.params)

    @property
    def result_numbers(self) -> tuple[int, ...]:
        """See number_places."""
        return number_places(self.results)

    @property
    def has_exit(self) -> bool:
        return self.epilogues is not None or self.through

    def left_out(self, rule: str) -> tuple[str, ...]:
        """See Target."""
        return tuple(why for use in self.hooks if isinstance(use, SpanUse) and use.rule == rule for why in use.left_out)

    @property
    def skippable(self) -> bool:
        return self.has_exit and any("SetSkipCall" in use.methods for use in self.hooks)


@dataclass(frozen=True, slots=True)
class InlinedCall:
    """A copy of a function that the compiler put in place of a call. function: in whose source the call stands, at file and line.

    inside: the function whose code holds the copy, another one where the caller was itself inlined. package: the one that was
    compiled so; `-gcflags=PACKAGE=-l` makes it a call again.
    """

    function: str
    file: str
    line: int
    inside: str
    package: str


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the plan and of the report. inlined_calls: the number of inlined_callers; unreferenced: nothing in the program
    refers to the function any more, so the linker drops it; left_out: values that the rule wants of spans and the function does not
    have, `path: why`."""

    rule: str
    symbol: str
    package: str
    file: str
    line: int
    status: Status
    reason: str
    entry: bool
    exit: bool
    inlined_calls: int
    inlined_callers: tuple[InlinedCall, ...] = ()
    unreferenced: bool = False
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {"status": self.status.value, "inlined_callers": [asdict(caller) for caller in self.inlined_callers]}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Target:
        """Raises TypeError, ValueError or KeyError if `raw` is no target of this version."""
        callers = tuple(InlinedCall(**caller) for caller in raw["inlined_callers"])
        return cls(**{**raw, "status": Status(raw["status"]), "inlined_callers": callers, "left_out": tuple(raw["left_out"])})
