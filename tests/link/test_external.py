"""`otelobj link`: builds without the go command, dependencies without source, Bazel's way of linking."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from bare_build import BareBuild, without_build_id
from objinst.link import external
from objinst.goobj.archive import fingerprint, peek
from objinst.errors import OtelobjError, UsageError
from objinst.gobuild import LinkCommand
from objinst.gobuild.loaded import loaded
from needs import emulator
from places import LAUNCHER
from toolchains import exports, go, goroot, newest, telemetry


LIB = """// Package lib is a dependency whose source nobody has.
package lib

import "strings"

// Store keeps names.
type Store struct{ names []string }

// Put keeps a name.
//
//go:noinline
func (s *Store) Put(name string, times int) (total int, err error) {
	s.names = append(s.names, strings.Repeat(name, times))
	return len(s.names), nil
}
"""
HOOKS = """// Package hooks says what it sees.
package hooks

import "acme.test/lib"

type ctx interface {
	GetFuncName() string
}

// BeforePut sees the arguments.
func BeforePut(c ctx, s *lib.Store, name string, times int) { println("before", c.GetFuncName(), s != nil, name, times) }

// AfterPut sees the results.
func AfterPut(c ctx, total int, err error) { println("after", total, err == nil) }
"""
MAIN = """package main

import "acme.test/lib"

var version = "none"

var s = &lib.Store{}

func main() {
	n, err := s.Put("ab", 2)
	println("total", n, err == nil, version)
}
"""
RULES = """
put:
  target: acme.test/lib
  where: { func: Put, recv: "*Store" }
  do: { inject_hooks: { before: BeforePut, after: AfterPut, path: acme.test/hooks } }
"""
SEEN = "before Put true ab 2\nafter 1 true\ntotal 1 true none\n"


def otelobj_link(build: BareBuild, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """In a folder without go.mod and an environment without go."""
    base = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "OTELOBJ_DISABLE": "all"} | {
        k: os.environ[k] for k in ("OTELOBJ_CACHE_DIR", "GOPROXY", "GOMODCACHE", "GOCACHE") if k in os.environ
    }
    return subprocess.run([str(LAUNCHER), "link", *args], cwd=build.folder, env=base | env, capture_output=True, text=True, timeout=1800, check=False)


def run(build: BareBuild, name: str = "app") -> str:
    done = subprocess.run([*emulator(build.goarch), str(build.folder / name)], capture_output=True, text=True, timeout=1800, check=True)
    return done.stderr


@pytest.mark.parametrize(
    ("version", "goarch", "flags"), [("1.26", "amd64", ()), ("1.26", "amd64", ("-dwarf=false",)), (telemetry(), "arm64", ()), (newest(), "amd64", ("-dwarf=false",))]
)
def test_archives_without_source_and_without_the_go_command(tmp_path, version, goarch, flags):
    build = BareBuild(tmp_path, version, goarch)
    build.std("strings", "runtime")
    build.compile("acme.test/lib", {"lib.go": LIB}, flags)
    build.compile("acme.test/hooks", {"hooks.go": HOOKS})
    main = build.compile("main", {"main.go": MAIN}, flags)
    assert [path.suffix for path in tmp_path.rglob("*.go")] == []
    assert peek(main).build_id == ""
    (tmp_path / "rules.yaml").write_text(RULES)
    before = {path: path.read_bytes() for path in build.packages.values()}
    done = otelobj_link(
        build, "--rules", "rules.yaml", "-importcfg", str(build.importcfg()), "-o", "app", str(main), GOROOT=str(goroot(version)), GOARCH=goarch
    )
    assert done.returncode == 0, done.stderr
    assert run(build) == SEEN
    assert before == {path: path.read_bytes() for path in build.packages.values()}


def bazel(tmp_path: Path) -> tuple[BareBuild, Path, list[str]]:
    """A program as rules_go compiles it: objects apart from export data, the whole standard library listed, in part in archives that
    do not exist. Returns the archive of package main, and what stands before `-o` on the linker's command line."""
    build = BareBuild(tmp_path)
    build.std("strings", "runtime", "net/http/internal/ascii")
    build.compile("acme.test/lib", {"lib.go": LIB}, ["-trimpath", str(tmp_path)], linkobj=True)
    build.compile("acme.test/hooks", {"hooks.go": HOOKS}, ["-trimpath", str(tmp_path)], linkobj=True)
    main = build.compile("main", {"main.go": MAIN}, ["-trimpath", str(tmp_path)], linkobj=True)
    for package in ("acme.test/lib", "acme.test/hooks"):
        build.packages[package] = build.packages[package].with_suffix(".a")
    for package in ("net/http", "runtime/cgo", "runtime/race", "database/sql"):
        build.packages[package] = tmp_path / "std" / f"{package}.a"
    return build, main, ["-importcfg", str(build.importcfg()), "-X", "main.version=v7"]


