"""What delve and gdb show of a hooked program, against the same program built plain."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from needs import QEMU, missing, need
from places import ROOT
import toolchains
from fidelity_case import CALL, LINE, built, folder, native_cases

DELVE = "v1.27.2"


@functools.cache
def delve() -> str:
    """delve, compiled once into the test cache by the newest Go that it knows."""
    place = Path(os.environ.get("OTELOBJ_TEST_TOOLS") or Path.home() / ".cache/otelobj/tools") / f"delve-{DELVE}"
    if not (place / "dlv").exists():
        env = toolchains.go_env("1.26", GOBIN=str(place), GOFLAGS="-mod=mod")
        words = ["go", "install", f"github.com/go-delve/delve/cmd/dlv@{DELVE}"]
        done = subprocess.run(words, cwd=folder(), env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            missing(f"delve: {done.stderr}")
    return str(place / "dlv")


def debugged(program: Path, commands: str) -> str:
    """What delve says, without addresses, colours and the source lines around a stop."""
    words = [delve(), "exec", str(program), "--check-go-version=false", "--allow-non-terminal-interactive=true", "--", "stop"]
    done = subprocess.run(words, input=commands + "quit\n", capture_output=True, text=True, timeout=1800, check=False)
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    return re.sub(r"0x[0-9a-f]+", "0x", "\n".join(line for line in text.splitlines() if not re.match(r"\s+\d+:\t", line)))


STOPS = "break main.stopHere\ncontinue\nargs\nbt 3\nnext\nlocals\ncontinue\nclear 1\n"
STEPS = f"break main.go:{CALL}\ncontinue\nclear 2\nstep\nargs\nbt 3\nnext\nstepout\n"
BY_LINE = f"break main.go:{LINE}\ncontinue\nargs\ncontinue\ncontinue\ncontinue\n"


@native_cases
def test_delve(version: str) -> None:
    """A breakpoint by name and by line, arguments, stepping from the caller into the function, on, and out of it."""
    pair = built(version, "amd64")
    for commands in (STOPS + STEPS, BY_LINE):
        plain, hooked = debugged(pair.plain, commands), debugged(pair.hooked, commands)
        assert 'label = "sum"' in plain and "n = 10" in plain and ("step" not in commands or "n = 30" in plain)
        assert hooked == plain


GDB_QUIET = """
set pagination off
set confirm off
set debuginfod enabled off
set auto-load safe-path /dev/null
set environment GODEBUG asyncpreemptoff=1
"""
GDB = f"""{GDB_QUIET}break main.go:{LINE + 1}
run stop
bt
info args
continue
info args
continue
continue
"""


def gdb_says(program: Path, commands: str) -> str:
    """What gdb says, without addresses, its notes on threads, and what the program prints."""
    script = program.with_suffix(".gdb")
    script.write_text(commands)
    words = [need("gdb"), "-batch", "-nx", "-x", str(script), "--args", str(program), "stop"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=1800, check=False)
    lines = (re.sub(rf'Thread \d+ "{program.name}"', "", line).strip() for line in done.stdout.splitlines())
    return "\n".join(re.sub(r"0x[0-9a-f]+", "0x", line) for line in lines if line and not re.match(r"\[|sum\d+ ", line))


@native_cases
def test_gdb(version: str) -> None:
    """A breakpoint by line stops once a call, with the arguments and the callers of the plain program. It lies behind the stack check,
    and preemption is off: gdb stops twice in one call where a signal or a yielding goroutine comes back to the same place, in any program."""
    pair = built(version, "amd64")
    plain, hooked = gdb_says(pair.plain, GDB), gdb_says(pair.hooked, GDB)
    assert len(re.findall(r"hit Breakpoint 1, main\.stopHere", plain)) == 3 and '"sum"' in plain
    assert hooked == plain


@native_cases
def test_gdb_by_name(version: str) -> None:
    """gdb also takes the entry stub, a symbol of the function's name: it says that this is no function of the program."""
    pair = built(version, "amd64")
    text = gdb_says(pair.hooked, "break main.stopHere\ninfo breakpoints\n")
    places = re.findall(r"in (\S+) at \S*/main\.go:(\d+)", text)
    assert sorted(places) == [("main.stopHere", str(LINE)), ("otelobj/main.stopHere-fm", str(LINE))]


GDB_STEPS = f"""{GDB_QUIET}source {ROOT / "docs/otelobj-gdb.py"}
break main.go:{CALL}
run stop
set scheduler-locking step
delete
step
info args
bt
next
next
tbreak main.go:{CALL + 1}
continue
info locals
break main.stopHere
continue
info args
"""


@native_cases
def test_gdb_with_our_script(version: str) -> None:
    """With the script for gdb in docs/, breakpoints by name, steps into a hooked function and out of it, and the next call: as in the plain
    program, but that gdb says how many places a name has, and shows where it was on the way in. Nothing steps over a call, and other
    threads stand still in steps: gdb loses its goroutine otherwise, in any program."""
    pair = built(version, "amd64")
    plain, hooked = gdb_says(pair.plain, GDB_STEPS), gdb_says(pair.hooked, GDB_STEPS)
    assert "n = 10" in plain and "hit Breakpoint 3, main.stopHere" in plain and "n = 20" in plain
    assert "in otelobj/main.stopHere-fm ()" in hooked
    lines = iter(hooked.replace("Breakpoint 3.2,", "Breakpoint 3,").splitlines())
    shown = [line for line in lines if "in otelobj/main.stopHere-fm ()" not in line or next(lines) is None]
    assert [line for line in shown if "2 locations" not in line] == [line for line in plain.splitlines() if "Breakpoint 3 at" not in line]


GDB_REMOTE = f"""
set pagination off
set confirm off
set debuginfod enabled off
set auto-load safe-path /dev/null
target remote SOCKET
source {ROOT / "docs/otelobj-gdb.py"}
break main.stopHere
continue
bt
info args
delete
break main.go:{LINE + 1}
continue
bt
info args
kill
"""


@pytest.mark.long
def test_gdb_on_arm64(tmp_path: Path) -> None:
    """Breakpoints by name and by line, arguments and callers, through the gdb server of qemu-user; steps are not reliable there."""
    pair = built(toolchains.newest(), "arm64")
    said = []
    for program in (pair.plain, pair.hooked):
        script, socket = tmp_path / f"{program.name}.gdb", tmp_path / f"{program.name}.socket"
        script.write_text(GDB_REMOTE.replace("SOCKET", str(socket)))
        debugger = need("gdb-multiarch")
        served = [need(QEMU), "-g", str(socket), "-E", "GODEBUG=asyncpreemptoff=1", str(program), "stop"]
        with subprocess.Popen(served, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            while not socket.exists() and server.poll() is None:
                time.sleep(0.1)
            done = subprocess.run([debugger, "-batch", "-nx", "-x", str(script), str(program)], capture_output=True, text=True, timeout=1800, check=False)
            server.kill()
        text = re.sub(r"0x[0-9a-f]+", "0x", done.stdout).replace("Breakpoint 1.2,", "Breakpoint 1,")
        said.append([line for line in text.splitlines() if not re.match(r"\[|Breakpoint 1 at", line)])
    plain, hooked = said
    assert sum("hit Breakpoint" in line and "main.stopHere" in line for line in plain) == 2 and "n = 10" in plain
    assert hooked == plain
