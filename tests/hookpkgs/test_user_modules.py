"""Builds with hook packages in the user's own modules: found in a workspace and in -modfile, relinked when they change."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from needs import emulator, need
from places import LAUNCHER
from toolchains import go_env, goroot

GO = "1.26"
FILES = {
    "go.work": "go 1.24\n\nuse ./app\nuse ./hooks\n",
    "app/go.mod": "module example.com/app\n\ngo 1.24\n",
    "app/alt.mod": "module example.com/app\n\ngo 1.24\n\nrequire example.com/hk v0.0.0\n\nreplace example.com/hk => ../hooks\n",
    "app/main.go": 'package main\n\n//go:noinline\nfunc work() { println("work") }\n\nfunc main() { work() }\n',
    "app/rules.yaml": "mine:\n  target: main\n  where: { func: work }\n  do:\n    - inject_hooks: { before: Before, path: example.com/hk/h }\n",
    "hooks/go.mod": "module example.com/hk\n\ngo 1.24\n",
    "hooks/h/h.go": 'package h\n\ntype Ctx interface{ GetFuncName() string }\n\nfunc Before(c Ctx) { println("first", c.GetFuncName()) }\n',
}


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def build(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Builds and runs."""
        settings = go_env(GO, OTELOBJ_CACHE_DIR=str(tmp_path / "cache"), OTELOBJ_DISABLE="all", GOENV="off", GOPROXY="off") | env
        command = [goroot(GO) / "bin/go", "build", f"-toolexec={LAUNCHER} --rules rules.yaml", *args, "-o", "prog", "."]
        done = subprocess.run(command, cwd=tmp_path / "app", env=settings, capture_output=True, text=True, check=False)
        if done.returncode:
            return done
        return subprocess.run([*emulator(settings["GOARCH"]), tmp_path / "app" / "prog"], capture_output=True, text=True, check=False)

    build.folder = tmp_path
    return build


def test_a_hook_in_the_workspace_is_relinked_when_it_changes(build) -> None:
    before = {path: path.read_bytes() for path in build.folder.rglob("go.*")}
    assert build().stderr == "first work\nwork\n"
    hook = build.folder / "hooks/h/h.go"
    hook.write_text(hook.read_text().replace("first", "second"))
    assert build().stderr == "second work\nwork\n"
    rules = build.folder / "app/rules.yaml"
    rules.write_text(rules.read_text().replace("func: work", "func: main"))
    assert build().stderr == "second main\nwork\n"
    assert {path: path.read_bytes() for path in build.folder.rglob("go.*") if "cache" not in path.parts} == before


def test_position_independent(build) -> None:
    assert build("-buildmode=pie").stderr == "first work\nwork\n"


def test_arm64(build) -> None:
    assert build(GOARCH="arm64").stderr == "first work\nwork\n"


def test_modfile(build) -> None:
    assert build("-modfile=alt.mod", GOWORK="off").stderr == "first work\nwork\n"
    assert build("-modfile", "alt.mod", GOWORK="off").stderr == "first work\nwork\n"


def test_a_hook_of_no_module_is_refused_by_name(build) -> None:
    done = build(GOWORK="off")
    assert done.returncode == 1 and "example.com/hk/h is in no module" in done.stderr and "remedy" in done.stderr and "Traceback" not in done.stderr
    assert not (build.folder / "app" / "prog").exists()


