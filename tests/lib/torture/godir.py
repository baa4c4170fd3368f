"""Go's test directory: which of its files are programs to run, and how. run.go there is the specification (Go 1.19).

Debian and Ubuntu have it in the package golang-1.19-src; it is unpacked without root into the cache.
"""

from __future__ import annotations

import fcntl
import lzma
import re
import shlex
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from torture.model import Config, Form

PACKAGE = "golang-1.19-src"
URL = "https://snapshot.debian.org/archive/debian/20230901T000000Z/pool/main/g/golang-1.19/golang-1.19-src_1.19.8-2_all.deb"
PLACE = "usr/share/go-1.19/test"
KINDS = frozenset({"run", "buildrun", "rundir", "errorcheckandrundir", "runindir", "buildrundir", "runoutput"})
DIRS = re.compile(r"^\s*dirs = \[\]string\{(.*)\}", re.MULTILINE)
WORD = re.compile(r"[\w.]+|&&|\|\||[!()]")


class UnavailableError(Exception):
    """Something that is fetched cannot be had; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """name: path in the directory. files: more sources of a `run`. single: every file is a package (`-s`). expected: its output; None where
    the directory does not say."""

    name: str
    kind: str
    flags: tuple[str, ...]
    args: tuple[str, ...]
    files: tuple[str, ...] = ()
    experiments: str = ""
    single: bool = False
    constraint: str = ""

    @property
    def folder(self) -> str:
        """Where the sources of a directory program are."""
        return self.name.replace(".go", ".dir")

    def built_for(self, config: Config) -> bool:
        """Whether its build constraint holds."""
        return holds(self.constraint, config)

    @property
    def race(self) -> bool:
        return "-race" in self.flags


def fetch(cache: Path) -> tuple[Path, str]:
    """The directory, unpacked if it is not there yet, and the version of the package. Raises UnavailableError."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        version = cache / "version"
        if not version.exists():
            with tempfile.TemporaryDirectory(dir=cache) as work:
                package = _download(Path(work))
                unpack(package, cache / "root")
                version.write_text(package.name.split("_")[1])
        return cache / "root" / PLACE, version.read_text()


def _download(folder: Path) -> Path:
    why = "apt-get is not here"
    if shutil.which("apt-get"):
        done = subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, capture_output=True, text=True, check=False)
        found = list(folder.glob("*.deb"))
        if done.returncode == 0 and found:
            return found[0]
        why = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "apt-get failed"
    made = folder / URL.rpartition("/")[2]
    try:
        with urllib.request.urlopen(URL, timeout=60) as answer:
            made.write_bytes(answer.read())
    except OSError as error:
        raise UnavailableError(
            f"Go's test directory cannot be had: apt-get download {PACKAGE}: {why}; {URL}: {error}\n"
            f"  remedy: name a copy with --go-tests (a Go source tree's folder test/), or run where one of the two can be reached"
        ) from error
    return made


def unpack(package: Path, to: Path) -> None:
    """A Debian package is an ar archive with data.tar in it (deb(5))."""
    raw = package.read_bytes()
    at = len("!<arch>\n")
    while at < len(raw):
        name, size = raw[at : at + 16].decode().strip().rstrip("/"), int(raw[at + 48 : at + 58])
        if name.startswith("data.tar"):
            data = raw[at + 60 : at + 60 + size]
            fresh = to.with_name(to.name + ".new")
            shutil.rmtree(fresh, ignore_errors=True)
            with tempfile.TemporaryFile() as plain:
                plain.write(lzma.decompress(data) if name.endswith(".xz") else data)
                plain.seek(0)
                with tarfile.open(fileobj=plain) as tar:
                    tar.extractall(fresh, members=[m for m in tar if f"./{PLACE}/" in m.name], filter="data")
            shutil.rmtree(to, ignore_errors=True)
            fresh.rename(to)
            return
        at += 60 + size + size % 2
    raise UnavailableError(f"{package}: no data.tar in it\n  remedy: it is damaged; fetch it again")


def read(folder: Path) -> list[Program]:
    """Everything there that is run, in the order of names. Raises UnavailableError if it is no such directory."""
    try:
        match = DIRS.search((folder / "run.go").read_text())
    except OSError as error:
        raise UnavailableError(f"{folder}: {error}\n  remedy: --go-tests wants the folder test/ of Go 1.19's sources") from error
    if match is None:
        raise UnavailableError(f"{folder}/run.go: no list of directories\n  remedy: --go-tests wants the folder test/ of Go 1.19's sources")
    places = re.findall(r'"([^"]+)"', match[1])
    found = [recipe(folder, path) for place in places for path in sorted((folder / place).glob("*.go"))]
    return sorted((program for program in found if program is not None), key=lambda program: program.name)


def recipe(folder: Path, path: Path) -> Program | None:
    """The program that a file's first comment describes; None if it is none to run."""
    text = path.read_text(encoding="utf-8", errors="replace")
    action, blank, _ = text.partition("\n\n")
    if text.startswith("\n") or not blank:
        return None
    first, _, rest = action.partition("\n")
    words = _split((rest if "+build" in first else action).removeprefix("//"))
    if not words or words[0] not in KINDS:
        return None
    header = text.partition("\npackage")[0]
    constraint = " && ".join(f"({_expression(line)})" for line in header.splitlines() if re.match(r"//go:build |// ?\+build ", line))
    kind, words = words[0], words[1:]
    flags: list[str] = []
    experiments: list[str] = []
    single = False
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "-t":
            words.pop(0)
        elif word == "-goexperiment":
            experiments.append(words.pop(0))
        elif word == "-s":
            single = True
        elif word not in {"-0", "-1"}:
            flags.append(word)
            if word in {"-gcflags", "-ldflags"} and kind in {"run", "buildrun"}:
                flags[-1] += "=" + words.pop(0)
    files = []
    while kind in {"run", "runoutput"} and words and words[0].endswith(".go"):  # as go run takes them
        files.append(words.pop(0))
    return Program(path.relative_to(folder).as_posix(), kind, tuple(flags), tuple(words), tuple(files), ",".join(experiments), single, constraint)


def _split(action: str) -> list[str]:
    try:
        return shlex.split(action)
    except ValueError:
        return []


def _expression(line: str) -> str:
    """A constraint line in the form of //go:build (go/build/constraint)."""
    if line.startswith("//go:build "):
        return line.removeprefix("//go:build ").partition("//")[0]
    options = line.partition("+build ")[2].split()
    return " || ".join("(" + " && ".join(option.split(",")) + ")" for option in options)


def holds(constraint: str, config: Config) -> bool:
    """What run.go's shouldTest says of it."""
    if not constraint:
        return True
    true = {"linux", "unix", "gc", "test_run", config.arch} | ({"cgo"} if config.cgo else set()) | ({"gcflags_noopt"} if config.form is Form.NOOPT else set())
    operators = {"&&": "and", "||": "or", "!": "not", "(": "(", ")": ")"}
    words = [operators.get(word) or str(word in true) for word in WORD.findall(constraint)]
    return bool(eval(" ".join(words), {"__builtins__": {}}))  # only operators, True and False are left
