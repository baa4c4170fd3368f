"""The folder of one Go minor version, derived from its GOROOT: objects.json, dwarf.json, runtime.json.

Everything that otelobj relies on is looked at (needs.py): what is not as expected, or not understood, is collected, and then nothing is
derived at all. Numbers may move freely.
"""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from objinst.errors import OtelobjError
from objinst.goversions import needs
from objinst.goversions.source import Goroot, NotDerived

ABI, SYMTAB, GOOBJ, OBJABI, DWARF = "internal/abi/type.go", "internal/abi/symtab.go", needs.OBJECT_FILE, "cmd/internal/objabi/", "cmd/internal/dwarf/"
ENTRY = re.compile(r"\{(?:0|DW_TAG_(?P<tag>\w+)),(?:0|DW_CHILDREN_(?P<children>\w+)),\[\]dwAttrForm\{(?P<attrs>(?:\{DW_AT_\w+,DW_FORM_\w+\},?)*)\},?\},?")
ATTR = re.compile(r"\{DW_AT_(\w+),DW_FORM_(\w+)\}")
PSEUDO_FORMS = ("lo_pc_pseudo", "hi_pc_pseudo", "udata_pseudo")

Files = dict[str, str]
T = TypeVar("T")


def derive(root: Path) -> tuple[str, Files]:
    """The minor version of a GOROOT, and its files by name. Raises OtelobjError, which names all that could not be derived, and from where."""
    go = minor(root)
    source, missing, files = Goroot(root), _Missing(), {}
    objects = {name: missing.tried(read, source) for name, read in OBJECTS.items()}
    if not missing:
        missing.note(_names({name: table for name, table in objects.items() if isinstance(table, dict)}))
        files["objects.json"] = json.dumps({"go": go, **objects}, indent=1, sort_keys=True) + "\n"
    files["dwarf.json"] = missing.tried(functools.partial(dwarf, version=go), source) or ""
    functions, problems = missing.tried(runtime_functions, source) or ({}, [])
    missing.note(problems)
    facts = {"functions": functions, "program_flag": missing.tried(program_flag, source), "bracket_pairs": missing.tried(bracket_pairs, source)}
    files["runtime.json"] = json.dumps(facts, indent=1, sort_keys=True) + "\n"
    for check in CHECKS:
        missing.checked(check, source)
    if missing:
        raise OtelobjError(
            "\n".join([f"Go {go} is not known to this otelobj beyond its numbers. Not derived:", *(f"  {one}" for one in missing)]),
            "change the code that relies on each of them, then objinst/goversions/needs.py; docs/contributing/go-version.md says how to find it",
        )
    return go, files


def minor(root: Path) -> str:
    """The minor version of a release. Raises OtelobjError."""
    try:
        match = re.match(r"go(1\.\d+)", (root / "VERSION").read_text())
    except OSError as error:
        raise OtelobjError(f"{root}/VERSION: {error.strerror}", "name the GOROOT of a release (`go env GOROOT`)") from error
    if match is None:
        raise OtelobjError(f"{root}/VERSION: no release", "name the GOROOT of a release (`go env GOROOT`)")
    return match[1]


class _Missing(list[str]):
    """What could not be derived."""

    def tried(self, read: Callable[[Goroot], T], source: Goroot) -> T | None:
        try:
            return read(source)
        except NotDerived as error:
            self.append(str(error))
            return None

    def note(self, problems: Iterable[NotDerived]) -> None:
        self += map(str, problems)

    def checked(self, check: Callable[[Goroot], Iterable[NotDerived]], source: Goroot) -> None:
        try:
            self.note(check(source))
        except NotDerived as error:
            self.append(str(error))


# objects.json

def builtins(go: Goroot) -> list[str]:
    """Functions of the runtime that the compiler calls of its own accord, by number."""
    place = "cmd/internal/goobj/builtinlist.go"
    found = re.findall(r'^\t\{"([^"]+)", \d+\},', go.text(place), re.MULTILINE)
    if not found:
        raise NotDerived("the list of builtins", f"src/{place}")
    return found


OBJECTS: dict[str, Callable[[Goroot], dict[str, int] | list[str]]] = {
    "kinds": lambda go: {n: v for n, v in go.constants(f"{OBJABI}symkind.go", "Sxxx").items() if not n.startswith("SABI")},
    "relocs": lambda go: {n: v for n, v in go.constants(f"{OBJABI}reloctype.go", "R_ADDR").items() if re.match("R_(?!WEAK.)", n)},  # not those with R_WEAK
    "obj_flags": lambda go: go.constants(GOOBJ, "ObjFlagShared"),
    "sym_flags": lambda go: go.constants(GOOBJ, "SymFlagDupok"),
    "sym_flags2": lambda go: go.constants(GOOBJ, "SymFlagUsedInIface"),
    "aux": lambda go: go.constants(GOOBJ, "AuxGotype"),
    "func_ids": lambda go: go.constants(SYMTAB, "FuncIDNormal"),
    "func_flags": lambda go: go.constants(SYMTAB, "FuncFlagTopFrame"),
    "pcdata": lambda go: go.constants(SYMTAB, "PCDATA_UnsafePoint"),
    "builtins": builtins,
}
PLACES = {
    "kinds": f"src/{OBJABI}symkind.go", "relocs": f"src/{OBJABI}reloctype.go", "obj_flags": f"src/{GOOBJ}", "sym_flags": f"src/{GOOBJ}",
    "sym_flags2": f"src/{GOOBJ}", "aux": f"src/{GOOBJ}", "func_ids": f"src/{SYMTAB}", "func_flags": f"src/{SYMTAB}", "pcdata": f"src/{SYMTAB}",
}  # fmt: skip


