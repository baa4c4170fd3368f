"""find_epilogues and find_spills on real packages, judged by what capstone reads in the same bytes.

The judge knows of a function only its instructions, its pc-to-SP table, its relocations and its jump tables.
"""

from __future__ import annotations

import bisect
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import capstone
import pytest

import toolchains
import trampolines
from objinst.goobj.archive import Archive
from objinst.goobj import pctab
from objinst.goobj.funcinfo import FuncInfo
from objinst.goobj.object import Object
from trampolines.contract import EpilogueScan, Piece, RegClass, SpillScan

DISASSEMBLERS = {
    "amd64": capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64),
    "arm64": capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN),
}
CALL_RELOC = {"amd64": "R_CALL", "arm64": "R_CALLARM64"}
PATCH = {"amd64": 5, "arm64": 4}
"""Bytes of the jump that is written at a site, if it has room for one."""
SHORT, SHORT_REACH = 2, 127
"""Of the jump to the end of the function that is written at a shorter site (amd64)."""
FRAMELESS = {"amd64": 8, "arm64": 0}
"""A frame up to this size is at most a saved frame pointer."""
FLOORS = {"amd64": 0.995, "arm64": 0.999}
"""Share of the compiler's functions with a frame and a return that can be patched; measured: 99.72 to 99.75 % and 99.97 to 99.98 %."""
LEAST_TO_SITES = {"amd64": 2000, "arm64": 100}
"""Sites that some branch goes to; on arm64 a branch to a return goes to what is in front of it, so there are few."""
EXPECTED = {"amd64": {"patchable", "no-return", "epilogue", "(spills refused)"}, "arm64": {"patchable", "no-return", "tail-call", "(spills refused)"}}
"""Outcomes known for the compiler's functions with a frame."""
ADDRESS = re.compile(r"(?:^|[ ,])#?(0x[0-9a-f]+|\d+)$")


@dataclass
class Text:
    """One function. insns: (offset, size, mnemonic, operands); jumps: offset of a branch -> target, or None for an indirect one."""

    name: str
    asm: bool
    code: bytes
    pcsp: list[tuple[int, int]]
    calls: dict[int, str]
    relocs: list[tuple[int, int]]
    table_targets: set[int]
    insns: list[tuple[int, int, str, str]] = field(default_factory=list)
    jumps: dict[int, int | None] = field(default_factory=dict)

    def sp(self, offset: int) -> int:
        return self.pcsp[bisect.bisect_right([end for _, end in self.pcsp], offset)][0]


def texts(version: str, goarch: str) -> Iterator[Text]:
    for _, path in sorted(toolchains.exports(version, goarch, "net/http").items()):
        for obj in Archive.read(path).objects().values():
            yield from of_object(obj, goarch)


def of_object(obj: Object, goarch: str) -> Iterator[Text]:
    kind = obj.tables.relocs[CALL_RELOC[goarch]]
    tables = jump_tables(obj)
    for index in obj.text_symbols():
        code, raw = bytes(obj.data(index)), obj.aux_data(index, "AuxPcsp")
        if not code:
            continue
        pcsp = pctab.decode(raw if raw is not None else b"", obj.traits.quantum, len(code) if raw is not None and len(raw) else None)
        info = FuncInfo.parse(obj.aux_data(index, "AuxFuncInfo"))
        relocs = obj.relocs(index)
        calls = {reloc.off: obj.resolve(reloc.sym).name for reloc in relocs if reloc.type == kind}
        asm = bool(info.func_flag & obj.tables.func_flags["FuncFlagAsm"])
        text = Text(obj.sym(index).name, asm, code, pcsp, calls, [(r.off, r.off + r.size) for r in relocs], tables[index])
        disassemble(text, goarch)
        yield text


def jump_tables(obj: Object) -> dict[int, set[int]]:
    """Text symbol -> offsets in it that the data symbols of the object point to: jump tables of switch statements."""
    found: dict[int, set[int]] = defaultdict(set)
    texts = set(obj.text_symbols())
    for index in range(obj.n_defs):
        if index in texts or ".jump" not in obj.sym(index).name:
            continue
        for reloc in obj.relocs(index):
            target = obj.resolve(reloc.sym).index
            if target in texts:
                found[target].add(reloc.add)
    return found


def disassemble(text: Text, goarch: str) -> None:
    text.insns = list(DISASSEMBLERS[goarch].disasm_lite(text.code, 0))
    for offset, _, name, operands in text.insns:
        if goarch == "amd64":
            jump = name[0] == "j" or name in ("loop", "loope", "loopne")
        else:
            jump = name in ("b", "br", "cbz", "cbnz", "tbz", "tbnz") or name.startswith("b.")
        if jump:
            match = ADDRESS.search(operands)
            text.jumps[offset] = int(match[1], 16) if match and "[" not in operands else None


