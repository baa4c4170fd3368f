"""An operating system is one file of objinst/platform: one that these tests make up works everywhere, and one that is not there is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

import objinst.platform
import toolchains
import trampolines
from objinst import __main__ as entry
from objinst import ending, paths
from objinst.cli import doctor, gotool, survey
from objinst.errors import OtelobjError
from objinst.gobuild import LinkCommand, buildinfo
from objinst.goobj import Edit, Object
from objinst.goobj import header as headers
from objinst.goobj.archive import Archive
from objinst.goversions import source
from objinst.link import external
from objinst.link import build
from objinst.linked.program import Program
from objinst.platform import host, linux, target
from objinst.rewrite import death, rtpkg, runtimepkg, static
from objinst.store import cache, parallel, root
from objinst.types import abbrevs

PLAN10 = '''
import os
from pathlib import Path
from objinst.platform.host import Host
from objinst.platform.target import Image, Target
from trampolines.contract import GateSpec

class Plan10(Host):
    LAUNCHER = "otelobj.rc"
    CACHE_VARIABLES = ("TEN",)
    def __init__(self): self.told = []
    def tie(self): return lambda number: os.write(3, b"tied %d" % number)
    def adopt_orphans(self): self.told.append("adopted")
    def children(self): return {os.getpid(): [4000001], 4000001: [4000002]}
    def command(self, process): return ["go", "build", "-tags=ten"]
    def processors(self): return 1
    def cache_folder(self, environ): return Path(environ["TEN"])
    def lock(self, handle, *, shared=False, wait=True): self.told.append(("lock", shared, wait))

HOST = Plan10()
TARGET = Target("plan10", ("amd64",), ("exe", "shared"), {"amd64": GateSpec((15,), 20, 454, 16)}, "data4", {b"TEN!": "a Ten program"}, "objinst.platform.plan10")

def read(file):
    return Image("amd64", [(4096, bytearray(file.read()), True)], 4096, {"main.main": 4097})
'''


@pytest.fixture
def plan10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A folder with one more system."""
    (tmp_path / "plan10.py").write_text(PLAN10)
    with with_systems(tmp_path, monkeypatch):
        yield objinst.platform.system("plan10")


