"""The archives of hook packages for a link: versions, fingerprints, what is compiled here, what is remembered."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from objinst.store import cache
from objinst.goobj.archive import Archive, fingerprint, peek
from objinst.hookpkgs import HookRequest, HookSet, compile as compiling, modules, resolve, zone
from objinst.gobuild.gocmd import Go, remedy
from objinst.hookpkgs.modules import Pin
from objinst.store.digest import hooks_digest
from objinst.errors import OtelobjError
from objinst.paths import hooks_dir
from objinst.gobuild import BuildInfo, ImportCfg, buildinfo
from hook_sets import GO, disagreements, go_command, request, write
from toolchains import go_env, goroot

RT = "github.com/otelobj/otelobj/hooks/rt"
NETHTTP = "github.com/otelobj/otelobj/hooks/instrumentation/nethttp"


# versions


def test_pins_of_a_binary() -> None:
    deps = [("a.com/x", "v1.2.0", None), ("b.com/y", "v1.0.0", ("../y", "(devel)")), ("d.com/d", "v1.0.0", ("/d", "")), ("c.com/z", "v1.0.0", ("fork.com/z", "v1.1.0")), ("m.com/main", "(devel)", None)]
    wanted = [Pin("a.com/x", "v1.2.0"), Pin("b.com/y", "/home/me/y"), Pin("d.com/d", "/d"), Pin("c.com/z", "fork.com/z v1.1.0")]
    assert modules.binary_pins(deps, Path("/home/me/app")) == wanted


@pytest.mark.parametrize(("path", "major"), [("a.com/b", "v0."), ("a.com/b/v3", "v3."), ("gopkg.in/yaml.v2", "v2."), ("a.com/v10", "v10."), ("a.com/x.v2", "v0.")])
def test_version_of_a_folder(path: str, major: str) -> None:
    assert modules.unreleased(path).startswith(major + "0.0-")


def test_hook_packages_of_unknown_modules_are_never_looked_up() -> None:
    modules.check_owned([RT, "ex.com/a/b", "net/http"], ["ex.com/a"])
    with pytest.raises(OtelobjError, match="ex.com/b is in no module"):
        modules.check_owned(["ex.com/b"], ["ex.com/a"])


def test_workspace_pins(tmp_path: Path) -> None:
    write(tmp_path, {
        "go.work": "go 1.24\nuse ./a\nuse ./b\nreplace r.com/r => ./r\n",
        "a/go.mod": "module ex.com/a\ngo 1.24\nrequire c.com/c v1.9.0\nrequire d.com/d v1.0.0\nreplace d.com/d => ../d\n",
        "b/go.mod": "module ex.com/b\ngo 1.24\nrequire c.com/c v1.10.0\nrequire d.com/d v1.5.0\n",
    })  # fmt: skip
    pins = {pin.path: pin.target for pin in modules.workspace_pins(tmp_path / "go.work", Go(goroot(GO), {}))}
    assert pins == {
        "ex.com/a": str(tmp_path / "a"),
        "ex.com/b": str(tmp_path / "b"),
        "c.com/c": "v1.10.0",
        "d.com/d": str(tmp_path / "d"),
        "r.com/r": str(tmp_path / "r"),
    }


def test_hook_sources_have_no_requirements(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path))
    folder = modules.hook_sources(hooks_dir(), "abc")
    mod = (folder / "src" / NETHTTP / "go.mod").read_text()
    assert mod.startswith(f"module {NETHTTP}\n") and "require" not in mod and "replace" not in mod
    assert (folder / "src" / RT / "hook").is_dir() and not list(folder.rglob("*_test.go"))


# compiling


@pytest.mark.parametrize(
    ("pattern", "name", "takes"),
    [
        ("a.txt", "a.txt", True), ("*.txt", "a.txt", True), ("*.txt", "d/a.txt", False), ("d", "d/e/a.txt", True), ("d", "d/.hidden", False),
        ("d/*", "d/.hidden", True), ("all:d", "d/e/_a", True), ("d", "dd/a", False), ("[a-c].txt", "b.txt", True), ("[^a-c].txt", "b.txt", False),
        (r"\*.txt", "*.txt", True), (r"\*.txt", "a.txt", False), (".", "a/b", True), ("d?", "d1/x", True),
    ],
)  # fmt: skip
def test_embed_patterns(pattern: str, name: str, takes: bool) -> None:
    assert compiling.embeds(pattern, name) is takes


def test_packed_objects_are_read_by_gos_own_tool(tmp_path: Path) -> None:
    source = tmp_path / "a.s"
    source.write_text("TEXT ·answer(SB), 4, $0-0\n\tRET\n")
    tools = goroot(GO) / "pkg/tool/linux_amd64"
    subprocess.run([tools / "asm", "-p", "p", "-o", tmp_path / "odd.o", source], env=go_env(GO), check=True)
    (tmp_path / "p.go").write_text("package p\nfunc answer()\n")
    subprocess.run([tools / "compile", "-p", "p", "-pack", "-o", tmp_path / "p.a", tmp_path / "p.go"], env=go_env(GO), check=True)
    compiling._pack(tmp_path / "p.a", [("odd.o", (tmp_path / "odd.o").read_bytes())])
    assert [member.name for member in Archive.read(tmp_path / "p.a").members][-1] == "odd.o"
    shown = subprocess.run([goroot(GO) / "bin/go", "tool", "nm", tmp_path / "p.a"], env=go_env(GO), capture_output=True, text=True, check=True).stdout
    assert "p.answer" in shown


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("dial tcp: lookup proxy.golang.org: no such host", "`otelobj cache warm` with network"),
        ("proxyconnect tcp: connection refused", "`otelobj cache import FILE`"),
        ("write /x: no space left on device", "disk"),
        ("m@v1 requires go >= 1.25.0 (running go 1.24)", "Go 1.25.0"),
        ("h.go:3:2: undefined: lib.New", "hook package of yours"),
    ],
)
def test_remedies(text: str, word: str) -> None:
    assert word in remedy(text)
    assert "OTELOBJ_DISABLE" not in remedy(text)  # a built-in instrumentation is never what stops a build


def test_go_beside_the_link_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = goroot(GO) / "pkg/tool/linux_amd64/link"
    assert Go.beside(str(link), {}).goroot == goroot(GO)
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "pkg").symlink_to(goroot(GO) / "pkg")
    assert Go.beside(str(tmp_path / "r/pkg/tool/linux_amd64/link"), {}).goroot == goroot(GO)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("GOROOT", raising=False)
    with pytest.raises(OtelobjError, match="no go command"):
        Go.beside("/opt/odd/link", {})


# whole closures


APP = {
    "go.mod": "module example.com/app\n\ngo 1.22\n",
    "main.go": 'package main\n\nimport "example.com/app/lib"\n\nfunc main() { println(lib.Name()) }\n',
    "lib/lib.go": 'package lib\n\ntype T struct{ a int }\n\nfunc Name() string { return "lib" }\n',
    "lib/export_test.go": 'package lib\n\nimport "testing"\n\ntype Extra struct{ T }\n\nfunc Exported() *Extra { return nil }\n\nfunc TestNothing(*testing.T) {}\n',
    "hooks/hooks.go": 'package hooks\n\nimport (\n\t_ "embed"\n\t"net/textproto"\n\t"example.com/app/lib"\n\t"example.com/app/hooks/low"\n)\n\n//go:embed text.txt\nvar text string\n\n'
                      'func Text() string { return textproto.TrimString(text) + lib.Name() + string(rune(\'0\' + low.Seven())) }\n',
    "hooks/text.txt": " embedded \n",
    "hooks/low/low.go": "package low\n\nfunc Seven() int\n",
    "hooks/low/low_amd64.s": '#include "textflag.h"\n\nTEXT ·Seven(SB), NOSPLIT, $0-8\n\tMOVQ $7, ret+0(FP)\n\tRET\n',
}  # fmt: skip
HOOKS = "example.com/app/hooks"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in go_env(GO).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("GOTMPDIR", str(tmp_path))
    monkeypatch.setenv("GOENV", "off")
    buildinfo.parent_flags.cache_clear()
    write(tmp_path / "app", APP)
    return tmp_path / "app"


def linked(wanted: HookRequest, hook_set: HookSet, folder: Path) -> str:
    """Output of a program that uses the hook package, linked by Go's own linker against exactly these archives."""
    everything = {**wanted.link, **hook_set.archives}
    tools = goroot(GO) / "pkg/tool/linux_amd64"
    (folder / "cfg").write_text("".join(f"packagefile {name}={path}\n" for name, path in everything.items()))
    (folder / "m.go").write_text(f'package main\n\nimport "{HOOKS}"\n\nfunc main() {{ println(hooks.Text()) }}\n')
    subprocess.run([tools / "compile", "-p", "main", "-pack", "-importcfg", "cfg", "-o", "m.a", "m.go"], cwd=folder, check=True)
    subprocess.run([tools / "link", "-importcfg", "cfg", "-o", "m", "m.a"], cwd=folder, check=True)
    return subprocess.run([folder / "m"], capture_output=True, text=True, check=True).stderr.strip()