def returns(text: Text) -> list[int]:
    return [offset for offset, _, name, _ in text.insns if name in ("ret", "retf", "iretq", "retaa", "retab")]


def check_sites(text: Text, scan: EpilogueScan, goarch: str) -> list[str]:
    """What the judge has against the sites of a function that was not refused."""
    wrong = []
    by_offset = {insn[0]: insn for insn in text.insns}
    starts, rets = sorted(by_offset), returns(text)
    covered = []
    targets = {target for target in text.jumps.values() if target is not None} | text.table_targets
    for site in scan.sites:
        end = site.offset + site.length
        inside = [ret for ret in rets if site.offset <= ret < end]
        covered += inside
        if len(inside) != 1 or by_offset[inside[0]][0] + by_offset[inside[0]][1] != end or by_offset[inside[0]][3]:
            wrong.append(f"site {site.offset:#x}+{site.length} does not end with one plain return")
            continue
        short = goarch == "amd64" and site.length < PATCH[goarch]
        patch = SHORT if short else PATCH[goarch]
        if site.offset not in by_offset or site.length < patch or (short and len(text.code) - (site.offset + SHORT) > SHORT_REACH):
            wrong.append(f"site {site.offset:#x}+{site.length} is no place for a jump")
        bad = sorted(target for target in targets if site.offset < target < site.offset + patch)
        if bad:
            wrong.append(f"BRANCH INTO THE PATCHED JUMP at {site.offset:#x}: targets {[hex(t) for t in bad]}")
        late = sorted(target for target in targets if site.offset + patch <= target < end)
        if late:
            wrong.append(f"branch past the patched jump at {site.offset:#x}, to a return that is not hooked: {[hex(t) for t in late]}")
        if any(start < end and site.offset < stop for start, stop in text.relocs):
            wrong.append(f"relocation in site {site.offset:#x}")
        if site.body_frame != text.sp(site.offset):
            wrong.append(f"site {site.offset:#x}: frame {site.body_frame}, table {text.sp(site.offset)}")
        if text.sp(inside[0]) != 0:
            wrong.append(f"return at {inside[0]:#x} with SP {text.sp(inside[0])} away")
        wrong += check_teardown(text, site.offset, inside[0], site.teardown, site.body_frame, goarch)
        before = starts[bisect.bisect_left(starts, site.offset) - 1] if site.offset else None
        if site.offset and before is not None and by_offset[before][0] + by_offset[before][1] != site.offset:
            wrong.append(f"site {site.offset:#x} is inside an instruction")
    if covered != rets or len(set(covered)) != len(covered):
        wrong.append(f"returns {[hex(r) for r in rets]}, sites cover {[hex(r) for r in covered]}")
    for offset, target in text.jumps.items():
        if target is not None and not 0 <= target < len(text.code):
            wrong.append(f"leaves by the branch at {offset:#x}")
        elif target is not None and target not in by_offset:
            wrong.append(f"the branch at {offset:#x} goes into an instruction")
        elif target is None and text.sp(offset) == 0:
            wrong.append(f"may leave by the indirect jump at {offset:#x}")
        elif target is None and not text.table_targets:
            wrong.append(f"the indirect jump at {offset:#x} goes by no known table")
        if any(offset <= at < offset + by_offset[offset][1] for at in text.calls):
            wrong.append(f"leaves by the tail call at {offset:#x}")
    return wrong


def check_teardown(text: Text, start: int, ret: int, teardown: bytes, body_frame: int, goarch: str) -> list[str]:
    """The teardown is what the site does before its return, padding aside, and frees the body's frame."""
    if goarch == "arm64":
        return [] if (start, teardown, body_frame) == (ret, b"", 0) else [f"site {start:#x}: teardown on arm64"]
    done, freed, names = b"", 0, []
    for offset, size, name, operands in text.insns:
        if not start <= offset < ret or name == "nop" or (name == "xchg" and operands in ("ax, ax", "eax, eax")):
            continue
        done += text.code[offset : offset + size]
        names.append(name)
        if name in ("add", "sub") and operands.startswith("rsp, "):
            value = int(operands.removeprefix("rsp, "), 0)
            freed += value if name == "add" else -value
        elif (name, operands) == ("pop", "rbp"):
            freed += 8
        else:
            return [f"site {start:#x} has {name} {operands}"]
    if done != teardown or freed != body_frame or names[-1:] != ["pop"] or len(names) != (1 if body_frame == SAVED_BP else 2):
        return [f"site {start:#x}: teardown {teardown.hex()} for {done.hex()}, frees {freed} of {body_frame}"]
    return []


