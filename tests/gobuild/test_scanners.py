"""What reads build info finds the modules of the private zone by their real names: Go's own debug/buildinfo, and govulncheck itself."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from bare_build import BareBuild
from places import ROOT
from toolchains import go, newest
from vulnerabilities import database, govulncheck, run

from objinst.cli import sbom
from objinst.gobuild import BuildInfo
from objinst.gobuild.buildinfo import PRIVATE_SETTING, Module
from objinst.hookpkgs import HookSet
from objinst.hookpkgs.pins import pins
from objinst.link import passes
from objinst.rules import OBSERVERS, PRIVATE, RuleSet

START, END = (bytes.fromhex(text).decode("utf-8", "surrogateescape") for text in ("3077af0c9274080241e1c107e6d618e6", "f932433186182072008242104116d8f2"))
SUM = "h1:{}="
LIB, ONLY, ADDED = "ex.com/lib", "ex.com/only", "ex.com/added"
READER = """package main

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
)

func main() {
	info, err := buildinfo.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(info)
}
"""


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return govulncheck(tmp_path_factory.mktemp("tool"))


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Links a program that has LIB v1.9.0 of its own, and a private copy of LIB v1.3.0 and of ONLY v1.3.0."""
    build = BareBuild(tmp_path_factory.mktemp("program"), newest())
    build.std("runtime")
    for package in (LIB, PRIVATE + LIB, PRIVATE + ONLY):
        build.compile(package, {"lib.go": "package lib\n\n//go:noinline\nfunc New() {}\n"})
    imports = "".join(f"import l{number} {json.dumps(package)}\n" for number, package in enumerate((LIB, PRIVATE + LIB, PRIVATE + ONLY)))
    main = build.compile("main", {"main.go": f"package main\n\n{imports}\nfunc main() {{\n\tl0.New()\n\tl1.New()\n\tl2.New()\n}}\n"})
    dep = f"dep\t{LIB}\tv1.9.0\t{SUM.format('a' * 43)}"
    plain = BuildInfo(START, ("path\tex.com/app", "mod\tex.com/app\t(devel)\t", dep, "build\t-compiler=gc", "build\tGOARCH=amd64", "build\tGOOS=linux"), END)
    private = [Module(path, "v1.3.0", sum=SUM.format("b" * 43)) for path in (LIB, ONLY)]
    info = plain.with_additions({ADDED: "v0.1.0"}, {PRIVATE_SETTING: ",".join(f"{module.path}@{module.version}" for module in private)}, private)

    def linked(name: str, *flags: str) -> Path:
        quoted = '"' + "".join(f"\\x{byte:02x}" for byte in info.text().encode("utf-8", "surrogateescape")) + '"'
        build.tool("link", "-importcfg", str(build.importcfg(more=f"modinfo {quoted}\n")), *flags, "-o", str(build.folder / name), str(main))
        return build.folder / name

    return linked


@pytest.fixture(scope="module")
def program(link: Callable[..., Path]) -> Path:
    return link("program")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> str:
    fields = {"fixed": "1.5.0", "symbol": "New"}
    return database(tmp_path_factory.mktemp("db"), [{"id": f"GO-2026-{n}", "module": path, "package": path, **fields} for n, path in ((1, LIB), (2, ONLY))])


