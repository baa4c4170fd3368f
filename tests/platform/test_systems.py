"""An operating system is one file of objinst/platform: one that these tests make up works everywhere, and one that is not there is refused."""

from __future__ import annotations

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
from objinst.link import external
from objinst.link import build
from objinst.linked.program import Program
from objinst.platform import host, linux, target
from objinst.rewrite import death
from objinst.store import cache, parallel, root
from objinst.types import abbrevs

PLAN10 = '''
import os
from pathlib import Path
from objinst.platform.host import Host
from objinst.platform.target import Image, Target

class Plan10(Host):
    LAUNCHER = "otelobj.rc"
    CACHE_VARIABLES = ("TEN",)
    def __init__(self): self.told = []
    def tie(self): return lambda number: os.write(3, b"tied %d" % number)
    def adopt_orphans(self): self.told.append("adopted")
    def children(self): return {os.getpid(): [4000001], 4000001: [4000002]}
    def parent_command(self): return ["go", "build", "-tags=ten"]
    def processors(self): return 1
    def cache_folder(self, environ): return Path(environ["TEN"])
    def lock(self, handle, *, shared=False, wait=True): self.told.append(("lock", shared, wait))

HOST = Plan10()
TARGET = Target("plan10", ("amd64",), ("exe", "shared"), (15,), "data4", {b"TEN!": "a Ten program"}, "objinst.platform.plan10")

def read(file):
    return Image("amd64", [(4096, bytearray(file.read()), True)], 4096, {"main.main": 4097})
'''


@pytest.fixture
def plan10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A folder with one more system."""
    (tmp_path / "plan10.py").write_text(PLAN10)
    monkeypatch.setattr(objinst.platform, "__path__", [*objinst.platform.__path__, str(tmp_path)])
    forget()
    yield objinst.platform.system("plan10")
    forget()
    sys.modules.pop("objinst.platform.plan10", None)


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


def test_its_deadly_signals_are_those_of_the_gate(plan10) -> None:
    """The runtime of Linux with another name in its header: one signal instead of three."""
    obj = Archive.read(toolchains.exports(toolchains.newest(), "amd64", "runtime")["runtime"]).go_object()[1]
    other = Object.parse(obj.raw.replace(b"go object linux ", b"go object plan10 ", 1), "runtime")
    sizes = {}
    for one in (obj, other):
        edit = Edit(one)
        death.gates(edit, trampolines.load("amd64"), "example.com/rt")
        made = Object.parse(edit.to_bytes(), "made")
        sizes[one.header.goos] = [made.sym(made.find(name, 1)).size for name in (death.DIE, death.BAD)]
    assert all(few < many for few, many in zip(sizes["plan10"], sizes["linux"], strict=True)), sizes


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


def test_a_host_that_is_one_file_is_asked(on_plan10, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTELOBJ_CACHE_DIR", raising=False)
    monkeypatch.setenv("TEN", str(tmp_path / "caches"))
    monkeypatch.setattr(cache, "_made", set())  # what other tests have made in this process
    (tmp_path / "caches").mkdir(mode=0o700)
    assert root.root() == tmp_path / "caches/otelobj"
    with cache.in_use(), cache.lock("x"), cache.alone(wait=False) as ours:
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
        with pytest.raises(OSError):
            one.parent_command()
        assert one.cache_folder({"HOME": str(tmp_path)}) == tmp_path / ".cache"
        assert one.cache_folder({"HOME": str(tmp_path), "XDG_CACHE_HOME": "/x"}) == Path("/x")
        assert one.cache_folder({"HOME": str(tmp_path / "nowhere")}) is None
        done = ending.run(["/bin/sh", "-c", "exit 3"])
        assert done.returncode == 3
    finally:
        host.host.cache_clear()


# the seam


def test_nothing_else_asks_which_system_it_is() -> None:
    known = r"sys\.platform|os\.name\b|os\.uname|\bfcntl\b|prctl|/proc/|geteuid|getuid|getpwuid|O_NOFOLLOW|sched_getaffinity|SIGHUP|elftools"
    systems = "|".join({*(one.goos for one in target.targets()), "freebsd", "plan9"})
    for path in (ROOT / "objinst").rglob("*.py"):
        if "platform" not in path.relative_to(ROOT).parts and "_hooks" not in path.parts:
            code = re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(), flags=re.DOTALL)
            found = re.search(rf'{known}|["/_]({systems})\b', code)
            assert not found, f"{path}: {found}"


