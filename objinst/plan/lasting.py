"""Functions whose calls last as long as the program: a rule that names functions by a pattern creates no spans for them.

Such a span would end only with the process, and everything that the goroutine does meanwhile would become its child. These functions are
recognized by their code: main.main; loops that take work from channels (objinst.plan.workers); loops that accept connections, and their
callers; and functions that register for signals, because they wait for the end. Functions that never return have no exit at which a span
could end (objinst.plan.forms). A function that a rule names exactly always gets its span.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from objinst.goobj import Load, Object
from objinst.plan.forms import switch_cases
from objinst.plan.model import Refusal
from objinst.plan.workers import returns_nothing, work_calls
from objinst.rules import FuncName, Rule
from trampolines import Arch

LISTENER = "net.Listener"
ACCEPTS = ("net.(*TCPListener).Accept", "net.(*UnixListener).Accept")
"""What a call through the interface is made to where the compiler knows the type."""
STARTS = "runtime.newproc"
SIGNALS = frozenset({"os/signal.Notify", "os/signal.NotifyContext"})
EXACTLY = "a rule that names it exactly makes spans of it"


class Lasting:
    """Finds these functions in one link. load: the object of a package; spanned: whether a rule with a pattern creates spans for functions of a package."""

    def __init__(self, arch: Arch, load: Load, spanned: Callable[[str], bool]) -> None:
        self._arch = arch
        self._load = load
        self._spanned = spanned
        self._serving: dict[str, dict[str, str]] = {}

    def refusal(self, rule: Rule, name: FuncName, obj: Object, index: int, package: str) -> Refusal | None:
        """Why a rule creates no span for a function. name: as rules see it; package: that of the object. Raises ObjectError."""
        if rule.where.names(name):
            return None
        if (name.pkg, name.recv, name.name) == ("main", "", "main"):
            return Refusal("main", f"its span would be that of the whole program; {EXACTLY}")
        if work_calls(obj, index, self._arch):
            return Refusal("work-loop", f"it takes work from a channel in a loop, perhaps as long as the program runs; {EXACTLY}")
        served = self._of(package, obj).get(obj.name(index))
        if served is not None:
            what = f"it calls {served}, which accepts connections" if served else "it accepts connections"
            return Refusal("serves", f"{what} in a loop, perhaps as long as the program runs; {EXACTLY}")
        signals = next((callee for callee in obj.calls(index).values() if callee in SIGNALS), None)
        if signals:
            return Refusal("signals", f"it calls {signals}, so it may wait for the end of the program; {EXACTLY}")
        return None

    def _of(self, package: str, obj: Object) -> dict[str, str]:
        """Functions of a package that accept connections in a loop, or call such a function -> its name, "" for their own loop."""
        if package not in self._serving:
            self._serving[package] = {}  # until it is known: packages import each other in one direction only
            self._serving[package] = self._find(obj)
        return self._serving[package]

    def _find(self, obj: Object) -> dict[str, str]:
        served = {name for package, _ in obj.autolib for name in self._of_import(package)}
        local = LISTENER.encode() in obj.raw
        if not served and not local:
            return {}
        calls = {index: obj.calls(index) for index in obj.text_symbols()}
        found = {obj.name(index): "" for index in calls if local and self._accepts(obj, index, calls[index])}
        todo = True
        while todo:
            todo = False
            for index, made in calls.items():
                name = obj.name(index)
                callee = name not in found and next((callee for callee in made.values() if callee in found or callee in served), None)
                if callee:
                    found[name] = callee
                    todo = True
        return found

    def _of_import(self, package: str) -> Iterable[str]:
        """Leaves out the imports of packages that no rule concerns; those may be the whole program."""
        obj = None if package in self._serving else self._load(package)
        if obj is None:
            return self._serving.get(package, ())
        if LISTENER.encode() in obj.raw or self._spanned(package):
            return self._of(package, obj)
        return ()

    def _accepts(self, obj: Object, index: int, calls: dict[int, str]) -> bool:
        """Whether a function accepts connections, starts goroutines in a loop, and returns nothing but an error."""
        kind = obj.tables.relocs["R_USEIFACEMETHOD"]
        if STARTS not in calls.values():
            return False
        known = any(callee.startswith(ACCEPTS) for callee in calls.values())
        if not known and not any(reloc.type == kind and obj.resolve(reloc.sym).name == f"type:{LISTENER}" for reloc in obj.relocs(index)):
            return False
        code, cases = bytes(obj.data(index)), switch_cases(obj, index)
        return any(callee == STARTS and self._arch.comes_back(code, calls, cases, at) for at, callee in calls.items()) and returns_nothing(obj, index)
