"""Which parameters and results a function has, from the first source that names their types.

1. DWARF of the function's own object: every function, closure and instance.
2. What the language fixes: `main` and `init` take and return nothing.
3. The method tables of type descriptors: every method of a named type, unexported ones too.
4. Export data of the package, then its source, where the go command vouches for it: read by a Go helper (objinst.gotypes).

DWARF is missing in package main of `go run`, with -gcflags=-dwarf=false and in archives built so; a short DIE without parameters
remains. No source is believed alone: what it says must agree with the function's code (objinst.types.agree).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from objinst.goobj import Object
from objinst.plan.source import result_count
from objinst.rules import parse_func_name
from objinst.types import NoSignature, Param, Signature, TypeTable, method_signature, signature
from objinst.types.dwarf import DICT, dictionary_position, without_brackets
from objinst.types.names import type_arguments

FIXED = re.compile(r"main\.main|(.*/)?[^/.(\[]+\.init(\.\d+)?")
"""Functions whose signature the language fixes."""
TYPE_PARAM = re.compile(r"\x00(\d+);")
"""A type parameter as the helper writes it."""


class Helper(Protocol):
    """Signatures of packages by symbol name; a sentence where there are none."""

    def place(self, file: str) -> Path:
        """Where a source file lies that the compiler names so."""


    def exported(self, package: str) -> Mapping[str, Signature] | NoSignature: ...

    def written(self, package: str, files: tuple[str, ...]) -> Mapping[str, Signature] | NoSignature: ...


@dataclass(frozen=True, slots=True)
class Signatures:
    """helper: None where no Go toolchain is at hand."""

    table: TypeTable
    helper: Helper | None = None

    def of(self, obj: Object, index: int, file: str = "", line: int = 0) -> Signature | NoSignature:
        """The signature of the text symbol at `index`. file, line: where the compiler says it was written. Raises ObjectError."""
        found = signature(obj, index)
        if not obj.sym(index).size:
            return found
        if isinstance(found, Signature):
            return self._completed(obj, index, file, found) if found.incomplete or self._lacks_results(found, file, line) else found
        return self._undescribed(obj, index, file, found.reason)

    def _completed(self, obj: Object, index: int, file: str, found: Signature) -> Signature:
        """With the results that another source tells, if it has the same parameters."""
        other = self._undescribed(obj, index, file, "")
        if isinstance(other, NoSignature) or [param.type for param in other.params] != [param.type for param in found.params]:
            return replace(found, incomplete=True)
        return Signature(found.params, other.results)

    def _lacks_results(self, found: Signature, file: str, line: int) -> bool:
        """Whether the source shows another number of results than DWARF, which may leave out unnamed ones."""
        if self.helper is None or not file or any(result.name.startswith("~r") for result in found.results):
            return False
        count = result_count(self.helper.place(file), line)
        return count is not None and count != len(found.results)

    def _undescribed(self, obj: Object, index: int, file: str, reason: str) -> Signature | NoSignature:
        """From all sources but DWARF; reason: why that says nothing."""
        name = obj.sym(index).name
        if FIXED.fullmatch(name):
            return Signature((), ())
        method = method_signature(obj, index, self.table.name_of)
        return method if isinstance(method, Signature) else self._helped(obj, name, file, reason)

    def _helped(self, obj: Object, name: str, file: str, reason: str) -> Signature | NoSignature:
        parsed = parse_func_name(name)
        if self.helper is None or parsed is None or parsed.is_closure:
            return NoSignature(reason)
        asked = [self.helper.exported(parsed.pkg)]
        if self._declared(asked[0], name) is None and "/" in file:
            folder = file.rpartition("/")[0]
            known = {path for path in (path.removeprefix("gofile..") for path in obj.files) if path.rpartition("/")[0] == folder}
            asked.append(self.helper.written(parsed.pkg, tuple(sorted(known))))
        for answer in asked:
            found = self._declared(answer, name)
            if found is not None:
                return found
        reasons = [answer.reason for answer in asked if isinstance(answer, NoSignature)]
        return NoSignature("; ".join([reason, *reasons]) if reasons else f"{reason}; it is not in the package's export data")

    @staticmethod
    def _declared(answer: Mapping[str, Signature] | NoSignature, name: str) -> Signature | None:
        """The function or instance with this symbol name; type parameters replaced by what stands in its brackets."""
        if isinstance(answer, NoSignature) or "[" not in name:
            return None if isinstance(answer, NoSignature) else answer.get(name)
        try:
            found, arguments = answer.get(without_brackets(name)), type_arguments(name)
        except ValueError:
            return None
        if found is None or any(int(number) >= len(arguments) for param in (*found.params, *found.results) for number in TYPE_PARAM.findall(param.type)):
            return None

        def given(params: tuple[Param, ...]) -> list[Param]:
            return [Param(param.name, TYPE_PARAM.sub(lambda match: arguments[int(match[1])], param.type)) for param in params]

        params = given(found.params)
        position = dictionary_position(name)
        if position is not None:
            params.insert(position, DICT)
        return Signature(tuple(params), tuple(given(found.results)))
