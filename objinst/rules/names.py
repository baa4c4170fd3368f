"""Names of functions as the linker knows them, and the globs that rules write for packages, functions and receivers.

Symbol names are made by cmd/compile (ir/func.go, closureName; types/sym.go; reader.go, methodSym; Go 1.22-1.27) and their package
paths escaped by cmd/internal/objabi, PathToPrefix: `net/http.(*Transport).roundTrip`, `net/http.serverHandler.ServeHTTP`,
`main.f.func1`, `slices.Sort[go.shape.[]int,go.shape.int]`, `sync/atomic.(*Pointer[main.T]).Load`, `gopkg.in/yaml%2ev3.Unmarshal`.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

GENERATED = re.compile(r"-fm$|(^|\.)(deferwrap|gowrap)\d+$")
"""Wrappers of the compiler's own: method values, deferred and go'ed calls."""
CLOSURE_PART = re.compile(r"(func\d+|\d+|)(-range\d+)?(\.|$)")
"""What follows a function's name in its closures, range bodies and numbered init functions; empty after `glob.`."""
NOT_SOURCE = ("type:", "go:", "go.shape.", "_cgo")
GLOB = "*?[{"
CLOSING = {"[": "]", "(": ")", "{": "}"}


IMPORT_CHARACTERS = frozenset("-._~+ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
RESERVED = re.compile(r"(con|com[1-9]|lpt[1-9]|prn|aux|nul)(\..*)?|.*~\d+(\..*)?", re.IGNORECASE)
"""Elements of paths that Windows gives a meaning of its own."""


def import_path_error(path: str) -> str:
    """Why the go command takes a text for no import path; "" if it does (golang.org/x/mod/module, CheckImportPath, v0.30)."""
    if not path:
        return "empty string"
    if path[0] == "-":
        return "leading dash"
    for element in path.split("/"):
        if not element:
            return "empty path element"
        if set(element) == {"."} or element[-1] == ".":
            return f"path element {element!r} ends in a dot"
        if not IMPORT_CHARACTERS.issuperset(element):
            return f"invalid character in {element!r}"
        if RESERVED.fullmatch(element):
            return f"path element {element!r} is reserved"
    return ""


@dataclass(frozen=True, slots=True)
class FuncName:
    """A linker symbol taken apart: `net/http.(*Transport).roundTrip` is net/http, *Transport, roundTrip.

    recv: without type arguments, "" for a function that is no method. name: with a closure's suffix (`f.func1`).
    type_args: `[…]` of the function or its receiver, "" without.
    """

    pkg: str
    recv: str
    name: str
    type_args: str = ""

    @property
    def is_closure(self) -> bool:
        """A closure, a range-over-func body, or an init function."""
        return "." in self.name or "-" in self.name


@functools.cache
def parse_func_name(symbol: str) -> FuncName | None:
    """None for generated code: type algorithms, methods of interface and shape types, wrappers for method values, deferred and go'ed calls, cgo's own."""
    if symbol.startswith(NOT_SOURCE) or GENERATED.search(symbol):
        return None
    head = re.split(r"[(\[]", symbol, maxsplit=1)[0]
    dot = symbol.find(".", head.rfind("/") + 1, len(head))
    if dot <= 0:
        return None
    pkg, rest = unquote(symbol[:dot]), symbol[dot + 1 :]
    if rest.startswith("("):
        end = _closing(rest, 0)
        base, bracket, args = rest[1:end].partition("[")
        name = rest[end + 1 :]
        return FuncName(pkg, base, name[1:], bracket + args) if name[:1] == "." and len(name) > 1 else None
    match = re.match(r"[^.\[]+", rest)
    if match is None:
        return None
    end = _closing(rest, match.end()) + 1 if rest[match.end() : match.end() + 1] == "[" else match.end()
    first, args, tail = match[0], rest[match.end() : end], rest[end:]
    if not tail or (tail[0] == "." and CLOSURE_PART.match(tail, 1)):
        return FuncName(pkg, "", first + tail, args)
    if tail[0] != ".":
        return FuncName(pkg, "", first + tail, args) if tail[0] == "-" else None
    return FuncName(pkg, first, tail[1:], args)


def printed(symbol: str, pairs: int) -> str:
    """A symbol as tracebacks and runtime.Func.Name have it (runtime/traceback.go, funcNamePiecesForPrint). pairs: of brackets, at most
    (RuntimeTable.bracket_pairs).

    With one pair everything from the first bracket to the last is left out. With two, the first brackets' contents and, where more stand
    beside them, what the last ones hold: methods have type parameters of their own.
    """
    start, end = symbol.find("["), symbol.rfind("]")
    if start < 0 or end <= start:
        return symbol
    outside, inside, rest = symbol[:start], symbol[start + 1 : end], symbol[end + 1 :]
    if pairs < 2 or "[" not in inside:
        return f"{outside}[...]{rest}"
    depth, closed = 1, -1
    for at, char in enumerate(inside):
        depth += (char == "[") - (char == "]")
        if depth < 0:
            return symbol
        if char == "[" and depth == 1:
            return f"{outside}[...]{inside[closed + 1 : at]}[...]{rest}"
        if char == "]" and depth == 0:
            closed = at
    return f"{outside}[...]{rest}" if depth == 1 else symbol


def _closing(text: str, at: int) -> int:
    """Index of the bracket that closes the one at `at`; the last index of the text if none does. Struct tags are quoted."""
    depth = 0
    quoted = False
    opening, closing = text[at], CLOSING[text[at]]
    skip = False
    for index in range(at, len(text)):
        char = text[index]
        if skip:
            skip = False
        elif char == '"':
            quoted = not quoted
        elif quoted:
            skip = char == "\\"
        elif char == opening:
            depth += 1
        elif char == closing:
            depth -= 1
            if depth == 0:
                return index
    return len(text) - 1


@functools.cache
def is_glob(pattern: str) -> bool:
    """Whether a pattern can match more than itself. A receiver's own leading `*` is not a glob: strip it before."""
    return any(char in pattern for char in GLOB)


def matches_package(pattern: str, package: str) -> bool:
    """`*`, `?`, `[a-z]`, `{a,b}` within a path element; `**` as an element of its own: any number of elements."""
    return pattern == package or (is_glob(pattern) and path_glob(pattern).fullmatch(package) is not None)


def matches_func(pattern: str, name: FuncName) -> bool:
    """A closure matches `*`, and patterns with its suffix in them; `handle*` does not mean the closures of handlers."""
    if name.is_closure and pattern != "*" and "." not in pattern and "-" not in pattern:
        return False
    return pattern == name.name or (is_glob(pattern) and name_glob(pattern).fullmatch(name.name) is not None)


def matches_recv(pattern: str, recv: str) -> bool:
    """`*DB` is a pointer receiver, `DB` a value; `*` alone any receiver, `**` any pointer."""
    if pattern == "*":
        return bool(recv)
    if pattern.startswith("*") != recv.startswith("*"):
        return False
    base, wanted = recv.removeprefix("*"), pattern.removeprefix("*")
    return base == wanted or (bool(base) and is_glob(wanted) and name_glob(wanted).fullmatch(base) is not None)


# Globs become regular expressions that never go back: what a `*` skips is taken as far as the next text, the first time it is found, and stays
# taken (atomic groups). For globs that is as good as every other try, so a match takes a time in proportion to pattern and name.

MAX_ALTERNATIVES = 200
"""Globs that one with braces may stand for."""
MAX_LENGTH = 500
MAX_BRACES = 20
MAX_REGEX = 30_000
"""Characters of a glob's regular expression."""
STAR = "*"
Glob = tuple[str, ...]
"""A glob without braces: regular expressions of one character each, and STAR."""


@functools.cache
def path_glob(pattern: str) -> re.Pattern[str]:
    """Raises ValueError for a damaged class or alternation, or if the pattern is too large (_compile), and re.error for a damaged class."""
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH} characters")
    elements = [[(DEEP,)] if element == DEEP else alternatives(element) for element in pattern.split("/")]
    if math.prod(map(len, elements)) > MAX_ALTERNATIVES:
        raise ValueError(f"more than {MAX_ALTERNATIVES} alternatives in {pattern}")
    return _compile(pattern, (_path(list(choice)) for choice in itertools.product(*elements)))


