"""What is read of Go's own sources: constants, fields of structs, signatures of functions.

Only forms that occur in the files at hand are understood: const blocks of NAME, NAME = EXPR with iota, and comments; structs with one field
or group of fields a line; functions whose parameters have names. Everything else raises NotDerived, which names the file.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable
from pathlib import Path

from objinst.platform.target import targets
from trampolines.arch import ARCHES

SUMS: dict[str, Callable[[int, int], int]] = {"+": operator.add, "-": operator.sub, "|": operator.or_}
PRODUCTS: dict[str, Callable[[int, int], int]] = {"*": operator.mul, "<<": operator.lshift}


class NotDerived(Exception):  # noqa: N818 - a finding, reported with others
    """What could not be derived. what: a noun phrase; place: the file, relative to the GOROOT."""

    def __init__(self, what: str, place: str) -> None:
        super().__init__(f"{place}: {what}")


class Goroot:
    """The sources of one release."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def text(self, place: str) -> str:
        """place: relative to src/. Without comments. Raises NotDerived if there is no such file."""
        try:
            raw = (self.root / "src" / place).read_text("utf-8")
        except OSError as error:
            raise NotDerived(f"the file ({error.strerror})", f"src/{place}") from error
        return re.sub(r"/\*.*?\*/", "", re.sub(r"//[^\n]*", "", raw), flags=re.DOTALL)

    def first(self, *places: str) -> str:
        """The first of several files that is there. Raises NotDerived."""
        found = next((place for place in places if (self.root / "src" / place).exists()), "")
        if not found:
            raise NotDerived("the file", " or ".join(f"src/{place}" for place in places))
        return found

    def constants(self, place: str, first: str) -> dict[str, int]:
        """The values of the const block whose first name is `first`. Raises NotDerived."""
        for body in re.findall(r"^const \(\n(.*?)^\)", self.text(place), re.MULTILINE | re.DOTALL):
            lines = _const_lines(body)
            if lines and lines[0][0] == first:
                return _values(lines)
        raise NotDerived(f"a const block that begins with {first}", f"src/{place}")

    def fields(self, place: str, kind: str) -> tuple[str, ...]:
        """Names of a struct's fields in order, an embedded one by its type's. kind: how its declaration begins. Raises NotDerived."""
        match = re.search(rf"^{re.escape(kind)} struct \{{\n(.*?)^\}}", self.text(place), re.MULTILINE | re.DOTALL)
        if match is None:
            raise NotDerived(f"`{kind} struct`", f"src/{place}")
        return tuple(name for line in match[1].splitlines() if line.strip() for name in _field_names(line.strip()))

    @functools.cached_property
    def foreign(self) -> re.Pattern[str]:
        """Names of files that no build for a supported system and architecture compiles, so far as the names tell (go/build, goodOSArchFile), and those
        of tests. Files for systems other than Unix end in nonunix. Raises NotDerived."""
        place = self.first("internal/syslist/syslist.go", "go/build/syslist.go")
        supported = {one.goos for one in targets() if one.architectures}
        unix = self._keys(place, "unixOS")
        words = {"test", *self._keys(place, "knownOS") - supported, *self._keys(place, "knownArch") - ARCHES.keys(), *({"nonunix"} if supported <= unix else ())}
        return re.compile(rf"_({'|'.join(sorted(words))})(_({'|'.join(ARCHES)}))?\.go$")

    def _keys(self, place: str, name: str) -> set[str]:
        """Of a map from strings, a variable; its first letter may be of either case. Raises NotDerived."""
        match = re.search(rf"^var (?i:{name[0]}){name[1:]} = map\[string\]bool\{{\n(.*?)^\}}", self.text(place), re.MULTILINE | re.DOTALL)
        if match is None:
            raise NotDerived(f"the map {name}", f"src/{place}")
        return set(re.findall(r'"(\w+)":', match[1]))

    def functions(self, package: str) -> dict[str, list[str]]:
        """Signatures of all functions of a package that a supported system compiles, by name and receiver: `F`, `(*T).F`."""
        found: dict[str, list[str]] = {}
        for path in sorted((self.root / "src" / package).glob("*.go")):
            if not self.foreign.search(path.name):
                for receiver, name, rest in re.findall(r"^func (?:\(\w+ (\*?\w+)\) )?(\w+)(\([^\n]*)\{", path.read_text("utf-8"), re.MULTILINE):
                    found.setdefault(f"({receiver}).{name}" if receiver else name, []).append(signature(rest))
        return found

    def body(self, place: str, head: str) -> str:
        """The text of a declaration from its head to the closing brace at the start of a line. Raises NotDerived."""
        match = re.search(rf"^{re.escape(head)}.*?^\}}", self.text(place), re.MULTILINE | re.DOTALL)
        if match is None:
            raise NotDerived(f"`{head}`", f"src/{place}")
        return match[0]


