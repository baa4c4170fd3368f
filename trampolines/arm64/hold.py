"""The frame of the holding stub on arm64 alone (see trampolines.Arch.hold_stub): the runtime skips a gap above it.

When a signal injects a call of asyncPreempt, it leaves 16 bytes between the interrupted frame and that of asyncPreempt
(runtime/signal_arm64.go, pushCall), and the unwinder skips them because of the FuncID (runtime/traceback.go, next). So this stub also leaves
them, and its pc-to-SP table counts from below them, at every instruction.

      |  stub                           |
      +---------------------------------+ <- SP of the stub
      |  R29 that the stub has saved    |    gap of 16 bytes
      |                                 |
      +---------------------------------+ <- top of this frame
      |  copy of the above              |
      :  spill area of the callee, R30  :
      +---------------------------------+ <- SP while the callee runs

When a stack moves, the runtime adjusts the R29 that it finds in the top word of each frame. The value that the stub has saved is in the gap, where
the runtime finds it only from Go 1.26 on (runtime/stack.go, adjustframe), so a copy of it is kept in the top word and is written back.
"""

from __future__ import annotations

from trampolines.arm64 import encode as a
from trampolines.arm64.abi import R16, SP
from trampolines.asm import WORD, Assembly, Frame

GAP = 16
"""alignUp(sys.MinFrameSize, sys.StackAlign)"""


def open_frame(asm: Assembly, frame: Frame) -> None:
    """Changes R16."""
    asm.moved(-GAP)
    before, move, after = a.open_frame(frame.depth + GAP)
    asm.emit(b"".join((a.LOAD_SAVED_FP, *before, move)))
    asm.moved(frame.depth)
    asm.store(R16, SP, frame.depth - WORD, WORD)
    asm.emit(b"".join(after))


def close_frame(asm: Assembly, frame: Frame) -> None:
    """Changes R16."""
    asm.load(R16, SP, frame.depth - WORD, WORD)
    asm.store(R16, SP, frame.depth + GAP - WORD, WORD)
    asm.emit(b"".join(a.close_frame(frame.depth + GAP)))
    asm.moved(-GAP)
