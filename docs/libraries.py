"""Writes docs/libraries.md: every library that is instrumented without a rule, from the folders of hooks/instrumentation; and, in
docs/configuration.md, the table of variables that single libraries read.

    python docs/libraries.py [--check]

--check: says whether the pages are what it would write, by the exit status.
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
LIST = PAGE.with_name("configuration.md")
SECTIONS = ("Spans", "Metrics", "Attributes", "Switches", "Limits")
HEAD = """# Libraries

What is instrumented without a rule of yours. The name in the first column goes into `OTELOBJ_DISABLE` and `OTELOBJ_ENABLE` when you build, and into
`OTEL_GO_ENABLED_INSTRUMENTATIONS` and `OTEL_GO_DISABLED_INSTRUMENTATIONS` when the program runs ([configuration.md](configuration.md)).
This page is made by docs/libraries.py from hooks/instrumentation; [contributing/library.md](contributing/library.md) says how to add a library.

| name | library | lowest release tried | newest | Go | default |
|---|---|---|---|---|---|
"""
SWITCH = re.compile(r"^- `((?:OTELOBJ|OTEL)_\w+)`: (.*(?:\n  .*)*)", re.MULTILINE)
"""An item of the section Switches that is about a variable, and what it says of it."""
BEGIN, END = "<!-- by docs/libraries.py -->\n", "<!-- end -->\n"
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


def variables(elsewhere: str) -> str:
    """Rows of the table in LIST: the variables that the rest of it does not list, the libraries that read them, and what the first of these says of them."""
    readers: dict[str, list[str]] = {}
    meanings: dict[str, str] = {}
    for library in hooktree.libraries().values():
        switches = text(library).partition("\n### Switches\n")[2].partition("\n### ")[0]
        for variable, meaning in SWITCH.findall(switches):
            if f"`{variable}`" not in elsewhere:
                readers.setdefault(variable, []).append(f"[{library.name}](libraries.md#{library.name})")
                meanings.setdefault(variable, " ".join(meaning.split()))
    return "".join(f"| `{variable}` | {', '.join(links)} | {meanings[variable]} |\n" for variable, links in sorted(readers.items()))


def listed() -> str:
    """LIST with the table as it should be. Exits if the page has no place for it."""
    before, begin, rest = LIST.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{LIST.name}: no place for the table between {BEGIN.strip()} and {END.strip()}")
    return f"{before}{BEGIN}\n| variable | library | meaning |\n|---|---|---|\n{variables(before + after)}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = {path: fresh for path, fresh in ((PAGE, page()), (LIST, listed())) if not path.is_file() or path.read_text("utf-8") != fresh}
    for path, fresh in stale.items():
        if check:
            print(f"docs/{path.name} is stale: python docs/libraries.py writes it anew", file=sys.stderr)
        else:
            path.write_text(fresh, "utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
