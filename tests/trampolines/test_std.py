"""The finders against an independent judge: every function of the standard library, decoded completely by capstone.

Run with -s for the table of what can be patched and what is refused, and why.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from dataclasses import dataclass

import capstone
import pytest

import trampolines
from objinst.goobj.archive import Archive
from objinst.goobj import pctab
from toolchains import std_archives, versions
from trampolines.contract import EpilogueScan, Patched, PatchSite, Piece, RegClass

ABI_INTERNAL = 1
FLOOR = {"amd64": 0.76, "arm64": 0.95}
"""Share of compiled functions whose every return can be patched; measured: 0.77 to 0.79 and 0.96 to 0.98."""
NEWPROC1 = "runtime.newproc1"


@dataclass(frozen=True)
class Function:
    name: str
    code: bytes
    pcsp: list[tuple[int, int]]
    calls: dict[int, str]
    relocated: frozenset[int]
    switch_targets: frozenset[int]


def functions(version: str, goarch: str, part: slice) -> Iterator[Function]:
    """Compiled functions, those that the runtime's stack maps describe: ABIInternal, not written in assembly."""
    for path in std_archives(version, goarch)[part]:
        obj = Archive.read(path).go_object()[1]
        quantum = obj.traits.quantum
        kind = obj.tables.relocs["R_CALLARM64" if goarch == "arm64" else "R_CALL"]
        tables: dict[int | None, set[int]] = collections.defaultdict(set)
        for index in range(obj.n_defs):
            if ".jump" in obj.sym(index).name and not obj.is_text(index):
                for reloc in obj.relocs(index):
                    tables[obj.resolve(reloc.sym).index].add(reloc.add)
        for index in obj.text_symbols():
            sym, info, raw = obj.sym(index), obj.aux_data(index, "AuxFuncInfo"), obj.aux_data(index, "AuxPcsp")
            if sym.abi != ABI_INTERNAL or not sym.size or not raw or not info or info[9] & obj.tables.func_flags["FuncFlagAsm"]:
                continue
            relocs = obj.relocs(index)
            calls = {reloc.off: obj.resolve(reloc.sym).name for reloc in relocs if reloc.type == kind}
            relocated = frozenset(b for reloc in relocs for b in range(reloc.off, reloc.off + reloc.size))
            yield Function(sym.name, bytes(obj.data(index)), pctab.decode(raw, quantum, sym.size), calls, relocated, frozenset(tables[index]))


def sp_at(f: Function, offset: int) -> int:
    return next(value for value, end in f.pcsp if offset < end)


def decode(md: capstone.Cs, f: Function) -> list[tuple[int, int, str, str]]:
    """All instructions; capstone must understand every byte."""
    insns = list(md.disasm_lite(f.code, 0))
    end = insns[-1][0] + insns[-1][1] if insns else 0
    assert end == len(f.code) or not any(f.code[end:]), f"{f.name}: not decoded from {end:#x} on"
    return insns


