"""Runs finished machine code in Python, an instruction at a time as capstone decodes it: an independent judge of what stubs do.

The code is bound as Go's linker binds it (cmd/link/internal/{amd64,arm64}/asm.go); roles are addresses whose arrival a host
function answers. At every instruction the pc-to-SP table is held against the real SP. Memory that was never written
cannot be read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

import capstone

from trampolines.contract import Code, FixupKind

TEXT, DATA = 0x40_0000, 0x80_0000
MASK = (1 << 64) - 1


class Machine:
    """regs: full registers by name; floats: the low 8 bytes of each vector register. roles: name -> address."""

    sp_name, link_name, fp_name, g_name, closure = "", "", "", "", ""
    ints: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()

    def __init__(self, code: Code, pad: int = 0) -> None:
        self.code, self.base = code, TEXT + pad
        self.roles = {role: DATA + 0x10000 * i + 0x120 for i, role in enumerate(sorted({f.role for f in code.fixups}))}
        self.regs: dict[str, int] = {}
        self.floats: dict[int, int] = {}
        self.mem: dict[int, int] = {}
        self.zf = self.cf = self.sf = False
        self.hosts: dict[str, Callable[[Machine], int | None]] = {}
        self.pc, self.steps = 0, 0
        raw = bytearray(code.code)
        for fixup in code.fixups:
            self.bind(raw, fixup.offset, fixup.kind, self.roles[fixup.role] + fixup.addend)
        self.insns = {insn.address: insn for insn in self.disassembler().disasm(bytes(raw), self.base)}
        covered = sum(insn.size for insn in self.insns.values())
        assert covered == len(raw), f"capstone decodes {covered} of {len(raw)} bytes"

    def disassembler(self) -> capstone.Cs:
        raise NotImplementedError

    def bind(self, raw: bytearray, at: int, kind: FixupKind, target: int) -> None:
        raise NotImplementedError

    def step(self, insn: capstone.CsInsn) -> None:
        raise NotImplementedError

    # memory

    def read(self, addr: int, size: int) -> int:
        missing = [a for a in range(addr, addr + size) if a not in self.mem]
        assert not missing, f"read of memory never written: {size} bytes at {addr:#x} (SP{addr - self.regs[self.sp_name]:+d})"
        return sum(self.mem[addr + i] << 8 * i for i in range(size))

    def write(self, addr: int, size: int, value: int) -> None:
        for i in range(size):
            self.mem[addr + i] = value >> 8 * i & 0xFF

    def known(self, addr: int, size: int = 8) -> bool:
        return all(a in self.mem for a in range(addr, addr + size))

    # running

    @property
    def sp(self) -> int:
        return self.regs[self.sp_name]

    def pcsp(self, offset: int) -> int:
        return next(value for value, end in self.code.pcsp if offset < end)

    def run(self, entry_sp: int, start: int = 0) -> str:
        """Until a role without a host function is reached (its name is returned) or control leaves through the return address
        ("return"). entry_sp: what SP was when the function that the code belongs to was entered."""
        self.entry_sp = entry_sp
        self.pc = self.base + start
        by_address = {address: role for role, address in self.roles.items()}
        for self.steps in range(10_000):
            insn = self.insns.get(self.pc)
            if insn is None:
                role = by_address.get(self.pc)
                if role is None:
                    return "return"
                if role not in self.hosts:
                    return role
                back = self.hosts[role](self)
                self.pc = self.do_return() if back is None else back
                continue
            offset = self.pc - self.base
            table, real = self.pcsp(offset), self.entry_sp - self.sp
            assert table == real, f"pcsp says {table} at {offset:#x}, SP has moved by {real}: {insn.mnemonic} {insn.op_str}"
            self.pc = insn.address + insn.size
            self.step(insn)
        raise AssertionError("endless loop")

    def do_return(self) -> int:
        raise NotImplementedError

    def locals_base(self) -> int:
        """Address of the first word of the locals map (runtime/traceback.go, stkframe.go): below the saved frame pointer."""
        top = self.entry_sp - 8
        return top - 8 * len(self.code.locals_map)

    def grow(self, delta: int, words: list[int]) -> None:
        """Moves the whole stack by `delta`, as copystack does: SP, the frame pointer chain, and the pointer words listed (addresses)."""
        low, high = self.sp - 64, self.entry_sp + 0x2_0000
        for word in words:
            value = self.read(word, 8)
            if low <= value < high:
                self.write(word, 8, value + delta)
        fp = self.regs[self.fp_name]
        while low <= fp < high and self.known(fp):
            saved = self.read(fp, 8)
            if low <= saved < high:
                self.write(fp, 8, saved + delta)
            fp = saved
        if low <= self.regs[self.fp_name] < high:
            self.regs[self.fp_name] += delta
        moved = {a: self.mem.pop(a) for a in [a for a in self.mem if low <= a < high]}
        self.mem.update({a + delta: value for a, value in moved.items()})
        self.regs[self.sp_name] += delta
        self.entry_sp += delta


class Amd64(Machine):
    sp_name, link_name, fp_name, g_name, closure = "rsp", "", "rbp", "r14", "rdx"
    ints = ("rax", "rbx", "rcx", "rdi", "rsi", "r8", "r9", "r10", "r11")
    all_ints = ("rax", "rbx", "rcx", "rdx", "rdi", "rsi", *(f"r{i}" for i in range(8, 16)))
    kept = ("r14",)
    scratch = ("r12", "r13", "rdx")
    n_floats = 15
    names = {
        **{alias: (full, size) for full, *aliases in (("rax", "eax", "ax", "al"), ("rbx", "ebx", "bx", "bl"), ("rcx", "ecx", "cx", "cl"),
           ("rdx", "edx", "dx", "dl"), ("rsi", "esi", "si", "sil"), ("rdi", "edi", "di", "dil"), ("rbp", "ebp", "bp", "bpl"), ("rsp", "esp", "sp", "spl"))
           for alias, size in zip((full, *aliases), (8, 4, 2, 1))},
        **{f"r{i}{s}": (f"r{i}", size) for i in range(8, 16) for s, size in (("", 8), ("d", 4), ("w", 2), ("b", 1))},
    }  # fmt: skip

    def disassembler(self) -> capstone.Cs:
        md = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        md.detail = True
        return md

    def bind(self, raw: bytearray, at: int, kind: FixupKind, target: int) -> None:
        assert kind in (FixupKind.CALL, FixupKind.PCREL) and raw[at : at + 4] == bytes(4)
        struct.pack_into("<i", raw, at, target - (self.base + at + 4))

    def do_return(self) -> int:
        addr = self.read(self.sp, 8)
        self.regs["rsp"] += 8
        return addr

    def _address(self, insn: capstone.CsInsn, op: capstone.x86.X86Op) -> int:
        assert op.mem.index == 0 and op.mem.segment == 0
        base = insn.reg_name(op.mem.base)
        return (insn.address + insn.size if base == "rip" else self.regs[base]) + op.mem.disp

    def _get(self, insn: capstone.CsInsn, op: capstone.x86.X86Op) -> int:
        if op.type == capstone.x86.X86_OP_IMM:
            return op.imm & MASK
        if op.type == capstone.x86.X86_OP_MEM:
            return self.read(self._address(insn, op), op.size)
        name = insn.reg_name(op.reg)
        if name.startswith("xmm"):
            return self.floats[int(name[3:])]
        full, size = self.names[name]
        return self.regs[full] & ((1 << 8 * size) - 1)

    def _set(self, insn: capstone.CsInsn, op: capstone.x86.X86Op, value: int) -> None:
        if op.type == capstone.x86.X86_OP_MEM:
            return self.write(self._address(insn, op), op.size, value)
        name = insn.reg_name(op.reg)
        if name.startswith("xmm"):
            self.floats[int(name[3:])] = value & MASK
            return None
        full, size = self.names[name]
        assert size >= 4, "a partial register write"
        self.regs[full] = value & ((1 << 8 * size) - 1)
        return None

    def step(self, insn: capstone.CsInsn) -> None:
        ops, name = insn.operands, insn.mnemonic
        jumps = {"jmp": True, "je": self.zf, "jne": not self.zf, "jb": self.cf, "jbe": self.cf or self.zf, "js": self.sf}
        if name in jumps:
            if jumps[name]:
                self.pc = ops[0].imm
        elif name in ("call", "push"):
            self.regs["rsp"] -= 8
            self.write(self.sp, 8, self.pc if name == "call" else self._get(insn, ops[0]))
            if name == "call":
                self.pc = ops[0].imm
        elif name in ("ret", "pop"):
            value = self.do_return()
            if name == "ret":
                self.pc = value
            else:
                self._set(insn, ops[0], value)
        elif name in ("mov", "movzx", "movss", "movsd"):
            size = {"movss": 4, "movsd": 8}.get(name, 8)
            self._set(insn, ops[0], self._get(insn, ops[1]) & ((1 << 8 * size) - 1))
        elif name == "lea":
            self._set(insn, ops[0], self._address(insn, ops[1]))
        elif name in ("xor", "xorps"):
            assert ops[0].reg == ops[1].reg
            self._set(insn, ops[0], 0)
        elif name in ("cmp", "sub", "add", "neg", "test"):
            self._arithmetic(insn)
        elif name == "syscall":
            self.regs |= {"rcx": self.pc, "r11": 0x202}
            self.hosts["syscall"](self)
        elif name == "lock cmpxchg":
            if "race" in self.hosts:
                self.hosts["race"](self)
            seen = self._get(insn, ops[0])
            self.zf = seen == self.regs["rax"]
            if self.zf:
                self._set(insn, ops[0], self._get(insn, ops[1]))
            else:
                self.regs["rax"] = seen
        elif name != "nop":
            raise AssertionError(f"{name} {insn.op_str}")

    def _arithmetic(self, insn: capstone.CsInsn) -> None:
        ops, name = insn.operands, insn.mnemonic
        mask = (1 << 8 * ops[0].size) - 1
        left = self._get(insn, ops[0]) & mask
        right = self._get(insn, ops[1]) & mask if len(ops) > 1 else 0
        result = {"cmp": left - right, "sub": left - right, "add": left + right, "neg": -left, "test": left & right}[name]
        self.zf, self.cf, self.sf = result & mask == 0, result != result & mask, bool(result & mask & ~(mask >> 1))
        if name in ("sub", "add", "neg"):
            self._set(insn, ops[0], result & mask)


class Arm64(Machine):
    sp_name, link_name, fp_name, g_name, closure = "sp", "x30", "x29", "x28", "x26"
    ints = tuple(f"x{i}" for i in range(16))
    all_ints = tuple(f"x{i}" for i in range(28))
    kept = ("x28",)
    scratch = ("x16", "x17", "x27")
    n_floats = 16
    failed = False
    MEMORY = re.compile(r"\[(\w+)(?:, #(-?\w+))?\](!)?(?:, #(-?\w+))?$")

    def disassembler(self) -> capstone.Cs:
        return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)

    def bind(self, raw: bytearray, at: int, kind: FixupKind, target: int) -> None:
        (word,) = struct.unpack_from("<I", raw, at)
        if kind is FixupKind.CALL:
            assert word & 0x3FF_FFFF == 0 and word >> 26 in (0x05, 0x25)
            struct.pack_into("<I", raw, at, word | (target - self.base - at) // 4 & 0x3FF_FFFF)
            return
        assert kind is FixupKind.ADDR
        pages = (target >> 12) - (self.base + at >> 12)
        (low,) = struct.unpack_from("<I", raw, at + 4)
        struct.pack_into("<II", raw, at, word | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5, low | (target & 0xFFF) << 10)

    def do_return(self) -> int:
        return self.regs["x30"]

    def _get(self, name: str) -> int:
        if name in ("xzr", "wzr"):
            return 0
        if name[0] in "sd" and name != "sp":
            return self.floats[int(name[1:])] & (0xFFFF_FFFF if name[0] == "s" else MASK)
        return self.regs["x" + name[1:]] & 0xFFFF_FFFF if name[0] == "w" else self.regs[name]

    def _set(self, name: str, value: int) -> None:
        if name[0] in "sd" and name != "sp":
            self.floats[int(name[1:])] = value & (0xFFFF_FFFF if name[0] == "s" else MASK)
        elif name[0] == "w":
            self.regs["x" + name[1:]] = value & 0xFFFF_FFFF
        else:
            self.regs[name] = value & MASK

    def step(self, insn: capstone.CsInsn) -> None:
        name, text = insn.mnemonic, insn.op_str
        ops = [op.strip() for op in text.split(",")]
        conditions = {"b": True, "b.ls": not self.cf or self.zf, "b.hs": self.cf, "b.lo": not self.cf, "b.ne": not self.zf, "b.eq": self.zf, "b.mi": self.sf}
        if name in conditions or name in ("cbz", "cbnz"):
            taken = conditions[name] if name in conditions else (self._get(ops[0]) == 0) == (name == "cbz")
            self.pc = int(ops[-1][1:], 16) if taken else self.pc
        elif name == "bl":
            self.regs["x30"], self.pc = self.pc, int(ops[0][1:], 16)
        elif name == "ret":
            assert not text
            self.pc = self.regs["x30"]
        elif name == "adrp":
            self._set(ops[0], int(ops[1][1:], 16))
        elif name in ("mov", "fmov"):
            self._set(ops[0], int(ops[1][1:], 16) if ops[1][0] == "#" else self._get(ops[1]))
        elif name in ("add", "sub", "cmp", "tst"):
            self._arithmetic(name, ops)
        elif name == "neg":
            self._set(ops[0], -self._get(ops[1]))
        elif name == "svc":
            self.hosts["syscall"](self)
        elif name == "ldxr":
            if "race" in self.hosts:
                self.hosts["race"](self)
            self._set(ops[0], self.read(self.regs[ops[1][1:-1]], 8))
        elif name == "stxr":
            self.failed = not self.failed  # the first time it does not work
            if not self.failed:
                self.write(self.regs[ops[2][1:-1]], 8, self._get(ops[1]))
            self._set(ops[0], self.failed)
        elif name in ("ldr", "ldrb", "ldrh", "ldur", "str", "strb", "strh", "stur", "ldp", "stp"):
            self._memory(name, text)
        elif name not in ("nop", "dmb"):
            raise AssertionError(f"{name} {text}")

    def _arithmetic(self, name: str, ops: list[str]) -> None:
        if name in ("cmp", "tst"):
            ops = ["xzr", *ops]
        right = int(ops[2][1:], 16) if ops[2][0] == "#" else self._get(ops[2])
        if len(ops) > 3:
            assert ops[3] == "lsl #12" or ops[3] == "uxtx"
            right <<= 12 if ops[3] == "lsl #12" else 0
        left = self._get(ops[1])
        result = {"add": left + right, "sub": left - right, "cmp": left - right, "tst": left & right}[name]
        if name in ("cmp", "tst"):
            self.zf, self.cf, self.sf = result & MASK == 0, name == "cmp" and left >= right, bool(result & MASK >> 63 << 63)
        else:
            self._set(ops[0], result)

    def _memory(self, name: str, text: str) -> None:
        match = self.MEMORY.search(text)
        assert match, text
        names = [op.strip() for op in text[: match.start()].split(",") if op.strip()]
        base, disp, post = match[1], int(match[2] or "0", 16), match[4]
        assert base != "sp" or self.sp % 16 == 0, "SP is not aligned at an access"
        addr = self.regs[base] + disp
        size = {"b": 1, "h": 2}.get(name[3:4], {"w": 4, "s": 4}.get(names[0][0], 8))
        for i, reg in enumerate(names):
            if name.startswith("ld"):
                self._set(reg, self.read(addr + i * size, size))
            else:
                self.write(addr + i * size, size, self._get(reg))
        if match[3]:
            self.regs[base] = addr
        elif post:
            self.regs[base] += int(post, 16)


MACHINES = {"amd64": Amd64, "arm64": Arm64}