def _names(tables: dict[str, dict[str, int]]) -> Iterable[NotDerived]:
    for table, names in needs.CONSTANTS.items():
        for name in names:
            if name not in tables[table]:
                yield NotDerived(f"the constant {name}", PLACES[table])
    for table, values in needs.VALUES.items():
        for name, value in values.items():
            if tables[table].get(name, value) != value:
                yield NotDerived(f"{name} = {tables[table][name]}, not {value}", PLACES[table])


# dwarf.json


def dwarf(go: Goroot, version: str) -> str:
    """The abbreviations of the compiler's DIEs: rows of `abbrevs`, then those of `putvarAbbrevs` where the constants end in PUTVAR_START."""
    place = f"{DWARF}dwarf.go"
    names = re.search(r"^const \(\n\tDW_ABRV_NULL = iota\n(.*?)^\)", go.text(place), re.DOTALL | re.MULTILINE)
    if names is None:
        raise NotDerived("a const block that begins with DW_ABRV_NULL", f"src/{place}")
    order = ["NULL", *re.findall(r"^\tDW_ABRV_(\w+)", names[1], re.MULTILINE)]
    rows = abbreviations(go, place, "abbrevs")
    is_split = order[-1] == "PUTVAR_START"
    order = order[:-1] if is_split else order
    if len(order) != len(rows):
        raise NotDerived(f"{len(order)} DW_ABRV constants for {len(rows)} abbreviations", f"src/{place}")
    if is_split:
        rows += abbreviations(go, f"{DWARF}putvarabbrevgen.go", "putvarAbbrevs")
    body = go.body(place, "func expandPseudoForm(")
    unknown = {form for row in rows for _, form in row["attrs"] if form.endswith("_pseudo")} - set(PSEUDO_FORMS)  # type: ignore[attr-defined]
    if unknown or not all(f"DW_FORM_{form}" in body for form in PSEUDO_FORMS if "pc" not in form):
        raise NotDerived(f"what the pseudo forms {', '.join(sorted(unknown or PSEUDO_FORMS))} stand for", f"src/{place}")
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    return f'{{"go": {json.dumps(version)},\n "names": {json.dumps(order)},\n "abbrevs": [\n{lines}\n]}}\n'


def abbreviations(go: Goroot, place: str, variable: str) -> list[dict[str, object]]:
    """The rows of `var VARIABLE = []dwAbbrev{…}`. Raises NotDerived if one is not understood."""
    match = re.search(rf"^var {variable} = \[\w*\]dwAbbrev\{{\n(.*?)^\}}", go.text(place), re.DOTALL | re.MULTILINE)
    if match is None:
        raise NotDerived(f"the variable {variable}", f"src/{place}")
    body = re.sub(r"\s", "", match[1])
    left = ENTRY.sub("", body)
    if left:
        raise NotDerived(f"a row of {variable}: {left[:60]}", f"src/{place}")
    return [{"tag": m["tag"] or "", "children": m["children"] == "yes", "attrs": ATTR.findall(m["attrs"])} for m in ENTRY.finditer(body)]


# runtime.json


def runtime_functions(go: Goroot) -> tuple[dict[str, str], list[NotDerived]]:
    """Those of needs.FUNCTIONS and one of the alternatives, with their signatures; and what is missing."""
    present = go.functions("runtime")
    found: dict[str, str] = {}
    problems: list[NotDerived] = []
    alternatives = [each for each in needs.ALTERNATIVES if all(_go_name(symbol) in present for symbol in each)]
    if len(alternatives) != 1:
        described = " or ".join(" and ".join(each) for each in needs.ALTERNATIVES)
        problems.append(NotDerived(f"who runs finalizers: {described}", "src/runtime"))
    for symbol, known in {**needs.FUNCTIONS, **(alternatives[0] if len(alternatives) == 1 else {})}.items():
        has = set(present.get(_go_name(symbol), ()))
        if not has:
            problems.append(NotDerived(f"the function {symbol}", "src/runtime"))
        elif len(has) > 1 or not has <= set(known):
            problems.append(NotDerived(f"{symbol}{' and '.join(sorted(has))}, which is known as {' and '.join(known)}", "src/runtime"))
        else:
            found[symbol] = has.pop()
    coroutine = go.body("runtime/coro.go", "func corostart(")
    if needs.CORO_DEFER in coroutine:
        found[needs.CORO_START] = "()"
    elif "coroexit(" not in coroutine:
        problems.append(NotDerived("where a coroutine ends: corostart calls no coroexit", "src/runtime/coro.go"))
    return found, problems


