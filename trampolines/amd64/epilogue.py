"""Finds the epilogues of a compiled function: every return, or a reason why not all can be patched (amd64).

The proof of completeness is the pc-to-SP table: a RET executes with the SP of the entry, so every RET is in a
run of code for which the table says 0. There are three kinds of such runs, and each must look exactly like one of them:
the head of the function (stack check and PUSHQ BP); the tail that the stack check jumps to (it calls morestack and starts
again); the end of an epilogue, which is RET, perhaps after padding, and may be followed by the tail. Anything else leaves
the function in another way, by a tail call. Where the frame is nothing but the saved BP, POPQ BP; RET takes a short jump.
A branch to a return goes to the first instruction of its epilogue: the assembler makes it from the RET that was the branch's
target. Source: cmd/internal/obj/x86/obj6.go (preprocess, case obj.ARET; stacksplit), Go 1.22-1.27.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trampolines.amd64.encode import JMP, free_forms, short_jump
from trampolines.amd64.padding import skip_nops
from trampolines.amd64.prologue import stack_check
from trampolines.asm import EncodeError
from trampolines.contract import EpilogueScan, Fixup, FixupKind, Patched, PatchSite

PUSH_BP, POP_BP, RET, CALL = b"\x55", 0x5D, 0xC3, 0xE8
SAVED_BP = 8
SHORT, SHORT_REACH = 2, 127
"""Length of a short jump, and how far it goes forward from its end."""
TAIL_CALL = "it ends in a tail call, which never comes back to its exit"


def refuse(code: str, why: str) -> EpilogueScan:
    return EpilogueScan((), (code, why))


def is_call(code: bytes | memoryview, offset: int) -> bool:
    """offset: of a relocated displacement. A call; otherwise a jump out of the function."""
    return offset > 0 and code[offset - 1] == CALL


def find_epilogues(code: bytes, pcsp: Sequence[tuple[int, int]], calls: Mapping[int, str]) -> EpilogueScan:
    """calls: offset of each call's displacement -> name of the callee. See the module for what is proven."""
    if not all(is_call(code, at) for at in calls):
        return refuse("tail-call", TAIL_CALL)
    runs = _runs(pcsp)
    if all(value == 0 for value, _, _ in runs):
        return EpilogueScan((), ("no-frame", "it has no frame, and its return instruction has no room for a jump"), through=True)
    check = stack_check(code)
    if code[check.end if check else 0 : runs[0][2]] != PUSH_BP or runs[0][0] != 0:
        return refuse("epilogue", "its prologue is not understood")
    sites = []
    for number, (value, start, end) in enumerate(runs):
        if value != 0 or number == 0 or (check and start == check.tail):
            continue
        ret = skip_nops(code, start, end)
        if ret == end or code[ret] != RET:
            return refuse("tail-call", f"it leaves at {start:#x} without a return instruction")
        after = skip_nops(code, ret + 1, end)
        if after != end and not (check and check.tail in (ret + 1, after)):
            return refuse("epilogue", f"the code after the return at {ret:#x} is not understood")
        site = _site(code, runs, number, ret)
        if isinstance(site, str):
            return refuse("epilogue", f"the epilogue before {start:#x} {site}")
        sites.append(site)
    if len({site.teardown for site in sites}) > 1:
        return refuse("epilogue", "its epilogues differ")
    far = next((site.offset for site in sites if site.length < len(JMP) and not _in_reach(site, len(code))), None)
    if far is not None:
        return EpilogueScan((), ("epilogue", f"the epilogue at {far:#x} has no room for a jump to the end of the function"), through=True)
    return EpilogueScan(tuple(sites))


def _in_reach(site: PatchSite, island: int) -> bool:
    """Whether a short jump at a site reaches code at `island`."""
    return island - (site.offset + SHORT) <= SHORT_REACH


def patch_returns(code: bytes, sites: Sequence[PatchSite]) -> Patched:
    """Raises EncodeError for a site that has no room for a jump and is too far from the end for a short one."""
    patched, fixups = bytearray(code), []
    island = len(code)
    for site in sites:
        if site.length >= len(JMP):
            patched[site.offset : site.offset + len(JMP)] = JMP
            fixups.append(Fixup(site.offset + 1, 4, FixupKind.CALL, "target"))
            continue
        if not _in_reach(site, island) or site.length < SHORT:
            raise EncodeError(f"the end of the function is too far from its return at {site.offset:#x}")
        patched[site.offset : site.offset + SHORT] = short_jump(island - (site.offset + SHORT))
        if len(patched) == island:
            patched += JMP
            fixups.append(Fixup(island + 1, 4, FixupKind.CALL, "target"))
    return Patched(bytes(patched), tuple(fixups))


def _runs(pcsp: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(value, start, end) of each run."""
    starts = [0, *(end for _, end in pcsp)]
    return [(value, start, end) for (value, end), start in zip(pcsp, starts, strict=False)]


def _site(code: bytes, runs: Sequence[tuple[int, int, int]], number: int, ret: int) -> PatchSite | str:
    """The epilogue that ends with the RET at `ret` in run `number`, or what is wrong with it. Its NOPs are left out of the teardown."""
    value, pop, end = runs[number - 1]
    if value != SAVED_BP or code[end - 1] != POP_BP:
        return "does not end with POPQ BP; RET"
    if all(value <= SAVED_BP for value, _, _ in runs):
        return PatchSite(end - 1, ret + 1 - (end - 1), bytes([POP_BP]), SAVED_BP)
    if skip_nops(code, pop, end) != end - 1 or number < 2 or runs[number - 2][0] <= SAVED_BP:
        return "is not understood"
    frame, start, _ = runs[number - 2]
    for encoded in free_forms(frame - SAVED_BP):
        offset = pop - len(encoded)
        if offset >= start and code[offset:pop] == encoded:
            return PatchSite(offset, ret + 1 - offset, encoded + bytes([POP_BP]), frame)
    return "does not free the frame with ADDQ or SUBQ"
