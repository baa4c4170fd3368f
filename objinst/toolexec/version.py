"""`link -V=full`: the real linker's line and a digest of everything that changes what otelobj links.

The go command takes the whole line as the linker's identity (cmd/go/internal/work/buildid.go, toolID, Go 1.22-1.27), so any
change of the digest relinks, and nothing else. The inputs: otelobj, the rules, the hook sources, and what can change the choice
of modules without changing a linked package.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from objinst.digest import hooks_digest, own_digest
from objinst.errors import OtelobjError
from objinst.rules import RuleSet, load
from objinst.toolexec.options import options

MODULE_FILES = ("go.mod", "go.sum", "go.work", "go.work.sum", "vendor/modules.txt")
OUTPUT_VARIABLES = ("OTELOBJ_DISABLE", "OTELOBJ_ON_ERROR")


def main(argv: Sequence[str]) -> int:
    """argv: options of otelobj, the linker, -V=full. Prints the line; returns the exit status."""
    rule_files, command = options(argv)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OtelobjError(f"{command[0]} -V=full: {done.stderr.strip()}", "is this Go installation whole?")
    print(f"{done.stdout.strip()} otelobj-{link_digest(load(rule_files, os.environ), Path.cwd())}")
    return 0


def link_digest(rules: RuleSet, folder: Path) -> str:
    """folder: where the build was started; the files of its module and workspace count."""
    state = hashlib.sha256("\0".join([own_digest(), hooks_digest(), rules.digest()]).encode())
    for name in OUTPUT_VARIABLES:
        state.update(f"{name}={os.environ.get(name, '')}\0".encode())
    for path in module_files(folder):
        state.update(f"{path}\0".encode())
        state.update(path.read_bytes())
    for path in hook_sources(rules, folder):
        state.update(f"{path}\0".encode())
        state.update(path.read_bytes())
    return state.hexdigest()[:32]


def module_files(folder: Path) -> Iterator[Path]:
    """go.mod, go.work and their companions in `folder` and above it."""
    for parent in (folder, *folder.parents):
        yield from (path for name in MODULE_FILES if (path := parent / name).is_file())


def hook_sources(rules: RuleSet, folder: Path) -> Iterator[Path]:
    """Go sources of hook packages that lie in the user's own module or workspace: their import path is its path and a folder."""
    wanted = {hooks.path for rule in rules.rules for hooks in rule.do}
    for mod in (path for path in module_files(folder) if path.name == "go.mod"):
        module = next((line.split()[1] for line in mod.read_text().splitlines() if line.startswith("module ")), "")
        for path in sorted(wanted):
            if module and (path == module or path.startswith(module + "/")):
                yield from sorted((mod.parent / path[len(module) :].lstrip("/")).glob("*.go"))
