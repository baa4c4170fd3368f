"""The link command line, importcfg.link, build settings, and what of the user's tree decides on hook packages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from objinst.errors import UsageError
from objinst.gobuild import BuildInfo, ImportCfg, LinkCommand, buildinfo, usertree
from objinst.link import version
from objinst.gobuild.command import BOOLEAN, WITH_VALUE
from objinst.link.options import options, wants_timings
from toolchains import goroot, versions

MARK = "0w\xaf\f\x92t\b\x02A\xe1\xc1\a\xe6\xd6\x18\xe6".encode("latin-1").decode("utf-8", "surrogateescape")
END = "\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2".encode("latin-1").decode("utf-8", "surrogateescape")
LINK = "/go/pkg/tool/linux_amd64/link"


def test_go_command_line_is_kept_in_order() -> None:
    argv = [LINK, "-o", "a.out", "-importcfg", "cfg", "-X=a.b=c d", "-buildmode=pie", "-extldflags=-O2 -g", "-w", "-race=false", "main.a"]
    command = LinkCommand.parse(argv)
    assert command.argv() == argv
    assert (command.get("o"), command.get("buildmode"), command.get("X"), command.main) == ("a.out", "pie", "a.b=c d", "main.a")
    assert (command.on("w"), command.on("race"), command.on("msan")) == (True, False, False)
    new = command.replaced(importcfg=Path("new"), main=Path("/tmp/main.a")).argv()
    assert new[:3] == [LINK, "-importcfg", "new"] and new[-1] == "/tmp/main.a" and "cfg" not in new and "-X=a.b=c d" in new


def test_unknown_flags_keep_their_values() -> None:
    command = LinkCommand.parse([LINK, "-future", "value", "--newbool", "-o", "x", "main.a"])
    assert command.get("future") == "value" and command.get("newbool") == "" and command.main == "main.a"
    assert LinkCommand.parse([LINK, "-newbool", "main.a"]).main == "main.a"


@pytest.mark.parametrize("argv", [[LINK], [LINK, "-o", "x"], [LINK, "-w", "a.a", "b.a"]])
def test_no_archive_or_several(argv: list[str]) -> None:
    with pytest.raises(UsageError, match="one archive"):
        LinkCommand.parse(argv)


def test_response_file(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.write_text("-w\n")
    outer = tmp_path / "outer"
    outer.write_text(f"-o\nwith\\nline\\\\n\n@{inner}\nmain.a\n")
    command = LinkCommand.parse([LINK, f"@{outer}"])
    assert command.get("o") == "with\nline\\n" and command.on("w") and command.main == "main.a"
    with pytest.raises(UsageError, match="missing"):
        LinkCommand.parse([LINK, f"@{tmp_path}/missing"])


@pytest.mark.parametrize("release", versions())
def test_the_linkers_own_list_of_flags(release: str) -> None:
    tool = goroot(release) / "pkg/tool/linux_amd64/link"
    usage = subprocess.run([tool], capture_output=True, text=True, check=False).stderr
    flags = re.findall(r"^  -(\w+)(?: (\S+)|\t(.*))?$", usage, re.MULTILINE)
    assert len(flags) > 40
    for name, argument, _ in flags:
        if argument and name not in BOOLEAN:
            assert name in WITH_VALUE, name
        elif not argument:
            assert name in BOOLEAN or name in WITH_VALUE, name
        assert not (name in BOOLEAN and name in WITH_VALUE)


def test_importcfg_keeps_what_it_does_not_know(tmp_path: Path) -> None:
    text = '# comment\npackagefile a/b=/x/a b=c.a\nimportmap x=y\nnewverb z\n\npackageshlib p=/lib/p.so\nmodinfo "0w\\xaf\\n\\"q\\u00e9"\n'
    path = tmp_path / "importcfg.link"
    path.write_text(text)
    cfg = ImportCfg.read(path)
    assert cfg.packages == {"a/b": Path("/x/a b=c.a")}
    assert cfg.lines == ("# comment", "importmap x=y", "newverb z", "", "packageshlib p=/lib/p.so")
    assert cfg.modinfo == '0w\udcaf\n"qé'
    path.write_text(cfg.text(), "utf-8", "surrogateescape")
    assert ImportCfg.read(path) == cfg


@given(st.binary(max_size=60))
def test_modinfo_quoting_round_trip(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("cfg") / "c"
    text = raw.decode("utf-8", "surrogateescape")
    path.write_text(ImportCfg({}, (), text).text(), "utf-8", "surrogateescape")
    assert ImportCfg.read(path).modinfo == text


@pytest.mark.parametrize("line", ["packagefile a", "packagefile =x", "modinfo unquoted"])
def test_damaged_importcfg_names_the_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "cfg"
    path.write_text(f"packagefile a=b\n{line}\n")
    with pytest.raises(UsageError, match="cfg:2"):
        ImportCfg.read(path)


def test_build_info() -> None:
    lines = (
        "path\texample.com/app", "mod\texample.com/app\t(devel)\t", "dep\tex.com/a\tv1.2.3\th1:x=", "dep\tex.com/b\tv1.0.0", "=>\t../b\t\t",
        "dep\tex.com/c\tv2.0.0", "=>\tfork.com/c\tv2.1.0\th1:y=", "build\t-race=true", 'build\t"-tags"="a b"', "build\tGOAMD64=v3",
    )  # fmt: skip
    info = BuildInfo(MARK, lines, END)
    assert BuildInfo.parse(info.text()) == info
    assert info.main is not None and info.main.path == "example.com/app"
    assert [(m.path, m.version, m.replaced_by) for m in info.deps] == [
        ("ex.com/a", "v1.2.3", None), ("ex.com/b", "v1.0.0", ("../b", "")), ("ex.com/c", "v2.0.0", ("fork.com/c", "v2.1.0")),
    ]  # fmt: skip
    assert info.settings == {"-race": "true", "-tags": "a b", "GOAMD64": "v3"}
    added = info.with_additions({"ex.com/a": "v9", "ex.com/new": "v0.1.0"}, {"otelobj.rules": "abc"})
    assert "dep\tex.com/new\tv0.1.0\t" in added.lines and not any("v9" in line for line in added.lines)
    assert added.settings["otelobj.rules"] == "abc" and added.lines.index("dep\tex.com/new\tv0.1.0\t") < added.lines.index("build\t-race=true")


def test_build_info_of_a_build_system_without_one() -> None:
    info = BuildInfo.parse("")
    assert info.settings == {} and info.deps == [] and info.main is None


def test_options() -> None:
    assert options(["--rules", "a", "--rules=b", LINK, "--rules"]) == ([Path("a"), Path("b")], [LINK, "--rules"])
    with pytest.raises(UsageError, match="--rulez"):
        options(["--rulez", LINK])


def test_timings_are_asked_for_before_the_tool_or_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTELOBJ_TIMINGS", raising=False)
    for argv, wanted in (([LINK, "--timings"], False), (["--rules=b", "--timings", LINK], True)):
        rules, rest = options(argv)
        assert (len(rules), wants_timings(argv, rest)) == (wanted, wanted)
    monkeypatch.setenv("OTELOBJ_TIMINGS", "1")
    assert wants_timings([LINK], [LINK])


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Sets GOFLAGS and the file of `go env -w`."""

    def use(goflags: str | None, env_file: str = "") -> None:
        (tmp_path / "goenv").write_text(env_file)
        monkeypatch.setenv("GOENV", str(tmp_path / "goenv"))
        monkeypatch.delenv("GOFLAGS", raising=False)
        if goflags is not None:
            monkeypatch.setenv("GOFLAGS", goflags)
        buildinfo.parent_flags.cache_clear()

    yield use
    buildinfo.parent_flags.cache_clear()


