"""What every path through a stub or thunk must keep.

The disassembly runs with symbols instead of numbers: a register or stack byte is known by where its value came from, both ways
are taken at every branch, and a callee ruins all it may. test_run.py does the same with numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import capstone
import pytest

import trampolines
from trampolines.contract import Base, ClosureUse, EntrySpec, ExitSpec, FixupKind, Piece, ThunkSpec
from trampolines_shapes import CASES, INT, SLOT, Case

WORD = 8
DISASSEMBLERS = {
    "amd64": capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64),
    "arm64": capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN),
}


def some(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES if case.name.startswith(kind)])


def decode(case: Case) -> list[capstone.CsInsn]:
    found = list(DISASSEMBLERS[case.goarch].disasm(case.code.code, 0))
    assert sum(insn.size for insn in found) == len(case.code.code), "capstone cannot read all of it"
    return found


# running with symbols

Symbol = tuple[object, ...]
Value = tuple[tuple[Symbol, int] | int | None, ...]
"""Eight bytes: (symbol, number of its byte), 0, or None for what a callee ruined or nobody wrote."""
ZERO: Value = (0,) * 8
RUINED: Value = (None,) * 8
TOP: Symbol = ("start", "sp")
"""SP where the function that the code belongs to was entered."""


def constant(number: int) -> Value:
    return tuple(number.to_bytes(8, "little"))


def whole(symbol: Symbol) -> Value:
    return tuple((symbol, i) for i in range(8))


def symbol_of(value: Value) -> Symbol:
    assert value[0], f"not one whole value: {value}"
    (first, _), (kind, *more) = value[0], value[0][0]
    if kind == "mem":
        assert value == tuple((("mem", more[0], more[1] + i), 0) for i in range(8)), f"not one whole word of memory: {value}"
        return ("word", *more)
    assert value == whole(first), f"not one whole value: {value}"
    return first


def moved(value: Value, by: int) -> Value:
    symbol = symbol_of(value)
    root, old = (symbol[1], symbol[2]) if symbol[0] == "off" else (symbol, 0)
    return whole(("off", root, old + by) if old + by else root)


def place(value: Value) -> tuple[Symbol, int]:
    symbol = symbol_of(value)
    return (symbol[1], symbol[2]) if symbol[0] == "off" else (symbol, 0)


def low(value: Value, size: int) -> Value:
    return value[:size] + ZERO[size:]


@dataclass
class State:
    regs: dict[str, Value]
    stack: dict[int, object] = field(default_factory=dict)
    stores: list[tuple[Symbol, int, Value, int]] = field(default_factory=list)
    stack_stores: list[tuple[int, int]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def copy(self) -> State:
        return State(dict(self.regs), dict(self.stack), list(self.stores), list(self.stack_stores), list(self.calls))

    def read(self, base: Value, disp: int, size: int) -> Value:
        root, at = place(base)
        if root != TOP:
            return tuple((("mem", root, at + disp + i), 0) for i in range(size)) + ZERO[size:]
        got = tuple(self.stack.get(at + disp + i) for i in range(size))
        assert None not in got, f"reads what a callee ruined, or nobody wrote: {size} bytes at {at + disp}"
        return got + ZERO[size:]

    def write(self, base: Value, disp: int, size: int, value: Value) -> None:
        root, at = place(base)
        if root != TOP:
            self.stores.append((root, at + disp, value, size))
            return
        self.stack_stores.append((at + disp, size))
        self.stack |= {at + disp + i: value[i] for i in range(size)}


@dataclass
class End:
    """How a path leaves: "ret", "restart" or the role it jumps to."""

    how: str
    state: State


class Symbolic:
    """All paths through one piece of code. on_call: checks at each call, before the callee ruins what it may."""

    sp, fp, link, g, closure = "", "", "", "", ""
    ints: tuple[str, ...] = ()
    floats = ""
    others: tuple[str, ...] = ()
    outgoing = 0
    """Bytes from SP to a callee's args area, at the call instruction."""
    below = 0
    """Bytes below SP that a callee leaves alone: arm64 keeps the caller's frame pointer at -8(RSP), the top word of the callee's frame."""

    def __init__(self, case: Case, spill_area: int, on_call: Callable[[Symbolic, str, State], None] = lambda *_: None) -> None:
        self.case, self.code, self.spill_area, self.on_call = case, case.code, spill_area, on_call
        self.insns = {insn.address: insn for insn in decode(case)}
        self.roles = {}
        for fixup in self.code.fixups:
            at = next(i.address for i in self.insns.values() if i.address <= fixup.offset < i.address + i.size)
            self.roles[at] = fixup
        self.visited: set[int] = set()

    def initial(self) -> dict[str, Value]:
        regs = {name: whole(("start", name)) for name in (*self.ints, *self.others, *(f"{self.floats}{i}" for i in range(16)))}
        return regs | {self.sp: whole(TOP)}

    def sp_of(self, state: State) -> int:
        root, at = place(state.regs[self.sp])
        assert root == TOP
        return at

    def run(self, start: int = 0, state: State | None = None) -> list[End]:
        ends: list[End] = []
        todo = [(start, state or State(self.initial()))]
        while todo:
            at, state = todo.pop()
            while True:
                insn = self.insns[at]
                self.visited.add(at)
                table = next(value for value, end in self.code.pcsp if at < end)
                assert table == -self.sp_of(state), f"pcsp says {table} at {at:#x}, SP has moved by {-self.sp_of(state)}"
                how = self.step(insn, state)
                if how is None:
                    at += insn.size
                elif isinstance(how, str):
                    ends.append(End(how, state))
                    break
                elif how[0] == "if":
                    if isinstance(how[1], str):
                        ends.append(End(how[1], state.copy()))
                    else:
                        todo.append((how[1], state.copy()))
                    at += insn.size
                elif how[1] == 0:
                    ends.append(End("restart", state))
                    break
                else:
                    at = how[1]
        return ends

    def step(self, insn: capstone.CsInsn, state: State) -> None | str | tuple[str, int | str]:
        raise NotImplementedError

    def call(self, role: str, state: State) -> None:
        state.calls.append(role)
        self.on_call(self, role, state)
        kept = {name: state.regs[name] for name in (self.sp, self.fp, self.g)}
        link = state.regs.get("x3")
        if role == "morestack":
            kept[self.closure] = state.regs[self.closure]
        state.regs = dict.fromkeys(state.regs, RUINED) | kept
        if self.link and role == "morestack":
            state.regs[self.link] = link  # what gogo restores
        sp = self.sp_of(state)
        ruined = range(sp + self.outgoing, sp + self.outgoing + (0 if role == "morestack" else self.spill_area))
        state.stack = {at: byte for at, byte in state.stack.items() if at >= sp - self.below and at not in ruined}

    def target(self, insn: capstone.CsInsn) -> int | str:
        if insn.address in self.roles:
            assert self.roles[insn.address].kind is FixupKind.CALL
            return self.roles[insn.address].role
        target = int(insn.op_str.split(",")[-1].strip().lstrip("#"), 0)
        assert target in self.insns, f"a branch into an instruction: {target:#x}"
        return target


