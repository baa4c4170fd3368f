"""macOS. Its objects can be read; no program of it can be hooked yet."""

from __future__ import annotations

from objinst.platform.target import Target

TARGET = Target(
    "darwin",
    udata_form="data4",  # Apple's linker knows no other (golang.org/issue/31459)
    programs={b"\xcf\xfa\xed\xfe": "a Mach-O program", b"\xca\xfe\xba\xbe": "a universal Mach-O program"},
)
