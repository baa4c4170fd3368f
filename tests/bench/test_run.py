"""`otelobj bench` of a small module, from the command line to its files."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from places import LAUNCHER
from toolchains import goroot

MAIN = """package main

//go:noinline
func answer(n int) int { return n + 1 }

func main() { println(answer(1)) }
"""
BENCH = """package main

import "testing"

func BenchmarkAnswer(b *testing.B) {
\tfor i := 0; i < b.N; i++ {
\t\tanswer(i)
\t}
}
"""
INNER = """package inner

import "testing"

func BenchmarkInner(b *testing.B) {
}
"""
RULES = 'count:\n  target: main\n  where: { func: answer }\n  optional: true\n  do: [{ probe: count }]\n'


@pytest.mark.long
def test_a_small_module(tmp_path: Path) -> None:
    module, temporary = tmp_path / "module", tmp_path / "tmp"
    for folder in (module, temporary):
        folder.mkdir()
    files = {"go.mod": "module example.com/small\n\ngo 1.22\n", "main.go": MAIN, "main_test.go": BENCH, "inner/inner_test.go": INNER}
    for name, text in files.items():
        (module / name).parent.mkdir(exist_ok=True)
        (module / name).write_text(text)
    (tmp_path / "rules.yaml").write_text(RULES)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL", "DD_"))}
    env |= {"OTELOBJ_DISABLE": "all", "OTELOBJ_RULES": str(tmp_path / "rules.yaml"), "TMPDIR": str(temporary), "PATH": f"{goroot('1.26')}/bin:/usr/bin:/bin", "GOWORK": "off"}
    command = [str(LAUNCHER), "bench", "--runs", "1", "--scenes", "unchanged,edited,cold,plain-first", "--start-args", "", "--bench", ".", "--benchtime", "10x"]
    command += ["--json", str(tmp_path / "x.json"), "--html", str(tmp_path / "x.html"), str(module)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    raw = json.loads((tmp_path / "x.json").read_text())
    samples = {(one["scene"], one["name"]): one["samples"] for one in raw["measures"]}
    assert list(raw["variants"]) == ["plain", "otelobj"] and {one["variant"] for one in raw["missing"]} == {"orchestrion", "otelc"}
    compiled = {scene: found for (scene, name), found in samples.items() if name == "packages compiled"}
    assert compiled["one file edited"] == {"plain": [1], "otelobj": [1]}
    assert compiled["nothing changed, output removed"] == {"plain": [0], "otelobj": [0]}
    assert compiled["after a plain build"]["plain"] == [0]
    assert compiled["after a plain build"]["otelobj"][0] == compiled["all caches empty"]["otelobj"][0] - compiled["all caches empty"]["plain"][0] > 0
    assert samples["program", "as built"]["otelobj"] > samples["program", "stripped (-s -w)"]["otelobj"]
    assert samples["run", "start to end"].keys() == samples["BenchmarkAnswer", "time"].keys() == {"plain", "otelobj"}
    assert "Builds" in done.stdout and "Benchmarks" in done.stdout and "BenchmarkAnswer" in done.stdout and "BenchmarkInner" in done.stdout
    assert (tmp_path / "x.html").read_text().startswith("<!DOCTYPE html>")
    assert {path.relative_to(module).as_posix(): path.read_text() for path in module.rglob("*.*")} == files
    assert list(temporary.iterdir()) == []


@pytest.mark.long
def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    import signal

    (tmp_path / "go.mod").write_text("module example.com/small\n\ngo 1.22\n")
    (tmp_path / "main.go").write_text(MAIN)
    (tmp_path / "tmp").mkdir()
    env = {**os.environ, "OTELOBJ_DISABLE": "all", "TMPDIR": str(tmp_path / "tmp"), "PATH": f"{goroot('1.26')}/bin:/usr/bin:/bin", "GOWORK": "off"}
    process = subprocess.Popen([str(LAUNCHER), "bench", str(tmp_path)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("[0/")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and "interrupted" in said
    assert list((tmp_path / "tmp").iterdir()) == []
