"""arm64: the functions of trampolines.contract.ARCH_FUNCTIONS."""

from trampolines.arm64.abi import FLOAT_REGS, INT_REGS
from trampolines.arm64.epilogue import find_epilogues
from trampolines.arm64.probe import count_stub
from trampolines.arm64.spills import find_spills
from trampolines.arm64.stubs import entry_stub, exit_stub, getg, jump_code, slot_handover
from trampolines.arm64.thunk import thunk

__all__ = ["FLOAT_REGS", "INT_REGS", "count_stub", "entry_stub", "exit_stub", "find_epilogues", "find_spills", "getg", "jump_code", "slot_handover", "thunk"]
