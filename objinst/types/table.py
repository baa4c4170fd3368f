"""Types by link name across the objects of a link, read when asked for.

The descriptor of a named type is in the package that defines it; copies for an instance or an unnamed type are in each
package that uses it. An object is only searched if its bytes hold the name, and only loaded if the name says so or nothing
nearer has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

from objinst.goobj.object import Load, Object
from objinst.goobj.records import TYPE_PREFIX, SymRef
from objinst.types import descriptors, names
from objinst.types.descriptors import Descriptor, RawField
from objinst.types.model import Field, GoType, Kind, Method, Signature, Typed, Unknown

WORD = 8
MAX_DEPTH = 64
SIMD_PACKAGE = "simd/archsimd."
"""Its vectors live in vector registers if GOEXPERIMENT=simd is on (cmd/compile/internal/types/size.go, simdify)."""



BASIC_TYPES = "runtime"
"""Has the descriptors of basic types (cmd/compile/internal/reflectdata, WriteBasicTypes)."""


class TypeTable:
    """Types of one link. load: the object that the compiler wrote for an import path, None if it is not in the link; expected
    to remember. packages: import paths in the order in which to look for unnamed types. What is nowhere in the link is remembered, too,
    and then only looked for in objects that mention it for the first time."""

    def __init__(self, load: Load, packages: Sequence[str] = ()) -> None:
        self._load = load
        self._packages = tuple(packages)
        self._types: dict[str, GoType | Unknown] = {}
        self._found: dict[str, tuple[Object, int] | None] = {}
        self._lacked: WeakKeyDictionary[Object, set[str]] = WeakKeyDictionary()
        self._building: set[str] = set()

    def resolve(self, name: str, near: Object | None = None) -> GoType | Unknown:
        """The type with this link name. near: the object that mentions it."""
        return self._resolve(name, near)

    def descriptor(self, name: str, near: Object | None = None) -> tuple[Object, int] | None:
        """Where `type:NAME` is defined: object and symbol index."""
        if name not in self._found:
            self._found[name] = self._search(name, self._candidates(name, near))
        elif self._found[name] is None and near is not None and name not in (lacked := self._lacked.setdefault(near, set())):
            lacked.add(name)
            self._found[name] = self._search(name, (near,))
        return self._found[name]

    def name_of(self, obj: Object, ref: SymRef) -> str:
        """Name of a referenced symbol, "" if it is in a package that cannot be loaded. Raises ObjectError."""
        resolved = obj.resolve(ref)
        if resolved.name or not resolved.package:
            return resolved.name
        other = self._object(resolved.package)
        return "" if other is None or ref.idx >= other.starts[1] else other.sym(ref.idx).name

    # lookup

    def _object(self, package: str) -> Object | None:
        found = self._load(package)
        return found if found is not None or "%" not in package else self._load(names.unescape(package))

    @staticmethod
    def _search(name: str, candidates: Iterable[Object]) -> tuple[Object, int] | None:
        symbol = TYPE_PREFIX + name
        encoded = symbol.encode("utf-8", "surrogateescape")
        seen: set[int] = set()
        for obj in candidates:
            if id(obj) in seen:
                continue
            seen.add(id(obj))
            if encoded in obj.raw and (index := obj.find(symbol)) is not None and obj.sym(index).size:
                return obj, index
        return None

    def _candidates(self, name: str, near: Object | None) -> Iterator[Object]:
        try:
            base = names.parse(name.lstrip("*"))
        except ValueError:
            return
        if base.package and not base.generic:
            paths: Sequence[str] = (base.package,)
        else:
            paths = (*_argument_packages(name), base.package, BASIC_TYPES, *self._packages)
        if near is not None:
            yield near
        for path in paths:
            obj = self._object(path) if path else None
            if obj is not None:
                yield obj

    # layout

    def _resolve(self, name: str, near: Object | None) -> GoType | Unknown:
        known = self._types.get(name)
        if known is None or (isinstance(known, Unknown) and near is not None):
            try:
                parsed = names.parse(name)
            except ValueError as error:
                return Unknown(name, str(error))
            if name in self._building or len(self._building) > MAX_DEPTH:
                return Unknown(name, f"the layout of {name} does not end")
            self._building.add(name)
            try:
                known = self._types[name] = self._build(parsed, near)
            finally:
                self._building.remove(name)
        return known

    def _build(self, parsed: names.TypeName, near: Object | None) -> GoType | Unknown:
        name, kind = parsed.name, parsed.kind
        if name in names.BASIC:
            return names.BASIC[name]
        if kind is Kind.ARRAY:
            return self._array(name, parsed.elem, parsed.length, near)
        if kind is Kind.POINTER:
            return GoType(name, kind, WORD, WORD, (not self._off_heap(parsed, near),), elem=parsed.elem)
        if kind in {Kind.MAP, Kind.CHAN, Kind.FUNC}:
            return GoType(name, kind, WORD, WORD, (True,), elem=parsed.elem, key=parsed.key)
        if kind is Kind.SLICE:
            return GoType(name, kind, 3 * WORD, WORD, (True, False, False), elem=parsed.elem)
        found = self.descriptor(name, near)
        if found is None and kind is Kind.INTERFACE:
            return GoType(name, kind, 2 * WORD, WORD, names.INTERFACE_WORDS)
        if found is None and name.startswith(names.SHAPE_PREFIX):
            return self._renamed(name, self._resolve(name.removeprefix(names.SHAPE_PREFIX), near))
        if found is None and kind is Kind.STRUCT:
            return self._spelled(name, near)
        if found is None:
            return Unknown(name, f"no type descriptor of {name} in the link")
        return self._described(name, found[0], descriptors.read(*found, self.name_of))

    def _described(self, name: str, obj: Object, found: Descriptor) -> GoType | Unknown:
        if found.kind is Kind.ARRAY:
            return self._renamed(name, self._array(name, found.elem, found.length, obj))
        fields: list[Field] = []
        for raw in found.fields:
            inner = self._resolve(raw.type, obj)
            if isinstance(inner, Unknown):
                return Unknown(name, inner.reason)
            fields.append(Field(raw.name, inner, raw.offset, raw.embedded))
        if found.fields and _is_vector(found.fields[0]):
            return Unknown(name, f"{name} is a SIMD vector")
        words = found.ptr_words
        if words is None and found.size <= descriptors.MAX_SIZE:
            words = _words(found, fields)
        if words is None:
            return Unknown(name, f"the pointer words of {name} are not known")
        methods = found.methods if found.kind is Kind.INTERFACE else None
        return GoType(name, found.kind, found.size, found.align, words, tuple(fields), found.elem, found.key, methods=methods)

    def _spelled(self, name: str, near: Object | None) -> GoType | Unknown:
        """A struct without a descriptor, laid out from its name as cmd/compile/internal/types/size.go, CalcStructSize, does: programs
        compiled without DWARF have descriptors only of what they box."""
        try:
            spelled = names.fields(name)
        except ValueError as error:
            return Unknown(name, str(error))
        items: list[Field] = []
        end, align = 0, 1
        for label, kind, embedded in spelled:
            inner = self._resolve(kind, near)
            if isinstance(inner, Unknown):
                return Unknown(name, inner.reason)
            start = _round(end, inner.align)
            items.append(Field(label, inner, start, embedded))
            end, align = start + inner.size, max(align, inner.align)
        if end and items and not items[-1].type.size:
            end += 1  # a pointer to the last field must not point past the end of the struct
        size = _round(end, align)
        if size > descriptors.MAX_SIZE:
            return Unknown(name, f"{name} takes {size} bytes")
        return GoType(name, Kind.STRUCT, size, align, _field_words(size, items), tuple(items))

    def _array(self, name: str, elem: str, length: int, near: Object | None) -> GoType | Unknown:
        inner = self._resolve(elem, near)
        if isinstance(inner, Unknown):
            return Unknown(name, inner.reason)
        size = inner.size * length
        if size > descriptors.MAX_SIZE or (inner.size % WORD and not inner.flat):
            return Unknown(name, f"{name} takes {size} bytes")
        words = inner.ptr_words * length if inner.size % WORD == 0 else (False,) * ((size + WORD - 1) // WORD)
        return GoType(name, Kind.ARRAY, size, inner.align, words, elem=elem, array=inner, length=length)

    def _renamed(self, name: str, found: GoType | Unknown) -> GoType | Unknown:
        if isinstance(found, Unknown):
            return Unknown(name, found.reason)
        return replace(found, name=name)

    def _off_heap(self, parsed: names.TypeName, near: Object | None) -> bool:
        """A pointer to a type that is never on the heap (runtime's, and incomplete types of C) is no pointer to the collector;
        only its descriptor says so."""
        try:
            elem = names.parse(parsed.elem)
        except ValueError:
            return False
        if elem.kind is not None or elem.generic:
            return False
        found = self.descriptor(parsed.name, near)
        return found is not None and descriptors.read(*found, self.name_of).ptr_bytes == 0


def _argument_packages(name: str) -> Iterator[str]:
    for argument in names.type_arguments(name):
        try:
            parsed = names.parse(argument.lstrip("*[]"))
        except ValueError:
            continue
        if parsed.package:
            yield parsed.package


def _is_vector(first: RawField) -> bool:
    return first.type.startswith((SIMD_PACKAGE + "v", SIMD_PACKAGE + "_v"))


def _words(found: Descriptor, fields: Sequence[Field]) -> tuple[bool, ...] | None:
    """Pointer words from the fields, where the descriptor has no mask; None if they disagree with its PtrBytes."""
    words = _field_words(found.size, fields)
    end = max((i + 1 for i, pointer in enumerate(words) if pointer), default=0) * WORD
    return words if end == found.ptr_bytes else None


def _field_words(size: int, fields: Sequence[Field]) -> tuple[bool, ...]:
    words = [False] * ((size + WORD - 1) // WORD)
    for item in fields:
        for i, pointer in enumerate(item.type.ptr_words):
            if pointer and item.offset // WORD + i < len(words):
                words[item.offset // WORD + i] = True
    return tuple(words)


def _round(value: int, align: int) -> int:
    return (value + align - 1) // align * align


def resolve(signature: Signature, table: TypeTable, near: Object | None = None) -> Typed | Unknown:
    """A signature's types; the first unknown one if there is one. near: the function's object."""
    types: list[GoType] = []
    for param in (*signature.params, *signature.results):
        found = table.resolve(param.type, near)
        if isinstance(found, Unknown):
            return found
        types.append(found)
    count = len(signature.params)
    return Typed(signature, tuple(types[:count]), tuple(types[count:]))


def interface_methods(interface: GoType) -> tuple[Method, ...]:
    """The methods of an interface in itab order (exported names first, then by name and package: cmd/compile/internal/types/sym.go,
    Less). Raises ValueError for a type that is none, or whose descriptor was not found."""
    if interface.kind is not Kind.INTERFACE or interface.methods is None:
        raise ValueError(f"{interface.name} is not an interface with known methods")
    return interface.methods
