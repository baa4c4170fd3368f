"""The machine that was measured on, in words that a reader of the numbers needs."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from objinst import VERSION
from objinst.bench.model import Machine
from objinst.platform.host import host

OS_RELEASE = Path("/etc/os-release")


def describe(go_version: str) -> Machine:
    """What this machine says of itself; what it does not say is left empty."""
    cpu = host().processor() or platform.processor() or platform.machine()
    return Machine(cpu, host().processors(), _memory(), _system(), go_version, VERSION, _load())


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return 0


def _system() -> str:
    try:
        lines = OS_RELEASE.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    name = pairs.get("PRETTY_NAME", "").strip('"')
    kernel = f"{platform.system()} {platform.release()}"
    return f"{name} ({kernel})" if name else kernel


def _load() -> float:
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return -1
