"""The holding stub (arm64), see trampolines.Arch.hold_stub.

Where a signal injects a call of asyncPreempt, it leaves 16 bytes between the interrupted frame and that of asyncPreempt
(runtime/signal_arm64.go, pushCall), and what unwinds the stack skips them by the FuncID (runtime/traceback.go, next). So this stub leaves
them, too, and its pc-to-SP table counts from below them, at every instruction.

      |  stub                           |
      +---------------------------------+ <- SP of the stub
      |  R29 that the stub has saved    |    gap of 16 bytes
      |                                 |
      +---------------------------------+ <- top of this frame
      |  copy of the above              |
      :  spill area of the callee, R30  :
      +---------------------------------+ <- SP while the callee runs

When a stack moves, the runtime adjusts the R29 that it finds in the top word of each frame. What the stub has saved lies in the gap, where
it is found from Go 1.26 on only (runtime/stack.go, adjustframe), so a copy of it lies in the top word and is written back.
"""

from __future__ import annotations

import functools

from trampolines.arm64 import encode as a
from trampolines.arm64.abi import R16, SP
from trampolines.arm64.stubs import LINK, call, frame_for, locals_map
from trampolines.asm import WORD, Assembly
from trampolines.contract import Code

GAP = 16
"""alignUp(sys.MinFrameSize, sys.StackAlign)"""
FRAME = frame_for(LINK + 4 * WORD)
"""Holds the spill area of the callee, which takes at most four words."""
SAVED, COPY = FRAME + GAP - WORD, FRAME - WORD
"""Of the R29 that the stub has saved, and of its copy."""


@functools.cache
def hold_stub() -> Code:
    """See Arch.hold_stub. May change R16."""
    asm = Assembly(sp=-GAP)
    asm.entries["nosplit"] = 1
    before, move, behind = a.open_frame(FRAME + GAP)
    asm.emit(a.LOAD_SAVED_FP)
    for instruction in (*before, move):
        asm.emit(instruction)
    asm.moved(FRAME)
    asm.emit(a.store(R16, SP, COPY, WORD))
    for instruction in behind:
        asm.emit(instruction)
    call(asm, "callee")
    asm.emit(a.load(R16, SP, COPY, WORD))
    asm.emit(a.store(R16, SP, SAVED, WORD))
    for instruction in a.close_frame(FRAME + GAP):
        asm.emit(instruction)
    asm.moved(-GAP)
    asm.emit(a.RET)
    return asm.finish(FRAME - WORD, locals_map(FRAME, {}))
