"""Well-known modules whose tests are run: heavy in reflection, generics, assembly, goroutines, unsafe. Versions are those of testbins/torture/go.mod."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / "testbins" / "torture"
MODULES: dict[str, list[str]] = {}
"""Module -> patterns of its packages. Nested modules count by themselves."""