def sdk(tmp_path: Path, rules: Path) -> Path:
    """A Go SDK whose linker is otelobj (docs/build-systems.md)."""
    link = tmp_path / "sdk" / "pkg" / "tool" / "linux_amd64" / "link"
    link.parent.mkdir(parents=True)
    link.write_text(f'#!/bin/sh\nexec {LAUNCHER} link --rules {rules} --go {goroot("1.26")} "$@"\n')
    link.chmod(0o755)
    return link


def test_the_way_rules_go_links(tmp_path):
    """go/tools/builders/link.go: GOROOT is the word GOROOT, long command lines come in a response file, there is no home."""
    build, main, args = bazel(tmp_path)
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES + "http:\n  target: net/http\n  where: { func: Get }\n  do: { inject_hooks: { before: BeforePut, path: acme.test/hooks } }\n")
    args += ["-o", str(tmp_path / "app"), "-linkmode", "internal", "-buildid=redacted", "-s", "-w", "-extldflags", "-static", str(main)]
    (tmp_path / "link.params").write_text("\n".join(arg.replace("\\", "\\\\") for arg in args))
    env = {"PATH": "/usr/bin:/bin", "GOROOT": "GOROOT", "GOOS": "linux", "GOARCH": "amd64", "CGO_ENABLED": "0", "OTELOBJ_DISABLE": "all"}
    env |= {"OTELOBJ_CACHE_DIR": os.environ.get("OTELOBJ_CACHE_DIR") or str(Path.home() / ".cache/otelobj"), "OTELOBJ_REPORT": str(tmp_path / "report.json")}
    done = subprocess.run(
        [str(sdk(tmp_path, rules)), f"@{tmp_path}/link.params"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stderr
    assert run(build) == SEEN.replace("none", "v7")
    report = json.loads((tmp_path / "report.json").read_text())
    assert [(target["rule"], target["status"]) for target in report["targets"]] == [("put", "hooked"), ("http", "missing")]
    assert report["targets"][1]["reason"].startswith("not-linked")
    assert "acme.test/hooks" in report["packages_linked_in"]
    headers = subprocess.run(["readelf", "-lS", tmp_path / "app"], capture_output=True, text=True, check=True).stdout
    assert "interpreter" not in headers
    assert ".debug_info" not in headers


def test_what_is_loaded_of_an_importcfg(tmp_path):
    build, main, args = bazel(tmp_path)
    build.packages["os/user"] = build.packages["strings"]
    command = LinkCommand.parse(["link", *args, str(main)])
    found = loaded(build.packages, command)
    assert {"acme.test/lib", "strings", "runtime", "internal/abi"} <= found.packages.keys()
    assert not {"net/http", "runtime/cgo", "runtime/race", "acme.test/hooks", "net/http/internal/ascii"} & found.packages.keys()
    assert {"acme.test/hooks", "net/http/internal/ascii"} <= found.spare.keys()
    assert not {"net/http", "runtime/cgo", "runtime/race", "database/sql"} & found.spare.keys(), "they do not exist"
    with_race = loaded({**build.packages, "runtime/race": build.packages["runtime"]}, LinkCommand.parse(["link", "-race", *args, str(main)]))
    assert "runtime/race" in with_race.packages


def test_the_linkers_version_carries_the_digest(tmp_path):
    build = BareBuild(tmp_path)
    plain = go("1.26", tmp_path, "tool", "link", "-V=full").strip()
    done = otelobj_link(build, "--go", str(goroot("1.26")), "-V=full")
    assert done.stdout.startswith(f"{plain} otelobj-"), done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--go"], "--go without a value"),
        ([], "no arguments for the linker"),
        (["--go", "/nowhere", "-importcfg", "x", "main.a"], "--go /nowhere: no link tool there"),
        (["--go", "{goroot}", "-o", "app", "main.a"], "no -importcfg"),
        (["--go", "{goroot}", "-importcfg", "{cfg}"], "one archive to link expected"),
        (["--go", "{other}", "-importcfg", "{cfg}", "{main}"], "was compiled by go1.26"),
        (["--go", "{goroot}", "-importcfg", "{cfg}", "absent.a"], "absent.a: No such file"),
        (["--go", "{goroot}", "-importcfg", "{cfg}", "-buildmode=plugin", "{main}"], "-buildmode=plugin is not supported yet"),
        (["--go", "{fake}", "-importcfg", "{cfg}", "{main}"], "is not a Go linker"),
        (["--go", "{self}", "-importcfg", "{cfg}", "{main}"], "is otelobj itself"),
    ],
)
def test_what_cannot_be_linked_is_said(tmp_path, args, message):
    build = BareBuild(tmp_path)
    build.std("runtime")
    main = build.compile("main", {"main.go": "package main\n\nfunc main() { println(1) }\n"})
    for name, script in (("fake", "echo hello"), ("self", f'exec {LAUNCHER} link --go {tmp_path}/self/link "$@"')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "link").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name / "link").chmod(0o755)
    names = {
        "goroot": goroot("1.26"),
        "other": goroot("1.25"),
        "cfg": build.importcfg(),
        "main": main,
        "fake": tmp_path / "fake/link",
        "self": tmp_path / "self/link",
    }
    (tmp_path / "r.yaml").write_text("all:\n  target: main\n  where: { func: '*' }\n  do: { inject_hooks: { before: B, path: acme.test/h } }\n")
    done = otelobj_link(build, "--rules", "r.yaml", *(arg.format(**names) for arg in args))
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "remedy" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "a.out").exists()


