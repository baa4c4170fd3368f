"""Writes NOTICE: the licences of all that otelobj links into users' programs, from the module cache.

    python docs/notice.py [--check]

--check: says whether NOTICE is what it would write, by the exit status. The versions are those of hooks/private; a program that has a module at
another version may link that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from objinst import hooktree

ROOT = Path(__file__).resolve().parent.parent
FILES = ("LICENSE*", "LICENCE*", "NOTICE*", "COPYING*")
HEAD = """otelobj
Copyright The otelobj authors

Licensed under the Apache License, Version 2.0 (see LICENSE).

otelobj links the Go modules below into the programs that it instruments, beside its own (hooks/), as far as they are needed. This file is made
by docs/notice.py.
"""
LINE = "=" * 100


def modules() -> dict[str, Path]:
    """Path -> folder in the module cache, of all modules that hooks import.

    Those of libraries are left out: what they require is the program's own copy, or is in hooks/private.
    """
    found: dict[str, Path] = {}
    ours = [name for name in hooktree.modules().values() if not name.startswith("instrumentation/")]
    for name in (*ours, hooktree.PRIVATE):  # the last one has the newest versions
        command = ["go", "list", "-mod=mod", "-deps", "-json=Module", "./..."]
        done = subprocess.run(command, cwd=ROOT / "hooks" / name, capture_output=True, text=True, check=True, env=os.environ | {"GOWORK": "off", "GOFLAGS": ""})
        decoder, at = json.JSONDecoder(), 0
        while at < len(done.stdout.rstrip()):
            item, end = decoder.raw_decode(done.stdout, at)
            at = end + len(done.stdout[end:]) - len(done.stdout[end:].lstrip())
            module = item.get("Module")
            if module and not module["Path"].startswith("github.com/otelobj/"):
                found[module["Path"]] = Path(module["Dir"])
    return dict(sorted(found.items()))


def texts(folder: Path) -> str:
    """The licence and notice files of a module."""
    files = sorted({path for pattern in FILES for path in folder.glob(pattern) if path.is_file()})
    if not files:
        sys.exit(f"{folder} has no licence file: {', '.join(FILES)}")
    return "\n\n".join("\n".join(line.rstrip() for line in path.read_text("utf-8", "replace").strip().splitlines()) for path in files)


def notice() -> str:
    """Modules with the same texts share one copy."""
    by_text: dict[str, list[str]] = defaultdict(list)
    for path, folder in modules().items():
        by_text[texts(folder)].append(path)
    parts = [HEAD]
    for text, paths in sorted(by_text.items(), key=lambda item: item[1]):
        parts.append("\n".join([LINE, *paths, LINE, "", text, ""]))
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    text = notice()
    place = ROOT / "NOTICE"
    if parser.parse_args().check:
        return 0 if place.is_file() and place.read_text("utf-8") == text else 1
    place.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
