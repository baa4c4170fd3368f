"""The cache's folders and locks: whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from objinst.store import cache
from objinst.errors import OtelobjError, UsageError
from places import ROOT



@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def leftovers(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.name != "CACHEDIR.TAG" and (path.is_file() or path.name.startswith(".new-"))]


def test_made_once(place: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "x").write_text("x")

    first = cache.folder("kind", "abcd", make)
    assert cache.folder("kind", "abcd", make) == first and len(made) == 1
    assert (first / "x").read_text() == "x" and first.is_relative_to(place)


@pytest.mark.parametrize(("error", "raised"), [(OSError(errno.ENOSPC, "No space left on device"), OtelobjError), (KeyboardInterrupt(), KeyboardInterrupt)])
def test_nothing_half_made(place: Path, error: BaseException, raised: type[BaseException]) -> None:
    def make(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise error

    with pytest.raises(raised) as caught:
        cache.folder("kind", "abcd", make)
    assert leftovers(place) == []
    if raised is OtelobjError:
        assert "No space left" in str(caught.value) and "OTELOBJ_CACHE_DIR" in caught.value.remedy
    (cache.folder("kind", "abcd", lambda folder: (folder / "whole").touch()) / "whole").stat()


def test_another_process_was_faster(place: Path) -> None:
    def make(folder: Path) -> None:
        if not (place / "kind" / "ab" / "abcd").exists():
            cache.folder("kind", "abcd", lambda other: (other / "theirs").touch())
        (folder / "ours").touch()

    assert [path.name for path in cache.folder("kind", "abcd", make).iterdir() if path.name != cache.RECORD] == ["theirs"]


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"ab"), lambda path: path.unlink(), lambda path: (path.parent / cache.RECORD).write_text("x")])
def test_what_is_not_whole_is_made_again(damage) -> None:
    def make(folder: Path) -> None:
        (folder / "sub").mkdir()
        (folder / "sub" / "x").write_text("whole")
        (folder / "y").write_text("whole")

    first = cache.folder("archive", "abcd", make)
    damage(first / "y")
    assert not cache.is_whole(first / "y")
    assert (cache.folder("archive", "abcd", make) / "y").read_text() == "whole" and cache.is_whole(first / "y")


# the bound


def entry(name: str, age: float, size: int = 1000, kind: str = "archive") -> Path:
    """age: seconds since the last use."""
    made = cache.folder(kind, name, lambda folder: (folder / "x").write_bytes(bytes(size)))
    then = made.stat().st_mtime - age
    os.utime(made, (then, then))
    return made


def test_the_longest_unused_goes_first(place: Path) -> None:
    kinds = ("archive", "compiled", "inlined", "hooks")
    made = [entry(f"{number:04}", age=1000 - number, kind=kinds[number % 4]) for number in range(10)]
    (place / "toolchains").mkdir()
    (place / "toolchains" / "go").write_bytes(bytes(10**6))
    cache.folder("archive", "0000", lambda _: pytest.fail("it is there"))  # used again: now the newest
    total = sum(path.stat().st_size for path in place.rglob("*") if path.is_file() and "toolchains" not in path.parts and path.name != "CACHEDIR.TAG")
    assert cache.trim(total) == 0 and all(path.exists() for path in made)
    assert cache.trim(total - 1) > 0
    gone = [number for number, path in enumerate(made) if not path.exists()]
    assert gone == [1, 2, 3]  # the first time that less than four fifths are left
    assert cache.trim(0) > 0 and not any(path.exists() for path in made) and (place / "toolchains" / "go").exists()


def test_what_a_killed_process_left_goes(place: Path) -> None:
    kept = entry("abcd", age=0)
    left = kept.parent / ".new-x"
    left.mkdir()
    cache.trim(None)
    assert kept.exists() and not left.exists()


HOLD = """
import sys
from objinst.store import cache
with cache.in_use():
    print("holding", flush=True)
    sys.stdin.read()
"""


def test_nothing_is_removed_while_a_link_runs(place: Path) -> None:
    made = entry("abcd", age=5)
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "holding\n"
        assert cache.trim(0) == 0 and made.exists()
        with cache.in_use():  # links do not wait for each other
            pass
        other.stdin.close()
    assert cache.trim(0) > 0 and not made.exists()


def test_a_link_trims_what_it_added_to(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = entry("aaaa", age=5)
    monkeypatch.setattr(cache, "_made", set())
    monkeypatch.setenv("OTELOBJ_CACHE_SIZE", "1.5K")
    with cache.in_use():
        pass
    assert old.exists()  # nothing was added
    with cache.in_use():
        new = entry("bbbb", age=0)
    assert new.exists() and not old.exists()


@pytest.mark.parametrize(("text", "size"), [("", 5 * 10**9), ("500M", 500 * 10**6), ("1.5 gb", 15 * 10**8), ("0", 0), ("off", None)])
def test_sizes(text: str, size: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTELOBJ_CACHE_SIZE", text)
    assert cache.bound() == size


def test_no_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTELOBJ_CACHE_SIZE", "plenty")
    with pytest.raises(UsageError, match="OTELOBJ_CACHE_SIZE=plenty"), cache.in_use():
        pass


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "file"))
    for attempt in (lambda: cache.folder("kind", "abcd", lambda _: None), lambda: cache.lock("x").__enter__()):
        with pytest.raises(OtelobjError) as caught:
            attempt()
        assert "OTELOBJ_CACHE_DIR" in caught.value.remedy


def test_a_lock_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(ValueError, match=r"\.\./x"), cache.lock("../../x"):
        pass
    assert not list(tmp_path.iterdir())


COUNT = """
import sys, time
from pathlib import Path
from objinst.store import cache
counter = Path(sys.argv[1])
for _ in range(20):
    with cache.lock("count"):
        value = int(counter.read_text())
        time.sleep(0.002)
        counter.write_text(str(value + 1))
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    running = [subprocess.Popen([sys.executable, "-c", COUNT, counter], cwd=ROOT) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert counter.read_text() == "60"