SAVED_BP = 8
AMD64_INTS = [("rax", "eax", "ax", "al"), ("rbx", "ebx", "bx", "bl"), ("rcx", "ecx", "cx", "cl"), ("rdi", "edi", "di", "dil"), ("rsi", "esi", "si", "sil"),
              *((f"r{i}", f"r{i}d", f"r{i}w", f"r{i}b") for i in range(8, 12))]  # fmt: skip
AMD64_REGS = {name: (index, size) for index, names in enumerate(AMD64_INTS) for name, size in zip(names, (8, 4, 2, 1), strict=True)}
AMD64_SLOT = re.compile(r"(\w+) ptr \[rsp(?: \+ (\w+))?\], (\w+)$")
ARM64_SLOT = re.compile(r"([xwsd]\d+)(?:, ([xwsd]\d+))?, \[(sp|x27)(?:, #(\w+))?\]$")


def spills(text: Text, goarch: str) -> tuple[Piece, ...] | None:
    """What capstone sees stored between the last branch target in front of the call of morestack and that call. None: there is no call."""
    sites = {insn[0] for insn in text.insns if insn[2] in ("call", "bl")}
    before = 1 if goarch == "amd64" else 0
    grow = [at - before for at, name in text.calls.items() if name.startswith("runtime.morestack") and at - before in sites]
    if not grow:
        return None
    (call,) = grow
    targets = [target for target in text.jumps.values() if target is not None and target <= call]
    assert targets, f"{text.name}: nothing jumps to its call of morestack"
    tail = max(targets)
    pieces: list[Piece] = []
    extra = 0
    for offset, _, name, operands in text.insns:
        if not tail <= offset < call or name in ("nop", "xchg") or (name, operands) == ("mov", "x3, x30"):
            continue
        if goarch == "amd64":
            match = AMD64_SLOT.match(operands)
            assert match and name in ("mov", "movss", "movsd"), f"{name} {operands}"
            at = int(match[2] or "0", 0) - 8
            if name == "mov":
                index, size = AMD64_REGS[match[3]]
                pieces.append(Piece(RegClass.INT, index, size, at))
            else:
                pieces.append(Piece(RegClass.FLOAT, int(match[3].removeprefix("xmm")), 4 if name == "movss" else 8, at))
            continue
        if name == "add" and operands.startswith(("x27, sp, #", "x27, x27, #")):
            value, *shift = operands.split("#", 1)[1].split(", lsl #")
            extra = (extra if ", x27" in operands else 0) + (int(value, 0) << int(shift[0] if shift else "0"))
            continue
        match = ARM64_SLOT.match(operands)
        assert match and name in ("str", "strb", "strh", "stp"), f"{name} {operands}"
        size = {"strb": 1, "strh": 2}.get(name, {"x": 8, "d": 8, "w": 4, "s": 4}[match[1][0]])
        at = int(match[4] or "0", 0) - 8 + (extra if match[3] == "x27" else 0)
        for number, reg in enumerate(filter(None, match.groups()[:2])):
            pieces.append(Piece(RegClass.INT if reg[0] in "xw" else RegClass.FLOAT, int(reg[1:]), size, at + number * size))
    return tuple(pieces)


PARAMS = [
    pytest.param(v, g, marks=[] if v == "1.26" else [pytest.mark.long], id=f"{v}-{g}") for v in (toolchains.telemetry(), "1.26", toolchains.newest()) for g in trampolines.ARCHITECTURES
]