def _const_lines(body: str) -> list[tuple[str, str]]:
    """(name, expression or "")."""
    found = []
    for raw in body.splitlines():
        match = re.fullmatch(r"(\w+)(?:\s+[\w.]+)?(?:\s*=\s*(.+))?", raw.strip())
        if match:
            found.append((match[1], match[2] or ""))
    return found


def _values(lines: list[tuple[str, str]]) -> dict[str, int]:
    """An expression that is neither a number nor a name of the block has no value; who needs it misses it."""
    values: dict[str, int] = {}
    expression = ""
    for iota, (name, given) in enumerate(lines):
        expression = given or expression
        value = evaluate(expression, {**values, "iota": iota})
        if name != "_" and value is not None:
            values[name] = value
    return values


def evaluate(expression: str, names: dict[str, int]) -> int | None:
    """The value of a constant expression; None for one that is not understood. Conversions such as T(iota) count as their operand."""
    words = re.findall(r"\w+|<<|\S", re.sub(r"\b[A-Za-z]\w*\((\w+)\)", r"\1", expression))
    try:
        value = _sum(words, names)
    except (ValueError, IndexError):
        return None
    return None if words else value


def _sum(words: list[str], names: dict[str, int]) -> int:
    """Takes the words that it has understood. Go's operators have five precedences; two of them occur here."""
    value = _product(words, names)
    while words and words[0] in SUMS:
        value = SUMS[words.pop(0)](value, _product(words, names))
    return value


def _product(words: list[str], names: dict[str, int]) -> int:
    value = _operand(words, names)
    while words and words[0] in PRODUCTS:
        value = PRODUCTS[words.pop(0)](value, _operand(words, names))
    return value


def _operand(words: list[str], names: dict[str, int]) -> int:
    word = words.pop(0)
    if word == "-":
        return -_operand(words, names)
    if word == "(":
        value = _sum(words, names)
        if words.pop(0) != ")":
            raise ValueError(word)
        return value
    return names[word] if word in names else int(word, 0)


def _field_names(line: str) -> list[str]:
    match = re.match(r"(\w+(?:, *\w+)*)\s+\S", line)
    if match:
        return re.split(r", *", match[1])
    return [line.lstrip("*").rpartition(".")[2]]


def signature(text: str) -> str:
    """Types alone: `(c *hchan, elem unsafe.Pointer) (received bool)` is `(*hchan, unsafe.Pointer) (bool)`. text: what follows the name."""
    end = _closing(text)
    params, results = text[1:end], text[end + 1 :].strip()
    if results.startswith("("):
        inner = _split(results[1:-1])
        has_names = any(re.match(r"\w+ ", part) and not part.startswith(("chan ", "func ")) for part in inner)
        results = f"({', '.join(_types(inner) if has_names else inner)})"
    return f"({', '.join(_types(_split(params)))}) {results}".rstrip()


def _types(parts: list[str]) -> list[str]:
    """Of `name type` and, before one of these, `name`."""
    found: list[str] = []
    kind = ""
    for part in reversed(parts):
        kind = part.partition(" ")[2] or kind
        found.append(kind)
    return found[::-1]


def _split(text: str) -> list[str]:
    """At the commas that no bracket surrounds."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()] if text.strip() else []


def _closing(text: str) -> int:
    """Index of the bracket that closes the first one."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if not depth:
            return at
    return len(text)
