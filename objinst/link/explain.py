"""`otelobj explain` without its output: one function, what is known about its arguments, and the code that a hook adds.

The code is real: the function's object is rewritten in memory as in a link, verified, and read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from objinst.errors import OtelobjError
from objinst.gobuild.gocmd import programs
from objinst.goobj import ABI_INTERNAL, R_WEAK, Edit, FuncInfo, Object, SymRef, pctab, stackmap
from objinst.link import passes, preview
from objinst.link.build import Build
from objinst.link.choice import choose
from objinst.link.rewriter import Rewriter, checked
from objinst.link.session import Session
from objinst.plan.action import Plannable
from objinst.plan.admission import Seen
from objinst.plan.declared import Declared
from objinst.plan.eligibility import Planned
from objinst.plan.judge import Function
from objinst.plan.missing import close
from objinst.plan.model import FrontPlan, FunctionPlan, Refusal
from objinst.plan.select import candidates
from objinst.plan.workers import work_calls
from objinst.rules import Rule, RuleSet, parse_func_name

THUNK, THROUGH = "otelobj.thunk.", "otelobj.through."


@dataclass(frozen=True, slots=True)
class Text:
    """Machine code as the linker gets it. what: a description. relocs: offset -> symbol and kind of the relocation there.

    pcsp: (value, end) pairs; args, locals: pointer words of the first bitmap of each stack map, None if there is none.
    """

    what: str
    symbol: str
    code: bytes
    relocs: Mapping[int, str]
    pcsp: tuple[tuple[int, int], ...]
    args_size: int
    frame: int
    args: tuple[bool, ...] | None
    locals: tuple[bool, ...] | None


@dataclass(frozen=True, slots=True)
class Explained:
    """others: further symbols that the name matches. rules: those that name the function; if none, the code is that of a hook before and after.

    worker: it takes work from channels in a loop (objinst.plan.workers). seen: None if there is nothing to look at. outcome: None if rules have no hooks; front: None if they put no stub in front.
    made: the stubs in the order in which a call reaches them, thunks, then the body; empty if the function is refused.
    """

    goos: str
    goarch: str
    go_version: str
    package: str
    symbol: str
    others: tuple[str, ...]
    rules: tuple[str, ...]
    worker: bool
    function: Function | Refusal
    seen: Seen | None
    outcome: FunctionPlan | Refusal | None
    front: FrontPlan | Refusal | None
    made: tuple[Text, ...]


def explain(name: str, packages: Sequence[str], rules: RuleSet) -> Explained:
    """name: as in the plan. rules: those given; empty for a generic hook. Raises OtelobjError if no program has the function."""
    wanted = parse_func_name(name)
    if wanted is None:
        raise OtelobjError(f"{name} is not the name of a function", "write it as the plan shows it: net/http.(*Transport).roundTrip, main.serve, slices.Sort")
    near: tuple[str, ...] | None = None
    for program in programs(packages, Path.cwd()):
        build = Build.of_program(program)
        choice = choose(build, rules)
        with preview.open_link(build, choice) as session:
            found = list(_find(name, session))
            if found:
                return _explain(session, *found[0], tuple(symbol for _, _, symbol in found[1:]), choice.rules)
            obj = session.load(wanted.pkg)
            near = close(name, [obj.name(index) for index in obj.text_symbols()]) if obj else near
    if near is None:
        raise OtelobjError(f"no function {name} in this program: it does not link package {wanted.pkg}", "if you mean the program's own package, call it main")
    raise OtelobjError(
        f"no function {name} in this program", f"nearest: {', '.join(near)}" if near else "`otelobj plan` with a rule for its package shows names"
    )


def _find(name: str, session: Session) -> Iterator[tuple[str, int, str]]:
    """(package, index, symbol): the function itself, or every instance of a generic one, each once."""
    wanted = parse_func_name(name)
    seen: set[str] = set()
    if wanted is None:
        return
    own = [wanted.pkg] if wanted.pkg in session.packages else []
    for package in (*own, *(other for other in session.packages if other not in own)):
        obj = session.load(package) if package in own or _may_hold(session, package, wanted.name) else None
        for index in obj.text_symbols() if obj else ():
            symbol = obj.name(index) if obj else ""
            meant = symbol == name or (not wanted.type_args and (read := parse_func_name(symbol)) is not None and replace(read, type_args="") == wanted)
            if meant and symbol not in seen and obj is not None and obj.sym(index).abi == ABI_INTERNAL:
                seen.add(symbol)
                yield package, index, symbol


def _may_hold(session: Session, package: str, name: str) -> bool:
    """Whether a package may hold the function: instances of generic functions are in the packages that use them."""
    data = session.packages[package].read_bytes()
    return b"[go.shape." in data and name.encode() in data


def _explain(session: Session, package: str, index: int, symbol: str, others: tuple[str, ...], rules: RuleSet) -> Explained:
    obj = _object(session, package)
    matching = next((found for at, found in candidates(obj, package, rules, session.versions, load=session.load) if at == index), [])
    names = tuple(dict.fromkeys(rule.name for rule, _ in matching))
    worker = bool(work_calls(obj, index, session.arch))
    admission = session.eligibility.admission
    function = admission.read(obj, index, package)
    fronted_by = tuple(dict.fromkeys(action.package for _, action in matching if action.fronts))
    front = admission.front(obj, index, package) if fronted_by else None
    hooks = [(rule, action) for rule, action in matching if action.calls]
    outcome: FunctionPlan | Refusal | None = None
    if isinstance(function, Refusal):
        seen, outcome = None, function
    else:
        seen = admission.look(function, hooks)
        outcome = _outcome(session, package, function, hooks) if hooks or not matching else None
    planned = Planned(outcome if isinstance(outcome, FunctionPlan) else None, front if isinstance(front, FrontPlan) else None, fronted_by, ())
    made = tuple(_made(session, obj, package, index, planned)) if planned.hooks or planned.front else ()
    return Explained(obj.header.goos, session.goarch, obj.header.go_version, package, symbol, others, names, worker, function, seen, outcome, front, made)


def _outcome(session: Session, package: str, function: Function, hooks: Sequence[tuple[Rule, Plannable]]) -> FunctionPlan | Refusal:
    """Of the hooks together, or of one that asks for nothing, at the exit too where that can be."""
    if not hooks:
        return session.eligibility.admission.ways(function, package)[0]
    outcomes = session.eligibility.judge(function, package, hooks, Declared(function.object, session.load))
    return next((outcome for outcome in outcomes if isinstance(outcome, FunctionPlan)), outcomes[0])


def _object(session: Session, package: str) -> Object:
    obj = session.load(package)
    if obj is None:
        raise OtelobjError(f"package {package} has no object", "rebuild it")
    return obj


def _made(session: Session, obj: Object, package: str, place: int, planned: Planned) -> Iterator[Text]:
    """What hooks and a stub in front of it add to the object of the function at index `place`, as in Explained.made."""
    edit = Edit(obj)
    rewriter = Rewriter.of(session, passes.runtime(session).slot)
    rewriter.rewrite(edit, package, package, [planned])
    new = Object.parse(checked(edit), obj.origin)
    made = [index for index in range(obj.starts[1], new.starts[1]) if new.is_text(index)]
    body, *moved = (index for index in made if new.name(index) == obj.name(place))  # the body is added before anything else
    stub = place if place < obj.starts[1] else place + new.starts[1] - obj.starts[1]
    direct = [index for index in moved if new.data(index) == obj.data(place)]  # see objinst.rewrite.swap.count_frame
    texts = {stub: next((session.tables[owner].stub for owner in planned.fronted_by if planned.front), "entry stub")} | dict.fromkeys(moved, "entry stub") | dict.fromkeys(direct, "body without hooks")
    others = sorted((index for index in made if index not in (body, *moved)), key=lambda index: new.name(index).startswith(THUNK))
    texts |= {index: _role(new.name(index)) for index in others} | {body: "body"}
    names = {new.ref_of(index): what for index, what in texts.items()}
    for index, what in texts.items():
        yield _text(new, index, what, names)


def _role(name: str) -> str:
    """What one of otelobj's own text symbols is."""
    if name.startswith(THUNK):
        return f"thunk of {name}"
    return "call-through" if name.startswith(THROUGH) else "exit stub"