def _go_name(symbol: str) -> str:
    return needs.LINKNAMED.get(symbol, symbol.removeprefix("runtime."))


def program_flag(go: Goroot) -> str:
    """Which flag of a type descriptor says that GCData is no mask."""
    text = go.text(ABI)
    for name, value in needs.PROGRAM_FLAGS:
        match = re.search(rf"^\t{name}(?:\s+\w+)?\s*= 1 << (\d+)", text, re.MULTILINE)
        if match and 1 << int(match[1]) == value:
            return name
    raise NotDerived(f"which flag says that GCData is no mask: {' or '.join(name for name, _ in needs.PROGRAM_FLAGS)}", f"src/{ABI}")


def bracket_pairs(go: Goroot) -> int:
    """How many pairs of brackets the runtime prints of a function's name."""
    match = re.search(r"^func funcNamePiecesForPrint\(name string\) \(([^)]*)\)", go.text("runtime/traceback.go"), re.MULTILINE)
    pairs = needs.BRACKET_PAIRS.get(len(match[1].split(","))) if match else None
    if pairs is None:
        raise NotDerived("what funcNamePiecesForPrint prints of a name", "src/runtime/traceback.go")
    return pairs


# layouts


def _object_format(go: Goroot) -> Iterable[NotDerived]:
    blocks = go.constants(GOOBJ, needs.BLOCKS[0])
    if tuple(sorted(blocks, key=blocks.__getitem__)) != needs.BLOCKS:
        yield NotDerived("the blocks of an object file: others than before", f"src/{GOOBJ}")
    indices = go.constants(GOOBJ, "PkgIdxNone")
    if any(indices.get(name) != value for name, value in needs.PACKAGE_INDICES.items()):
        yield NotDerived("the special package indices: others than before", f"src/{GOOBJ}")
    text = go.text(GOOBJ)
    for line in needs.LINES[GOOBJ]:
        if not re.search(rf"^{re.escape(line)}\s*$", text, re.MULTILINE):
            yield NotDerived(f"`{line}`", f"src/{GOOBJ}")


def _structs(go: Goroot) -> Iterable[NotDerived]:
    for (place, kind), expected in needs.STRUCTS.items():
        yield from _compared(go, place, kind, expected, "exactly")
    for (place, kind), wanted in needs.FIELDS.items():
        yield from _compared(go, place, kind, wanted, "among others")
    for (place, kind), first in needs.BEGINNINGS.items():
        yield from _compared(go, place, kind, first, "first")


MATCHES: dict[str, Callable[[tuple[str, ...], tuple[str, ...]], bool]] = {
    "exactly": operator.eq,
    "among others": lambda found, expected: set(expected) <= set(found),
    "first": lambda found, expected: found[: len(expected)] == expected,
}


def _compared(go: Goroot, place: str, kind: str, expected: tuple[str, ...], how: str) -> Iterable[NotDerived]:
    try:
        found = go.fields(place, kind)
    except NotDerived as error:
        yield error
    else:
        if not MATCHES[how](found, expected):
            yield NotDerived(f"the layout of `{kind}`: its fields are {', '.join(found)}; expected are {how} {', '.join(expected)}", f"src/{place}")


def _maps(go: Goroot) -> Iterable[NotDerived]:
    present = [(place, kind) for place, kind in needs.MAP_TYPES if (go.root / "src" / place).exists() and f"{kind} struct" in go.text(place)]
    if not present:
        yield NotDerived("the type of maps", f"src/{needs.MAP_TYPES[0][0]}")
    for place, kind in present:
        yield from _compared(go, place, kind, needs.MAP_BEGINNING, "first")


def _kinds(go: Goroot) -> Iterable[NotDerived]:
    kinds = go.constants(ABI, "Invalid")
    if tuple(sorted(kinds, key=kinds.__getitem__)) != needs.KINDS:
        yield NotDerived("the numbers of kinds of types: others than before", f"src/{ABI}")


def _function_table(go: Goroot) -> Iterable[NotDerived]:
    texts = [(place, go.text(place)) for place in ("cmd/link/internal/ld/pcln.go", SYMTAB)]
    if not any("0xfffffff1" in text for _, text in texts):
        yield NotDerived("the magic 0xfffffff1 of the table of functions in linked programs", f"src/{texts[0][0]}")
    current = re.search(r"^\tCurrentPCLnTabMagic\s*= (\w+)", texts[1][1], re.MULTILINE)
    if current and current[1] != "Go120PCLnTabMagic":
        yield NotDerived(f"CurrentPCLnTabMagic = {current[1]}", f"src/{SYMTAB}")


CHECKS: tuple[Callable[[Goroot], Iterable[NotDerived]], ...] = (_object_format, _structs, _maps, _kinds, _function_table)