def test_the_toolchain_is_looked_for_where_it_was_named(tmp_path, monkeypatch):
    root = goroot("1.26")
    tool = root / "pkg/tool/linux_amd64/link"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("GOROOT", raising=False)
    assert [external.find_link(str(place)) for place in (root, root / "bin/go", tool)] == [tool] * 3
    with pytest.raises(OtelobjError, match="no Go linker"):
        external.find_link("")
    monkeypatch.setenv("GOROOT", str(root))
    assert external.find_link("") == tool
    monkeypatch.setenv("GOROOT", "GOROOT")
    (tmp_path / "go").symlink_to(root / "bin/go")
    assert external.find_link("") == tool
    with pytest.raises(UsageError):
        external.parse(["--rules"])
    assert external.parse(["--rules=a", "--go", "b", "--rules", "c", "--", "-rules", "x"]) == external.Options((Path("a"), Path("c")), "b", ("-rules", "x"))


@pytest.mark.long
def test_hook_packages_are_compiled_against_a_foreign_standard_library(tmp_path, monkeypatch):
    """The standard library compiled with other flags has other fingerprints than the build cache's."""
    listed = go("1.26", tmp_path, "list", "-export", "-gcflags=all=-l", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "strings")
    build = BareBuild(tmp_path)
    for package, archive in (line.split() for line in listed.splitlines() if len(line.split()) == 2):
        build.packages[package] = without_build_id(Path(archive), tmp_path / "std" / f"{package}.a")
    assert fingerprint(build.packages["strings"]) != fingerprint(exports("1.26", "amd64", "strings")["strings"])
    build.compile("acme.test/lib", {"lib.go": LIB})
    main = build.compile("main", {"main.go": MAIN})
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (tmp_path / "go.mod").write_text("module acme.test\n\ngo 1.26\n")
    (hooks / "hooks.go").write_text(HOOKS.replace('import "acme.test/lib"\n', "").replace("*lib.Store", "interface{}"))
    (tmp_path / "rules.yaml").write_text(RULES)
    done = otelobj_link(build, "--rules", "rules.yaml", "-importcfg", str(build.importcfg()), "-o", "app", str(main), GOROOT=str(goroot("1.26")))
    assert done.returncode == 0, done.stderr
    assert run(build) == SEEN
