"""What is remembered of hook sets: a file for each configuration, with the newest of them first."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from objinst.ending import write_whole
from objinst.platform.host import host

MEMORIES = 8
"""Hook sets remembered for one configuration: a program, its tests with their variants of packages, and so on."""


def entries(memo: Path, keys: Collection[str]) -> list[dict[str, Any]]:
    """Those with exactly these keys. Empty if there are none or the file is damaged."""
    try:
        if host().owner(memo.stat()) != host().user():
            return []
        found = json.loads(memo.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [entry for entry in found if isinstance(entry, dict) and entry.keys() == set(keys)] if isinstance(found, list) else []


def add(memo: Path, entry: dict[str, Any]) -> None:
    """Raises OSError."""
    memo.parent.mkdir(parents=True, exist_ok=True)
    write_whole(memo, json.dumps([entry, *entries(memo, entry.keys())[: MEMORIES - 1]]).encode("utf-8"))