def test_flags_of_the_go_command(flags) -> None:
    flags("-mod=mod '-ldflags=-s -w'")
    assert buildinfo.parent_flag("mod") == "mod" and buildinfo.parent_flag("ldflags") == "-s -w" and buildinfo.parent_flag("modfile") is None
    flags(None, "GOPROXY=off\nGOFLAGS=-modfile=other.mod\n")
    assert buildinfo.parent_flag("modfile") == "other.mod"
    flags("", "GOFLAGS=-modfile=other.mod\n")
    assert buildinfo.parent_flag("modfile") is None


@pytest.fixture
def tree(tmp_path: Path, flags) -> Path:
    """A workspace of two modules, the first with a replacement."""
    flags("")
    files = {
        "go.work": "go 1.24\n\nuse (\n\t./app // the program\n\t./hooks\n)\n",
        "app/go.mod": "module example.com/app\n\ngo 1.24\n\nreplace ex.com/lib => ../lib\n",
        "app/main.go": "package main\n",
        "hooks/go.mod": 'module "example.com/hooks"\n',
        "hooks/http/h.go": 'package http\n\nimport (\n\t"fmt"\n\tlib "ex.com/lib/deep"\n)\n',
        "hooks/http/h_test.go": "package http\n",
        "lib/go.mod": "module ex.com/lib\n",
        "lib/deep/d.go": "package deep\n",
        "lib/other/o.go": "package other\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_sources_of_hooks_in_the_users_tree(tree: Path) -> None:
    assert usertree.user_modules(tree / "app") == {"example.com/app": tree / "app", "ex.com/lib": tree / "lib", "example.com/hooks": tree / "hooks"}
    assert usertree.hook_sources(["example.com/hooks/http"], tree / "app") == [tree / "hooks/http/h.go", tree / "lib/deep/d.go"]
    assert usertree.hook_sources(["elsewhere.com/x"], tree / "app") == []


@pytest.mark.parametrize(
    ("name", "counts"),
    [("hooks/http/h.go", True), ("lib/deep/d.go", True), ("app/go.mod", True), ("go.work", True), ("hooks/go.mod", True), ("lib/other/o.go", False),
     ("hooks/http/h_test.go", False), ("app/main.go", False)],
)  # fmt: skip
def test_what_counts_for_the_digest(tree: Path, name: str, counts: bool) -> None:
    before = usertree.digest(["example.com/hooks/http"], tree / "app")
    with (tree / name).open("a") as file:
        file.write("\n// more\n")
    assert (usertree.digest(["example.com/hooks/http"], tree / "app") != before) is counts


def test_module_files_that_appear(tree: Path) -> None:
    before = usertree.digest([], tree / "app")
    (tree / "app/go.sum").write_text("x\n")
    assert usertree.digest([], tree / "app") != before


def test_gowork(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOWORK", "off")
    assert "example.com/hooks" not in usertree.user_modules(tree / "app")
    monkeypatch.setenv("GOWORK", str(tree / "go.work"))
    assert "example.com/hooks" in usertree.user_modules(Path("/"))


def test_marked_line() -> None:
    assert version.marked("link version go1.26.6", "d1") == "link version go1.26.6 otelobj-d1"
    devel = version.marked("link version go1.28-devel_abc buildID=a/b", "d1")
    assert devel.split()[-1] == "buildID=a/b+otelobj-d1"  # where the go command takes the content ID from