@contextlib.contextmanager
def with_systems(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With those of a folder, too."""
    monkeypatch.setattr(objinst.platform, "__path__", [*objinst.platform.__path__, str(folder)])
    forget()
    yield
    forget()
    for path in folder.glob("*.py"):
        sys.modules.pop(f"objinst.platform.{path.stem}", None)


def forget() -> None:
    for function in (objinst.platform.system, host.host, root._root, buildinfo.parent_flags):
        function.cache_clear()


@pytest.fixture
def on_plan10(plan10, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(sys, "platform", "plan10")
    host.host.cache_clear()
    return host.host()


def head(goos: str, goarch: str = "amd64") -> headers.Header:
    return headers.parse(f'go object {goos} {goarch} go1.27.3 GOAMD64=v1 X:dwarf5\nbuild id "a"\n\n!\n'.encode(), "x")[0]


def command(*flags: str) -> LinkCommand:
    return LinkCommand.parse(["/go/pkg/tool/link", *flags, "-o", "a", "main.a"])


# as the target


def test_a_system_that_is_one_file_can_be_linked_for(plan10) -> None:
    build.check_supported(command(), head("plan10"))
    build.check_supported(command("-buildmode=shared"), head("plan10"))
    assert entry.main(["--platform", "plan10", "amd64"]) == 0
    assert target.platforms() == ("linux/amd64", "linux/arm64", "plan10/amd64")
    assert doctor.check_platform(gotool.GoCommand(Path("go"), {"GOOS": "plan10", "GOARCH": "amd64"})).level == doctor.OK
    assert survey._system("plan10", "amd64") == "plan10" and survey._system("plan10", "arm64") == "linux" == survey._system("nowhere", "amd64")


@pytest.mark.parametrize(("goos", "goarch"), [("plan9", "amd64"), ("plan10", "arm64"), ("darwin", "arm64"), ("linux", "riscv64"), ("host", "amd64"), ("../x", "amd64")])
def test_any_other_is_refused_by_one_message(plan10, goos: str, goarch: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OtelobjError) as refused:
        build.check_supported(command(), head(goos, goarch))
    said = f"{goos}/{goarch} is not supported yet\n  remedy: linux/amd64, linux/arm64 and plan10/amd64 are; OTELOBJ_ON_ERROR=plain links without hooks"
    assert str(refused.value) == said
    assert entry.main(["--platform", goos, goarch]) == 1 and capsys.readouterr().err == f"otelobj: {said}\n"


def test_so_is_a_build_mode(plan10) -> None:
    with pytest.raises(OtelobjError, match=r"-buildmode=pie is not supported yet\n  remedy: -buildmode exe and shared are"):
        build.check_supported(command("-buildmode=pie"), head("plan10"))
    with pytest.raises(OtelobjError, match="-linkshared is not supported yet"):
        build.check_supported(command("-linkshared"), head("plan10"))


def test_without_the_file_it_is_unknown() -> None:
    assert objinst.platform.system("plan10") is None and target.platforms() == ("linux/amd64", "linux/arm64")


def test_its_dwarf_is_read_by_its_forms(plan10) -> None:
    forms = {goos: {form for abbrev in abbrevs.for_header(head(goos)) for _, form in abbrev.attrs} for goos in ("linux", "plan10", "darwin", "ios", "plan9")}
    calls = {goos: dict(next(a.attrs for a in abbrevs.for_header(head(goos)) if a.name == "INLINED_SUBROUTINE"))["call_line"] for goos in forms}
    assert calls == {"linux": "udata", "plan10": "data4", "darwin": "data4", "ios": "data4", "plan9": "udata"}
    assert not any(form.endswith("_pseudo") for found in forms.values() for form in found)


def runtime(goos: str) -> Object:
    """Package runtime of Linux with another name in its header."""
    return of_system(Archive.read(toolchains.exports(toolchains.newest(), "amd64", "runtime")["runtime"]).go_object()[1], goos)


def of_system(obj: Object, goos: str) -> Object:
    return Object.parse(obj.raw.replace(b"go object linux ", f"go object {goos} ".encode(), 1), obj.origin)


def code(obj: Object) -> dict[str, bytes]:
    return {name: bytes(obj.data(obj.find(name, 1))) for name in (death.DIE, death.BAD)}


@pytest.mark.parametrize("goos", ["linux", "plan10"])
def test_its_gates_are_made_of_its_record(plan10, goos: str) -> None:
    edit, arch, spec = Edit(runtime(goos)), trampolines.load("amd64"), target.target(goos).gates["amd64"]
    death.gates(edit, arch, "example.com/rt")
    made = code(Object.parse(edit.to_bytes(), "made"))
    assert made == {death.DIE: arch.death_gate(spec).code, death.BAD: arch.foreign_gate(spec).code}
    numbers = {number.to_bytes(4, "little") for number in (20, 454, 16)}, {number.to_bytes(4, "little") for number in (39, 202, 1 | 128)}
    has, lacks = numbers if goos == "plan10" else numbers[::-1]
    assert all(b"\xb8" + number in made[death.DIE] or b"\xbe" + number in made[death.DIE] for number in has)
    assert not any(b"\xb8" + number in made[death.DIE] or b"\xbe" + number in made[death.DIE] for number in lacks)


def test_a_system_without_numbers_has_no_gates(plan10, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runtime dies as the plain one does, and hooks/rt, which is not given the function to die by, watches for no signal."""
    (place,) = toolchains.go(toolchains.newest(), paths.hooks_dir() / "rt", "list", "-export", "-f", "{{.Export}}", ".").split()
    rt = "github.com/otelobj/otelobj/hooks/rt"
    given = {}
    for gates in (plan10.TARGET.gates, {"arm64": plan10.TARGET.gates["amd64"]}):
        monkeypatch.setattr(plan10, "TARGET", dataclasses.replace(plan10.TARGET, gates=gates))
        edit = Edit(runtime("plan10"))
        before = code(edit.object)
        death.gates(edit, trampolines.load("amd64"), rt)
        slot = runtimepkg.extend_g(edit)
        gated = code(Object.parse(edit.to_bytes(), "made")) != before
        edit = Edit(of_system(Archive.read(Path(place)).go_object()[1], "plan10"))
        rtpkg.fill_link(edit, rt, slot, [], [], trampolines.load("amd64"), is_test=False)
        made = Object.parse(edit.to_bytes(), "made")
        at = static.layout(made, f"{rt}.linkInfo").fields
        filled = {reloc.off for reloc in made.relocs(made.find(f"{rt}.link", 0))}
        given[gated] = {name for name in rtpkg.RUNTIME_FUNCS if at[name] in filled}
    assert given == {True: {*rtpkg.RUNTIME_FUNCS}, False: {*rtpkg.RUNTIME_FUNCS} - {"DieFromSignal"}}


@pytest.mark.parametrize("goarch", linux.TARGET.architectures)
def test_the_numbers_of_linux_are_those_of_go(goarch: str) -> None:
    """Every architecture has gates, with the numbers of package syscall; the signals are those that end a program quietly."""
    src = toolchains.goroot("1.27") / "src"
    numbers = dict(re.findall(r"^\t(SYS_\w+) += (\d+)", (src / f"syscall/zsysnum_linux_{goarch}.go").read_text(), re.MULTILINE))
    quiet = re.findall(r"/\* (\d+) \*/ +\{_SigNotify \+ _SigKill(?: \+ _SigIgn)?,", (src / "runtime/sigtab_linux_generic.go").read_text())
    spec = linux.TARGET.gates[goarch]
    assert (spec.getpid, spec.wake) == (int(numbers["SYS_GETPID"]), int(numbers["SYS_FUTEX"])) and spec.signals == tuple(map(int, quiet))
    assert re.search(r"_FUTEX_PRIVATE_FLAG = 128\n.*_FUTEX_WAKE_PRIVATE = 1 \| _FUTEX_PRIVATE_FLAG", (src / "runtime/os_linux.go").read_text(), re.DOTALL)


def test_sources_of_a_system_are_read_once_it_is_linked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator of a Go version's folder reads what some supported system compiles."""
    go = toolchains.goroot("1.27")
    assert "sysctlnametomib" not in source.Goroot(go).functions("runtime")
    (tmp_path / "freebsd.py").write_text("from objinst.platform.target import Target\nTARGET = Target('freebsd', ('amd64',))\n")
    with with_systems(tmp_path, monkeypatch):
        assert "sysctlnametomib" in source.Goroot(go).functions("runtime")


def test_its_programs_are_read_by_its_reader(plan10, tmp_path: Path) -> None:
    (tmp_path / "app").write_bytes(b"TEN!and more")
    program = Program(tmp_path / "app")
    assert (program.goos, program.goarch, program.symbols) == ("plan10", "amd64", {"main.main": 4097}) and program.read(4096, 4) == b"TEN!"
    (tmp_path / "app").write_bytes(b"#!/bin/sh\n")
    with pytest.raises(OtelobjError, match=r"no ELF program or Ten program\n  remedy: .* for linux/amd64 or linux/arm64 or plan10/amd64"):
        Program(tmp_path / "app")


# as the host


def test_the_host_at_hand_is_linux() -> None:
    assert host.host() is linux.HOST


def test_linux_tells_of_processes() -> None:
    this, child = os.getpid(), os.fork()
    if not child:
        os._exit(0)
    assert {this, child} <= linux.HOST.running() and linux.HOST.session(this) == os.getsid(0)
    assert linux.HOST.command(this)[0] and linux.HOST.processor_seconds(this) > 0
    now, most = linux.HOST.memory(this)
    assert most >= now > 1 << 20
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert linux.HOST.session(child) == os.getsid(0)  # it has ended, and nobody has waited for it
    with pytest.raises(OSError, match="no memory"):
        linux.HOST.memory(child)
    os.waitpid(child, 0)
    for ask in (linux.HOST.command, linux.HOST.session, linux.HOST.processor_seconds, linux.HOST.memory):
        with pytest.raises(OSError):
            ask(child)


def test_a_host_that_is_one_file_is_asked(on_plan10, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTELOBJ_CACHE_DIR", raising=False)
    monkeypatch.setenv("TEN", str(tmp_path / "caches"))
    monkeypatch.setattr(cache, "_made", set())  # what other tests have made in this process
    (tmp_path / "caches").mkdir(mode=0o700)
    assert root.root() == tmp_path / "caches/otelobj"
    with cache.in_use(), cache.lock("x"), cache.alone() as ours:
        assert ours
    assert on_plan10.told == [("lock", True, True), ("lock", False, True), ("lock", False, False), ("lock", False, False)]
    assert ending._descendants() == [4000001, 4000002]
    monkeypatch.setenv("GOFLAGS", "")
    assert buildinfo.parent_flag("tags") == "ten"
    monkeypatch.setattr(paths, "HERE", tmp_path / "installed/objinst")
    assert paths.launcher().name == "otelobj.rc"
    monkeypatch.setattr(parallel, "fork", lambda _: pytest.fail("one processor"))
    done: list[int] = []
    parallel.in_parallel([lambda: done.append(1), lambda: done.append(2)])
    assert done == [1, 2]
    tool = tmp_path / "pkg/tool"
    for name in ("aix_ppc64", "plan10_amd64"):
        (tool / name).mkdir(parents=True)
        (tool / name / "link").touch()
    monkeypatch.setattr(on_plan10, "goarch", "amd64", raising=False)
    assert external.find_link(str(tmp_path)).parent.name == "plan10_amd64"


def test_its_children_are_tied_by_it(on_plan10) -> None:
    read, write = os.pipe()
    tied = ending._tied(15)
    assert tied is not None and on_plan10.told == []
    child = os.fork()
    if not child:
        os.dup2(write, 3)
        tied()
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100) == b"tied 15"
    os.close(read)
    os.close(write)


def test_a_host_that_is_not_known_is_any_posix_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "haiku")
    host.host.cache_clear()
    try:
        one = host.host()
        assert type(one) is host.Host and one.tie() is None and one.children() == {} and one.processors() > 0
        for ask in (one.running, *(functools.partial(ask, os.getpid()) for ask in (one.command, one.session, one.processor_seconds, one.memory))):
            with pytest.raises(OSError):
                ask()
        assert one.processor() == ""
        assert one.cache_folder({"HOME": str(tmp_path)}) == tmp_path / ".cache"
        assert one.cache_folder({"HOME": str(tmp_path), "XDG_CACHE_HOME": "/x"}) == Path("/x")
        assert one.cache_folder({"HOME": str(tmp_path / "nowhere")}) is None
        done = ending.run(["/bin/sh", "-c", "exit 3"])
        assert done.returncode == 3
    finally:
        host.host.cache_clear()


