"""bin/otelobj: what it executes directly, how `link -V=full` is answered, and how it finds Python."""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from objinst.platform import target
from objinst.platform.host import host
from places import LAUNCHER, ROOT
from toolchains import go_env, goroot, versions

NEWEST = versions()[-1]
Result = subprocess.CompletedProcess


def tool(release: str, name: str) -> str:
    return str(goroot(release) / "pkg/tool/linux_amd64" / name)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Runs a command in a module folder, with a cache of its own."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.com/app\n\ngo 1.22\n")

    def run(*command: str, **env: str) -> Result:
        settings = go_env(NEWEST, OTELOBJ_CACHE_DIR=str(tmp_path / "cache"), GOENV="off") | env
        settings = {key: value for key, value in settings.items() if not key.startswith("OTELOBJ") or key in {"OTELOBJ_CACHE_DIR", *env}}
        return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)

    run.folder = folder
    return run


def settle(run: Callable[..., Result]) -> None:
    """Times that are older than a second are trusted; folders change when files in them do, and when Python first keeps bytecode."""
    for name in ("objinst", "trampolines"):
        compileall.compile_dir(ROOT / name, quiet=1)
    ours = [
        path
        for name in ("objinst", "trampolines", "hooks")
        for path in [ROOT / name, *(ROOT / name).rglob("*")]
        if "__pycache__" not in path.parts
    ]
    newest = max(path.stat().st_ctime for path in [*run.folder.rglob("*"), *ours])
    time.sleep(max(0.0, newest + 1.1 - time.time()))