def test_a_plain_build_uses_the_build_cache(app: Path) -> None:
    wanted = request(app, (HOOKS, RT), "build", "-work", "-a=false", "-o", "x", ".")
    hook_set = resolve(wanted, go_command())
    assert {HOOKS, RT, "net/textproto"} <= hook_set.archives.keys() and not hook_set.archives.keys() & wanted.link.keys()
    assert disagreements(wanted, hook_set) == []
    assert {name for name, path in hook_set.archives.items() if path.is_relative_to(cache.root())} == {RT}, "ours are compiled once, all else is there"
    assert hook_set.modules[RT] == "(devel)"
    assert linked(wanted, hook_set, app.parent) == "embeddedlib7"
    assert {path.name for path in app.iterdir()} == {"go.mod", "main.go", "lib", "hooks", "x"}


def test_test_variants_are_compiled_for(app: Path) -> None:
    """`go test` recompiles lib with its test file; what imports it must be compiled against that."""
    wanted = request(app, (HOOKS, RT), "test", "-c", "-work", "-o", "x", "./lib")
    hook_set = resolve(wanted, go_command())
    assert disagreements(wanted, hook_set) == []
    ours = [name for name, path in hook_set.archives.items() if path.is_relative_to(cache.root())]
    assert sorted(ours) == [HOOKS, RT]
    assert linked(wanted, hook_set, app.parent) == "embeddedlib7"
    before = hook_set.archives[HOOKS].read_bytes()
    hook_set.archives[HOOKS].unlink()
    assert resolve(wanted, go_command()).archives[HOOKS].read_bytes() == before