# the seam

GOOS = "|".join((
    "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd", "openbsd", "plan9", "solaris", "wasip1",
    "windows", "zos",
))  # fmt: skip
"""Go's own list (internal/syslist)."""
SYSTEM = re.compile(rf"(?<![A-Za-z0-9])(?:{GOOS})(?![A-Za-z0-9])")
KNOWLEDGE = re.compile(
    r"sys\.platform|os\.name\b|os\.uname|\bfcntl\b|prctl|/proc/|geteuid|getuid|getpwuid|O_NOFOLLOW|sched_getaffinity|SIGHUP|elftools|SYS_[A-Z]|FUTEX"
)
IN_GO = re.compile(r"runtime\.GOOS|syscall\.(?:SYS_|SIG)[A-Z]+")
FILE_OF_A_SYSTEM = re.compile(rf"_(?:{GOOS}|unix|other|test)\.go$")


def asks(code: str, *more: re.Pattern[str]) -> list[str]:
    """Where code names a system, or knows something of one."""
    return [found[0] for pattern in (SYSTEM, *more) for found in pattern.finditer(code)]


def python(text: str) -> str:
    """Without docstrings and comments."""
    return re.sub(r'""".*?"""|#[^\n]*', "", text, flags=re.DOTALL)


def test_the_systems_are_those_of_go() -> None:
    text = (toolchains.goroot("1.27") / "src/internal/syslist/syslist.go").read_text()
    assert set(re.findall(r'"(\w+)":', text.partition("KnownOS = ")[2].partition("}")[0])) == {*GOOS.split("|")} >= {one.goos for one in target.targets()}


