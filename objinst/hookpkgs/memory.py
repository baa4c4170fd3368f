"""What is remembered of hook sets: a file for each configuration, with the newest of them first."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from objinst.ending import write_whole
from objinst.platform.host import host
from objinst.store.root import make_folder

MEMORIES = 16
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


def add(memo: Path, entry: dict[str, Any], instead_of: dict[str, Any] | None = None) -> None:
    """Remembers an entry once. Raises OSError."""
    make_folder(memo.parent)
    new = json.loads(json.dumps(entry))
    kept = [older for older in entries(memo, entry.keys()) if older not in (instead_of, new)]
    write_whole(memo, json.dumps([new, *kept[: MEMORIES - 1]]).encode("utf-8"))
