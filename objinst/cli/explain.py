"""`otelobj explain`: one function's arguments, stack maps, and the code around it next to its disassembly."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from objinst.actions import ACTIONS
from objinst.cli.terminal import clean, console, count
from objinst.errors import OtelobjError
from objinst.link import explain
from objinst.link.explain import Explained, Text
from objinst.plan.judge import Function
from objinst.plan.layout import Layout
from objinst.plan.model import FunctionPlan, Refusal, Value
from objinst.rules import RuleSet
from objinst.rules.load import load, read_file
from objinst.signatures.agree import Evidence
from trampolines.arch import traits
from trampolines.contract import ClosureUse, PatchSite

AROUND = 16
"""Bytes of the body to show before an epilogue."""


@click.command
@click.option("--rules", "rule_files", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="Rule file; may be given more than once.")
@click.option("--built-in", is_flag=True, help="The built-in rules, too.")
@click.option("--body", is_flag=True, help="Show all of the body, not only where it is left.")
@click.argument("function")
@click.argument("packages", nargs=-1)
def command(rule_files: tuple[Path, ...], function: str, packages: tuple[str, ...], *, built_in: bool, body: bool) -> int:
    """Show how FUNCTION of a program among PACKAGES (default: the one in this folder) is hooked, down to the machine code.

    FUNCTION is named as the plan names it: 'net/http.(*Transport).roundTrip'. Without rules that name it, the code is that of a hook
    at entry and exit. The disassembly needs capstone: pip install capstone.
    """
    disassemble = disassembler()
    files = RuleSet(tuple(rule for path in rule_files for rule in read_file(path, ACTIONS)))
    rules = load(list(rule_files), {}, ACTIONS) if built_in else files
    told = explain.explain(function, list(packages or (".",)), rules)
    screen = console(sys.stdout)
    for line in lines(told, disassemble, body=body):
        screen.print(line, markup=False)
    return 0


def disassembler() -> Any:
    """capstone, which only this command needs. Raises OtelobjError if it is not installed."""
    try:
        import capstone  # noqa: PLC0415
    except ImportError as error:
        raise OtelobjError(f"otelobj explain disassembles with capstone: {error}", f"{sys.executable} -m pip install 'capstone>=5'") from error
    return capstone


def lines(told: Explained, capstone: Any, *, body: bool) -> Iterator[str]:
    """The whole page."""
    function = told.function
    place = f"  {function.file}:{function.line}" if isinstance(function, Function) else ""
    yield f"{clean(told.symbol)}{clean(place)}  package {told.package}, {told.goos}/{told.goarch} {told.go_version}"
    if told.others:
        yield f"the name means {count(len(told.others), 'other function')} too: {clean(', '.join(told.others))}"
    yield f"rules: {', '.join(told.rules)}" if told.rules else "rules: none names it; what follows is for a hook at entry and exit"
    if told.worker:
        yield "worker: it takes work from channels in a loop; a goroutine that runs it keeps an inherited span only while one trace alone sends on them"
    if isinstance(told.front, Refusal):
        yield f"no counter: {told.front.code}: {told.front.why}"
    if isinstance(told.outcome, Refusal):
        what = "refused" if told.front is None else "no hook"
        yield f"{what}: {told.outcome.code}: {told.outcome.why}"
    if told.seen and isinstance(told.seen.layout, Layout):
        yield from _arguments(told, told.seen.layout, told.seen.evidence)
    if isinstance(function, Function):
        yield from _ways(told, function)
    for text in told.made:
        yield ""
        yield from _code(told, text, capstone, body=body)


def _arguments(told: Explained, layout: Layout, evidence: Evidence) -> Iterator[str]:
    yield ""
    yield "arguments and results"
    rows = [("parameter", value) for value in layout.params]
    rows += [("result", value) for value in layout.results or ()]
    yield from _table([(kind, value.name, value.type.name, f"{value.type.size} bytes", *_home(told.goarch, value)) for kind, value in rows])
    if layout.results is None:
        yield "  results: not known"
    abi = layout.abi
    yield f"  args area: {abi.args_size} bytes from the first stack-assigned argument, of which {abi.stack_args_size} for arguments and results on the stack, {abi.spill_size} for spilled registers"
    yield f"  pointer words of the args area: {words(abi.args_map)} for a hook, {words(evidence.entry_map)} in the function's own map at entry"
    if abi.results_size:
        yield f"  results area of the exit stub: {abi.results_size} bytes, pointer words {words(abi.results_map)}"


def _home(goarch: str, value: Value) -> tuple[str, str]:
    """Registers or stack, and where the registers are saved while a hook runs."""
    home = value.home
    area = "args" if home.in_args else "results"
    kept = f"kept at {home.offset}({area})" if home.pieces else ""
    return home.place(goarch), kept


def _ways(told: Explained, function: Function) -> Iterator[str]:
    yield ""
    yield "entry and exit"
    depth = max(value for value, _ in function.pcsp)
    yield f"  stack check: {function.morestack or 'none'}; the code moves SP by up to {depth} bytes; {count(len(function.info.inl_tree), 'call')} inlined in it"
    if isinstance(told.outcome, FunctionPlan):
        use = "a pointer, kept for the collector" if told.outcome.closure is ClosureUse.POINTER else "a raw word, handed on"
        yield f"  closure register: {use}"
    if told.seen is None:
        return
    scan = told.seen.epilogues
    if scan.refusal:
        through = isinstance(told.outcome, FunctionPlan) and told.outcome.through
        yield f"  returns cannot be patched: {scan.refusal[0]}: {scan.refusal[1]}" + ("; a call-through sees its exit" if through else "")
    for site in scan.sites:
        yield f"  return at {site.offset:#x}: {site.length} bytes may be overwritten, SP is {site.body_frame} bytes below entry" + (
            f", then {site.teardown.hex()}" if site.teardown else ""
        )


def _code(told: Explained, text: Text, capstone: Any, *, body: bool) -> Iterator[str]:
    stack_maps = f"args map {words(text.args)}, locals map {words(text.locals)}"
    yield f"{text.what}: {clean(text.symbol)}, {len(text.code)} bytes, frame {text.frame}, args {text.args_size}, {stack_maps}"
    shown = list(disassembly(capstone, told.goarch, text))
    if not text.what.startswith("body") or body:
        yield from (line for _, line in shown)
        return
    plan = told.outcome
    sites: Sequence[PatchSite] = plan.epilogues.sites if isinstance(plan, FunctionPlan) and plan.epilogues else ()
    if not sites:
        yield "  as compiled (--body shows it)"
    for number, site in enumerate(sites):
        if number:
            yield "  …"
        yield from (line for at, line in shown if site.offset - AROUND <= at < site.offset + max(site.length, 1))


def disassembly(capstone: Any, goarch: str, text: Text) -> Iterator[tuple[int, str]]:
    """Offset and line: offset, SP's distance from entry, bytes, instruction, what its relocation names."""
    machine = capstone.Cs(*(getattr(capstone, name) for name in traits(goarch).capstone))
    at = 0
    while at < len(text.code):
        size, shown = next(((found.size, f"{found.mnemonic} {found.op_str}".strip()) for found in machine.disasm(text.code[at:], at, 1)), (0, "(data)"))
        size = size or min(4, len(text.code) - at)
        moved = next((value for value, end in text.pcsp if at < end), 0)
        named = "; ".join(clean(what) for off, what in text.relocs.items() if at <= off < at + size)
        line = f"  {at:5x}  {moved:4d}  {text.code[at : at + size].hex():<22}  {shown}"
        yield at, f"{line:<76}  ; {named}" if named else line
        at += size


def words(pointers: Sequence[bool] | None) -> str:
    """A bitmap: p for a pointer word."""
    if pointers is None:
        return "none"
    return "".join("p" if pointer else "-" for pointer in pointers) or "of no words"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(len(rows[0]) if rows else 0)]
    for row in rows:
        yield "  " + "  ".join(clean(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if not rows:
        yield "  none"
