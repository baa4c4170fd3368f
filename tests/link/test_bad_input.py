"""What otelobj does with damaged input, full disks, no network, and failures of its own: one message, nothing half made, or a plain link."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT
from toolexec_case import HOOKED, PLAIN, Case, wrapper



@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "app")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for several tests."""
    return tmp_path_factory.mktemp("cache")


# damaged archives: the wrapper puts another file in the place of one package's archive

SWAP = """
cfg = argv[argv.index('-importcfg') + 1]
lines = open(cfg).read().split('\\n')
at = next(i for i, line in enumerate(lines) if line.startswith('packagefile {package}='))
data = open(lines[at].partition('=')[2], 'rb').read()
open({new!r}, 'wb').write({change})
lines[at] = 'packagefile {package}=' + {new!r}
open(cfg, 'w').write('\\n'.join(lines))
"""


def swapped(case: Case, package: str, change: str) -> Path:
    new = case.folder / "damaged.a"
    case.toolexec = wrapper(case.folder, SWAP.format(package=package, new=str(new), change=change))
    return new


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("data[:len(data) // 2]", "truncated"),
        ("data[:40]", ""),
        ("b''", ""),
        ("b'no archive at all' * 99", ""),
        ("data.replace(b'go1.26', b'go1.99')", "go1.99"),
        ("data.replace(b'linux amd64', b'linux arm64')", "arm64"),
        ("data.replace(b'linux amd64', b'plan9 amd64')", "plan9"),
    ],
    ids=["half", "head", "empty", "text", "future", "arch", "system"],
)  # fmt: skip
def test_damaged_archive(case: Case, shared: Path, change: str, word: str) -> None:
    case.env["OTELOBJ_CACHE_DIR"] = str(shared)
    for package in ("runtime", "internal/abi") if word == "arm64" else ("runtime",):
        new = swapped(case, package, change)
        case.refused(case.build(), str(new), word)


def test_a_whole_archive_again(case: Case, shared: Path) -> None:
    case.env["OTELOBJ_CACHE_DIR"] = str(shared)
    assert case.build().returncode == 0 and case.run() == HOOKED


# full disks


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k,mode=1777", "tmpfs", place], capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def enlarge(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def test_full_disk_of_the_cache(case: Case, disk: Path) -> None:
    """At several moments: as the disk grows, more of the work is done before it is full."""
    case.env["OTELOBJ_CACHE_DIR"] = str(disk / "cache")
    for size in ("8k", "200k", "600k", "2m", "8m"):
        enlarge(disk, size)
        case.refused(case.build(), str(disk), "o space left on device", "free some disk space")  # the compiler begins it with a small letter
    done = case.build(OTELOBJ_ON_ERROR="plain")
    assert done.returncode == 0 and "warning: linking without hooks" in done.stderr and "No space left" in done.stderr
    assert case.run() == PLAIN
    enlarge(disk, "200m")
    assert case.build().returncode == 0 and case.run() == HOOKED


FILL = """
with open({disk!r} + '/zeros', 'wb', buffering=0) as zeros:
    try:
        while True: zeros.write(bytes(4096))
    except OSError: pass
"""


def test_full_disk_of_the_work_folder(case: Case, disk: Path) -> None:
    enlarge(disk, "30m")
    case.env["GOTMPDIR"] = str(disk)
    assert case.build().returncode == 0 and case.run() == HOOKED
    (case.folder / "prog").unlink()
    (case.folder / "main.go").write_text((case.folder / "main.go").read_text() + "\nvar other int\n")
    case.toolexec = wrapper(case.folder, FILL.format(disk=str(disk)))
    case.refused(case.build(), "rt.a: No space left on device", "GOTMPDIR")
    assert {path.name for path in disk.iterdir()} == {"zeros"}
    (disk / "zeros").unlink()
    case.toolexec = Case.toolexec
    assert case.build().returncode == 0 and case.run() == HOOKED