def judge_epilogues(goarch: str, f: Function, insns: list[tuple[int, int, str, str]], scan: EpilogueScan) -> None:
    """A patched function has no way out but its sites, nothing jumps behind a site's first byte, and the teardown is the code's own."""
    if scan.refusal:
        assert not scan.sites and all(scan.refusal)
        if scan.through:
            judge_through(f, insns)
        return
    rets = {at for at, _, name, _ in insns if name == "ret"}
    covered: set[int] = set()
    for site in scan.sites:
        inside = [insn for insn in insns if site.offset <= insn[0] < site.offset + site.length]
        assert inside[0][0] == site.offset and inside[-1][0] + inside[-1][1] == site.offset + site.length, f"{f.name}: site cuts an instruction"
        assert inside[-1][2] == "ret" and (goarch == "amd64" or not inside[-1][3]), f.name
        assert site.length >= (5 if goarch == "amd64" else 4) or (goarch == "amd64" and len(f.code) - (site.offset + 2) <= 127)
        assert not f.relocated & set(range(site.offset, site.offset + site.length)), f"{f.name}: a relocation in the site"
        assert site.body_frame == sp_at(f, site.offset)
        judge_teardown(goarch, f, inside[:-1], site)
        covered.add(inside[-1][0])
    assert covered == rets, f"{f.name}: returns {sorted(rets)}, patched {sorted(covered)}"
    starts = {insn[0] for insn in insns}
    assert f.switch_targets <= starts, f.name
    hidden = {b for site in scan.sites for b in range(site.offset + 1, site.offset + site.length)}
    assert not hidden & f.switch_targets, f"{f.name}: a switch jumps into a site"
    for at, _, name, text in insns:
        direct = text.rsplit(" ", 1)[-1].removeprefix("#")
        if (name[0] == "j" or name in ("b", "cbz", "cbnz", "tbz", "tbnz") or name.startswith("b.")) and direct[:1].isdigit():
            target = int(direct, 0)
            assert at not in f.calls and at + 1 not in f.calls, f"{f.name}: a tail call at {at:#x}"
            assert target in starts and target not in hidden, f"{f.name}: the jump at {at:#x} lands inside a site or an instruction"
        elif name in ("jmp", "br"):
            assert sp_at(f, at) != 0, f"{f.name}: an indirect jump with no frame at {at:#x}"


def judge_through(f: Function, insns: list[tuple[int, int, str, str]]) -> None:
    """Only amd64 has returns without room: RET alone, or POPQ BP; RET too far from the end. Nothing leaves by a direct tail call."""
    for number, (at, _, name, _) in enumerate(insns):
        assert not (name == "jmp" and at + 1 in f.calls), f"{f.name}: a tail call at {at:#x}"
        if name == "ret" and any(value for value, _ in f.pcsp):
            pop = next(insn for insn in reversed(insns[:number]) if insn[2] not in ("nop", "xchg"))
            assert pop[2:] == ("pop", "rbp") and sp_at(f, pop[0]) == 8, f.name


def judge_patched(goarch: str, md: capstone.Cs, f: Function, scan: EpilogueScan, patched: Patched) -> None:
    """Each site is a jump to a fixup, or to one behind the end; all other bytes are the function's own."""
    places = {fixup.offset - (1 if goarch == "amd64" else 0): fixup for fixup in patched.fixups}
    insns = {at: (size, name, text) for at, size, name, text in md.disasm_lite(patched.code, 0)}
    for site in scan.sites:
        size, name, text = insns[site.offset]
        assert name in ("jmp", "b") and size <= site.length
        target = site.offset if site.offset in places else int(text, 0)
        assert target in places and (target == site.offset or target == len(f.code)), f.name
        assert insns[target][1] in ("jmp", "b") and insns[target][0] == (5 if goarch == "amd64" else 4)
    written = {b for site in scan.sites for b in range(site.offset, site.offset + site.length)}
    assert all(old == new or at in written for at, (old, new) in enumerate(zip(f.code, patched.code, strict=False))), f.name
    assert len(patched.code) - len(f.code) in (0, 5) and len(places) >= 1


def judge_teardown(goarch: str, f: Function, insns: list[tuple[int, int, str, str]], site: PatchSite) -> None:
    """The site's instructions but for padding and RET are the teardown, and they free the body's frame."""
    real = [insn for insn in insns if insn[2] not in ("nop", "xchg")]
    assert b"".join(f.code[at : at + size] for at, size, _, _ in real) == site.teardown
    if goarch == "arm64":
        assert not real and site.body_frame == 0
        return
    if site.body_frame == 8:
        assert [insn[2:] for insn in real] == [("pop", "rbp")]
        return
    (_, _, op, free), (_, _, pop, bp) = real
    amount = int(free.removeprefix("rsp, "), 0)
    amount -= (1 << 64) if amount >= 1 << 63 else 0
    assert (amount if op == "add" else -amount) == site.body_frame - 8 and (pop, bp) == ("pop", "rbp")


