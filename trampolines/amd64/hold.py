"""The holding stub (amd64), see trampolines.Arch.hold_stub. Its FuncID alone makes the collector treat its caller's frame as it should."""

from __future__ import annotations

import functools

from trampolines.amd64 import encode as x
from trampolines.amd64.stubs import EXIT_ARGS, call, close_frame, open_frame
from trampolines.asm import WORD, Assembly
from trampolines.contract import Code


@functools.cache
def hold_stub() -> Code:
    """See Arch.hold_stub. Locals: the spill area of the callee, which takes at most four words."""
    asm = Assembly()
    asm.entries["nosplit"] = 1
    open_frame(asm, EXIT_ARGS)
    call(asm, "callee")
    close_frame(asm, EXIT_ARGS)
    asm.emit(x.RET)
    return asm.finish(EXIT_ARGS, (False,) * (EXIT_ARGS // WORD))
