"""Many requests that panic, exit and are cancelled at random: every span ends, every parent is right, no memory is kept.

The program (testbins/storm) knows the parent of each of its spans by itself.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from needs import emulator
from places import TESTBINS
import toolchains

SOURCE = TESTBINS / "storm"


HOT = """package main

import (
	"os"
	"runtime/pprof"
)

func main() {
	pprof.StartCPUProfile(os.Stdout)
	defer pprof.StopCPUProfile()
	c := make(chan int, 1)
	for range 60_000_000 { // some seconds of a processor, which is what a profile counts
		c <- 1
		<-c
		select {
		case c <- 1:
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}
"""


def storm(version: str, goarch: str, folder: Path, goroutines: int, requests: int, *flags: str) -> None:
    prefix = emulator(goarch)
    program = folder / "storm"
    toolexec = f"-toolexec=otelobj --rules {SOURCE / 'rules.yaml'}"
    toolchains.go(version, SOURCE, "build", *flags, toolexec, "-o", program, ".", goarch=goarch)
    env = os.environ | {"GOGC": "5", "GODEBUG": "clobberfree=1", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    command = [*prefix, str(program), str(goroutines), str(requests)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=7200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    found = re.fullmatch(r"spans (\d+) open 0 wrong 0 goroutines 0\n", done.stdout)
    assert found, done.stdout
    assert int(found[1]) > 5 * goroutines * requests, "the program makes some twelve spans a request"
    assert not done.stderr


@pytest.mark.parametrize(("version", "goarch"), [(toolchains.telemetry(), "amd64"), (toolchains.newest(), "amd64"), ("1.26", "arm64")])
def test_storm(version: str, goarch: str, tmp_path: Path) -> None:
    storm(version, goarch, tmp_path, 100 if goarch == "amd64" else 20, 10)


@pytest.mark.long
@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
def test_ten_thousand_goroutines(goarch: str, tmp_path: Path) -> None:
    """Some ten minutes, and many more under qemu."""
    storm("1.26", goarch, tmp_path, 10_000, 100)


@pytest.mark.long
def test_profile_that_is_hot_on_channels(tmp_path: Path) -> None:
    """The compiler inlines what package runtime itself calls for a channel operation then."""
    env = toolchains.go_env("1.26", "amd64")
    (tmp_path / "main.go").write_text(HOT)
    profile = tmp_path / "cpu.pprof"
    profile.write_bytes(subprocess.run([toolchains.goroot("1.26") / "bin/go", "run", tmp_path / "main.go"], env=env, check=True, capture_output=True).stdout)
    plain = tmp_path / "plain"
    toolchains.go("1.26", tmp_path, "build", f"-pgo={profile}", "-o", plain, "main.go")
    for function in ("chansend1", "chanrecv1"):
        code = toolchains.go("1.26", tmp_path, "tool", "objdump", "-s", f"^runtime.{function}$", plain)
        assert code.count("\n") > 50, f"nothing was inlined into {function}"
    storm("1.26", "amd64", tmp_path, 100, 10, f"-pgo={profile}")
