"""The cache's folders and locks: whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from objinst import cache
from objinst.errors import OtelobjError

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def leftovers(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file() or path.name.startswith(".new-")]


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

    assert [path.name for path in cache.folder("kind", "abcd", make).iterdir()] == ["theirs"]


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "file"))
    for attempt in (lambda: cache.folder("kind", "abcd", lambda _: None), lambda: cache.lock("x").__enter__()):
        with pytest.raises(OtelobjError) as caught:
            attempt()
        assert "OTELOBJ_CACHE_DIR" in caught.value.remedy


COUNT = """
import sys, time
from pathlib import Path
from objinst import cache
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
