"""`link -V=full`: the real linker's line and a digest of everything that changes what otelobj links.

The go command takes the whole line as the linker's identity (cmd/go/internal/work/buildid.go, toolID, Go 1.22-1.27), so any
change of the digest relinks, and nothing else. The inputs: otelobj, the rules, the hook sources, and what can change the choice
of modules without changing a linked package.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import trampolines
from objinst import paths
from objinst.digest import HOOK_SOURCES, SOURCES, hooks_digest, own_digest
from objinst.errors import OtelobjError
from objinst.rules import RuleSet, load
from objinst.toolexec.options import options

MODULE_FILES = ("go.mod", "go.sum", "go.work", "go.work.sum", "vendor/modules.txt")
SETTLED = 1.0
"""Seconds after which a file's time can be trusted."""
OUTPUT_VARIABLES = ("OTELOBJ_DISABLE", "OTELOBJ_ON_ERROR")


def main(argv: Sequence[str]) -> int:
    """argv: options of otelobj, the linker, -V=full. Prints the line; returns the exit status."""
    rule_files, command = options(argv)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OtelobjError(f"{command[0]} -V=full: {done.stderr.strip()}", "is this Go installation whole?")
    began = time.time()
    rules = load(rule_files, os.environ)
    line = f"{done.stdout.strip()} otelobj-{link_digest(rules, Path.cwd())}"
    print(line)
    remember(line, began, [*rule_sources(rule_files), Path(command[0]), *own_files(), *module_files(Path.cwd()), *hook_sources(rules, Path.cwd())])
    return 0


def remember(line: str, began: float, inputs: Sequence[Path]) -> None:
    """Writes the launcher's memory: signature, answer, `+ FILE` for inputs, `- FILE` for module files that are not there.

    Only if every input is older than a second, so that a change within the resolution of file times cannot hide.
    """
    memory, signature = os.environ.get("OTELOBJ_VERSION_MEMORY", ""), os.environ.get("OTELOBJ_VERSION_SIGNATURE", "")
    if not memory or "\n" in signature or any("\n" in str(path) or path.stat().st_mtime > began - SETTLED for path in inputs):
        return
    absent = [parent / name for parent in (Path.cwd(), *Path.cwd().parents) for name in MODULE_FILES if not (parent / name).exists()]
    text = "\n".join([signature, line, *(f"+ {path}" for path in inputs), *(f"- {path}" for path in absent)]) + "\n"
    try:
        Path(memory).parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(f"{memory}.{os.getpid()}")
        temporary.write_text(text, errors="surrogateescape")
        os.utime(temporary, (began, began))
        temporary.replace(memory)
    except OSError:
        return  # a memory that cannot be kept costs time, nothing else


def rule_sources(rule_files: Sequence[Path]) -> list[Path]:
    """Rule files in force, and the folder of the built-in ones."""
    listed = [Path(name) for name in os.environ.get("OTELOBJ_RULES", "").split(":") if name]
    return [path.resolve() for path in (*rule_files, *listed)]


def own_files() -> list[Path]:
    """otelobj's own files and the hooks', with their folders: a new file changes its folder's time."""
    trees = [tracked(paths.HERE, SOURCES), tracked(Path(trampolines.__file__).parent, SOURCES), tracked(paths.hooks_dir(), HOOK_SOURCES)]
    return [path for tree in trees for path in tree]


def tracked(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Files that match, and their folders."""
    files = [path for pattern in patterns for path in folder.rglob(pattern)]
    return sorted({*files, *(path.parent for path in files)})


def link_digest(rules: RuleSet, folder: Path) -> str:
    """folder: where the build was started; the files of its module and workspace count."""
    state = hashlib.sha256(f"{own_digest()} {hooks_digest()} {rules.digest()}".encode())
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
