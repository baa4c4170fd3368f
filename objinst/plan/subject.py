"""A function as actions see it: its values, found by path, and the Go functions that take them.

A path is resolved against the function's parameters and results (DWARF) and the types of the link (type descriptors), so that
the running program looks nothing up. Names remain only for fields of an interface's value, whose type is known only at run time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from objinst.goobj import Object
from objinst.plan.hooks import HookFinder
from objinst.plan.model import CallValue, HookFunction, NoValueError, Refusal, Value
from objinst.rules import ValuePath, parse_func_name
from objinst.rules.names import printed
from objinst.types import Field, GoType, Kind, Unknown
from objinst.types.names import unescape

WORD = 8
GO_CONTEXT = "context.Context"
MAX_POINTERS = 8
"""Pointers in a row, embedded structs in each other: a type may be its own element."""
SCALARS = frozenset(Kind(number) for number in range(Kind.BOOL, Kind.FLOAT64 + 1)) | {Kind.STRING}
ELEMENTS = SCALARS - {Kind.UINT, Kind.UINT8, Kind.UINT64, Kind.UINTPTR}
"""Of slices that become lists: what fits in OpenTelemetry's, and no []byte."""


@dataclass(frozen=True, slots=True)
class Place:
    """An intermediate value of a path: see CallValue."""

    in_args: bool
    offsets: tuple[int, ...]
    type: GoType

    def at(self, item: Field) -> Place:
        *way, last = self.offsets
        return Place(self.in_args, (*way, last + item.offset), item.type)


