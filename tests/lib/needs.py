"""Programs of the system that tests need. Where one is missing, a test is skipped; continuous integration promises them, so there it fails."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

QEMU = "qemu-aarch64-static"


def missing(what: str) -> NoReturn:
    if os.environ.get("OTELOBJ_CI"):
        pytest.fail(f"CI promises {what}")
    pytest.skip(f"not here: {what}")


def need(program: str) -> str:
    """The path of a program."""
    return shutil.which(program) or missing(program)


def emulator(goarch: str) -> list[str]:
    """What stands in front of a command whose program is for that architecture."""
    return [need(QEMU)] if goarch == "arm64" else []
