"""What a process has started ends before it does, and what it was making is gone, whenever a signal comes.

The moments are events: a signal is sent where it hurts, by the process itself. That all have ended is seen by a pipe that they share:
it is at its end as soon as nobody holds it any more.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

PROLOGUE = """
import os, signal, subprocess, sys, time
from pathlib import Path
from objinst import ending
from objinst.store import cache, parallel

folder, number, pipe = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
os.environ["OTELOBJ_CACHE_DIR"] = str(folder / "cache")
os.sched_getaffinity = lambda _: {0, 1}

def for_ever(*_):
    while True:
        time.sleep(1)

def made(name):
    (folder / name).touch()

def when(*names):
    while not all((folder / name).exists() for name in names):
        time.sleep(0.001)

def entry(name, then):
    def make(place):
        (place / "half").touch()
        made(name)
        then()
    return lambda: cache.folder("kind", name, make)

def signal_self():
    os.kill(os.getpid(), number)
"""


def ended(body: str, folder: Path, number: int = signal.SIGTERM, *, group: int = 0, interrupts: bool = True) -> str:
    """What a process that does `body` says until a signal ends it. group: sent to its process group as soon as it says `now`.

    Nobody whom it has started outlives it, and nothing half made lies in its cache.
    """
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    text = f"{PROLOGUE}\nending.handle(interrupts={interrupts})\n{body}"
    command = [sys.executable, "-c", text, str(folder), str(int(number)), str(writer)]
    with subprocess.Popen(
        command, cwd=ROOT, pass_fds=[writer], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process, os.fdopen(reader, "rb") as held:  # fmt: skip
        os.close(writer)
        said = ""
        if group:
            said = process.stdout.readline()
            assert said == "now\n", said + process.stdout.read()
            os.killpg(process.pid, group)
        status = process.wait()
        os.set_blocking(reader, False)
        rest = held.read()
        if rest is None:  # somebody is left
            os.killpg(process.pid, signal.SIGKILL)
        said += process.stdout.read()
    assert rest is not None, f"what was started outlives its parent\n{said}"
    assert status == -(group or number), said
    assert "Traceback" not in said and "Error" not in said, said
    assert not list((folder / "cache").rglob(".new-*")), said
    return said


@pytest.mark.parametrize("number", SIGNALS)
def test_at_the_moment_of_a_fork(tmp_path: Path, number: int) -> None:
    """The child works already, and the parent does not know its process ID yet."""
    ended(
        """
real = os.fork
def fork():
    child = real()
    if child:
        when("a")
        signal_self()
    return child
os.fork = fork
parallel.in_parallel([for_ever, entry("a", for_ever)])
""",
        tmp_path,
        number,
    )
    assert (tmp_path / "a").exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_to_the_whole_group(tmp_path: Path, number: int) -> None:
    """Parent and child get it, and both are about to leave something."""
    ended('parallel.in_parallel([entry("a", lambda: (when("b"), print("now", flush=True), for_ever())), entry("b", for_ever)])', tmp_path, group=number)


def test_a_child_that_forgets_the_first(tmp_path: Path) -> None:
    """As Python does with what arrives while a child is being set up: the parent says it again."""
    ended(
        """
real, lost = os.kill, set()
def kill(process, what):
    if process in lost or process == os.getpid():
        real(process, what)
    lost.add(process)
os.kill = kill
parallel.in_parallel([entry("a", lambda: (when("b"), signal_self())), entry("b", for_ever)])
""",
        tmp_path,
    )


def test_a_second_signal_and_a_third(tmp_path: Path) -> None:
    """They meet the cleaning up after the first, and change nothing."""
    ended(
        """
import shutil
real = shutil.rmtree
def rmtree(*args, **options):
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    real(*args, **options)
shutil.rmtree = rmtree
parallel.in_parallel([entry("a", lambda: (when("b"), signal_self())), entry("b", for_ever)])
""",
        tmp_path,
    )


@pytest.mark.parametrize("call", ["mkdir", "rename"])
def test_while_a_folder_is_made(tmp_path: Path, call: str) -> None:
    """Between the system call and whatever Python would have done next."""
    ended(
        f"""
