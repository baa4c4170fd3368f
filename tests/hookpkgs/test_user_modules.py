"""Builds with hook packages in the user's own modules: found in a workspace and in -modfile, relinked when they change."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from needs import emulator, need
from toolexec_case import MODULE, Case, write

OUTSIDE = {
    "go.work": "go 1.24\n\nuse ./app\nuse ./hooks\n",
    "hooks/go.mod": "module example.com/hk\n\ngo 1.24\n",
    "hooks/h/h.go": MODULE["h/h.go"].replace("before", "first"),
}
APP = {
    "go.mod": MODULE["go.mod"],
    "alt.mod": MODULE["go.mod"] + "\nrequire example.com/hk v0.0.0\n\nreplace example.com/hk => ../hooks\n",
    "main.go": MODULE["main.go"],
    "rules.yaml": MODULE["rules.yaml"].replace("example.com/app/h", "example.com/hk/h"),
}


@dataclass
class Workspace:
    """A module beside that of its hooks. app: the program's case."""

    folder: Path
    app: Case

    def __call__(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Builds and runs."""
        done = self.app.build(*args, **env)
        if done.returncode:
            return done
        return subprocess.run([*emulator(env.get("GOARCH", "amd64")), self.app.folder / "prog"], capture_output=True, text=True, check=False)

    def build_thrice_at_once(self, *args: str, **env: str) -> None:
        """args: {} stands for a number. The programs are p0, p1 and p2."""
        commands = [self.app.command(*(arg.format(number) for arg in args), output=f"p{number}") for number in range(3)]
        running = [subprocess.Popen(command, cwd=self.app.folder, env=self.app.settings(**env)) for command in commands]
        assert [process.wait() for process in running] == [0, 0, 0]
        for number in range(3):
            assert subprocess.run([self.app.folder / f"p{number}"], capture_output=True, text=True, check=True).stderr == "first work\nwork\n"


@pytest.fixture
def build(tmp_path: Path) -> Workspace:
    write(tmp_path, OUTSIDE)
    return Workspace(tmp_path, Case(tmp_path / "app", files=APP, env={"OTELOBJ_CACHE_DIR": str(tmp_path / "cache")}))


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
    build.build_thrice_at_once()
    assert len(list((build.folder / "cache/closure").glob("*.json"))) == 1


def test_parallel_builds_with_a_cache_smaller_than_they_need(build) -> None:
    """Nothing is removed under a link that runs, and what the last one leaves is within the bound."""
    build.build_thrice_at_once("-ldflags=-X=main.x={}", OTELOBJ_CACHE_SIZE="10K")
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
    done = build(*args, **env)
    assert done.returncode == 1 and word in done.stderr and "remedy" in done.stderr and "Traceback" not in done.stderr
    assert not (build.folder / "app/prog").exists()
    if "-linkshared" in args:
        return  # has no shared libraries to link with
    done = build.app.build(*args, **env, OTELOBJ_ON_ERROR="plain")
    assert done.returncode == 0 and word in done.stderr, done.stderr
