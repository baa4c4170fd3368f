"""The finders on functions made by hand: shapes that compilers rarely or never produce, and the exact edge of the stack checks."""

from __future__ import annotations

import struct

import pytest

import trampolines
from trampolines.amd64 import encode as x
from trampolines.arm64 import encode as a
from trampolines.asm import EncodeError
from trampolines.contract import ClosureUse, EntrySpec, PatchSite, Piece, RegClass, ThunkSpec
from trampolines_machine import MACHINES

CHECK = b"\x49\x3b\x66\x10\x0f\x86"
"""CMPQ SP, 16(R14); JLS rel32"""
OPEN = b"\x55\x48\x89\xe5\x48\x83\xec\x20"
FREE, POP, RET, WORK = b"\x48\x83\xc4\x20", b"\x5d", b"\xc3", b"\x31\xc0"
JMP_AX, JMP_REL = b"\xff\xe0", b"\xe9\0\0\0\0"


def made(*ends: bytes, between: bytes = b"", tail: bytes = b"\xe8\0\0\0\0\xeb\0") -> tuple[bytes, list[tuple[int, int]], dict[int, str]]:
    """A function with one exit for each of `ends` behind FREE and POP, `between` those two, and the tail of its stack check."""
    code, pcsp = bytearray(CHECK + bytes(4)), []
    pcsp.append((0, len(code) + 1))
    code += OPEN[:1]
    pcsp.append((8, len(code) + 7))
    code += OPEN[1:]
    calls = {}
    for end in ends:
        code += WORK + FREE
        pcsp.append((0x28, len(code)))
        code += between + POP
        pcsp.append((8, len(code)))
        if JMP_REL in end:
            calls[len(code) + end.index(JMP_REL) + 1] = "p.other"
        code += end
        pcsp.append((0, len(code)))
    struct.pack_into("<i", code, 6, len(code) - 10)
    calls[len(code) + tail.index(b"\xe8") + 1] = "runtime.morestack"
    code += tail
    pcsp[-1] = (0, len(code))
    return bytes(code), pcsp, calls


def test_every_return_is_a_site() -> None:
    code, pcsp, calls = made(RET, b"\x90" + RET, RET)
    scan = trampolines.load("amd64").find_epilogues(code, pcsp, calls)
    assert scan.refusal is None and len(scan.sites) == 3
    assert [site.length for site in scan.sites] == [6, 7, 6]
    assert {(site.teardown, site.body_frame) for site in scan.sites} == {(FREE + POP, 0x28)}
    assert all(code[site.offset :].startswith(FREE + POP) for site in scan.sites)


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ((RET, JMP_REL), "tail-call"),
        ((RET, JMP_AX), "tail-call"),  # right in front of the tail, in the same run of the table
        ((JMP_AX, RET), "tail-call"),
        ((RET + WORK, RET), "epilogue"),
        ((RET, RET + JMP_AX), "epilogue"),
    ],
)
def test_other_ways_out_are_refused(ends: tuple[bytes, ...], reason: str) -> None:
    scan = trampolines.load("amd64").find_epilogues(*made(*ends))
    assert not scan.sites and scan.refusal and scan.refusal[0] == reason


def test_padding_inside_an_epilogue() -> None:
    code, pcsp, calls = made(RET, between=b"\x0f\x1f\x00")
    (site,) = trampolines.load("amd64").find_epilogues(code, pcsp, calls).sites
    assert site.teardown == FREE + POP and site.length == 9
    scan = trampolines.load("amd64").find_epilogues(*made(RET, between=WORK))
    assert not scan.sites and scan.refusal and scan.refusal[0] == "epilogue"


def saved_bp_only(body: bytes, returns: int = 1) -> tuple[bytes, list[tuple[int, int]]]:
    """A function without a stack check whose frame is the saved BP."""
    code, pcsp = PUSH, [(0, 1)]
    for _ in range(returns):
        code += body + POP + RET
        pcsp += [(8, len(code) - 1), (0, len(code))]
    return code, pcsp


PUSH = b"\x55"


def test_short_jumps_to_the_end() -> None:
    arch = trampolines.load("amd64")
    code, pcsp = saved_bp_only(b"\x90" * 20, returns=3)
    scan = arch.find_epilogues(code, pcsp, {})
    assert [(site.offset, site.length, site.teardown, site.body_frame) for site in scan.sites] == [(21, 2, POP, 8), (43, 2, POP, 8), (65, 2, POP, 8)]
    patched = arch.patch_returns(code, scan.sites)
    assert [patched.code[at : at + 2] for at in (21, 43, 65)] == [b"\xeb\x2c", b"\xeb\x16", b"\xeb\x00"]
    assert patched.code[67:] == b"\xe9\0\0\0\0" and [(f.offset, f.role) for f in patched.fixups] == [(68, "target")]


def test_short_jumps_reach_so_far() -> None:
    arch = trampolines.load("amd64")
    for behind, reached in ((127, True), (128, False)):
        code, pcsp = saved_bp_only(b"")
        code += b"\x90" * (behind - 2) + POP + RET
        scan = arch.find_epilogues(code, [*pcsp, (8, len(code) - 1), (0, len(code))], {})
        assert (len(scan.sites) == 2) == reached and scan.through != reached
        if reached:
            assert arch.patch_returns(code, scan.sites).code[1:3] == b"\xeb\x7f"
        else:
            with pytest.raises(EncodeError):
                arch.patch_returns(code, (PatchSite(1, 2, POP, 8),))


def test_unknown_prologue_and_wrong_frame_are_refused() -> None:
    code, pcsp, calls = made(RET)
    find = trampolines.load("amd64").find_epilogues
    assert find(b"\x49\x3b\x66\x18" + code[4:], pcsp, calls).refusal  # stackguard1
    assert find(code.replace(FREE, b"\x48\x83\xc4\x28"), pcsp, calls).refusal
    assert find(b"\xc3", [(0, 1)], {}).refusal == find(b"\x31\xc0\xc3", [(0, 3)], {}).refusal