class Amd64(Symbolic):
    sp, fp, g, closure = "rsp", "rbp", "r14", "rdx"
    ints = ("rax", "rbx", "rcx", "rdi", "rsi", "r8", "r9", "r10", "r11")
    others = ("rdx", "rbp", "r12", "r13", "r14", "r15")
    floats = "xmm"
    NAMES = {
        **{alias: (names[0], size) for names in (("rax", "eax", "ax", "al"), ("rbx", "ebx", "bx", "bl"), ("rcx", "ecx", "cx", "cl"), ("rdx", "edx", "dx", "dl"),
           ("rsi", "esi", "si", "sil"), ("rdi", "edi", "di", "dil"), ("rbp", "ebp", "bp", "bpl"), ("rsp", "esp", "sp", "spl"))
           for alias, size in zip(names, (8, 4, 2, 1))},
        **{f"r{i}{s}": (f"r{i}", size) for i in range(8, 16) for s, size in (("", 8), ("d", 4), ("w", 2), ("b", 1))},
        **{f"xmm{i}": (f"xmm{i}", 8) for i in range(16)},
    }  # fmt: skip
    MEMORY = re.compile(r"(?:(\w+) ptr )?\[(\w+)(?: ([+-]) (\w+))?\]$")
    SIZES = {"byte": 1, "word": 2, "dword": 4, "qword": 8}

    def memory(self, text: str) -> tuple[str, int, int]:
        match = self.MEMORY.match(text)
        assert match, text
        disp = int(match[4] or "0", 0)
        return match[2], -disp if match[3] == "-" else disp, self.SIZES.get(match[1], 0)

    def step(self, insn, state):
        name, ops = insn.mnemonic, [op.strip() for op in insn.op_str.split(", ")]
        regs = state.regs
        if name in ("mov", "movzx", "movss", "movsd"):
            if "[" in ops[0]:
                base, disp, size = self.memory(ops[0])
                if ops[1].isdigit():
                    value = constant(int(ops[1]))
                else:
                    reg, width = self.NAMES[ops[1]]
                    assert width == size or reg.startswith("xmm")
                    value = regs[reg]
                state.write(regs[base], disp, size, value)
            elif "[" in ops[1]:
                base, disp, size = self.memory(ops[1])
                regs[self.NAMES[ops[0]][0]] = state.read(regs[base], disp, size)
            else:
                assert self.NAMES[ops[0]][1] == self.NAMES[ops[1]][1] == 8
                regs[ops[0]] = regs[ops[1]]
        elif name == "lea":
            base, disp, _ = self.memory(ops[1])
            if base == "rip":
                fixup = self.roles[insn.address]
                assert fixup.kind is FixupKind.PCREL and fixup.addend == 0 and fixup.offset == insn.address + 3
                regs[ops[0]] = whole(("address", fixup.role))
            else:
                regs[ops[0]] = moved(regs[base], disp)
        elif name in ("add", "sub") and ops[0] == "rsp":
            regs["rsp"] = moved(regs["rsp"], int(ops[1], 0) * (1 if name == "add" else -1))
        elif name in ("sub", "neg"):
            regs[ops[0]] = whole((name, insn.address))
        elif name == "push":
            regs["rsp"] = moved(regs["rsp"], -8)
            state.write(regs["rsp"], 0, 8, regs[ops[0]])
        elif name == "pop":
            regs[ops[0]] = state.read(regs["rsp"], 0, 8)
            regs["rsp"] = moved(regs["rsp"], 8)
        elif name in ("xor", "xorps"):
            assert ops[0] == ops[1]
            regs[self.NAMES[ops[0]][0]] = ZERO
        elif name == "ret":
            return "ret"
        elif name == "call":
            role = self.target(insn)
            assert isinstance(role, str)
            self.call(role, state)
        elif name == "jmp":
            target = self.target(insn)
            return target if isinstance(target, str) else ("jmp", target)
        elif name[0] == "j":
            return ("if", self.target(insn))
        else:
            assert name in ("cmp", "test", "nop"), name
        return None