def _compile(pattern: str, regexes: Iterable[str]) -> re.Pattern[str]:
    """Raises ValueError if the regular expression is longer than MAX_REGEX: package re takes some 7 µs for a character."""
    regex = "|".join(regexes)
    if len(regex) > MAX_REGEX:
        raise ValueError(f"too many alternatives of too much text in {pattern}")
    return re.compile(regex)


DEEP = "**"
"""As an element of a path: any number of elements."""


def _path(elements: list[Glob]) -> str:
    """The regular expression of a path without braces. Between two `**` stands a fixed number of elements, which are found together."""
    runs: list[list[str]] = [[]]
    for element in elements:
        if element == (DEEP,):
            runs.append([])
        else:
            runs[-1].append(sequence(element, "[^/]", r"(?=/|\Z)"))
    first, *others = ["/".join(run) for run in runs]
    is_first_deep = elements[0] == (DEEP,)
    between = [run for run in others[:-1] if run]
    last = others[-1] if others else ""
    if not others:
        return first
    if is_first_deep and not between:
        return f"(?:.*?/)??{last}" if last else ".*"
    regex = first
    for number, run in enumerate([*between, *([last] if last else [])]):
        skip = r"(?:.*?/)??" if is_first_deep and number == 0 else r"(?:/.*?)??/"
        regex += f"(?>{skip}{run}" + (r"\Z)" if last and number == len(between) else ")")
    return regex if last else regex + "(?:/.*)?"


