"""SIGINT and SIGTERM to the process group of a build, at its several moments: nothing half made, locks free, status as a killed tool's."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from places import ROOT
from toolchains import goroot
from toolexec_case import GO, HOOKED, Case, wrapper

SIGNALS = [signal.SIGINT, signal.SIGTERM]

WATCH = """
for number in (2, 15): __import__('signal').signal(number, lambda *_: None)
done = subprocess.run(launcher + argv)
open({status!r} + '.new', 'w').write(str(done.returncode))
os.rename({status!r} + '.new', {status!r})
sys.exit(1)
"""
"""Outlives the signal and notes how otelobj ended."""

STANDS_STILL = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from objinst import __main__
from objinst.store import cache

def folder(kind, digest, make, real=cache.folder):
    def stand(place):
        make(place)
        (Path({folder!r}) / f"stands-{{os.getpid()}}").touch()
        while True:
            time.sleep(1)
    return real(kind, digest, stand if kind == {kind!r} else make)

os.environ["PWD"] = os.getcwd()  # as the launcher has it
os.sched_getaffinity = lambda _: {{0, 1}}
cache.folder = folder
sys.exit(__main__.main(sys.argv[1:]))
"""
"""otelobj, which makes the first entry of a kind and does not put it in its place."""

STANDING_LINKER = '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho half >"$2"\ntouch {folder}/links\nexec sleep 1000000\n'


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = Case(tmp_path / "app")
    made.env["GOTMPDIR"] = str(tmp_path / "work")
    (tmp_path / "work").mkdir()
    made.toolexec = wrapper(made.folder, WATCH.format(status=str(made.folder / "status")))
    return made


def interrupt(case: Case, number: signal.Signals, when: Callable[[], bool]) -> None:
    """Starts a build, sends the signal to its process group as soon as `when` holds, and looks at what is left."""
    with subprocess.Popen(
        case.command(), cwd=case.folder, env=case.settings(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as build:
        while build.poll() is None and not when():
            time.sleep(0.002)
        assert build.poll() is None, f"the build was over before it could be interrupted: {build.stdout.read()}"
        os.killpg(build.pid, number)
        said = build.stdout.read()
    assert build.returncode != 0
    while not (case.folder / "status").exists():  # the go command does not wait for its tools
        time.sleep(0.01)
    assert "Traceback" not in said and "Error" not in said, said
    assert (case.folder / "status").read_text() == str(-number), said
    assert not (case.folder / "prog").exists()
    assert not list((case.folder.parent / "work").rglob("otelobj-*"))
    case.intact()


def builds_again(case: Case) -> None:
    case.toolexec, case.go = Case.toolexec, goroot(GO) / "bin/go"
    done = case.build()
    assert done.returncode == 0, done.stderr
    assert case.run() == HOOKED


@pytest.mark.parametrize("number", SIGNALS)
def test_while_hook_packages_are_built(case: Case, number: signal.Signals) -> None:
    """In a Go distribution whose go command takes its time for `go list`."""
    root = case.folder.parent / "go"
    (root / "bin").mkdir(parents=True)
    for path in goroot(GO).iterdir():
        if path.name != "bin":
            (root / path.name).symlink_to(path)
    slow = root / "bin" / "go"
    slow.write_text(f'#!/bin/sh\n[ "$1" != list ] || {{ touch {case.folder}/listing; exec sleep 600; }}\nexec {goroot(GO)}/bin/go "$@"\n')
    slow.chmod(0o755)
    case.env["GOROOT"] = str(root)
    interrupt(case, number, (case.folder / "listing").exists)
    assert not list((case.cache / "closure").glob("*.json"))
    del case.env["GOROOT"]
    builds_again(case)


@pytest.mark.parametrize(("kind", "processes"), [("facts", 2), ("archive", 1)])
@pytest.mark.parametrize("number", SIGNALS)
def test_while_packages_are_read_and_rewritten(case: Case, number: signal.Signals, kind: str, processes: int) -> None:
    program = case.folder / "stands.py"
    program.write_text(STANDS_STILL.format(root=str(ROOT), folder=str(case.folder), kind=kind))
    body = f"launcher = [sys.executable, {str(program)!r}, '--tool', '--rules', 'rules.yaml']\n"
    case.toolexec = wrapper(case.folder, body + WATCH.format(status=str(case.folder / "status")))
    interrupt(case, number, lambda: len(list(case.folder.glob("stands-*"))) == processes)
    builds_again(case)


@pytest.mark.parametrize("number", SIGNALS)
def test_while_the_linker_runs(case: Case, number: signal.Signals) -> None:
    linker = case.folder / "pkg" / "tool" / "linux_amd64" / "link"
    linker.parent.mkdir(parents=True)
    linker.write_text(STANDING_LINKER.format(folder=case.folder))
    linker.chmod(0o755)
    case.toolexec = wrapper(case.folder, f"argv[0] = {str(linker)!r}\n" + WATCH.format(status=str(case.folder / "status")))
    interrupt(case, number, (case.folder / "links").exists)
    assert not list((case.folder.parent / "work").rglob("a.out"))
    builds_again(case)


def test_a_linker_that_was_killed(tmp_path: Path) -> None:
    """As by the kernel when memory runs out: the go command hears of the signal, not of an exit status that nobody gave."""
    case = Case(tmp_path / "app")
    case.toolexec = wrapper(case.folder, WATCH.format(status=str(case.folder / "status")))
    (case.folder / "rules.yaml").write_text((case.folder / "rules.yaml").read_text() + "  optional: true\n")
    assert case.build().returncode != 0 and (case.folder / "status").read_text() == "0"
    linker = case.folder / "pkg" / "tool" / "linux_amd64" / "link"
    linker.parent.mkdir(parents=True)
    linker.write_text("#!/bin/sh\nkill -9 $$\n")
    linker.chmod(0o755)
    case.toolexec = wrapper(case.folder, f"argv[0] = {str(linker)!r}\n" + WATCH.format(status=str(case.folder / "status")))
    assert case.build().returncode != 0 and (case.folder / "status").read_text() == "-9"
