"""`link -V=full`: the real linker's line, plus a digest of everything that influences what otelobj links.

The go command takes the whole line of a release, and the last field's content ID of a development version, as the linker's identity
(cmd/go/internal/work/buildid.go, toolID, Go 1.22-1.27): any change of the digest causes a relink, and nothing else. The inputs are otelobj, the
rules, the hook sources, and everything that can change the choice of modules without changing a linked package.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from objinst import hooktree, paths
from objinst.actions import ACTIONS
from objinst.ending import write_whole
from objinst.errors import OtelobjError
from objinst.gobuild import usertree
from objinst.link.options import options
from objinst.platform.host import host
from objinst.rules import RuleSet, hook_packages, load
from objinst.store.digest import HOOK_SOURCES, SOURCES, hooks_digest, own_digest
from objinst.store.root import make_folder, ready, root

SETTLED = 1.0
"""Seconds after which a file's times can be trusted to change with its content."""
OUTPUT_VARIABLES = ("OTELOBJ_DISABLE", "OTELOBJ_ENABLE", "OTELOBJ_EXPORTERS", "OTELOBJ_ON_ERROR", "OTELOBJ_SDK")


def main(argv: Sequence[str]) -> int:
    """argv: options of otelobj, the linker, -V=full. Prints the line; returns the exit status."""
    rule_files, command = options(argv)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OtelobjError(f"{command[0]} -V=full: {done.stderr.strip()}", "check that this Go installation is complete")
    plain = done.stdout.strip()
    began = time.time()
    folder = Path.cwd()
    rules = load(rule_files, os.environ, ACTIONS)
    line = marked(plain, link_digest(rules, folder))
    tree = [*usertree.module_file_candidates(folder), *with_folders(usertree.hook_sources(hook_packages(rules.rules), folder))]
    inputs = [*rule_sources(rule_files), Path(command[0]), *own_files(), *tree]
    print(line, flush=True)
    remember(line, began, inputs)
    return 0


def marked(plain: str, digest: str) -> str:
    """The linker's line with the digest where the go command looks for the linker's identity."""
    fields = plain.split()
    devel = len(fields) > 2 and "devel" in fields[2]
    return f"{plain}{'+' if devel else ' '}otelobj-{digest}"


def remember(line: str, began: float, inputs: Sequence[Path]) -> None:
    """Writes the launcher's memory: a file of three lines (signature, answer, a name), and two files of that name with the names of the inputs
    and the output of `stat` for them. None of it is ever executed.

    Written only if no input has changed in the last second, so that a change within the resolution of file times is not missed.
    A memory that cannot be written only costs time.
    """
    memory, signature = os.environ.get("OTELOBJ_VERSION_MEMORY", ""), os.environ.get("OTELOBJ_VERSION_SIGNATURE", "")
    names = list(dict.fromkeys(str(path) for path in inputs))
    if not memory or "\n" in signature or root() not in Path(memory).parents or any(_changed_since(name, began - SETTLED) for name in names):
        return
    with contextlib.suppress(OSError, UnicodeError):
        stamp = subprocess.run([*host().STAT, *names], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | {"LC_ALL": "C"}, check=False).stdout
        if not stamp or any(_changed_since(name, began - SETTLED) for name in names):
            return
        ready()
        place = Path(memory)
        make_folder(place.parent)
        older = list(place.parent.glob(f"{place.name}.*.*"))
        name = os.urandom(8).hex()
        Path(f"{memory}.{name}.names").write_bytes(b"".join(os.fsencode(one) + b"\0" for one in names))
        Path(f"{memory}.{name}.stamp").write_bytes(stamp)
        write_whole(place, os.fsencode(f"{signature}\n{line}\n{name}\n"))
        for file in older:
            file.unlink(missing_ok=True)


def _changed_since(name: str, moment: float) -> bool:
    """Whether content or inode has changed. A missing file has not."""
    try:
        stat = os.stat(name)  # noqa: PTH116 - names, not paths: this is done for some hundred files
    except OSError:
        return False
    return max(stat.st_mtime, stat.st_ctime) > moment


def rule_sources(rule_files: Sequence[Path]) -> list[Path]:
    """Rule files in force, without the built-in ones."""
    listed = [Path(name) for name in os.environ.get("OTELOBJ_RULES", "").split(os.pathsep) if name]
    return [path.absolute() for path in (*rule_files, *listed)]


def own_files() -> list[Path]:
    """otelobj's and the hooks' files with their folders: a new file changes its folder's time."""
    trees = [(paths.HERE, SOURCES), (paths.trampolines_dir(), SOURCES), (paths.hooks_dir(), (*HOOK_SOURCES, *hooktree.READ))]
    files = with_folders(path for folder, patterns in trees for pattern in patterns for path in folder.rglob(pattern))
    return [*files, paths.hooks_dir(), paths.hooks_dir() / hooktree.INSTRUMENTATION]


def with_folders(files: Iterable[Path]) -> list[Path]:
    """Files, and the folders that contain them."""
    listed = list(files)
    return sorted({*listed, *(path.parent for path in listed)})


def link_digest(rules: RuleSet, folder: Path) -> str:
    """folder: where the build was started; the files of its module and workspace count."""
    parts = [own_digest(), hooks_digest(), rules.digest(), *(f"{name}={os.environ.get(name, '')}" for name in OUTPUT_VARIABLES)]
    parts.append(usertree.digest(hook_packages(rules.rules), folder))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