real = Path.{call}
def then(path, *args, **options):
    result = real(path, *args, **options)
    if path.name.startswith(cache.NEW):
        print("signal", flush=True)
        signal_self()
    return result
Path.{call} = then
entry("a", lambda: None)()
""",
        tmp_path,
    )


def test_where_python_drops_exceptions(tmp_path: Path) -> None:
    ended(
        """
class Final:
    def __del__(self):
        signal_self()
entry("a", lambda: Final() and None)()
""",
        tmp_path,
    )


def test_while_a_message_is_written(tmp_path: Path) -> None:
    """A buffer that is being flushed cannot be flushed again."""
    ended(
        """
import io
class Pipe(io.RawIOBase):
    def writable(self):
        return True
    def write(self, data):
        signal_self()
        return len(data)
sys.stderr = io.TextIOWrapper(io.BufferedWriter(Pipe()))
print("half", file=sys.stderr, flush=True)
""",
        tmp_path,
    )


COMMAND = '#!/bin/sh\ntrap "touch {folder}/clean; exit 1" INT\nsleep 1000000 & sleep 1000000 &\ntouch {folder}/runs\nwait\n'
"""As the go command: it cleans up when it is interrupted, and dies of anything else; its own children do not care."""


def test_a_command_ends_by_its_own_signal_and_its_children_end(tmp_path: Path) -> None:
    command = tmp_path / "command"
    command.write_text(COMMAND.format(folder=tmp_path))
    command.chmod(0o755)
    ended(
        """
import threading
def soon():
    when("runs")
    signal_self()
threading.Thread(target=soon, daemon=True).start()
ending.run([str(folder / "command")], by=signal.SIGINT, pass_fds=[pipe])
""",
        tmp_path,
    )
    assert (tmp_path / "clean").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_for_people(tmp_path: Path, number: int) -> None:
    """SIGINT raises KeyboardInterrupt there; the others end it."""
    ended('parallel.in_parallel([entry("a", lambda: (when("b"), signal_self())), entry("b", for_ever)])', tmp_path, number, interrupts=False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent has died")
def test_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Nobody asks its children to end but the kernel; they clean up what they were making."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    body = """
def task():
    when("b", "runs")
    os.kill(os.getpid(), signal.SIGKILL)
def command():
    ending.run(["sh", "-c", 'touch "$1/runs"; exec sleep 1000000', "sh", str(folder)], pass_fds=[pipe])
parallel.in_parallel([task, entry("b", command)])
"""
    command = [sys.executable, "-c", f"{PROLOGUE}\nending.handle(interrupts=True)\n{body}", str(tmp_path), "9", str(writer)]
    parent = subprocess.Popen(command, cwd=ROOT, pass_fds=[writer], start_new_session=True)
    os.close(writer)
    assert parent.wait() == -signal.SIGKILL
    with os.fdopen(reader, "rb"):
        is_at_end, _, _ = select.select([reader], [], [], 600)  # the end of a pipe that somebody holds does not come
    if not is_at_end:
        os.killpg(parent.pid, signal.SIGKILL)
    assert is_at_end
    assert not list((tmp_path / "cache").rglob(".new-*"))


def test_a_program_that_was_being_written_goes_and_a_folder_of_that_name_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    ended(
        """
with ending.whole_or_gone(folder / "program"), ending.whole_or_gone(folder / "folder"), ending.whole_or_gone(Path("/dev/null")):
    made("program")
    signal_self()
""",
        tmp_path,
    )
    assert not (tmp_path / "program").exists()
    assert (tmp_path / "folder" / "mine").exists() and Path("/dev/null").exists()


def test_an_output_that_nobody_has_begun_to_write_stays(tmp_path):
    """The linker could not even be started."""
    from objinst import ending

    there, begun = tmp_path / "there", tmp_path / "begun"
    there.write_text("before")
    begun.write_text("before")
    with pytest.raises(FileNotFoundError), ending.whole_or_gone(there):
        ending.run([tmp_path / "missing"])
    with pytest.raises(ValueError), ending.whole_or_gone(begun):
        begun.write_text("half")
        raise ValueError
    assert there.read_text() == "before" and not begun.exists()