class Arm64(Symbolic):
    sp, fp, link, g, closure = "sp", "x29", "x30", "x28", "x26"
    ints = tuple(f"x{i}" for i in range(16))
    others = (*(f"x{i}" for i in range(16, 31)),)
    floats = "d"
    outgoing = below = 8
    MEMORY = re.compile(r"\[(\w+)(?:, #(-?\w+))?\](!)?(?:, #(-?\w+))?$")

    @staticmethod
    def full(name: str) -> str:
        return name if name == "sp" else {"w": "x", "s": "d"}.get(name[0], name[0]) + name[1:]

    def get(self, state: State, name: str) -> Value:
        if name in ("xzr", "wzr"):
            return ZERO
        value = state.regs[self.full(name)]
        return low(value, 4) if name[0] in "w" else value

    def step(self, insn, state):
        name, text = insn.mnemonic, insn.op_str
        ops = [op.strip() for op in text.split(",")]
        regs = state.regs
        if name in ("str", "strb", "strh", "stur", "stp", "ldr", "ldrb", "ldrh", "ldur", "ldp"):
            match = self.MEMORY.search(text)
            names = [op.strip() for op in text[: match.start()].split(",") if op.strip()]
            size = {"b": 1, "h": 2}.get(name[3:4], {"w": 4, "s": 4}.get(names[0][0], 8))
            disp = int(match[2] or "0", 0)
            if match[3]:
                regs[match[1]] = moved(regs[match[1]], disp)
                disp = 0
            base = regs[match[1]]
            for i, reg in enumerate(names):
                if name.startswith("ld"):
                    regs[self.full(reg)] = state.read(base, disp + i * size, size)
                else:
                    state.write(base, disp + i * size, size, self.get(state, reg))
            if match[4]:
                regs[match[1]] = moved(base, int(match[4], 0))
        elif name in ("mov", "fmov"):
            regs[self.full(ops[0])] = constant(int(ops[1][1:], 0)) if ops[1].startswith("#") else self.get(state, ops[1])
        elif name in ("add", "sub") and ops[2].startswith("#"):
            value = int(ops[2][1:], 0) << (12 if ops[3:] == ["lsl #12"] else 0)
            regs[ops[0]] = moved(regs[ops[1]], value if name == "add" else -value)
        elif name == "sub":
            regs[ops[0]] = whole(("sub", insn.address))
        elif name == "adrp":
            fixup = self.roles[insn.address]
            follower = self.insns[insn.address + 4]
            assert fixup.kind is FixupKind.ADDR and fixup.size == 8 and f"{follower.mnemonic} {follower.op_str}" == f"add {ops[0]}, {ops[0]}, #0"
            regs[ops[0]] = whole(("address", fixup.role))
        elif name == "bl":
            role = self.target(insn)
            assert isinstance(role, str)
            regs["x30"] = whole(("return", insn.address))
            self.call(role, state)
        elif name == "ret":
            assert not text
            return "ret"
        elif name == "b":
            target = self.target(insn)
            return target if isinstance(target, str) else ("jmp", target)
        elif name.startswith("b.") or name in ("cbz", "cbnz"):
            return ("if", self.target(insn))
        else:
            assert name in ("cmp", "tst", "nop"), name
        return None


