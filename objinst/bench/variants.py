"""The ways to build a program: plainly, with otelobj, instrumented by hand, and by peers that rewrite source.

A variant has caches of its own, so none profits from what another has compiled. Peers get a copy of the module, because they write into it.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from objinst import paths
from objinst.bench.model import BY_HAND, PLAIN, Missing
from objinst.bench.program import Edits, Program, copied
from objinst.bench.watch import Run, run
from objinst.errors import OtelobjError, UsageError

OTELOBJ = "otelobj"
LEFT_OUT = ("OTELOBJ_REPORT", "OTELOBJ_SHARED_CACHE", "OTELOBJ_ON_ERROR", "GOCACHEPROG", "GOCOVERDIR")
"""Of the user's environment: what writes files of theirs, fills a cache that is to be empty, or hides that a build has failed."""
ARCHIVE = b"!<arch>\n"
"""How an archive begins, as opposed to other things in the go command's cache."""


@dataclass(frozen=True, slots=True)
class Peer:
    """bring: the command that installs it. pin: its arguments that prepare a module, where this one is not prepared yet: prepared is a file that tells."""

    name: str
    bring: str
    pin: tuple[str, ...] = ()
    prepared: str = ""


PEERS = {
    peer.name: peer
    for peer in (
        Peer("orchestrion", "go install github.com/DataDog/orchestrion@latest", ("pin",), "orchestrion.tool.go"),
        Peer("otelc", "go install go.opentelemetry.io/otelc/tool/cmd/otelc@latest"),
    )
}
"""They are used as their documentation says: the name of the tool, then a go command."""
KNOWN = (PLAIN, OTELOBJ, *PEERS)


@dataclass(slots=True)
class Variant:
    """go: the go command, with what stands in front of it; flags: of builds. home: the folder of its caches and programs. env: of its builds."""

    name: str
    go: Sequence[str]
    program: Program
    home: Path
    edits: Edits
    flags: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    peer: Peer | None = None

    @property
    def out(self) -> Path:
        """The program that builds write."""
        return self.home / "program"

    @property
    def go_cache(self) -> Path:
        return self.home / "gocache"

    @property
    def own_cache(self) -> Path:
        """otelobj's."""
        return self.home / "cache"

    @property
    def work(self) -> Path:
        """Where the go command has its temporary files, which it leaves if it is killed."""
        return self.home / "work"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
        places = {"GOCACHE": self.go_cache, "OTELOBJ_CACHE_DIR": self.own_cache, "GOTMPDIR": self.work}
        return {**kept, **{name: str(place) for name, place in places.items()}, **self.env, **(more or {})}

    def empty(self) -> None:
        """Makes its caches empty ones. Raises OtelobjError if they cannot be."""
        try:
            for place in (self.go_cache, self.own_cache):
                if place.exists():
                    shutil.rmtree(place)
            self.own_cache.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise OtelobjError(f"{self.name}: its caches cannot be emptied: {error}", "are programs of an earlier build still running?") from error

    def build(self, *flags: str, env: Mapping[str, str] | None = None, out: Path | None = None) -> Run:
        """Builds the program from what is in the caches, without what version control knows of it: a copy has nothing of that. Raises OtelobjError if it does not build."""
        to = out or self.out
        to.unlink(missing_ok=True)
        return self.go_run(["build", *self.flags, *flags, "-buildvcs=false", "-o", str(to), "--", self.program.package], env)

    def go_run(self, args: Sequence[str], env: Mapping[str, str] | None = None) -> Run:
        """Runs a go command of this variant. Raises OtelobjError if it fails."""
        done = self._run([*self.go, *args], env)
        if done.status:
            remedy = "see what it says: this build is left out" if self.peer else "the program must build before its cost can be measured; `otelobj doctor` says what is missing"
            raise OtelobjError(f"{self.name}: go {args[0]} failed in {self.program.folder} with status {done.status}:\n{(done.err or done.out).strip()}", remedy)
        return done

    def prepare(self) -> None:
        """Makes a module ready for a peer, and fills the caches; brings what must be downloaded. Raises OtelobjError."""
        self.empty()
        if self.peer and self.peer.pin and not (self.program.module / self.peer.prepared).exists():
            done = self._run([self.peer.name, *self.peer.pin], None, self.program.module)
            if done.status:
                raise OtelobjError(f"{self.name} {' '.join(self.peer.pin)} failed:\n{(done.err or done.out).strip()}", "prepare the module yourself, as its documentation says")
        self.build()

    def _run(self, command: Sequence[str], env: Mapping[str, str] | None, folder: Path | None = None) -> Run:
        shutil.rmtree(self.work, ignore_errors=True)  # peers that say -work leave what they have compiled
        self.work.mkdir(parents=True, exist_ok=True)
        try:
            return run(command, folder or self.program.folder, self.environment(env))
        except OSError as error:
            raise OtelobjError(f"{command[0]}: {error.strerror}", "check that it can be executed") from error

    def archives(self) -> set[str]:
        """Paths of all compiled packages in its caches, those that otelobj compiles itself included."""
        go = {str(path) for path in self.go_cache.glob("??/*-d") if _is_archive(path)}
        return go | {str(path) for path in (self.own_cache / "compiled").rglob("*.a")}


def _is_archive(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(ARCHIVE)) == ARCHIVE
    except OSError:
        return False


def choose(names: Sequence[str]) -> list[str]:
    """The variants to build, plain first. Raises UsageError for one that is not known."""
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise UsageError(f"--peers: {', '.join(unknown)} is not known", f"give some of {','.join(KNOWN)}")
    return [PLAIN, *(name for name in KNOWN if name in names and name != PLAIN)]


def make(names: Sequence[str], go: Path, program: Program, by_hand: Program | None, folder: Path) -> tuple[list[Variant], list[Missing]]:
    """Variants in `folder`, and peers that are not installed. Raises OtelobjError."""
    found, missing = [], []
    for name in names:
        peer = PEERS.get(name)
        if peer is not None and shutil.which(name) is None:
            missing.append(Missing(name, "not on PATH", peer.bring))
            continue
        try:
            found.append(_peer(peer, go, program, folder) if peer else _own(name, go, program, folder))
        except OtelobjError as error:
            if peer is None:
                raise
            missing.append(Missing(name, error.brief(), ""))
        if name == PLAIN and by_hand is not None:
            found.append(_own(BY_HAND, go, by_hand, folder))
    return found, missing


def toolexec(*options: str) -> str:
    """The flag that puts otelobj into a build."""
    return f"-toolexec={shlex.join([str(paths.launcher()), *options])}"


def _own(name: str, go: Path, program: Program, folder: Path) -> Variant:
    home = folder / name.replace(" ", "-")
    flags = (toolexec(),) if name == OTELOBJ else ("-toolexec=",)
    return Variant(name, [str(go)], program, home, Edits(program, home / "edits"), flags)


def _peer(peer: Peer, go: Path, program: Program, folder: Path) -> Variant:
    home = folder / peer.name
    home.mkdir()
    copy, env = copied(go, program, home / "copy")
    path = {"PATH": f"{go.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return Variant(peer.name, [peer.name, "go"], copy, home, Edits(copy, home, in_copy=True), (), env | path, peer)


