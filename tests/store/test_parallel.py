"""Tasks that are shared out: each is done once, and what fails in one process costs the others nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from places import ROOT

from objinst.errors import OtelobjError
from objinst.store import parallel


def leave(folder: Path, number: int) -> None:
    (folder / f"{number}-{os.getpid()}").touch()


def fail(*_: object) -> None:
    raise ValueError("task")


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})


def test_every_task_is_done_once(tmp_path: Path, three: None) -> None:
    parallel.in_parallel([partial(leave, tmp_path, number) for number in range(10)])
    found = [path.name.split("-") for path in tmp_path.iterdir()]
    assert sorted(int(number) for number, _ in found) == list(range(10))
    assert len({process for _, process in found}) == 3


def test_a_failure_elsewhere_is_quiet(tmp_path: Path, three: None, capfd: pytest.CaptureFixture[str]) -> None:
    parallel.in_parallel([partial(leave, tmp_path, 0), fail, partial(leave, tmp_path, 2)])
    assert sorted(path.name.split("-")[0] for path in tmp_path.iterdir()) == ["0", "2"]
    assert capfd.readouterr().err == ""


def test_a_failure_here_ends_the_others(tmp_path: Path, three: None) -> None:
    with pytest.raises(ValueError, match="task"):
        parallel.in_parallel([fail, partial(time.sleep, 10**6), partial(leave, tmp_path, 2)])
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(("size", "done"), [(parallel.WORTH_A_PROCESS // 4, 0), (parallel.WORTH_A_PROCESS, 4)])
def test_small_tasks_are_left_to_others(tmp_path: Path, size: int, done: int) -> None:
    parallel.share_out([(size - number, partial(leave, tmp_path, number)) for number in range(4)])
    assert len(list(tmp_path.iterdir())) == done


def test_nothing_to_do() -> None:
    parallel.in_parallel([])


def test_work_follows_what_it_needs(tmp_path: Path, three: None) -> None:
    needs = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}
    order = tmp_path / "order"
    done: list[int] = []

    def work(name: str) -> None:
        assert all((tmp_path / other).exists() for other in needs[name])
        (tmp_path / name).touch()
        with order.open("a") as file:
            file.write(f"{name} {os.getpid()}\n")

    parallel.in_order(needs, work, lambda: done.append(1))
    lines = [line.split() for line in order.read_text().splitlines()]
    assert sorted(name for name, _ in lines) == list("abcde") and len(done) == 5
    assert str(os.getpid()) not in {process for _, process in lines}
    parallel.in_order({}, work, done.clear)


@pytest.mark.parametrize(("error", "text"), [(OtelobjError("what", "do"), "what\n  remedy: do"), (KeyError("x"), "'x'")])
def test_what_stops_ordered_work_is_raised(three: None, error: Exception, text: str) -> None:
    def work(name: str) -> None:
        if name == "b":
            raise error
        assert name != "c"

    with pytest.raises(type(error)) as caught:
        parallel.in_order({"a": [], "b": ["a"], "c": ["b"]}, work, lambda: None)
    assert str(caught.value) == text


def test_a_worker_that_is_killed_is_noticed(three: None) -> None:
    with pytest.raises(OtelobjError, match="was killed"):
        parallel.in_order({"a": [], "b": []}, lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == "b" else None, lambda: None)


def test_a_worker_that_is_killed_while_it_is_idle_is_noticed(three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[int] = []
    fork = parallel.fork
    monkeypatch.setattr(parallel, "fork", lambda work: children.append(fork(work)) or children[-1])

    def kill() -> None:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)

    with pytest.raises(OtelobjError, match="was killed"):
        parallel.in_order({"a": [], "b": ["a"]}, lambda _: None, kill)
    children.clear()
    parallel.in_order({"a": []}, lambda _: None, kill)  # after its work


@pytest.mark.parametrize("error", [EOFError("x"), BrokenPipeError("x")])
def test_an_error_of_the_work_is_no_killed_worker(three: None, error: Exception) -> None:
    def work(_: str) -> None:
        raise error

    with pytest.raises(type(error), match="x"):
        parallel.in_order({"a": []}, work, lambda: None)


ORPHANS = """
import os, signal
from objinst import ending
from objinst.store import parallel
ending._tied = lambda _: None  # a system that does not tell children
os.sched_getaffinity = lambda _: {0, 1, 2}
parallel.in_order({"a": [], "b": [], "c": []}, print, lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_workers_end_with_their_parent() -> None:
    """They have its output, which ends when the last of them does."""
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)
    try:
        parent.communicate(timeout=60)  # or they wait for ever
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
    assert parent.returncode == -signal.SIGKILL
