"""What hooks/span is told of one rule on one function: a `span.config` in the function's descriptor, written by field name."""

from __future__ import annotations

from dataclasses import dataclass

from objinst.goobj import Object
from objinst.plan.model import SpanUse, SpanValue
from objinst.rewrite.static import Address, Layout, Slice, StaticData, layout

SPAN = "github.com/otelobj/otelobj/hooks/span"
BEFORE, AFTER = f"{SPAN}.before", f"{SPAN}.after"
IN_ARGS, EMPTY, COUNT = 1, 2, 4
"""Flags of span.value."""


@dataclass(frozen=True, slots=True)
class SpanLayouts:
    """Structs of hooks/span."""

    config: Layout
    part: Layout
    attr: Layout
    value: Layout

    @classmethod
    def of(cls, obj: Object) -> SpanLayouts:
        """Raises ObjectError if hooks/span is of another version."""
        return cls(*(layout(obj, f"{SPAN}.{name}") for name in ("config", "part", "attr", "value")))


def add_config(blob: StaticData, kinds: SpanLayouts, use: SpanUse, file: str, line: int) -> int:
    """Returns the offset of the config in `blob`."""
    at = blob.reserve(kinds.config.size)
    blob.put(
        at, kinds.config, Title=use.title, Function=use.function, File=file, Line=line, Kind=use.kind, Name=_name(blob, kinds, use.name),
        AtEntry=_attributes(blob, kinds, use.at_entry), AtReturn=_attributes(blob, kinds, use.at_return), Errors=_values(blob, kinds, use.errors),
        HasContext=int(use.context is not None), Context=use.context or 0,
    )  # fmt: skip
    return at


def _name(blob: StaticData, kinds: SpanLayouts, parts: tuple[str | SpanValue, ...]) -> Slice:
    start = blob.reserve(kinds.part.size * len(parts))
    for number, part in enumerate(parts):
        at = start + number * kinds.part.size
        if isinstance(part, str):
            blob.put(at, kinds.part, Text=part)
        else:
            blob.put(at, kinds.part, Value=Address(None, _values(blob, kinds, (part,)).at))
    return Slice(start, len(parts))


def _attributes(blob: StaticData, kinds: SpanLayouts, attributes: tuple[tuple[str, SpanValue], ...]) -> Slice:
    start = blob.reserve(kinds.attr.size * len(attributes))
    for number, (key, value) in enumerate(attributes):
        at = start + number * kinds.attr.size
        blob.put(at, kinds.attr, Key=key)
        _value(blob, kinds, at + kinds.attr.fields["Value"], value)
    return Slice(start, len(attributes))


def _values(blob: StaticData, kinds: SpanLayouts, values: tuple[SpanValue, ...]) -> Slice:
    start = blob.reserve(kinds.value.size * len(values))
    for number, value in enumerate(values):
        _value(blob, kinds, start + number * kinds.value.size, value)
    return Slice(start, len(values))


def _value(blob: StaticData, kinds: SpanLayouts, at: int, value: SpanValue) -> None:
    flags = (IN_ARGS if value.in_args else 0) | (EMPTY if value.empty else 0) | (COUNT if value.count else 0)
    blob.put(
        at, kinds.value, Offsets=blob.int32s(value.offsets), Kind=int(value.kind), Elem=int(value.elem or 0), ElemSize=value.elem_size,
        Flags=flags, Fields=blob.strings(value.fields),
    )  # fmt: skip