@functools.cache
def name_glob(pattern: str) -> re.Pattern[str]:
    """Raises ValueError or re.error as path_glob does."""
    return _compile(pattern, (sequence(one, ".", r"\Z") for one in alternatives(pattern)))


def sequence(tokens: Glob, any_char: str, end: str) -> str:
    """The regular expression of a glob without braces. any_char: what `*` and `?` stand for; end: what must hold after it."""
    parts: list[list[str]] = [[]]
    for part in tokens:
        if part == STAR:
            parts.append([])
        else:
            parts[-1].append(any_char if part == "?" else part)
    first, *others = ["".join(part) for part in parts]
    found = "".join(f"(?>{any_char}*?{part})" for part in others[:-1] if part)
    if not others:
        return first + end
    return first + found + (f"(?>{any_char}*?{others[-1]}{end})" if others[-1] else f"{any_char}*+{end}")


def alternatives(pattern: str) -> list[Glob]:
    """The globs without braces that a glob stands for. Raises ValueError if brackets do not close or there are more than MAX_ALTERNATIVES."""
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH} characters")
    found, at = _alternatives(pattern, 0, 0)
    assert at == len(pattern)
    return found


def _alternatives(pattern: str, at: int, nested: int) -> tuple[list[Glob], int]:
    """From `at` to the end of the pattern or, nested in so many braces, after the closing one."""
    if nested > MAX_BRACES:
        raise ValueError(f"more than {MAX_BRACES} braces inside each other in {pattern}")
    done: list[Glob] = []
    open_ones: list[Glob] = [()]
    while at < len(pattern):
        char = pattern[at]
        at += 1
        more: list[Glob]
        if char == "[":
            end = pattern.find("]", at + 1)
            if end < 0:
                raise ValueError(f"[ is not closed in {pattern}")
            more = [(_class(pattern[at:end]),)]
            at = end + 1
        elif char == "{":
            more, at = _alternatives(pattern, at, nested + 1)
        elif nested and char == "}":
            return [*done, *open_ones], at
        elif nested and char == ",":
            done += open_ones
            open_ones = [()]
            continue
        else:
            more = [(char if char in "*?" else re.escape(char),)]
        if len(done) + len(open_ones) * len(more) > MAX_ALTERNATIVES:
            raise ValueError(f"more than {MAX_ALTERNATIVES} alternatives in {pattern}")
        open_ones = [one + tail for one in open_ones for tail in more]
    if nested:
        raise ValueError(f"{{ is not closed in {pattern}")
    return open_ones, at


def _class(content: str) -> str:
    """`[a-z]` or `[!a-z]`, neither of which is a slash. Raises re.error for a range that is none."""
    content = content.replace("\\", "\\\\").replace("[", "\\[")
    regex = "(?!/)[" + ("^" + content[1:] if content[0] in "!^" else content) + "]"
    re.compile(regex)
    return regex