@pytest.mark.parametrize(("version", "goarch"), PARAMS)
def test_finders_against_capstone(version: str, goarch: str) -> None:
    arch = trampolines.load(goarch)
    outcomes: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    wrong: list[str] = []
    undecoded: list[str] = []
    n_sites = n_spills = n_branches = n_tables = n_to_sites = 0
    for text in texts(version, goarch):
        scan = arch.find_epilogues(text.code, text.pcsp, text.calls)
        framed = any(value > FRAMELESS[goarch] for value, _ in text.pcsp)
        whole = sum(insn[1] for insn in text.insns) == len(text.code)
        if not whole:
            undecoded.append(text.name)
        outcome = scan.refusal[0] if scan.refusal else "patchable" if scan.sites else "no-return"
        group = "assembly" if text.asm else "framed" if framed else "frameless"
        outcomes[group, outcome] += 1
        examples.setdefault((group, outcome), f"{text.name}: {scan.refusal[1]}" if scan.refusal else text.name)
        if not whole:
            if not text.asm:
                wrong.append(f"{text.name}: capstone stops at {sum(insn[1] for insn in text.insns):#x} of {len(text.code):#x}")
            continue
        n_branches += len(text.jumps)
        n_tables += len(text.table_targets)
        n_to_sites += len({site.offset for site in scan.sites} & (set(text.jumps.values()) | text.table_targets))
        if scan.refusal is None:
            n_sites += len(scan.sites)
            wrong += [f"{text.name}: {what}" for what in check_sites(text, scan, goarch)]
        if not text.asm:
            found: SpillScan = arch.find_spills(text.code, text.calls)
            if found.refusal is None:
                n_spills += len(found.pieces or ())
                expected = spills(text, goarch)
                if found.pieces != expected:
                    wrong.append(f"{text.name}: spills {found.pieces}, capstone {expected}")
            else:
                outcomes[group, "(spills refused)"] += 1
                examples.setdefault((group, "(spills refused)"), f"{text.name}: {found.refusal[1]}")
    print(
        f"\n{version} {goarch}: {n_sites} sites, {n_spills} spills, {n_branches} branches and {n_tables} jump table targets checked, {n_to_sites} sites are the target of one; {len(undecoded)} not decoded: {undecoded[:5]}"
    )
    for key, count in sorted(outcomes.items()):
        print(f"  {key[0]:10} {key[1]:18} {count:6}  {examples[key]}")
    framed_all = sum(count for (group, outcome), count in outcomes.items() if group == "framed" and outcome[0] != "(")
    returning = framed_all - outcomes["framed", "no-return"]
    print(f"  framed: {framed_all}, patchable of those that return: {outcomes['framed', 'patchable'] / returning:.4%}")
    assert not wrong, f"{len(wrong)} findings:\n" + "\n".join(wrong[:20])
    assert min(framed_all, n_sites, n_spills) > 10_000 and n_tables > 500 and n_to_sites > LEAST_TO_SITES[goarch], "too little was checked to mean anything"
    assert outcomes["framed", "patchable"] / returning >= FLOORS[goarch]
    assert not {(group, outcome) for group, outcome in outcomes if group == "framed"} - {("framed", o) for o in EXPECTED[goarch]}, "a new reason to refuse"


def made(goarch: str, code: bytes, pcsp: list[tuple[int, int]], tables: set[int] = frozenset()) -> Text:
    text = Text("made", False, code, pcsp, {}, [], set(tables))
    disassemble(text, goarch)
    return text


HEAD, BODY, TAIL = b"\x55\x48\x89\xe5\x48\x83\xec\x10", b"\x85\xc0\x75%c\x90\x90", b"\x48\x83\xc4\x10\x5d\xc3"
"""PUSHQ BP; MOVQ SP, BP; SUBQ $16, SP | TESTL AX, AX; JNE; NOP; NOP | ADDQ $16, SP; POPQ BP; RET"""
PCSP = [(0, 1), (8, 8), (24, 18), (8, 19), (0, 20)]


@pytest.mark.parametrize(("distance", "tables", "finding"), [
    (2, set(), None), (1, set(), None), (6, set(), "BRANCH INTO THE PATCHED JUMP"), (7, set(), "branch past the patched jump"),
    (2, {14}, None), (2, {18}, "BRANCH INTO THE PATCHED JUMP"), (2, {19}, "branch past the patched jump"), (8, set(), "leaves by the branch"),
])  # fmt: skip
def test_the_judge_sees_a_branch_into_a_patched_jump(distance: int, tables: set[int], finding: str | None) -> None:
    text = made("amd64", HEAD + BODY % distance + TAIL, PCSP, tables)
    scan = trampolines.load("amd64").find_epilogues(text.code, text.pcsp, {})
    assert [(site.offset, site.length, site.body_frame) for site in scan.sites] == [(14, 6, 24)]
    found = check_sites(text, scan, "amd64")
    assert found == [] if finding is None else len(found) == 1 and finding in found[0], found


@pytest.mark.parametrize(("changes", "finding"), [
    ({"offset": 13, "length": 7}, "has nop"), ({"length": 5}, "does not end with one plain return"), ({"body_frame": 16}, "table 24"), ({"teardown": TAIL[:4]}, "teardown"),
])  # fmt: skip
def test_the_judge_sees_a_wrong_site(changes: dict[str, object], finding: str) -> None:
    text = made("amd64", HEAD + BODY % 2 + TAIL, PCSP)
    (site,) = trampolines.load("amd64").find_epilogues(text.code, text.pcsp, {}).sites
    found = check_sites(text, EpilogueScan((replace(site, **changes),)), "amd64")
    assert finding == "has nop" and found or any(finding in what for what in found), found
    assert check_sites(text, EpilogueScan(()), "amd64"), "a return without a site"
