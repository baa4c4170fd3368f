"""Writes docs/libraries.md: every library that is instrumented without a rule, from the folders of hooks/instrumentation.

    python docs/libraries.py [--check]

--check: says whether the page is what it would write, by the exit status.
"""

from __future__ import annotations

import argparse
import os.path
import re
import sys
from pathlib import Path

from objinst import goversions, hooktree
from objinst.hookpkgs import minimum

PAGE = Path(__file__).resolve().parent / "libraries.md"
SECTIONS = ("Spans", "Metrics", "Attributes", "Switches", "Limits")
HEAD = """# Libraries

What is instrumented without a rule of yours. The name in the first column goes into `OTELOBJ_DISABLE` and `OTELOBJ_ENABLE` when you build, and into
`OTEL_GO_ENABLED_INSTRUMENTATIONS` and `OTEL_GO_DISABLED_INSTRUMENTATIONS` when the program runs ([configuration.md](configuration.md)).
This page is made by docs/libraries.py from hooks/instrumentation; [contributing/library.md](contributing/library.md) says how to add a library.

| name | library | lowest release tried | newest | Go | default |
|---|---|---|---|---|---|
"""
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")


def go_needed(library: hooktree.Library) -> str:
    """The lowest Go version of a library's module, or of what makes spans where it has none."""
    module = next((path for path, folder in hooktree.modules().items() if folder == f"{hooktree.INSTRUMENTATION}/{library.name}"), None)
    return minimum.needed_by(module) if module else goversions.TELEMETRY


def row(library: hooktree.Library) -> str:
    default = "on" if library.default else f"off; `OTELOBJ_ENABLE={library.name}`"
    return f"| [`{library.name}`](#{library.name}) | {library.title} | {library.lowest} | {library.newest} | {go_needed(library)} | {default} |"


def text(library: hooktree.Library) -> str:
    """The body of a README.md. Exits if it has other sections than SECTIONS."""
    body = hooktree.body(library.folder)
    found = tuple(re.findall(r"^### (.*)$", body, re.MULTILINE))
    if found != SECTIONS:
        sys.exit(f"{library.folder / hooktree.README}: sections {', '.join(found)}; they are {', '.join(SECTIONS)}, in this order")
    links = LINK.sub(lambda match: f"]({os.path.relpath(library.folder / match[1], PAGE.parent)})", body)
    return f"## {library.name}\n\n{links.strip()}\n"


def page() -> str:
    libraries = hooktree.libraries().values()
    return HEAD + "".join(f"{row(library)}\n" for library in libraries) + "".join(f"\n{text(library)}" for library in libraries)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        fresh = PAGE.is_file() and PAGE.read_text("utf-8") == page()
        if not fresh:
            print("docs/libraries.md is stale: python docs/libraries.py writes it anew", file=sys.stderr)
        return 0 if fresh else 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