RUNNERS = {"amd64": Amd64, "arm64": Arm64}
SCRATCH = {"amd64": {"r12", "r13"}, "arm64": {"x16", "x17", "x27"}}


def register(m: Symbolic, piece: Piece) -> str:
    return m.ints[piece.index] if piece.reg is INT else f"{m.floats}{piece.index}"


def locals_base(m: Symbolic) -> int:
    """The first word of the locals map, from TOP: below the saved frame pointer."""
    return -8 - WORD * len(m.code.locals_map)


def check_back(m: Symbolic, end: End, start: dict[str, Value]) -> None:
    """At SP of the entry, with the frame pointer, the return address and g of the caller."""
    assert m.sp_of(end.state) == 0
    for name in (m.fp, m.g, m.link):
        assert not name or end.state.regs[name] == start[name], f"{name} at {end.how}"


def untouched(m: Symbolic, state: State, start: dict[str, Value]) -> set[str]:
    return {name for name, value in state.regs.items() if value != start[name]}


@some("entry")
def test_entry_paths(case: Case) -> None:
    spec: EntrySpec = case.spec

    def on_call(m: Symbolic, role: str, state: State) -> None:
        if role == "morestack":
            assert m.sp_of(state) == 0 and state.regs[m.closure] == start[m.closure]
            assert not m.link or state.regs["x3"] == start[m.link]
        else:
            args = [symbol_of(state.regs[name]) for name in m.ints[:3]]
            assert args == [("address", "desc"), ("off", TOP, 8), ("start", m.g)]
            assert all(at >= m.sp_of(state) + m.outgoing + 24 or at < m.sp_of(state) + m.outgoing for at in state.stack), "live data where enter spills"
            words = [tuple(state.stack.get(locals_base(m) + WORD * i + b) for b in range(8)) for i in range(len(m.code.locals_map))]
            assert [w for w, flag in zip(words, m.code.locals_map) if flag] == [start[m.closure]] * (spec.closure is ClosureUse.POINTER)
            assert locals_base(m) >= m.sp_of(state)
        for piece in spec.spills:
            home = tuple(state.stack.get(8 + piece.offset + i) for i in range(piece.size))
            assert home == start[register(m, piece)][: piece.size], f"{piece} is not in its home at the call of {role}"

    m = RUNNERS[case.goarch](case, 24, on_call)
    start = m.initial()
    ends = m.run()
    assert m.visited == set(m.insns), "dead code"
    expected = ["body"] * (2 if spec.toggle else 1) + ["restart"] + (["exit"] if spec.skippable else [])
    assert sorted(end.how for end in ends) == sorted(expected)
    for end in ends:
        check_back(m, end, start)
        assert not end.state.stores
        if end.how == "exit":
            for piece in spec.results:
                assert end.state.regs[register(m, piece)] == ZERO
            for offset, size in spec.stack_results:
                assert all(end.state.stack[8 + offset + i] == 0 for i in range(size))
            continue
        assert end.state.regs[m.closure] == start[m.closure]
        if not end.state.calls:
            assert untouched(m, end.state, start) <= ({"x16"} if m.link else set()) and not end.state.stack_stores
            continue
        assert end.state.calls == (["morestack"] if end.how == "restart" else ["enter"])
        for piece in spec.spills:
            assert end.state.regs[register(m, piece)] == low(start[register(m, piece)], piece.size), f"{piece} at {end.how}"