@dataclass(frozen=True, slots=True)
class Subject:
    """One function. params: without a receiver; finder: of hooks; near: the function's object."""

    symbol: str
    recv: Value | None
    params: tuple[Value, ...]
    results: tuple[Value, ...]
    finder: HookFinder
    near: Object

    @classmethod
    def of(cls, symbol: str, params: tuple[Value, ...], results: tuple[Value, ...], finder: HookFinder, near: Object) -> Subject:
        """params: with a receiver."""
        name = parse_func_name(symbol)
        method = name is not None and bool(name.recv) and not name.is_closure and bool(params)
        return cls(symbol, params[0] if method else None, params[1:] if method else params, results, finder, near)

    @property
    def title(self) -> str:
        """The function as people write it: see title."""
        return title(self.symbol)

    @property
    def printed(self) -> str:
        """The function as runtime.FuncForPC names it."""
        return printed(self.symbol, self.near.tables.runtime.bracket_pairs)

    def before(self, package: str, name: str) -> HookFunction | Refusal:
        """A Go function that takes the receiver and the parameters, after its hook context. Raises OtelobjError if there is no such function."""
        params = self.params if self.recv is None else (self.recv, *self.params)
        return self.finder.find(package, name, self.symbol, params, "parameters")

    def after(self, package: str, name: str) -> HookFunction | Refusal:
        """As `before`, with the results."""
        return self.finder.find(package, name, self.symbol, self.results, "results")

    @property
    def errors(self) -> tuple[CallValue, ...]:
        """The results of type error."""
        return tuple(self._value(_place(value)) for value in self.results if value.type.name == "error")

    @property
    def go_context(self) -> int | None:
        """Offset of the context.Context parameter. None for functions of package context: to them a context is data, and must not change."""
        if self.symbol.startswith("context."):
            return None
        return next((value.home.offset for value in self.params if value.type.name == GO_CONTEXT), None)

    def find(self, path: ValuePath) -> CallValue:
        """Raises NoValueError."""
        place = self._root(path)
        for number, name in enumerate(path.fields):
            place = self._pointee(place, path)
            if place.type.kind is Kind.INTERFACE:
                return self._value(place, count=path.length, fields=path.fields[number:])
            place = self._field(place, name, path)
        place = self._pointee(place, path)
        return self._length(place, path) if path.length else self._leaf(place, path)

    def _root(self, path: ValuePath) -> Place:
        if path.root == "recv":
            if self.recv is None:
                raise NoValueError(f"{path}: {self.symbol} has no receiver", ["arg", "result"], "recv")
            return _place(self.recv)
        values, what = (self.results, "result") if path.root == "result" else (self.params, "parameter")
        if path.which.isdigit():
            if int(path.which) < len(values):
                return _place(values[int(path.which)])
        else:
            for value in values:
                if value.name == path.which:
                    return _place(value)
        known = [f"{path.root}.{number if value.name.startswith('~') else value.name}" for number, value in enumerate(values)]
        has = ", ".join(known) if known else f"no {what}s"
        raise NoValueError(f"{path}: {self.symbol} has no {what} {path.which}, it has {has}", known, f"{path.root}.{path.which}")

    def _pointee(self, place: Place, path: ValuePath) -> Place:
        """The type after following pointers."""
        for _ in range(MAX_POINTERS):
            if place.type.kind is not Kind.POINTER:
                return place
            elem = self.finder.signatures.table.resolve(place.type.elem, self.near)
            if isinstance(elem, Unknown):
                raise NoValueError(f"{path}: the layout of {place.type.elem} is not known: {elem.reason}")
            place = Place(place.in_args, (*place.offsets, 0), elem)
        raise NoValueError(f"{path}: {place.type.name} is a pointer to pointers")

    def _field(self, place: Place, name: str, path: ValuePath) -> Place:
        """A field, or one that is promoted from an embedded struct: the shallowest one, if there is one only (Go spec, Selectors)."""
        if place.type.kind is not Kind.STRUCT:
            raise NoValueError(f"{path}: {place.type.name} has no fields")
        level = [place]
        for _ in range(MAX_POINTERS):
            found = [struct.at(item) for struct in level for item in struct.type.fields if item.name == name]
            if len(found) == 1:
                return found[0]
            if found:
                raise NoValueError(f"{path}: {name} is ambiguous in {place.type.name}")
            level = [inner for struct in level for inner in self._embedded(struct, path)]
        names = [item.name for item in place.type.fields if item.name != "_"]
        has = ", ".join(names) if names else "none"
        raise NoValueError(f"{path}: {place.type.name} has no field {name}, its fields are: {has}", names, name)

    def _embedded(self, struct: Place, path: ValuePath) -> Iterator[Place]:
        for item in struct.type.fields:
            if item.embedded:
                try:
                    inner = self._pointee(struct.at(item), path)
                except NoValueError:
                    continue
                if inner.type.kind is Kind.STRUCT:
                    yield inner

    def _length(self, place: Place, path: ValuePath) -> CallValue:
        *way, last = place.offsets
        match place.type.kind:
            case Kind.STRING | Kind.SLICE:
                return CallValue(place.in_args, (*way, last + WORD), Kind.INT)
            case Kind.MAP | Kind.CHAN | Kind.INTERFACE:
                return self._value(place, count=True)
        raise NoValueError(f"{path}: a value of type {place.type.name} has no length that could change")

    def _leaf(self, place: Place, path: ValuePath) -> CallValue:
        typ = place.type
        if typ.kind in SCALARS or typ.kind is Kind.INTERFACE:
            return self._value(place)
        if typ.kind is Kind.STRUCT:
            names = [item.name for item in typ.fields if item.name != "_"]
            raise NoValueError(f"{path}: {typ.name} is a struct; name one of its fields: {', '.join(names) or 'it has none'}", names)
        elem = self.finder.signatures.table.resolve(typ.elem, self.near) if typ.kind is Kind.SLICE else None
        if elem is not None and not isinstance(elem, Unknown) and elem.kind in ELEMENTS:
            return CallValue(place.in_args, place.offsets, Kind.SLICE, elem.kind, elem.size)
        hint = f"; len({path}) is its length" if typ.kind in (Kind.SLICE, Kind.MAP, Kind.CHAN) else ""
        raise NoValueError(f"{path}: a value of type {typ.name} cannot be an attribute{hint}")

    @staticmethod
    def _value(place: Place, *, count: bool = False, fields: tuple[str, ...] = ()) -> CallValue:
        return CallValue(place.in_args, place.offsets, place.type.kind, empty=place.type.methods == (), count=count, fields=fields)


def _place(value: Value) -> Place:
    return Place(value.home.in_args, (value.home.offset,), value.type)


def title(symbol: str) -> str:
    """`example.com/acme/shop.(*Store).Place` is shop.(*Store).Place."""
    name = printed(symbol, pairs=2)
    head = re.split(r"[(\[]", name, maxsplit=1)[0]
    return unescape(name[head.rfind("/") + 1 :])
