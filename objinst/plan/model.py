"""The plan as data: which functions are hooked and with what, which are refused and why. Definitions only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from objinst.rules.nodes import closest

if TYPE_CHECKING:  # see objinst.plan.action
    from objinst.goobj import FuncInfo
    from objinst.types import Assigned, FuncABI, GoType, Kind
    from trampolines.contract import ClosureUse, EpilogueScan

BOXING = frozenset({"GetParam", "SetParam", "GetReturnVal", "SetReturnVal"})
"""Methods of the hook context that pass values as interfaces."""


class Status(Enum):
    HOOKED = "hooked"
    REFUSED = "refused"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a function or a hook is not used. code: stable word for machines; why: a sentence for people, with a remedy."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter or result of a target. home: its location; elem_size (bytes), elem_flat (no pointers in it): of a slice's
    elements."""

    name: str
    home: Assigned
    elem_size: int = 0
    elem_flat: bool = False

    @property
    def type(self) -> GoType:
        return self.home.type


class NoValueError(Exception):
    """A path that a function does not have. names: the names that exist where the path fails."""

    def __init__(self, what: str, names: Sequence[str] = (), wanted: str = "") -> None:
        super().__init__(what)
        self.names = names
        self.wanted = wanted

    @property
    def remedy(self) -> str:
        return closest(self.wanted, self.names) if self.names else "take something that is a number, text, bool, error, or a list of these"


@dataclass(frozen=True, slots=True)
class CallValue:
    """Where a value of a call is found. offsets: the first in the args area (in_args) or the results area, each further one from the
    pointer found so far; kind: internal/abi.Kind of the value there. elem, elem_size: of a slice. count: the length is wanted.
    fields: names to look up in the dynamic type of the interface there."""

    in_args: bool
    offsets: tuple[int, ...]
    kind: Kind
    elem: Kind | None = None
    elem_size: int = 0
    empty: bool = False
    count: bool = False
    fields: tuple[str, ...] = ()


def number_places(values: Iterable[Value]) -> tuple[int, ...]:
    """Where the uintptrs of parameters or results are: offsets in the results area, or ^offset in the args area, in bytes."""
    return tuple(
        ~(value.home.offset + offset) if value.home.in_args else value.home.offset + offset for value in values for offset in value.type.numbers
    )


@dataclass(frozen=True, slots=True)
class HookFunction:
    """One typed hook. package, symbol: as the linker names it; abi: of the hook itself, hook context included.

    Its parameters after the hook context are the target's parameters (before) or results (after), one for one; boxed: the
    indices of those that it takes as interface{}. methods: of the hook context, in itab order.
    """

    package: str
    symbol: str
    abi: FuncABI
    context_type: str
    methods: tuple[str, ...]
    boxed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Use(ABC):
    """What one action of a rule does to one target. The actions derive their own (objinst.actions)."""

    rule: str
    instrumentation: str

    @property
    def before(self) -> HookFunction | None:
        """A typed hook at the entry. An action without typed hooks uses built-in hooks, which read the areas themselves."""
        return None

    @property
    def after(self) -> HookFunction | None:
        """A typed hook at the exit."""
        return None

    @property
    def typed(self) -> bool:
        return self.before is not None or self.after is not None

    @property
    def methods(self) -> frozenset[str]:
        """Methods that its hooks call on their hook context."""
        return frozenset(m for hook in (self.before, self.after) if hook for m in hook.methods)

    @property
    def boxes(self) -> bool:
        """Whether it may ask for values as interfaces."""
        return bool(self.methods & BOXING) or any(hook.boxed for hook in (self.before, self.after) if hook)

    @property
    def takes_exit(self) -> bool:
        """Whether it uses the exit if the exit can be seen, but works without it."""
        return "SetSkipCall" in self.methods

    @property
    def only_timed(self) -> bool:
        """Whether hooks/rt itself can do all of it, if nothing else is done to the target."""
        return False

    @property
    def left_out(self) -> tuple[str, ...]:
        """Paths of the rule that this target does not have, `path: why`; it continues without them."""
        return ()

    def repeats(self, _other: Use) -> bool:
        """Whether it duplicates another use of the same target."""
        return False

    @abstractmethod
    def emit(self, site: Any) -> Mapping[str, Any]:
        """Writes what the hook needs; returns the fields of its rt.Hook. site: objinst.rewrite.site.Site."""


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
    closure: ClosureUse
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
        return tuple(why for use in self.hooks if use.rule == rule for why in use.left_out)

    @property
    def skippable(self) -> bool:
        return self.has_exit and any("SetSkipCall" in use.methods for use in self.hooks)


@dataclass(frozen=True, slots=True)
class FrontPlan:
    """A function that gets a stub in front of it which needs nothing of it, such as a counter. info: without its inlined calls; file: index in the
    object's file table; line: of its first instruction."""

    index: int
    symbol: str
    info: FuncInfo
    file: int
    line: int


@dataclass(frozen=True, slots=True)
class InlinedCall:
    """A copy of a function that the compiler put in place of a call. function: the one whose source contains the call, at file and line.

    inside: the function whose code contains the copy; a different one if the caller was itself inlined. package: the package that was
    compiled; `-gcflags=PACKAGE=-l` makes it a call again.
    """

    function: str
    file: str
    line: int
    inside: str
    package: str


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the plan and of the report. inlined_calls: how many there are, of which inlined_callers has all or some (objinst/plan/inlining.py); unreferenced: nothing in the program
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
        return fields | {"status": self.status.value, "inlined_callers": [{name: getattr(caller, name) for name in caller.__slots__} for caller in self.inlined_callers]}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Target:
        """Raises TypeError, ValueError or KeyError if `raw` is not a target of this version."""
        callers = tuple(InlinedCall(**caller) for caller in raw["inlined_callers"])
        return cls(**{**raw, "status": Status(raw["status"]), "inlined_callers": callers, "left_out": tuple(raw["left_out"])})
