"""arm64: the functions of trampolines.contract.ARCH_FUNCTIONS."""

from trampolines.arm64.abi import FLOAT_REGS, INT_REGS, LEAVES_UNMARKED
from trampolines.arm64.context import reads_context
from trampolines.arm64.epilogue import find_epilogues, is_call, patch_returns
from trampolines.arm64.flow import comes_back
from trampolines.arm64.hold import hold_stub
from trampolines.arm64.probe import count_stub
from trampolines.arm64.spills import find_spills
from trampolines.arm64.stubs import RETURN_BELOW_ARGS, entry_stub, exit_stub, getg, head_stub, slot_handover, through_stub
from trampolines.arm64.thunk import thunk

__all__ = [
    "FLOAT_REGS", "INT_REGS", "LEAVES_UNMARKED", "RETURN_BELOW_ARGS", "comes_back", "count_stub", "entry_stub", "exit_stub",
    "find_epilogues", "find_spills", "getg", "head_stub", "hold_stub", "is_call", "patch_returns", "reads_context", "slot_handover", "through_stub",
    "thunk",
]  # fmt: skip