WIDTHS = {"byte": 1, "word": 2, "dword": 4, "qword": 8}
X86_INT = "rax rbx rcx rdi rsi r8 r9 r10 r11".split()
X86_NAMES = {
    alias: X86_INT.index(full)
    for full, *rest in (("rax", "eax", "ax", "al"), ("rbx", "ebx", "bx", "bl"), ("rcx", "ecx", "cx", "cl"), ("rdi", "edi", "di", "dil"),
                        ("rsi", "esi", "si", "sil"), *((f"r{i}", f"r{i}d", f"r{i}w", f"r{i}b") for i in range(8, 12)))
    for alias in (full, *rest)
}  # fmt: skip


def spilled(goarch: str, f: Function, insns: list[tuple[int, int, str, str]]) -> list[Piece]:
    """The stores before the morestack call, from capstone's text, back to the last instruction that is none."""
    (call,) = [at for at, name in f.calls.items() if name.startswith("runtime.morestack")]
    found: list[Piece] = []
    start = next(i for i, insn in enumerate(insns) if insn[0] <= call < insn[0] + insn[1])
    relative: list[tuple[RegClass, int, int, str, int]] = []
    for _, _, name, text in reversed(insns[:start]):
        if name in ("nop", "xchg") or text == "x3, x30":
            continue
        if goarch == "arm64" and name == "add" and text.startswith("x27, "):
            _, base, value, *shift = text.split(", ")
            amount = int(value[1:], 0) << (12 if shift else 0)
            relative = [(reg, i, size, base, off + amount) if b == "x27" else (reg, i, size, b, off) for reg, i, size, b, off in relative]
            found += [Piece(reg, i, size, off - 8) for reg, i, size, b, off in relative if b == "sp"]
            relative = [item for item in relative if item[3] != "sp"]
            continue
        stores = x86_store(name, text) if goarch == "amd64" else arm_stores(name, text)
        if not stores:
            break
        for reg, i, size, base, off in stores:
            if base == "sp":
                found.append(Piece(reg, i, size, off - 8))
            else:
                relative.append((reg, i, size, base, off))
    assert not relative
    return found


def x86_store(name: str, text: str) -> list[tuple[RegClass, int, int, str, int]]:
    if name not in ("mov", "movss", "movsd") or " ptr [rsp + " not in text or text.index("[") > text.rindex(","):
        return []
    width, rest = text.split(" ptr [rsp + ")
    offset, reg = rest.split("], ")
    if reg.startswith("xmm"):
        return [(RegClass.FLOAT, int(reg[3:]), WIDTHS[width], "sp", int(offset, 0))]
    return [(RegClass.INT, X86_NAMES[reg], WIDTHS[width], "sp", int(offset, 0))] if reg in X86_NAMES else []


def arm_stores(name: str, text: str) -> list[tuple[RegClass, int, int, str, int]]:
    if name not in ("str", "strb", "strh", "stp") or not text.endswith("]"):
        return []
    regs, place = text[:-1].split(", [")
    base, *disp = place.split(", #")
    first = regs[0]
    size = {"strb": 1, "strh": 2}.get(name, {"x": 8, "w": 4, "d": 8, "s": 4}[first])
    reg_class = RegClass.FLOAT if first in "ds" else RegClass.INT
    offset = int(disp[0], 0) if disp else 0
    return [(reg_class, int(reg[1:]), size, base, offset + n * size) for n, reg in enumerate(regs.split(", "))] if base in ("sp", "x27") else []