@pytest.mark.parametrize("folder", ["objinst", "trampolines"])
def test_nothing_else_asks_which_system_it_is(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        if "platform" not in path.relative_to(ROOT).parts and "_hooks" not in path.parts:
            assert not asks(python(path.read_text()), KNOWLEDGE), path


def test_hooks_ask_in_files_of_systems() -> None:
    for path in paths.hooks_dir().rglob("*.go"):
        if not FILE_OF_A_SYSTEM.search(path.name):
            assert not asks(re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL), IN_GO), path


def test_the_launcher_names_systems_in_one_place() -> None:
    """Its fast path, which tests/link/test_launcher.py holds against the records. A comment is a whole line there."""
    named = [line.strip() for line in paths.launcher().read_text().splitlines() if not line.lstrip().startswith("#") and asks(line)]
    assert len(named) == 1 and named[0].startswith("case $GOOS/$GOARCH in ")


@pytest.mark.parametrize("code", ['r"_(aix|x)"', '"x|darwin|y"', "('windows',", "f(linux)", "is_windows", "linux/amd64", "SYS_GETPID = 39", "FUTEX_WAKE", "os.name =="])
def test_a_name_is_found(code: str) -> None:
    assert asks(code, KNOWLEDGE)


@pytest.mark.parametrize("code", ["json.js1", "ratios", "linuxes", "spec.getpid"])
def test_another_word_is_not(code: str) -> None:
    assert not asks(code, KNOWLEDGE)
