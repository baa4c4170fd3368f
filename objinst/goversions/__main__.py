"""`python -m objinst.goversions add GOROOT...` writes the folders of Go minor versions, `check GOROOT...` compares them with what is there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from objinst.errors import OtelobjError
from objinst.goversions import HERE
from objinst.goversions.derive import derive

USAGE = "usage: python -m objinst.goversions (add | check) GOROOT..."


def main(argv: Sequence[str]) -> int:
    """Returns the exit status. Nothing is written of a version of which something could not be derived."""
    if len(argv) < 2 or argv[0] not in ("add", "check"):
        print(USAGE, file=sys.stderr)
        return 2
    status = 0
    for name in argv[1:]:
        try:
            go, files = derive(Path(name))
        except OtelobjError as error:
            print(error, file=sys.stderr)
            status = 1
            continue
        if argv[0] == "add":
            add(go, files)
        else:
            status = max(status, check(go, files))
    return status


def add(go: str, files: dict[str, str]) -> None:
    folder = HERE / go
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    print(f"Go {go}: {folder}")


def check(go: str, files: dict[str, str]) -> int:
    """The exit status: 1 if a file is missing or another one."""
    folder = HERE / go
    other = [name for name, text in files.items() if not (folder / name).exists() or (folder / name).read_text() != text]
    print(f"Go {go}: {'not as in its sources: ' + ', '.join(other) if other else 'as in its sources'}")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