def test_parallel_builds_share_one_closure(build) -> None:
    env = go_env(GO, OTELOBJ_CACHE_DIR=str(build.folder / "cache"), OTELOBJ_DISABLE="all", GOENV="off", GOPROXY="off")
    command = [goroot(GO) / "bin/go", "build", f"-toolexec={LAUNCHER} --rules rules.yaml", "-o"]
    running = [subprocess.Popen([*command, f"p{number}", "."], cwd=build.folder / "app", env=env) for number in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(list((build.folder / "cache/closure").glob("*.json"))) == 1
    for number in range(3):
        assert subprocess.run([build.folder / "app" / f"p{number}"], capture_output=True, text=True, check=True).stderr == "first work\nwork\n"


def test_parallel_builds_with_a_cache_smaller_than_they_need(build) -> None:
    """Nothing is removed under a link that runs, and what the last one leaves is within the bound."""
    env = go_env(GO, OTELOBJ_CACHE_DIR=str(build.folder / "cache"), OTELOBJ_CACHE_SIZE="10K", OTELOBJ_DISABLE="all", GOENV="off", GOPROXY="off")
    command = [goroot(GO) / "bin/go", "build", f"-toolexec={LAUNCHER} --rules rules.yaml"]
    running = [subprocess.Popen([*command, f"-ldflags=-X=main.x={number}", "-o", f"p{number}", "."], cwd=build.folder / "app", env=env) for number in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    for number in range(3):
        assert subprocess.run([build.folder / "app" / f"p{number}"], capture_output=True, text=True, check=True).stderr == "first work\nwork\n"
    kept = [path for path in (build.folder / "cache").rglob("*") if path.is_file() and "version" not in path.parts]
    assert sum(path.stat().st_size for path in kept) <= 10_000


@pytest.mark.parametrize("given", ["-overlay=over.json", "GOFLAGS"])
def test_overlay(build, given: str) -> None:
    """A hook's source is another one in an overlay, whose names are relative to the folder of the build."""
    hook = build.folder / "hooks/h/h.go"
    (build.folder / "app/new.go.txt").write_text(hook.read_text().replace("first", "overlaid"))
    (build.folder / "app/over.json").write_text(json.dumps({"Replace": {"../hooks/h/h.go": "new.go.txt", str(build.folder / "app/more.go"): "more.txt"}}))
    (build.folder / "app/more.txt").write_text('package main\n\nfunc init() { println("more") }\n')
    args, env = ([given], {}) if given != "GOFLAGS" else ([], {"GOFLAGS": "-buildvcs=false -overlay=over.json"})
    assert build(*args, **env).stderr == "more\noverlaid work\nwork\n"
    (build.folder / "app/new.go.txt").write_text(hook.read_text().replace("first", "changed"))
    assert build(*args, **env).stderr == "more\nchanged work\nwork\n"
    assert build().stderr == "first work\nwork\n"


NOT_SUPPORTED = [
    (["-buildmode=c-archive"], {"CGO_ENABLED": "1"}, "-buildmode=c-archive is not supported"),
    ([], {"GOOS": "darwin", "GOARCH": "arm64"}, "darwin/arm64 is not supported"),
    (["-buildmode=c-shared"], {"CGO_ENABLED": "1"}, "-buildmode=c-shared is not supported"),
    (["-buildmode=plugin"], {"CGO_ENABLED": "1"}, "-buildmode=plugin is not supported"),
    (["-linkshared"], {"CGO_ENABLED": "1"}, "-linkshared is not supported"),
    ([], {"GOOS": "windows"}, "windows/amd64 is not supported"),
    ([], {"GOARCH": "riscv64"}, "linux/riscv64 is not supported"),
]


@pytest.mark.parametrize(
    ("args", "env", "word"),
    [pytest.param(*case, id=case[2].split()[0], marks=[pytest.mark.long] if number > 1 else []) for number, case in enumerate(NOT_SUPPORTED)],
)
def test_what_is_not_supported_is_refused_by_name(build, args: list[str], env: dict[str, str], word: str) -> None:
    """And links without hooks where that is asked for. Some of these links run in the output's folder, where a relative rule file is not found."""
    if "CGO_ENABLED" in env:
        need("gcc")
    toolexec = f"-toolexec={LAUNCHER} --rules rules.yaml"
    done = build(*args, toolexec, **env)
    assert done.returncode == 1 and word in done.stderr and "remedy" in done.stderr and "Traceback" not in done.stderr
    assert not (build.folder / "app/prog").exists()
    if "-linkshared" in args:
        return  # has no shared libraries to link with
    command = [goroot(GO) / "bin/go", "build", toolexec, *args, "-o", "prog", "."]
    settings = go_env(GO, OTELOBJ_CACHE_DIR=str(build.folder / "cache"), OTELOBJ_DISABLE="all", GOENV="off", GOPROXY="off", OTELOBJ_ON_ERROR="plain") | env
    done = subprocess.run(command, cwd=build.folder / "app", env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and word in done.stderr, done.stderr