def test_full_disk_of_the_output(case: Case, disk: Path) -> None:
    """The linker and the go command say so themselves; nothing of the output stays."""
    assert case.build().returncode == 0
    done = subprocess.run(case.command(output=disk / "prog"), cwd=case.folder, env=case.settings(), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "no space left" in done.stderr and "Traceback" not in done.stderr
    case.toolexec = wrapper(case.folder, f"argv[argv.index('-o') + 1] = {str(disk / 'direct')!r}")
    done = case.build("-a=false", "-ldflags=-s")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert not (disk / "direct").exists()
    case.intact()


# no network


@pytest.mark.parametrize("proxy", ["off", "http://127.0.0.1:1"])
def test_no_network_for_the_first_build(case: Case, proxy: str) -> None:
    (case.folder / "main.go").write_text('package main\n\nimport "net/http"\n\nfunc main() { println(http.MethodGet); http.NewRequest("", "", nil) }\n')
    case.toolexec = str(Case.toolexec).split()[0]
    env = {"OTELOBJ_DISABLE": "", "GOPROXY": proxy, "GOMODCACHE": str(case.folder.parent / "modules"), "GOFLAGS": "-modcacherw"}
    case.refused(case.build(**env), "of the private zone cannot be fetched", "otelobj cache warm")
    done = case.build(OTELOBJ_ON_ERROR="plain", **env)
    assert done.returncode == 0 and "linking without hooks" in done.stderr and case.run() == "GET\n"


# failures that nobody foresaw


def test_a_cache_that_is_no_folder(case: Case) -> None:
    case.env["OTELOBJ_CACHE_DIR"] = str(case.folder / "go.mod")
    done = case.build()
    assert done.returncode == 1 and "go.mod" in done.stderr and "remedy" in done.stderr and "Traceback" not in done.stderr
    assert case.build(OTELOBJ_ON_ERROR="plain").returncode == 0 and case.run() == PLAIN


def test_a_report_that_cannot_be_written(case: Case) -> None:
    place = str(case.folder / "nowhere" / "report.json")
    case.refused(case.build(OTELOBJ_REPORT=place), place)
    done = case.build(OTELOBJ_ON_ERROR="plain", OTELOBJ_REPORT=place)
    assert done.returncode == 0 and place in done.stderr and case.run() == HOOKED


def test_what_failed_once_is_tried_again(case: Case) -> None:
    """A program that was linked plainly is not up to date for the go command once the cause is gone."""
    case.env["OTELOBJ_ON_ERROR"] = "plain"
    cache = case.folder / "file"
    cache.write_text("in the way")
    assert case.build(OTELOBJ_CACHE_DIR=str(cache)).returncode == 0 and case.run() == PLAIN
    cache.unlink()
    assert case.build(OTELOBJ_CACHE_DIR=str(cache)).returncode == 0 and case.run() == HOOKED


BOOM = """
import sys
from objinst.link import main as link
from objinst.__main__ import main
from objinst.errors import OtelobjError
def boom(argv): raise {error}
link.main = boom
sys.exit(main(["--tool", "--rules", "x", *sys.argv[1:]]))
"""


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ("AssertionError('sizes differ')", ", in tool: AssertionError: sizes differ"),
        ("KeyError('x')", "internal error at objinst/__main__.py:"),
        ("RecursionError('deep')", "report it"),
        ("MemoryError()", "out of memory"),
        ("OSError(28, 'No space left on device')", "free some space"),
        ("PermissionError(13, 'Permission denied', '/some/where')", "/some/where: Permission denied"),
        ("OtelobjError('ours', 'do this')", "remedy: do this"),
    ],
)  # fmt: skip
def test_any_exception_is_one_message_or_a_plain_link(tmp_path: Path, error: str, word: str) -> None:
    link = tmp_path / "link"
    link.write_text('#!/bin/sh\necho "$@"\nexit 7\n')
    link.chmod(0o755)
    command = [sys.executable, "-c", BOOM.format(error=error), str(link), "-buildid=a/b/c/d", "main.a"]
    env = {key: value for key, value in os.environ.items() if not key.startswith("OTELOBJ")} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 1 and not done.stdout and done.stderr.startswith("otelobj: ") and word in done.stderr and "Traceback" not in done.stderr
    done = subprocess.run(command, capture_output=True, text=True, env=env | {"OTELOBJ_ON_ERROR": "plain"}, check=False)
    assert done.returncode == 7 and word in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "-buildid=otelobj-plain/a/b/c/d main.a\n"
    done = subprocess.run(command, capture_output=True, text=True, env=env | {"OTELOBJ_TRACEBACK": "1"}, check=False)
    assert done.returncode == 1 and "Traceback" in done.stderr


DEFECT = """
sys.path.insert(0, {root!r})
from objinst.__main__ import main
from objinst.link import rewriter
def hook_function(*_): return {{}}["a key of our own"]
rewriter.hook_function = hook_function
os.environ["PWD"] = os.getcwd()  # as the launcher's sh does
sys.argv = ["__main__.py", "--tool", "--rules", "rules.yaml", *argv]
sys.exit(main(sys.argv[1:]))
"""


def test_a_defect_of_ours_is_called_one(case: Case) -> None:
    """Not damage of the packages: nobody is sent to rebuild them."""
    case.toolexec = wrapper(case.folder, DEFECT.format(root=str(ROOT)))
    done = case.build()
    case.refused(done, "internal error at objinst/link/rewriter.py:", "in Rewriter.rewrite: KeyError: 'a key of our own'", "github.com/otelobj/otelobj/issues")
    assert "`OTELOBJ_TRACEBACK=1 " in done.stderr and " build '-toolexec=" in done.stderr and "rebuild" not in done.stderr and "go clean" not in done.stderr
    done = case.build(OTELOBJ_TRACEBACK="1")
    assert done.returncode and 'KeyError: \'a key of our own\'' in done.stderr and "Traceback" in done.stderr
    assert case.build(OTELOBJ_ON_ERROR="plain").returncode == 0 and case.run() == PLAIN


def test_damage_is_called_damage(case: Case) -> None:
    """A whole object whose types say something else."""
    new = swapped(case, "runtime", "data.replace(b'throwsplit', b'throwsplot')")
    done = case.build()
    case.refused(done, str(new), "has no throwsplit")
    assert "internal error" not in done.stderr


def test_a_damaged_cache_is_made_again(case: Case) -> None:
    """As after a power cut: files that are shorter than they were."""
    assert case.build().returncode == 0
    damaged = [path for path in case.cache.rglob("*") if path.is_file() and path.parts[len(case.cache.parts)] in ("archive", "compiled", "closure", "inlined")]
    assert {path.suffix for path in damaged} >= {".a", ".json"}
    for path in damaged:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (case.folder / "prog").unlink()
    done = case.build("-ldflags=-w")
    assert done.returncode == 0, done.stderr
    assert case.run() == HOOKED