@some("exit")
@pytest.mark.parametrize("entry", ["exit", "frameless"])
def test_exit_paths(case: Case, entry: str) -> None:
    spec: ExitSpec = case.spec
    first = []

    def on_call(m: Symbolic, role: str, state: State) -> None:
        assert role == "exit_hook"
        desc, area, args, g = (symbol_of(state.regs[name]) for name in m.ints[:4])
        assert (desc, args, g) == (("address", "desc"), ("off", TOP, 8), ("start", m.g)) and area[:2] == ("off", TOP)
        assert area[2] >= m.sp_of(state) + m.outgoing + 32
        assert all(at >= m.sp_of(state) + m.outgoing + 32 or at < m.sp_of(state) + m.outgoing for at in state.stack), "live data where exit_hook spills"
        number = (area[2] - locals_base(m)) // WORD
        assert m.code.locals_map[number : number + len(spec.area_map)] == spec.area_map and sum(m.code.locals_map) == sum(spec.area_map)
        for piece in spec.results:
            assert tuple(state.stack.get(area[2] + piece.offset + i) for i in range(piece.size)) == start[register(m, piece)][: piece.size]
        first.append(area[2])

    m = RUNNERS[case.goarch](case, 32, on_call)
    start = m.initial()
    state = State(dict(start))
    if entry == "exit" and spec.body_frame:
        state.regs[m.sp] = moved(state.regs[m.sp], -spec.body_frame)
        state.stack = {-8 + i: (("caller's frame pointer",), i) for i in range(8)}
        start |= {m.fp: whole(("caller's frame pointer",))}
    ends = m.run(m.code.entry(entry), state)
    assert m.visited == {at for at in m.insns if at >= m.code.entry(entry)}, "dead code"
    assert [end.how for end in ends] == ["ret"] * len(ends) and sorted(len(end.state.calls) for end in ends) == [0, 0, 1] and first
    for end in ends:
        check_back(m, end, start)
        assert not end.state.stores
        if not end.state.calls:
            assert untouched(m, end.state, start) <= SCRATCH[case.goarch], "the fast path changes more than scratch registers"
            assert not end.state.stack_stores, "the fast path writes to the stack"
            continue
        for piece in spec.results:
            assert end.state.regs[register(m, piece)] == low(start[register(m, piece)], piece.size)


@some("thunk")
def test_thunk_paths(case: Case) -> None:
    spec: ThunkSpec = case.spec

    def on_call(m: Symbolic, role: str, state: State) -> None:
        if role == "morestack":
            assert m.sp_of(state) == 0
            assert not m.link or state.regs["x3"] == start[m.link]
            return
        if role == "deferreturn":
            return
        panicking.append(state.copy())
        bases = {base: ("start", name) for base, name in zip((Base.ARGS, Base.RESULTS, Base.BOXES), m.ints[2:5], strict=True)}
        assert [state.regs[name] for name in m.ints[:2]] == [start[name] for name in m.ints[:2]]
        for load in spec.loads:
            expected = tuple((("mem", bases[load.base], load.dst.offset + i), 0) for i in range(load.dst.size)) + ZERO[load.dst.size :]
            assert state.regs[register(m, load.dst)] == expected, load
        out = m.sp_of(state) + m.outgoing
        for copy in spec.copies:
            for i in range(copy.size):
                assert state.stack[out + copy.to + i] == (("mem", bases[copy.base], copy.offset + i), 0), copy
        slot, byte = -8 - deferred.slots, -8 - deferred.bits
        assert out + spec.hook_args <= slot and slot + 8 <= byte < -8, "the deferred call lies in the hook's args area or the saved frame pointer"
        assert state.stack[byte] == 1 and all(state.stack[slot + i] == (("address", "catch"), i) for i in range(8))
        written = {at + i for at, size in state.stack_stores for i in range(size) if out <= at + i < -8}
        assert written == {out + copy.to + i for copy in spec.copies for i in range(copy.size)} | set(range(slot, slot + 8)) | {byte}

    panicking: list[State] = []
    deferred = case.code.open_defer
    m = RUNNERS[case.goarch](case, spec.hook_args, on_call)
    start = m.initial()
    ends = m.run()
    (state,) = panicking
    state.regs |= {m.fp: moved(start[m.sp], -8) if case.goarch == "amd64" else moved(state.regs[m.sp], -8)}
    recovered = m.run(next(f.offset - (case.goarch == "amd64") for f in case.code.fixups if f.role == "deferreturn"), state)
    assert [end.how for end in recovered] == ["ret"] and recovered[0].state.calls[-1] == "deferreturn"
    check_back(m, recovered[0], start)
    assert m.visited == set(m.insns), "dead code"
    checked = "nosplit" not in dict(m.code.entries)
    assert sorted(end.how for end in ends) == (["restart", "ret"] if checked else ["ret"])
    for end in ends:
        check_back(m, end, start)
        assert not end.state.stores and not any(m.code.locals_map)
        above = {at for at, _ in end.state.stack_stores if at >= 8}
        assert above == ({8 + WORD * i for i in range(5)} if checked else set())
        if end.how == "restart":
            assert [end.state.regs[name] for name in m.ints[:5]] == [start[name] for name in m.ints[:5]]


