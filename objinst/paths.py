"""Where otelobj's own files are: in a checkout, or in an installed wheel."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent


def hooks_dir() -> Path:
    """The Go modules of the hooks."""
    inside = HERE / "_hooks"
    return inside if inside.is_dir() else HERE.parent / "hooks"


def demo_dir() -> Path:
    """The Go sources of the demo."""
    inside = HERE / "_demo"
    return inside if inside.is_dir() else HERE.parent / "testbins" / "demo"


def launcher() -> Path:
    """The sh launcher that go runs."""
    checkout = HERE.parent / "bin" / "otelobj"
    if checkout.exists():
        return checkout
    import sys  # noqa: PLC0415 - only installed wheels come here

    return Path(sys.executable).parent / "otelobj"
