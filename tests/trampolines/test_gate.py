"""The gates in front of the functions by which the runtime dies of a signal, run in Python: who is let through, with which signal, what is woken,
and that nothing changes but registers that any call may change."""

from __future__ import annotations

import pytest

import trampolines
from trampolines.contract import GateSpec
from trampolines_case import ARCHES, RETURN, check_back, same_registers, start
from trampolines_machine import MASK, Machine

PID = 0x3_1234
SIGNALS = (1, 2, 15)
GETPID, WAKE, OPERATION = 20, 454, 16
"""Of no system that programs are linked for: a gate has the numbers that it is given."""
SPEC = GateSpec(SIGNALS, GETPID, WAKE, OPERATION)
SYSCALLS = {"amd64": ("rax", ("rdi", "rsi", "rdx")), "arm64": ("x8", ("x0", "x1", "x2"))}
"""Register of the number, registers of arguments."""
GARBAGE = 0xABCD << 32
"""The upper half of a register that holds 32 bits may be anything."""


class Kernel:
    """Answers the two system calls."""

    def __init__(self, goarch: str, pid: int) -> None:
        self.goarch, self.pid, self.woken = goarch, pid, 0

    def __call__(self, m: Machine) -> None:
        number, args = SYSCALLS[self.goarch]
        result = "rax" if self.goarch == "amd64" else "x0"
        if m.regs[number] == GETPID:
            m.regs[result] = self.pid
            return
        assert m.regs[number] == WAKE and [m.regs[arg] for arg in args] == [m.roles["note"], OPERATION, 1]
        assert m.read(m.roles["note"], 4) == 1 and m.read(m.roles["state"], 8) >> 63, "woken too early"
        self.woken += 1
        m.regs[result] = 1


def gate(goarch: str, state: int, signal: int, *, pid: int = PID) -> tuple[Machine, Kernel]:
    m, _ = start(goarch, trampolines.load(goarch).death_gate(SPEC), 1, 8)
    kernel = Kernel(goarch, pid)
    m.hosts = {"syscall": kernel}
    m.write(m.roles["state"], 8, state & MASK)
    m.write(m.roles["note"], 8, 0)
    m.regs[m.ints[0]] = GARBAGE | signal
    return m, kernel


def signed(m: Machine) -> int:
    value = m.read(m.roles["state"], 8)
    return value - (1 << 64) if value >> 63 else value


def run(m: Machine, expected: str) -> int:
    """Runs to the end that is expected; the signal that goes on."""
    sp, fp, kept = m.sp, m.regs[m.fp_name], {name: m.regs[name] for name in (m.g_name, m.sp_name, m.fp_name)}
    mem, floats = dict(m.mem), dict(m.floats)
    assert m.run(sp) == expected
    if expected == "return":
        assert m.pc == RETURN
        check_back(m, sp + (8 if m.sp_name == "rsp" else 0), fp, 8)
    else:
        assert {name: m.regs[name] for name in kept} == kept
    changed = {a for a in m.mem if m.mem[a] != mem.get(a)}
    words = {m.roles[role] + i for role in ("state", "note") if role in m.roles for i in range(8)}
    assert changed <= words and m.floats == floats
    return m.regs[m.ints[0]] & 0xFFFF_FFFF


@ARCHES
@pytest.mark.parametrize("signal", [1, 2, 6, 9, 13, 15, 31, 64])
def test_nobody_watches(goarch: str, signal: int) -> None:
    m, kernel = gate(goarch, 0, signal)
    assert run(m, "body") == signal and signed(m) == 0 and not kernel.woken


@ARCHES
@pytest.mark.parametrize("signal", SIGNALS)
def test_the_first_signal_wakes(goarch: str, signal: int) -> None:
    m, kernel = gate(goarch, PID, signal)
    run(m, "return")
    assert signed(m) == -signal and kernel.woken == 1


@ARCHES
@pytest.mark.parametrize("signal", [3, 6, 9, 13, 14, 16, 17, 64])
def test_other_signals_pass(goarch: str, signal: int) -> None:
    m, kernel = gate(goarch, PID, signal)
    assert run(m, "body") == signal and signed(m) == PID and not kernel.woken


@ARCHES
@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_the_second_signal_ends_it_by_the_first(goarch: str, first: int, second: int) -> None:
    m, kernel = gate(goarch, -first, second)
    assert run(m, "body") == first and signed(m) == -first and not kernel.woken


@ARCHES
@pytest.mark.parametrize("signal", SIGNALS)
def test_a_forked_copy_dies_at_once(goarch: str, signal: int) -> None:
    m, kernel = gate(goarch, PID, signal, pid=PID + 1)
    assert run(m, "body") == signal and signed(m) == PID and not kernel.woken


@ARCHES
@pytest.mark.parametrize(("now", "expected"), [(-2, 2), (0, 15)])
def test_another_thread_is_faster(goarch: str, now: int, expected: int) -> None:
    """Between the look at the state and its change."""
    m, kernel = gate(goarch, PID, 15)

    def race(m: Machine) -> None:
        m.write(m.roles["state"], 8, now & MASK)

    m.hosts["race"] = race
    m.mem |= {m.roles["state"] + i: byte for i, byte in enumerate(PID.to_bytes(8, "little"))}
    m.regs[m.ints[0]] = 15
    assert m.run(m.sp) == "body" and m.regs[m.ints[0]] & 0xFFFF_FFFF == expected and signed(m) == now and not kernel.woken


@ARCHES
@pytest.mark.parametrize("signal", [1, 2, 3, 13, 15])
@pytest.mark.parametrize("handler", [0, 1, 0x55_0000])
@pytest.mark.parametrize("state", [0, PID, -2])
def test_on_a_foreign_thread(goarch: str, signal: int, handler: int, state: int) -> None:
    """Only where C code had no handler before, and somebody watches; all arguments are handed on."""
    m, _ = start(goarch, trampolines.load(goarch).foreign_gate(SPEC), 1, 16)
    m.write(m.roles["state"], 8, state & MASK)
    for number in range(65):
        m.write(m.roles["forward"] + 8 * number, 8, handler if number == signal else 0xBAD)
    m.regs[m.ints[0]] = GARBAGE | signal
    before = dict(m.regs)
    expected = "gate" if state and not handler and signal in (1, 2, 15) else "body"
    assert run(m, expected) == signal
    if goarch == "amd64":
        same_registers(m, before, "r12", "r13", "rcx")
    else:
        same_registers(m, before, "x16", "x17", "x9", "x11")
