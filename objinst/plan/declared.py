"""Finds the source function of a symbol's code: a closure belongs to the package that contains its text, wherever it was compiled.

When a function is inlined, its closures are compiled again with the caller. Up to Go 1.26 their symbols have the caller's package:
`main.run.Bar.func3` is the third closure of `main.run`, and its source is in `lib.Bar` (cmd/compile/internal/ir/func.go, closureName: the caller,
the names of the functions inlined one into the other without their packages, a suffix). The caller's FuncInfo.InlTree names their
packages, unless no other code of the inlined call is left. Then the folder of the closure's source file shows the package. From Go 1.27
on, the symbol has the name of the function that contains the closure.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from objinst.goobj import FuncInfo, InlNode, Load, Object, pctab
from objinst.goobj.funcinfo import NO_NODES
from objinst.rules import FuncName, parse_func_name

SUFFIX = re.compile(r"(\.(func)?\d+|-range\d+)+")
"""What closureName appends to the function that a closure stands in."""
BOUNDARY = re.compile(r"[.-]")


class Declared:
    """The functions of one object as in its sources. load: the object of a package of the link, None if there is none; needed because references
    to other packages do not always have names. Every method raises ObjectError."""

    def __init__(self, obj: Object, load: Load = lambda _: None) -> None:
        self.obj = obj
        self.load = load

    @functools.cached_property
    def _text(self) -> dict[str, int]:
        return {self.obj.name(index): index for index in self.obj.text_symbols()}

    @functools.cached_property
    def folders(self) -> frozenset[str]:
        """Folders of the package's own sources: those of functions that are compiled nowhere else."""
        names = ((parse_func_name(symbol), index) for symbol, index in self._text.items())
        found = {self._folder(index) for name, index in names if name is not None and not name.is_closure and not name.type_args}
        return frozenset(found - {""})

    def name(self, index: int) -> FuncName | None:
        """The name for rules; None for generated code. If the package of a closure is not known, its folder stands for it."""
        symbol = self.obj.name(index)
        name = parse_func_name(symbol)
        if name is None or not name.is_closure:
            return name
        source, whole = self._source(symbol)
        folder = "" if whole else self._folder(index)
        if not folder or not self.folders or folder in self.folders:
            return parse_func_name(source)
        others = ((package, self.load(package)) for package, _ in self.obj.autolib if _may_lie_in(package, folder))
        package = next((package for package, obj in others if obj is not None and folder in Declared(obj).folders), folder)
        return FuncName(package, "", _local(source))

    def packages(self, index: int) -> Iterator[str]:
        """Packages that may contain the text of a closure or of an instance of a generic function: the symbol's package and, for a closure that
        was inlined, those whose sources may be in its folder. Empty for other functions. This reads no other object."""
        symbol = self.obj.name(index)
        name = parse_func_name(symbol)
        if name is None or not (name.is_closure or name.type_args):
            return
        yield name.pkg
        outer = self._outer(symbol) if name.is_closure else ""
        folder = self._folder(index) if outer and not SUFFIX.fullmatch(symbol, len(outer)) else ""
        if folder and folder not in self.folders:
            inlined = {package for node in self._tree(outer) if (package := self.obj.resolve(node.func).package)}
            imported = {package for package, _ in self.obj.autolib}
            yield from inlined
            yield from (package for package in imported - inlined if _may_lie_in(package, folder))

    def _folder(self, index: int) -> str:
        """The folder of the source file of a function's first instruction; "" if there is none."""
        table = self.obj.aux_data(index, "AuxPcfile")
        number = pctab.first(table) if table else -1
        return (self.obj.source(number) or "").rpartition("/")[0]

    def _source(self, symbol: str) -> tuple[str, bool]:
        """The symbol that a closure would have in the package of its source, and whether that is certain: only its name was needed, or all was found."""
        outer = self._outer(symbol)
        if not outer:
            return symbol, True
        start = len(outer)
        if SUFFIX.fullmatch(symbol, start):
            source, whole = self._source(outer)
            return source + symbol[start:], whole
        best, around = "", ""
        tree = self._tree(outer)
        for number in range(len(tree)):
            chain = [self._callee(node) for node in _chain(tree, number)]
            text = "".join(f".{_local(callee)}" for callee in chain)
            if len(text) > len(best) and symbol.startswith(text, start) and SUFFIX.fullmatch(symbol, start + len(text)):
                best, around = text, chain[-1]
        if not best:
            return symbol, False
        source, whole = self._source(around)
        return source + symbol[start + len(best) :], whole

    def _outer(self, symbol: str) -> str:
        """The function of this object with the longest name that a closure's name begins with; "" if there is none."""
        ends = [match.start() for match in BOUNDARY.finditer(symbol)]
        return next((symbol[:end] for end in reversed(ends) if symbol[:end] in self._text), "")

    def _tree(self, symbol: str) -> tuple[InlNode, ...]:
        data = self.obj.aux_data(self._text[symbol], "AuxFuncInfo")
        return () if data is None or len(data) <= NO_NODES else FuncInfo.parse(data, f"{self.obj.origin}: {symbol}").inl_tree

    def _callee(self, node: InlNode) -> str:
        found = self.obj.resolve(node.func)
        other = self.load(found.package) if found.package and not found.name else None
        return other.name(node.func.idx) if other is not None and node.func.idx < other.n_defs else found.name


def _chain(tree: tuple[InlNode, ...], number: int) -> list[InlNode]:
    """A call and the calls around it, outermost first."""
    chain: list[InlNode] = []
    while 0 <= number < len(tree) and len(chain) < len(tree):
        chain.insert(0, tree[number])
        number = tree[number].parent
    return chain


def _may_lie_in(package: str, folder: str) -> bool:
    """Whether the sources of a package may be in a folder: the last elements of both paths agree, apart from versions."""
    element = re.sub(r"/v\d+$", "", package).rpartition("/")[2]
    return element.lower() in re.sub(r"@[^/]*|!", "", folder).split("/")[-2:]


def _local(symbol: str) -> str:
    """A symbol without its package, as it appears in the names of closures."""
    head = re.split(r"[(\[]", symbol, maxsplit=1)[0]
    return symbol[symbol.find(".", head.rfind("/") + 1) + 1 :]
