"""For gdb (13 and later): after `source otelobj-gdb.py`, breakpoints by name and `step` treat a hooked function as one.

gdb looks functions up by their symbols, and the symbol of a hooked function is that of its entry stub, since every caller refers to it.
It reads DW_AT_trampoline, by which stubs are marked, in no version. In DWARF, a stub that leads to F is called `otelobj/F-fm`.
"""

from __future__ import annotations

import gdb


def leads_on(name: str | None) -> bool:
    return name is not None and name.startswith("otelobj/") and name.endswith("-fm")


def keep_out_of_stubs(breakpoint_: gdb.Breakpoint) -> None:
    """Switches off the locations of a breakpoint that lie in stubs, if it has others."""
    if breakpoint_.type != gdb.BP_BREAKPOINT or breakpoint_.pending:
        return
    stubs = [place for place in breakpoint_.locations if leads_on(place.function)]
    if len(stubs) < len(breakpoint_.locations):
        for place in stubs:
            if place.enabled:
                place.enabled = False


def leave_stub() -> None:
    """From an entry stub to the function's first line."""
    try:
        frame = gdb.newest_frame()
    except gdb.error:
        return
    if leads_on(frame.name()):
        place = frame.find_sal()
        gdb.execute(f"advance {place.symtab.fullname()}:{place.line}")


gdb.events.breakpoint_created.connect(keep_out_of_stubs)
gdb.events.breakpoint_modified.connect(keep_out_of_stubs)
gdb.execute("define hookpost-step\npython leave_stub()\nend")
