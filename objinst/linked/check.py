"""Checks that a linked program matches its report: stubs in front of bodies, descriptors, patched returns, the goroutine slot.

Everything is read from the program. A function that is missing altogether was dropped by the linker, because nothing reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import trampolines
from objinst import VERSION
from objinst.errors import OtelobjError
from objinst.link.report import Report
from objinst.linked.program import DAMAGE, Func, Program
from objinst.linked.source import offsets
from objinst.plan.model import Status, Target

RT = "github.com/otelobj/otelobj/hooks/rt"
DESC_HAS_EXIT = 2
TYPE_PTRBYTES, TYPE_GCDATA = 8, 32
"""Offsets in bytes of abi.Type's fields (internal/abi/type.go)."""


@dataclass(slots=True)
class Verdict:
    """hooked, dropped: functions whose stub is there, and those that the linker left out. problems: sentences."""

    hooked: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    slot: str = ""


def verify(program: Program, report: Report) -> Verdict:
    """Raises OtelobjError if report and program cannot be compared at all."""
    if report.otelobj_version != VERSION:
        raise OtelobjError(f"the report is of otelobj {report.otelobj_version}, this is {VERSION}", "verify with the otelobj that linked the program")
    if (report.goos, report.goarch) != (program.goos, program.goarch):
        raise OtelobjError(f"the report is for {report.goos}/{report.goarch}, {program.path} for {program.goos}/{program.goarch}", "name the report of this program")
    try:
        return _verdict(_Checker(program, sum(target.status is Status.HOOKED for target in report.targets)), report)
    except DAMAGE as error:
        raise program.error(f"damaged: {error}") from error


def _verdict(checker: _Checker, report: Report) -> Verdict:
    verdict = Verdict()
    for symbol, targets in _by_symbol(report.targets).items():
        # An assembly function is never hooked; its wrapper for Go callers may be, and the linker drops it where only assembly calls the function.
        copies = [func for func in checker.program.copies(symbol) if not func.assembly]
        if not copies:
            verdict.dropped.append(symbol)
            continue
        problems = list(checker.function(symbol, targets, copies))
        verdict.problems += [f"{symbol}: {problem}" for problem in problems]
        if not problems:
            verdict.hooked.append(symbol)
    if RT in report.packages_linked_in and not any(name.startswith(f"{RT}.") for name in checker.program.functions):
        verdict.problems.append("hooks/rt is not in it")
    if checker.descriptors:
        problems, verdict.slot = checker.runtime()
        verdict.problems += problems
    return verdict


def _by_symbol(targets: Iterable[Target]) -> dict[str, list[Target]]:
    found: dict[str, list[Target]] = {}
    for target in targets:
        if target.status is Status.HOOKED:
            found.setdefault(target.symbol, []).append(target)
    return found


