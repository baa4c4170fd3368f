"""Where things are in this repository."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
BIN = ROOT / "bin"
LAUNCHER = BIN / "otelobj"
HOOKS = ROOT / "hooks"
TESTBINS = ROOT / "testbins"