def reads_closure(md: capstone.Cs, f: Function) -> bool:
    """Whether some path from the entry reads the closure register before it is written, by capstone's lists of both."""
    closure = {"dl", "dh", "dx", "edx", "rdx", "w26", "x26"}
    transparent = ("runtime.duffzero", "runtime.duffcopy", "runtime.gcWriteBarrier")
    insns = {insn.address: insn for insn in md.disasm(f.code, 0)}
    seen: set[int] = set()
    todo = [0]
    while todo:
        at = todo.pop()
        while at in insns and at not in seen:
            seen.add(at)
            insn = insns[at]
            name = insn.mnemonic
            reads, writes = ({insn.reg_name(reg) for reg in regs} & closure for regs in insn.regs_access())
            operands = insn.op_str.split(", ")
            if name == "nop" or (name in ("xor", "sub", "sbb") and operands[0] == operands[-1]):
                reads = set()
            if name == "lsl":  # an alias of UBFM, of which capstone has the destination read
                reads &= set(operands[1:])
            if reads:
                return True
            calls = [callee for place, callee in f.calls.items() if at <= place < at + insn.size]
            leaves = name in ("ret", "ud2", "int3", "brk", "hlt") or (name in ("call", "bl", "blr", "jmp", "b") and bool(calls or operands[0][0] in "rxq"))
            if name in ("jmp", "br") and not calls and operands[0][:1] in "rxq":
                todo += f.switch_targets
            elif (name[0] == "j" or name in ("b", "cbz", "cbnz", "tbz", "tbnz") or name.startswith("b.")) and not calls:
                todo.append(int(operands[-1].removeprefix("#"), 0))
                leaves |= name in ("jmp", "b")
            if writes or name == "br" or (leaves and not (calls and calls[0].startswith(transparent))):
                break
            at += insn.size
    return False


def check(version: str, goarch: str, part: slice) -> None:
    arch = trampolines.load(goarch)
    md = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64) if goarch == "amd64" else capstone.Cs(capstone.CS_ARCH_ARM64, 0)
    counts: collections.Counter[str] = collections.Counter()
    spills: collections.Counter[str] = collections.Counter()
    uses: collections.Counter[bool | None] = collections.Counter()
    for f in functions(version, goarch, part):
        insns = decode(md, f)
        scan = arch.find_epilogues(f.code, f.pcsp, f.calls)
        judge_epilogues(goarch, f, insns, scan)
        if scan.sites:
            judge_patched(goarch, md, f, scan, arch.patch_returns(f.code, scan.sites))
        if not any(name.startswith("runtime.morestack") for name in f.calls.values()):
            md.detail = True
            uses[arch.reads_closure(f.code, f.calls, sorted(f.switch_targets))] += 1
            assert arch.reads_closure(f.code, f.calls, sorted(f.switch_targets)) == reads_closure(md, f), f.name
            md.detail = False
        counts[scan.refusal[0] if scan.refusal else "patchable" if scan.sites else "never returns"] += 1
        found = arch.find_spills(f.code, f.calls)
        spills["refused" if found.refusal else "no stack check" if found.pieces is None else "decoded"] += 1
        if found.refusal:
            assert f.name.startswith("runtime."), f"{f.name}: {found.refusal}"
        elif found.pieces is not None:
            assert set(found.pieces) == set(spilled(goarch, f, insns)), f.name
        if f.name == NEWPROC1:
            assert len(scan.sites) == 1
    total = counts.total()
    assert uses[True] and uses[False] > 100 * len(uses), "closures among functions without a stack check, and others"
    print(f"\nGo {version} {goarch}: {total} functions")
    for what, count in (*counts.most_common(), *spills.most_common()):
        print(f"  {what:16} {count:6} {count / total:7.2%}")
    if part == slice(None):
        assert counts["patchable"] / total >= FLOOR[goarch] and counts["epilogue"] / total < 0.01
        assert spills["refused"] < 60 and total > 20_000


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_some_of_std(goarch: str) -> None:
    """Every fourteenth package of one version."""
    check("1.26", goarch, slice(0, None, 14))


@pytest.mark.long
@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_all_of_std(version: str, goarch: str) -> None:
    check(version, goarch, slice(None))