def test_a_package_with_assembly_and_embedded_files_compiles_here(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that the link does not have, compiled from source, as for a link whose imports all differ."""
    monkeypatch.setattr(zone, "fits", lambda *_: False)
    monkeypatch.setattr(zone, "content", lambda path: f"other {compiling.content(path)}")
    numbers = itertools.count()
    monkeypatch.setattr(zone, "fingerprint", lambda _: next(numbers).to_bytes(8, "little"))
    wanted = request(app, (HOOKS,), "build", "-work", "-trimpath", "-o", "x", ".")
    hook_set = resolve(wanted, go_command())
    assert all(path.is_relative_to(cache.root()) for path in hook_set.archives.values()) and len(hook_set.archives) > 20
    assert disagreements(wanted, hook_set) == []
    assert linked(wanted, hook_set, app.parent) == "embeddedlib7"
    for path in hook_set.archives.values():
        assert os.fsencode(app.parent) not in path.read_bytes(), f"{path} tells of this machine, under -trimpath"


def test_remembered_until_something_changes(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = request(app, (HOOKS, RT), "build", "-work", "-o", "x", ".")
    first = resolve(wanted, go_command())

    def refuse(*_: object, **__: object) -> str:
        raise AssertionError("go was run")

    with monkeypatch.context() as patch:
        patch.setattr(Go, "run", refuse)
        assert resolve(wanted, go_command()) == first
        memo = next((cache.root() / "closure").glob("*.json"))
        for damage in ("", "{", "[]", "[1]", '[{"archives": {}}]'):
            memo.write_text(damage)
            with pytest.raises(AssertionError, match="go was run"):
                resolve(wanted, go_command())
    (app / "hooks/hooks.go").write_text(APP["hooks/hooks.go"].replace("'0'", "'1'"))
    second = resolve(wanted, go_command())
    assert second.archives[HOOKS] != first.archives[HOOKS] and linked(wanted, second, app.parent) == "embeddedlib8"


def test_edits_of_the_program_do_not_resolve_again(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve(request(app, (HOOKS, RT), "build", "-work", "-o", "x", "."), go_command())
    (app / "main.go").write_text(APP["main.go"].replace("println(", 'println("edited", '))
    edited = request(app, (HOOKS, RT), "build", "-work", "-ldflags=-X=main.x=1", "-o", "x", ".")
    with monkeypatch.context() as patch:
        patch.setattr(Go, "run", lambda *_, **__: pytest.fail("go was run"))
        assert resolve(edited, go_command()) == first
    (app / "lib/lib.go").write_text(APP["lib/lib.go"] + "\nfunc New() T { return T{} }\n")
    changed = request(app, (HOOKS, RT), "build", "-work", "-o", "x", ".")
    assert disagreements(changed, resolve(changed, go_command())) == []
    (app / "main.go").write_text(APP["main.go"].replace("import ", 'import _ "net/textproto"\nimport '))
    grown = request(app, (HOOKS, RT), "build", "-work", "-o", "x", ".")
    assert "net/textproto" in grown.link and "net/textproto" not in resolve(grown, go_command()).archives


def test_race(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("gcc"):
        pytest.skip("-race needs a C compiler")
    monkeypatch.setenv("CGO_ENABLED", "1")
    wanted = request(app, (HOOKS, RT), "build", "-work", "-race", "-o", "x", ".")
    assert wanted.build_settings()["-race"] == "true" and "runtime/cgo" in wanted.link
    hook_set = resolve(wanted, go_command(CGO_ENABLED="1"))
    assert disagreements(wanted, hook_set) == []
    plain = resolve(request(app, (HOOKS, RT), "build", "-work", "-o", "x", "."), go_command(CGO_ENABLED="1"))
    assert calls(hook_set.archives[HOOKS]) >= calls(plain.archives[HOOKS]) + 2, "entry and exit are not reported to the race detector"


def calls(archive: Path) -> int:
    shown = subprocess.run([goroot(GO) / "bin/go", "tool", "objdump", archive], capture_output=True, text=True, check=True).stdout
    return len(re.findall(r"\bCALL\b", shown))


def test_without_network(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMODCACHE", str(app.parent / "empty"))
    monkeypatch.setenv("GOFLAGS", "-modcacherw")
    buildinfo.parent_flags.cache_clear()
    wanted = request(app, (NETHTTP, RT), "build", "-work", "-o", "x", ".")
    with pytest.raises(OtelobjError) as caught:
        resolve(wanted, go_command())
    assert re.match(r"module \S+ v\S+ of the private zone cannot be fetched: .*GOPROXY=off", caught.value.what) and "otelobj cache warm" in caught.value.remedy
    assert not list((cache.root() / "closure").glob("*.json"))
    buildinfo.parent_flags.cache_clear()


def test_a_hook_that_does_not_compile(app: Path) -> None:
    (app / "hooks/hooks.go").write_text("package hooks\n\nfunc Text() string { return 1 }\n")
    wanted = request(app, (HOOKS,), "build", "-work", "-o", "x", ".")
    with pytest.raises(OtelobjError) as caught:
        resolve(wanted, go_command())
    assert re.search(r"hooks\.go:3", caught.value.what) and caught.value.remedy