@pytest.mark.parametrize(
    ("stores", "pieces"),
    [
        (b"", ()),
        (x.store(0, 4, 8, 8) + x.store(3, 4, 136, 4), (Piece(RegClass.INT, 0, 8, 0), Piece(RegClass.INT, 1, 4, 128))),
        (x.store(7, 4, 8, 1) + x.store(6, 4, 9, 1), (Piece(RegClass.INT, 3, 1, 0), Piece(RegClass.INT, 4, 1, 1))),
        (x.store_float(14, 4, 16, 8) + b"\x90" + x.store_float(0, 4, 24, 4), (Piece(RegClass.FLOAT, 14, 8, 8), Piece(RegClass.FLOAT, 0, 4, 16))),
        (x.store(2, 4, 8, 8), None),  # DX is no argument register
        (x.store(0, 4, 0, 8), None),  # the return address
        (x.store(0, 5, 8, 8), None),  # not to the stack
        (x.store_float(15, 4, 16, 8), None),
        (b"\x88\x7c\x24\x08", None),  # BH
        (x.load(0, 4, 8, 8), None),
    ],
)
def test_amd64_spills(stores: bytes, pieces: tuple[Piece, ...] | None) -> None:
    code, _, calls = made(RET, tail=stores + b"\xe8\0\0\0\0\xeb\0")
    scan = trampolines.load("amd64").find_spills(code, calls)
    assert (scan.pieces, bool(scan.refusal)) == (pieces or (), pieces is None)


@pytest.mark.parametrize(
    ("stores", "pieces"),
    [
        (a.add(27, 31, 0x298) + a.add(27, 27, 0x40000) + a.store(0, 27, 0, 8), (Piece(RegClass.INT, 0, 8, 0x40290),)),
        (a.add(27, 31, 0x40000) + a.store_float(15, 27, 12, 4), (Piece(RegClass.FLOAT, 15, 4, 0x40004),)),
        (struct.pack("<I", 0xA900_87E0), (Piece(RegClass.INT, 0, 8, 0), Piece(RegClass.INT, 1, 8, 8))),  # STP (R0, R1), 8(RSP)
        (a.store(16, 31, 8, 8), None),
        (a.store(0, 31, 0, 8), None),  # the link slot
        (a.store(0, 19, 8, 8), None),
        (a.store(0, 27, 8, 8), None),  # R27 was never set
        (a.load(0, 31, 8, 8), None),
    ],
)
def test_arm64_spills(stores: bytes, pieces: tuple[Piece, ...] | None) -> None:
    code = bytearray(a.LOAD_GUARD + a.COMPARE_GUARD + a.branch_if(a.LS, 8) + a.RET + stores + a.LINK_TO_R3)
    calls = {len(code): "runtime.morestack_noctxt"}
    code += a.BL + a.B
    scan = trampolines.load("arm64").find_spills(bytes(code), calls)
    assert (scan.pieces, bool(scan.refusal)) == (pieces or (), pieces is None)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (b"\x00\x00\x1f\xd6", "tail-call"),  # BR R0
        (b"\x00\x00\x5f\xd6", "tail-call"),  # RET R0
        (b"\x40\x00\x00\x58", "literal-pool"),  # MOVD 8(PC), R0
        (b"\x40\x00\x00\x9c", "literal-pool"),  # FMOVQ 8(PC), F0
        (b"\x40\x00\x00\x98", "literal-pool"),  # MOVW 8(PC), R0
    ],
)
def test_arm64_other_ways_out_are_refused(word: bytes, reason: str) -> None:
    scan = trampolines.load("arm64").find_epilogues(word + a.RET, [(0, 8)], {})
    assert not scan.sites and scan.refusal and scan.refusal[0] == reason
    plain = trampolines.load("arm64").find_epilogues(a.B + a.RET, [(0, 8)], {})
    assert [site.offset for site in plain.sites] == [4]
    assert trampolines.load("arm64").find_epilogues(a.B + a.RET, [(0, 8)], {0: "p.other"}).refusal
    assert trampolines.load("arm64").find_epilogues(a.RET, [(16, 4)], {}).refusal


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
@pytest.mark.parametrize("hook_args", [0, 400, 4000])
def test_the_stack_check_is_the_compilers(goarch: str, hook_args: int) -> None:
    """A frame of n bytes goes down to guard - StackSmall and no further: SP - max(n, StackSmall) > guard - StackSmall."""
    arch = trampolines.load(goarch)
    code = arch.thunk(ThunkSpec((), (), hook_args)) if hook_args else arch.entry_stub(EntrySpec((), ClosureUse.RAW, toggle=False))
    frame = max(value for value, _ in code.pcsp)
    for guard_above, grows in ((0, True), (-1, False)):
        m = MACHINES[goarch](code)
        m.regs = dict.fromkeys((*m.all_ints, m.fp_name, m.link_name), 0)
        sp = 0x7FFF_0000
        m.regs |= {m.sp_name: sp, m.g_name: 0x9000_0000}
        m.write(sp, 8, 0)
        guard = sp - (frame - 128 if frame > 128 else 0) + guard_above
        m.write(0x9000_0000 + 16, 8, guard)
        reached: list[str] = []

        def stop(role: str, reached: list[str] = reached) -> str:
            reached.append(role)
            raise StopIteration(role)

        m.hosts = {role: lambda _, role=role: stop(role) for role in m.roles}
        with pytest.raises(StopIteration):
            m.run(sp)
        assert (reached == ["morestack"]) == grows
