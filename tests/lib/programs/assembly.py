"""Functions in assembly, for both architectures: those that compute, those that call Go back, those that jump on to Go, and those that hold an
address of their own frame while a //go:nosplit function runs. Go's frames of ABI0 are the same everywhere but for the link register."""

from __future__ import annotations

import random
from dataclasses import dataclass

from programs.kinds import Type
from programs.world import Function

SIZES = {"int8": 1, "uint8": 1, "bool": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "float32": 4}
HEADER = '#include "textflag.h"\n#include "funcdata.h"\n'
LOADS = {
    "amd64": {"int8": "MOVBQSX", "uint8": "MOVBQZX", "int16": "MOVWQSX", "uint16": "MOVWQZX", "int32": "MOVLQSX", "uint32": "MOVL"},
    "arm64": {"int8": "MOVB", "uint8": "MOVBU", "int16": "MOVH", "uint16": "MOVHU", "int32": "MOVW", "uint32": "MOVWU"},
}
NUMBERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "int", "uint")


@dataclass(frozen=True)
class Stub:
    """text: for each architecture. helper: Go source beside it, or ""."""

    function: Function
    text: dict[str, str]
    helper: str = ""


def layout(kinds: tuple[Type, ...], at: int = 0) -> tuple[list[int], int]:
    """Offsets of values in ABI0, and the end, rounded up to a word."""
    offsets = []
    for kind in kinds:
        size = 8 * words(kind) if kind.source not in SIZES else SIZES[kind.source]
        at = -(-at // min(size, 8)) * min(size, 8)
        offsets.append(at)
        at += size
    return offsets, -(-at // 8) * 8


def words(kind: Type) -> int:
    return {"string": 2, "any": 2, "error": 2, "iface": 2, "slice": 3, "complex": 2 if kind.source == "complex128" else 1}.get(kind.kind, 1)


def fits(function: Function) -> bool:
    """Whether a stub can copy its arguments word by word."""
    kinds = {"int", "float", "string", "bool", "pointer", "slice", "any", "error", "iface", "func", "map", "chan", "task"}
    return function.recv is None and not function.given and not function.leaf and all(each.kind in kinds for each in (*function.params, *function.results))


def computing(name: str, home: int, rng: random.Random) -> Stub:
    params = tuple(Type(rng.choice(NUMBERS), "int") for _ in range(rng.randint(1, 5)))
    offsets, end = layout(params)
    operations = [(rng.choice(("ADD", "SUB", "XOR")), rng.randint(1, 7)) for _ in params]
    amd64, arm64 = ["XORL AX, AX"], ["MOVD $0, R0"]
    for number, (param, offset, (operation, times)) in enumerate(zip(params, offsets, operations, strict=True)):
        amd64 += [f"{LOADS['amd64'].get(param.source, 'MOVQ')} a{number}+{offset}(FP), BX", f"IMUL3Q ${times}, BX, BX", f"{operation}Q BX, AX"]
        word = {"ADD": "ADD", "SUB": "SUB", "XOR": "EOR"}[operation]
        arm64 += [f"{LOADS['arm64'].get(param.source, 'MOVD')} a{number}+{offset}(FP), R1", f"MOVD ${times}, R2", "MUL R2, R1, R1", f"{word} R1, R0, R0"]
    flags, frame = rng.choice((("NOSPLIT", 0), ("NOSPLIT", 16), ("0", 0), ("0", 64)))
    head = f"TEXT ·{name.partition('.')[2]}(SB), {flags}, ${frame}-{end + 8}\n"
    local = "NO_LOCAL_POINTERS\n" if frame else ""
    return Stub(
        Function(name, home, params, (Type("int64", "int"),), assembly=True),
        {
            "amd64": head + local + "\n".join([*amd64, f"MOVQ AX, ret+{end}(FP)", "RET"]) + "\n",
            "arm64": head + local + "\n".join([*arm64, f"MOVD R0, ret+{end}(FP)", "RET"]) + "\n",
        },
    )


def calling(name: str, target: Function, rng: random.Random) -> Stub:
    """It hands its arguments to a Go function of the same package, and that one's results to its caller."""
    _, taken = layout(target.params)
    _, end = layout(target.results, taken)
    amd64 = [f"MOVQ a+{at}(FP), AX\nMOVQ AX, {at}(SP)" for at in range(0, taken, 8)]
    arm64 = [f"MOVD a+{at}(FP), R0\nMOVD R0, {at + 8}(RSP)" for at in range(0, taken, 8)]
    own, called = name.partition(".")[2], target.name.partition(".")[2]
    amd64.append(f"CALL ·{called}(SB)")
    arm64.append(f"CALL ·{called}(SB)")
    amd64 += [f"MOVQ {at}(SP), AX\nMOVQ AX, r+{at}(FP)" for at in range(taken, end, 8)]
    arm64 += [f"MOVD {at + 8}(RSP), R0\nMOVD R0, r+{at}(FP)" for at in range(taken, end, 8)]
    frame = end + rng.choice((0, 16, 64))
    frame += frame % 16 == 0 and 8
    head = f"TEXT ·{own}(SB), 0, ${frame}-{end}\nNO_LOCAL_POINTERS\n"
    text = {"amd64": head + "\n".join([*amd64, "RET"]) + "\n", "arm64": head + "\n".join([*arm64, "RET"]) + "\n"}
    return Stub(Function(name, target.home, target.params, target.results, assembly=True), text)


def jumping(name: str, target: Function) -> Stub:
    _, taken = layout(target.params)
    _, end = layout(target.results, taken)
    own, called = name.partition(".")[2], target.name.partition(".")[2]
    head = f"TEXT ·{own}(SB), NOSPLIT, $0-{end}\n"
    return Stub(Function(name, target.home, target.params, target.results, assembly=True), {"amd64": f"{head}JMP ·{called}(SB)\n", "arm64": f"{head}B ·{called}(SB)\n"})


def holding(name: str, home: int, rng: random.Random) -> Stub:
    """It writes through an address of its own frame after the call of a //go:nosplit function, which does not move the stack."""
    package, _, own = name.partition(".")
    helper = f"//go:nosplit\n//go:noinline\nfunc still{own}(x int64) int64 {{ return x*{rng.randint(2, 9)} + {rng.randint(1, 99)} }}\n"
    bare = rng.random() < 0.5
    if bare:
        # Without arguments the compiler's wrapper is a jump.
        helper = f"var of{own} = {rng.randint(1, 9)}\n\n//go:nosplit\n//go:noinline\nfunc still{own}() {{\nif of{own} == 0 {{\nof{own} = 1\n}}\n}}\n"
    head = f"TEXT ·{own}(SB), 0, $56-24\nNO_LOCAL_POINTERS\n"
    amd64 = f"""MOVQ a+0(FP), AX
MOVQ AX, 24(SP)
LEAQ 24(SP), AX
MOVQ AX, 32(SP)
MOVQ b+8(FP), AX
MOVQ AX, 0(SP)
CALL ·still{own}(SB)
MOVQ 32(SP), AX
ADDQ $1, (AX)
MOVQ 8(SP), BX
ADDQ 24(SP), BX
MOVQ BX, ret+16(FP)
RET
"""
    arm64 = f"""MOVD a+0(FP), R0
MOVD R0, 32(RSP)
ADD $32, RSP, R1
MOVD R1, 40(RSP)
MOVD b+8(FP), R0
MOVD R0, 8(RSP)
CALL ·still{own}(SB)
MOVD 40(RSP), R1
MOVD (R1), R2
ADD $1, R2
MOVD R2, (R1)
MOVD 16(RSP), R3
MOVD 32(RSP), R2
ADD R2, R3
MOVD R3, ret+16(FP)
RET
"""
    if bare:
        amd64, arm64 = amd64.replace("MOVQ 8(SP), BX", "MOVQ 0(SP), BX"), arm64.replace("MOVD 16(RSP), R3", "MOVD 8(RSP), R3")
    whole = Type("int64", "int")
    return Stub(Function(f"{package}.{own}", home, (whole, whole), (whole,), assembly=True), {"amd64": head + amd64, "arm64": head + arm64}, helper)