@some("slot")
def test_slot_handover_paths(case: Case) -> None:
    m = RUNNERS[case.goarch](case, 0)
    start = m.initial()
    state = State(dict(start))
    if case.goarch == "amd64":
        state.regs[m.sp] = moved(state.regs[m.sp], -0x38)
        state.stack = {-8 + i: (("caller's frame pointer",), i) for i in range(8)}
        start |= {m.fp: whole(("caller's frame pointer",))}
    ends = m.run(0, state)
    assert [end.how for end in ends] == ["ret", "ret"] and m.visited == set(m.insns)
    for end in ends:
        check_back(m, end, start)
        assert untouched(m, end.state, start) <= SCRATCH[case.goarch] | {m.fp} and not end.state.stack_stores
        assert [(root, at, size) for root, at, _, size in end.state.stores] == [(("start", m.ints[0]), SLOT, 8)]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES if case.name == "getg"])
def test_getg(case: Case) -> None:
    m = RUNNERS[case.goarch](case, 0)
    start = m.initial()
    (end,) = m.run()
    assert end.how == "ret"
    assert untouched(m, end.state, start) == {m.ints[0]}
    assert end.state.regs[m.ints[0]] == start[m.g]


# the judge judged: each break of a stub must be seen


def broken(case: Case, code: bytes | None = None, **changes: object) -> Case:
    return replace(case, code=replace(case.code, code=code or case.code.code, **changes))


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
@pytest.mark.parametrize("name", ["entry-mixed", "exit-mixed"])
def test_the_judge_sees_every_lost_instruction(goarch: str, name: str) -> None:
    """Any instruction that moves SP or data to or from the stack, replaced by NOPs, is noticed; a shifted table too."""
    case = next(case for case in CASES if (case.goarch, case.name) == (goarch, name))
    test = test_entry_paths if name.startswith("entry") else lambda c: test_exit_paths(c, "exit")
    test(case)
    nop = b"\x90" if goarch == "amd64" else b"\x1f\x20\x03\xd5"
    lost = 0
    for insn in decode(case):
        stack = "[rsp" in insn.op_str or "[sp" in insn.op_str or insn.mnemonic in ("push", "pop") or insn.op_str.startswith(("rsp", "sp,"))
        if not stack or insn.mnemonic in ("cmp",) or "r13" in insn.op_str:
            continue
        code = bytearray(case.code.code)
        code[insn.address : insn.address + insn.size] = nop * (insn.size // len(nop))
        with pytest.raises(AssertionError):
            test(broken(case, bytes(code)))
        lost += 1
    assert lost >= 12
    value, end = case.code.pcsp[1]
    with pytest.raises(AssertionError):
        test(broken(case, pcsp=(case.code.pcsp[0], (value + 8, end), *case.code.pcsp[2:])))
    first, second = case.code.pcsp[:2]
    with pytest.raises(AssertionError):
        test(broken(case, pcsp=((first[0], first[1] + 4), second, *case.code.pcsp[2:])))