def fake(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text('#!/bin/sh\nfor word in "$0" "$@"; do echo "<$word>"; done\nexit 7\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("name", ["compile", "asm", "pack", "cgo", "vet", "cover", "buildid", "covdata", "future"])
@pytest.mark.parametrize("options", [[], ["--rules", "a b.yaml"], ["--rules=a b.yaml"]])
def test_other_tools_are_executed_without_any_process(tmp_path: Path, name: str, options: list[str]) -> None:
    """With an empty PATH and no HOME: a launcher that ran a command or Python would fail."""
    path = fake(tmp_path / "with space", name)
    done = subprocess.run([LAUNCHER, *options, path, "-o", "x y", "", "*"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.stdout == f"<{path}>\n<-o>\n<x y>\n<>\n<*>\n" and done.returncode == 7 and not done.stderr


def test_the_c_compiler_is_asked_by_its_bare_name(tmp_path: Path) -> None:
    fake(tmp_path / "bin", "mycc")
    done = subprocess.run([LAUNCHER, "mycc", "-###", "-x", "c", "-c", "-"], env={"PATH": f"{tmp_path}/bin:/bin"}, capture_output=True, text=True, check=False)
    assert done.returncode == 7 and "<-###>" in done.stdout


@pytest.mark.parametrize("release", versions())
def test_identity_of_compile_and_asm_is_the_plain_one(run: Callable[..., Result], release: str) -> None:
    for name in ("compile", "asm"):
        plain = run(tool(release, name), "-V=full")
        assert run(str(LAUNCHER), tool(release, name), "-V=full").stdout == plain.stdout != ""


@pytest.mark.parametrize("release", versions())
def test_identity_of_link_has_a_digest(run: Callable[..., Result], release: str) -> None:
    plain = run(tool(release, "link"), "-V=full").stdout.strip()
    marked = run(str(LAUNCHER), tool(release, "link"), "-V=full").stdout
    assert re.fullmatch(re.escape(plain) + r" otelobj-[0-9a-f]{32}\n", marked)


def identity(run: Callable[..., Result], *options: str, **env: str) -> str:
    done = run(str(LAUNCHER), *options, tool(NEWEST, "link"), "-V=full", **env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def memory(run: Callable[..., Result]) -> Path:
    return run.folder.parent / "cache" / "version" / str(run.folder)[1:] / ".line"


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_second_answer_comes_from_memory(run: Callable[..., Result], shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    settle(run)
    first = identity(run)
    text = memory(run).read_text()
    memory(run).write_text(text.replace(first.strip(), "link version from memory"))
    command = [shell, str(LAUNCHER), tool(NEWEST, "link"), "-V=full"]
    assert run(*command).stdout == "link version from memory\n"
    memory(run).write_text("known='unfinished\n")
    assert run(*command).stdout == first  # a damaged memory is no answer
    assert identity(run, OTELOBJ_DISABLE="nethttp") != first


def test_what_has_just_changed_is_not_remembered(run: Callable[..., Result]) -> None:
    identity(run)
    assert not memory(run).exists()


def edit(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / name).open("a") as file:
            file.write("// changed\n")

    return change


def put_back(name: str) -> Callable[[Path], None]:
    """Another content with the old file's times and size, as `mv` and archives do."""

    def change(folder: Path) -> None:
        old, new = folder / name, folder / "new"
        new.write_bytes(old.read_bytes().replace(b"1.22", b"1.23").replace(b"BeforeA", b"BeforeB"))
        os.utime(new, ns=(old.stat().st_atime_ns, old.stat().st_mtime_ns))
        new.rename(old)

    return change


RULES = "r:\n  target: main\n  where: { func: f }\n  do:\n    - inject_hooks: { before: BeforeA, path: example.com/app/hooks }\n"


@pytest.mark.parametrize(
    "change",
    [edit("go.mod"), put_back("go.mod"), put_back("rules.yaml"), edit("hooks/h.go"), edit("go.sum"), lambda f: (f / "hooks/new.go").write_text("package hooks\n"),
     lambda f: (f.parent / "go.work").write_text("go 1.22\nuse ./app\n")],
    ids=["go.mod", "go.mod restored", "rule restored", "hook", "go.sum appears", "new hook file", "go.work appears"],
)  # fmt: skip
def test_a_changed_input_gives_another_identity(run: Callable[..., Result], change: Callable[[Path], None]) -> None:
    (run.folder / "hooks").mkdir()
    (run.folder / "hooks/h.go").write_text("package hooks\n")
    (run.folder / "rules.yaml").write_text(RULES)
    settle(run)
    first = identity(run, "--rules", "rules.yaml")
    assert memory(run).exists()
    assert identity(run, "--rules", "rules.yaml") == first
    change(run.folder)
    assert identity(run, "--rules", "rules.yaml") != first


def test_other_files_of_the_program_do_not_count(run: Callable[..., Result]) -> None:
    settle(run)
    first = identity(run)
    (run.folder / "main.go").write_text("package main\n")
    assert identity(run) == first


def test_the_folder_at_hand_is_not_imported(run: Callable[..., Result]) -> None:
    for name in ("yaml", "json", "objinst", "hashlib"):
        (run.folder / f"{name}.py").write_text("raise SystemExit('imported from the folder at hand')\n")
    assert "otelobj-" in identity(run, PYTHONPATH=str(run.folder))


def test_bad_rules(run: Callable[..., Result]) -> None:
    (run.folder / "rules.yaml").write_text("r: {targt: main}\n")
    command = [str(LAUNCHER), "--rules", "rules.yaml", tool(NEWEST, "link"), "-V=full"]
    done = run(*command)
    assert done.returncode == 2 and "rules.yaml:1" in done.stderr and "Traceback" not in done.stderr and not done.stdout
    plain = run(*command, OTELOBJ_ON_ERROR="plain")
    assert plain.returncode == 0 and plain.stdout == run(tool(NEWEST, "link"), "-V=full").stdout and "warning" in plain.stderr


def test_without_python(tmp_path: Path) -> None:
    """The launcher alone in a folder, and only a shell's tools on PATH."""
    copy = tmp_path / "bin" / "otelobj"
    copy.parent.mkdir()
    shutil.copy(LAUNCHER, copy)
    link = fake(tmp_path / "go", "link")
    env = {"PATH": str(tmp_path / "go"), "HOME": str(tmp_path)}
    done = subprocess.run([copy, link, "-o", "x", "main.a"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "no Python 3.11" in done.stderr and "remedy" in done.stderr and not done.stdout
    done = subprocess.run(
        [copy, "--rules", "x", link, "-o", "x", "main.a"], env=env | {"OTELOBJ_ON_ERROR": "plain"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 7 and done.stdout == f"<{link}>\n<-o>\n<x>\n<main.a>\n" and "warning" in done.stderr


def test_through_symbolic_links(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(LAUNCHER)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "two").symlink_to("../one")
    done = run(str(tmp_path / "sub" / "two"), tool(NEWEST, "link"), "-V=full")
    assert "otelobj-" in done.stdout, done.stderr


CGO = 'package main\n\n// int answer(void) { return 42; }\nimport "C"\n\nfunc main() { println(int(C.answer())) }\n'


def test_cgo_and_nothing_compiled_again(run: Callable[..., Result]) -> None:
    """A build after a plain one compiles nothing; go asks the C compiler through -toolexec as well."""
    if not shutil.which("gcc"):
        pytest.skip("no C compiler here")
    (run.folder / "main.go").write_text(CGO)
    go = str(goroot(NEWEST) / "bin/go")
    assert run(go, "build", "-o", "plain", ".", CGO_ENABLED="1").returncode == 0
    done = run(go, "build", "-x", f"-toolexec={LAUNCHER}", "-o", "ours", ".", CGO_ENABLED="1", OTELOBJ_DISABLE="all")
    assert done.returncode == 0, done.stderr
    assert not re.findall(r"/(?:compile|asm|cgo) ", done.stderr) and "/link " in done.stderr
    assert run(str(run.folder / "ours")).stderr == "42\n"


@pytest.mark.parametrize(("goos", "goarch"), [("darwin", "arm64"), ("windows", "amd64"), ("linux", "386")])
def test_a_platform_that_cannot_be_hooked_is_refused_before_anything_is_compiled(run: Callable[..., Result], goos: str, goarch: str) -> None:
    (run.folder / "main.go").write_text('package main\n\nimport _ "net/http"\n\nfunc main() {}\n')
    cache = run.folder.parent / "gocache"
    go, platform = str(goroot(NEWEST) / "bin/go"), {"GOOS": goos, "GOARCH": goarch}
    done = run(go, "build", f"-toolexec={LAUNCHER}", "-o", os.devnull, ".", GOCACHE=str(cache), **platform)
    assert done.returncode and f"otelobj: {goos}/{goarch} is not supported yet\n  remedy: linux/amd64 and linux/arm64 are" in done.stderr
    assert not [path for path in cache.rglob("*-d") if path.read_bytes().startswith(b"!<arch>")]


def test_where_nothing_would_be_linked_or_hooked_no_platform_is_refused(run: Callable[..., Result]) -> None:
    (run.folder / "main.go").write_text("package main\n\nfunc main() {}\n")
    go, platform = str(goroot(NEWEST) / "bin/go"), {"GOOS": "windows", "GOARCH": "amd64"}
    plain = run(tool(NEWEST, "compile"), "-V=full").stdout
    asked = ["sh", "-c", f'"{LAUNCHER}" "$0" -V=full; exit', tool(NEWEST, "compile")]
    assert run(*asked, "go", "vet", ".", **platform).stdout == plain
    assert run(*asked, "go", "build", ".", **platform).returncode == 1
    assert run(*asked, "go", "build", ".", OTELOBJ_ON_ERROR="plain", **platform).stdout == plain
    assert run(*asked, "go", "build", ".", OTELOBJ_DISABLE="all", **platform).stdout == plain
    assert run(*asked, "go", "build", ".", GOOS="linux", GOARCH="arm64").stdout == plain
    assert run(go, "list", f"-toolexec={LAUNCHER}", "-export", "unsafe", **platform).returncode == 0


def test_the_launcher_lets_nothing_pass_that_the_driver_refuses() -> None:
    (line,) = (line for line in LAUNCHER.read_text().splitlines() if line.strip().startswith("case $GOOS/$GOARCH in"))
    named = set(re.findall(r"\w+/\w+", line))
    assert named and named <= set(target.platforms())


def test_the_launcher_reads_files_as_the_driver_does() -> None:
    command = f"{' '.join(host().STAT[:2])} '{host().STAT[2]}' {host().STAT[3]}"
    assert command in LAUNCHER.read_text()
