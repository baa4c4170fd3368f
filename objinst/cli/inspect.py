"""`otelobj inspect`: what is in a Go archive or object."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from objinst.cli.terminal import clean, console, count
from objinst.goobj import Object
from objinst.goobj.archive import Archive
from objinst.goobj.records import DEF_BLOCKS, Blk
from objinst.plan.judge import read_function
from objinst.plan.model import Refusal
from objinst.rules.names import parse_func_name


@dataclass(frozen=True, slots=True)
class Function:
    """A text symbol. size: bytes of code; abi: 0 or 1 (ABIInternal); note: why it cannot be hooked, judged without its types."""

    symbol: str
    size: int
    abi: int
    file: str
    line: int
    note: str


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--functions", is_flag=True, help="List the functions, with size, ABI and place.")
@click.option("--json", "as_json", is_flag=True, help="Functions as JSON, one object a line.")
def command(file: Path, *, functions: bool, as_json: bool) -> int:
    """Show what is in FILE, a Go archive (.a) or object (.o).

    `go list -export -f '{{.Export}}' net/http` prints the archive of a package.
    """
    archive = Archive.read(file)
    objects = archive.objects()
    if as_json:
        for obj in objects.values():
            for function in functions_of(obj):
                print(json.dumps(asdict(function)))
        return 0
    screen = console(sys.stdout)
    for index, member in enumerate(archive.members):
        screen.print(f"{clean(member.name) or '(bare object)'}: {len(member.data)} bytes, {'Go object' if index in objects else 'kept as it is'}", markup=False)
        if index in objects:
            for line in _summary(objects[index]):
                screen.print("  " + line, markup=False)
            for function in functions_of(objects[index]) if functions else ():
                screen.print("  " + _line(function), markup=False)
    return 0


def functions_of(obj: Object) -> Iterator[Function]:
    """In index order. Raises ObjectError if the tables of one are inconsistent."""
    for index in obj.text_symbols():
        sym = obj.sym(index)
        read = read_function(obj, index)
        if isinstance(read, Refusal):
            yield Function(sym.name, sym.size, sym.abi, "", 0, f"{read.code}: {read.why}")
        else:
            yield Function(sym.name, sym.size, sym.abi, read.file, read.line, "" if parse_func_name(sym.name) else "generated: made by the compiler")


def _summary(obj: Object) -> Iterator[str]:
    header = obj.header
    yield f"{header.goos}/{header.goarch} {header.go_version}, fingerprint {obj.fingerprint.hex()}"
    symbols = ", ".join(f"{block.name} {obj.count(block)}" for block in (*DEF_BLOCKS, Blk.NONPKGREF))
    yield f"symbols: {symbols}"
    text = list(obj.text_symbols())
    yield f"functions: {len(text)}, {sum(obj.sym(index).size for index in text)} bytes of code"
    yield f"relocations: {obj.count(Blk.RELOC)}, aux symbols: {obj.count(Blk.AUX)}, data: {len(obj.block(Blk.DATA))} bytes, {count(len(obj.files), 'source file')}"
    yield f"imports: {', '.join(path for path, _ in obj.autolib) or 'none'}"


def _line(function: Function) -> str:
    place = f"{function.file}:{function.line}" if function.file else ""
    note = f"  ({function.note})" if function.note else ""
    return f"{function.size:8d}  ABI{function.abi if function.abi < 2 else 'static'}  {function.symbol}  {place}{note}"