def _text(obj: Object, index: int, what: str, names: Mapping[SymRef, str]) -> Text:
    """names: descriptions of stubs and body, which share one name."""
    kinds = {number: name for name, number in obj.tables.relocs.items()}
    relocs: dict[int, str] = {}
    for reloc in obj.relocs(index):
        if reloc.size:
            name = (obj.resolve(reloc.sym).name or "?") + (f" ({names[reloc.sym]})" if reloc.sym in names and THUNK not in names[reloc.sym] else "")
            relocs[reloc.off] = f"{kinds.get(reloc.type & ~R_WEAK, reloc.type)} {name}" + (f"{reloc.add:+d}" if reloc.add else "")
    sym = obj.sym(index)
    info = FuncInfo.parse(obj.aux_data(index, "AuxFuncInfo") or b"", f"{obj.origin}: {sym.name}")
    pcsp = pctab.decode(obj.aux_data(index, "AuxPcsp") or b"", obj.traits.quantum, sym.size)
    args, own = (_first_map(obj, index, name) for name in ("ArgsPointerMaps", "LocalsPointerMaps"))
    return Text(what, sym.name, bytes(obj.data(index)), relocs, tuple(pcsp), info.args, info.locals, args, own)


def _first_map(obj: Object, index: int, name: str) -> tuple[bool, ...] | None:
    data = obj.funcdata(index, name)
    maps = stackmap.decode(data) if data else []
    return maps[0] if maps else None