def test_debug_buildinfo(program: Path, tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text(READER)
    info = json.loads(go(newest(), tmp_path, "run", "main.go", program))
    assert [(dep["Path"], dep["Version"], dep.get("Sum", "")) for dep in info["Deps"]] == [
        (LIB, "v1.9.0", SUM.format("a" * 43)), (ADDED, "v0.1.0", ""), (LIB, "v1.3.0", SUM.format("b" * 43)), (ONLY, "v1.3.0", SUM.format("b" * 43)),
    ]  # fmt: skip
    assert not any(dep.get("Replace") for dep in info["Deps"])
    assert {"Key": "otelobj.private", "Value": "ex.com/lib@v1.3.0,ex.com/only@v1.3.0"} in info["Settings"]


def test_a_module_is_listed_once_at_one_version() -> None:
    lines = (f"dep\t{LIB}\tv1.9.0\t", "dep\tex.com/old\tv1.0.0", f"=>\t{ONLY}\tv1.3.0\t", "dep\tex.com/fork\tv1.2.0", "=>\t../fork\t\t")
    private = [Module(LIB, "v1.9.0"), Module(ONLY, "v1.3.0"), Module("ex.com/fork", "v1.2.0")]
    added = BuildInfo("", lines, "").with_additions({LIB: "v2.0.0"}, {}, private).lines[len(lines) :]
    assert added == ("dep\tex.com/fork\tv1.2.0\t",)  # the program has something else under this name


def test_govulncheck_finds_what_is_private(tool: Path, program: Path, db: str) -> None:
    done = run(tool, ROOT, "-db", db, "-mode=binary", "-scan=module", "-format=json", program)
    findings = [json.loads(text) for text in split(done.stdout) if '"finding"' in text]
    assert {(f["finding"]["osv"], f["finding"]["trace"][0]["module"], f["finding"]["trace"][0]["version"]) for f in findings} == {
        ("GO-2026-1", LIB, "v1.3.0"), ("GO-2026-2", ONLY, "v1.3.0"),
    }  # fmt: skip
    assert run(tool, ROOT, "-db", db, "-mode=binary", "-scan=module", program).returncode == 3


def split(text: str) -> list[str]:
    """The documents in a stream of JSON."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text.rstrip()):
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end])
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def test_govulncheck_by_symbols_mentions_it(tool: Path, program: Path, db: str) -> None:
    """Names of functions in the private zone are not those that the database knows, so they count as not called."""
    done = run(tool, ROOT, "-db", db, "-mode=binary", program)
    assert done.returncode == 0 and "2\nvulnerabilities in modules you require" in done.stdout, done.stdout


def test_govulncheck_of_a_stripped_program(tool: Path, link: Callable[..., Path], db: str) -> None:
    done = run(tool, ROOT, "-db", db, "-mode=binary", link("stripped", "-s", "-w"))
    assert done.returncode == 3 and f"{ONLY}@v1.3.0" in done.stdout, done.stdout


def test_the_command_in_the_documentation_finds_called_functions(tool: Path, program: Path, db: str, tmp_path: Path) -> None:
    text = (ROOT / "docs/debugging.md").read_text()
    command = next(line for line in text.splitlines() if line.startswith("govulncheck -mode=extract"))
    command = command.replace("PROGRAM", shlex.quote(str(program))).replace("-mode=binary", f"-db {db} -mode=binary")
    subprocess.run(["ln", "-s", tool, tmp_path / "govulncheck"], check=True)
    done = subprocess.run(["sh", "-c", f"PATH=$PWD:$PATH; {command}"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and f"{ONLY}@v1.3.0" in done.stdout and "Your code is affected by 1 vulnerability" in done.stdout, done.stdout + done.stderr


def test_the_bill_marks_what_is_private(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = go(newest(), ROOT, "version", "-m", program)
    bom = json.loads(sbom.bill(list(sbom.modules(info)), (), "program", sbom.private(info)))
    marks = {component["purl"]: [p["name"] for p in component.get("properties", [])] for component in bom["components"]}
    assert marks == {
        f"pkg:golang/{LIB}@v1.9.0": [], f"pkg:golang/{ADDED}@v0.1.0": [],
        f"pkg:golang/{LIB}@v1.3.0": ["otelobj:linked-in", "otelobj:private"], f"pkg:golang/{ONLY}@v1.3.0": ["otelobj:linked-in", "otelobj:private"],
    }  # fmt: skip


def test_modules_are_those_of_the_packages_that_are_linked() -> None:
    names = [f"{PRIVATE}google.golang.org/grpc/codes", f"{PRIVATE}go.opentelemetry.io/otel/sdk/trace", "google.golang.org/protobuf/proto", "net/http"]
    names.append(f"{OBSERVERS}go.opentelemetry.io/contrib/bridges/prometheus")
    private = passes.private_modules(HookSet(dict.fromkeys(names, Path("x.a")), {}))
    pinned = pins().modules
    assert [(module.path, module.version, module.sum) for module in private] == [
        (path, pinned[path].version, pinned[path].sum) for path in ("go.opentelemetry.io/contrib/bridges/prometheus", "go.opentelemetry.io/otel/sdk", "google.golang.org/grpc")
    ]
    settings = passes.settings(RuleSet(()), private)
    assert settings[PRIVATE_SETTING] == ",".join(f"{module.path}@{module.version}" for module in private)
    assert PRIVATE_SETTING not in passes.settings(RuleSet(()), [])