class _Checker:
    """most: descriptors that the program can have. descriptors: addresses of those found, by function."""

    def __init__(self, program: Program, most: int) -> None:
        self.program = program
        self.most = most
        self.arch = trampolines.readback(program.goarch)
        self.starts = {func.start: func for functions in program.functions.values() for func in functions}
        self.desc = offsets("Desc")
        self.descriptors: dict[str, int] = {}

    def function(self, symbol: str, targets: list[Target], copies: list[Func]) -> Iterator[str]:
        """What is wrong with one hooked function."""
        entries = [(func, read) for func in copies if (read := self._entry(func))]
        counts = [target for func in copies if (target := self.arch.read_count(self.program.code(func), func.start)) is not None]
        yield from (f"a counting stub goes on to {target:#x}, which is not a function" for target in counts if target not in self.starts)
        if not entries and not (counts and not any(target.exit for target in targets)):
            yield "it is in the program without a stub"
        own = [(func, desc, body) for func, (desc, body) in entries if self._names(desc, symbol)]
        if entries and not own:
            yield f"the descriptor of its stub is of {self._name(entries[0][1][0]) or 'no function'}"
        for func, desc, body in own:
            self.descriptors[symbol] = desc
            yield from self._hooked(func, desc, body, symbol, targets)

    def _entry(self, func: Func) -> tuple[int, int] | None:
        return self.arch.read_entry(self.program.code(func), func.start)

    def _name(self, desc: int) -> str:
        """The function that a descriptor is of; "" if there is no descriptor."""
        try:
            return self.program.string(desc + self.desc["Func"])
        except OtelobjError:
            return ""

    def _names(self, desc: int, symbol: str) -> bool:
        return self._name(desc) == symbol

    def _hooked(self, stub: Func, desc: int, body: int, symbol: str, targets: list[Target]) -> Iterator[str]:
        place = (self.program.string(desc + self.desc["File"]), self.program.word(desc + self.desc["Line"]))
        if place != (targets[0].file, targets[0].line):
            yield f"its descriptor says {place[0]}:{place[1]}, the report {targets[0].file}:{targets[0].line}"
        func = self.starts.get(body)
        if func is None or func is stub or func not in self.program.copies(symbol):
            yield f"its stub jumps to {body:#x}, which is {func.name if func else 'inside a function'}, not its body"
            return
        has_exit = bool(self.program.word(desc + self.desc["Flags"], 4) & DESC_HAS_EXIT)
        if has_exit != any(target.exit for target in targets):
            yield f"its descriptor says {'an' if has_exit else 'no'} exit, the report the opposite"
        through = self.arch.read_through(self.program.code(stub), stub.start)
        if has_exit and through is None:
            yield from self._exits(func, desc)
        if through is not None and not self._knows(through, desc):
            yield f"its stub goes on to {through:#x}, which is not a call-through of it"

    def _exits(self, body: Func, desc: int) -> Iterator[str]:
        """Every return of the body goes to the exit stub, which is the function that knows the descriptor."""
        returns = self.arch.read_exits(self.program.code(body), body.start, self.program.pcsp(body))
        if not returns:
            yield "no return of its body was found"
        for offset, target in returns:
            if target is None:
                yield f"the return at {body.start + offset:#x} does not go to the exit stub"
                continue
            if target == body.start or not self._knows(target, desc):
                yield f"the return at {body.start + offset:#x} goes to {target:#x}, which is not an exit stub of it"

    def _knows(self, start: int, desc: int) -> bool:
        """Whether a function begins there that takes the descriptor's address."""
        func = self.starts.get(start)
        return func is not None and self.arch.mentions(self.program.code(func), func.start, desc)

    def runtime(self) -> tuple[list[str], str]:
        """Problems of rt.link and runtime.g, and where the goroutine slot is."""
        layout = offsets("linkInfo")
        link = next(self._links(layout), None)
        if link is None:
            return ["hooks/rt knows nothing of these functions: rt.link is not filled in"], ""
        slot, size, kind = (self.program.word(link + layout[name]) for name in ("SlotOff", "GSize", "GType"))
        table, count = self.program.word(link + layout["Descs"]), self.program.word(link + layout["Descs"] + 8)
        listed = {self.program.word(table + 8 * number) for number in range(count)} - {self.program.word(link + layout["Dropped"])}
        problems = [f"{symbol}: its descriptor is not in rt.link" for symbol, desc in self.descriptors.items() if desc not in listed]
        problems += list(self._goroutine(slot, size, kind))
        return problems, f"goroutine slot at {slot} of {size} bytes of runtime.g"

    def _links(self, layout: dict[str, int]) -> Iterator[int]:
        """Addresses of what can be rt.link: its slice of descriptors holds one that was found."""
        for desc in self.descriptors.values():
            for place in self.program.find_word(desc):
                yield from self._holders(place, layout)

    def _holders(self, place: int, layout: dict[str, int]) -> Iterator[int]:
        """rt.link's from a place in its table of descriptors, whose start is not known: searched backwards. The linker puts a function's
        address in place of a descriptor that it has dropped."""
        for start in range(place, place - 8 * self.most, -8):
            try:
                word = self.program.word(start)
            except OtelobjError:
                return
            if word and word not in self.starts and not self._name(word):
                return
            for header in self.program.find_word(start):
                link = header - layout["Descs"]
                length, capacity = self.program.word(header + 8), self.program.word(header + 16)
                if length == capacity and start + 8 * length > place and self.program.word(link + layout["Version"]) == 1:
                    yield link

    def _goroutine(self, slot: int, size: int, kind: int) -> Iterator[str]:
        """type:runtime.g is larger by the slot, and the collector knows of it."""
        if self.program.word(kind) != size or self.program.word(kind + TYPE_PTRBYTES) != size or slot != size - 8:
            yield f"runtime.g has {self.program.word(kind)} bytes, rt.link says {size} with the slot at {slot}"
        mask = self.program.word(kind + TYPE_GCDATA) + slot // 64
        if not self.program.word(mask, 1) >> (slot // 8 % 8) & 1:
            yield "the pointer mask of runtime.g leaves out the goroutine slot"
