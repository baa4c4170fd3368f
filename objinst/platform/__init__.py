"""What an operating system decides, one file a system: linux.py, darwin.py, …, named as GOOS names it.

Two systems count. The host is where otelobj runs (host.py); the target is what the program is linked for (target.py). A file has a HOST, a TARGET, or
both; nothing else in otelobj asks which system it is. docs/contributing/platform.md says how to add one.
"""

from __future__ import annotations

import functools
import importlib
import re
from types import ModuleType


@functools.cache
def system(goos: str) -> ModuleType | None:
    """The file of a system; None for one that is not known."""
    name = f"{__name__}.{goos}"
    if not re.fullmatch(r"[a-z][a-z0-9]*", goos):
        return None
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def systems() -> list[ModuleType]:
    """All of them, in the order of their names."""
    import pkgutil  # noqa: PLC0415 - for messages and commands only

    found = (system(module.name) for module in pkgutil.iter_modules(__path__))
    return [module for module in found if module is not None]
