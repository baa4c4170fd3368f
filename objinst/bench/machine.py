"""The machine that was measured on, in words that a reader of the numbers needs."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from objinst import VERSION
from objinst.bench.model import Machine
from objinst.platform.host import host

CPU_INFO = Path("/proc/cpuinfo")
OS_RELEASE = Path("/etc/os-release")
NAMES = ("model name", "Model", "Hardware", "cpu model")
"""Keys of /proc/cpuinfo that name the processor, by architecture."""


def describe(go_version: str) -> Machine:
    """What this machine says of itself; what it does not say is left empty."""
    return Machine(_cpu(), host().processors(), _memory(), _system(), go_version, VERSION, _load())


def _cpu() -> str:
    fields = dict(line.split(":", 1) for line in _lines(CPU_INFO) if ":" in line)
    known = {key.strip(): value.strip() for key, value in fields.items()}
    return next((known[name] for name in NAMES if known.get(name)), platform.processor() or platform.machine())


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return 0


def _system() -> str:
    pairs = dict(line.split("=", 1) for line in _lines(OS_RELEASE) if "=" in line)
    name = pairs.get("PRETTY_NAME", "").strip('"')
    kernel = f"{platform.system()} {platform.release()}"
    return f"{name} ({kernel})" if name else kernel


def _load() -> float:
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return -1


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
