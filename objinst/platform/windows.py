"""Windows. No program of it can be hooked yet."""

from __future__ import annotations

from objinst.platform.target import Target

TARGET = Target("windows", programs={b"MZ": "a PE program (Windows)"})
