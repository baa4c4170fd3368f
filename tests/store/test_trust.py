"""Whom the cache trusts: its own user. What lies there is linked into programs and run."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import LAUNCHER, ROOT
from toolexec_case import HOOKED, Case

from objinst import paths
from objinst.hookpkgs import memory
from objinst.store import cache, root as cache_root
from objinst.errors import OtelobjError, UsageError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="other users' folders can only be made by root")
NOBODY = 65534


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    for name in ("OTELOBJ_SHARED_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    cache_root._root.cache_clear()
    return tmp_path / "cache"


def private(tmp_path):
    return tmp_path / "tmp" / f"otelobj-{os.geteuid()}"


def made(content="x", digest="abcd"):
    return cache.folder("archive", digest, lambda folder: (folder / "f").write_text(content))


def test_it_is_made_for_this_user_alone_and_marked(place):
    old = os.umask(0)
    try:
        entry = made()
    finally:
        os.umask(old)
    assert place.stat().st_mode & 0o777 == 0o700
    assert entry.is_relative_to(place)
    assert (place / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert cache.is_ours()


def test_nobody_else_can_write_what_is_made_without_a_umask(place):
    """Or the next process would pass over a cache of its own."""
    old = os.umask(0)
    try:
        made()
        with cache.in_use(), cache.lock("x"):
            memory.add(place / "closure" / "x.json", {})
        cache_root.make_folder(place / "go" / "build", 0o700)
    finally:
        os.umask(old)
    assert [path for path in place.rglob("*") if path.lstat().st_mode & 0o022 and (path.is_dir() or place / "archive" in path.parents)] == []
    assert (place / "go").stat().st_mode & 0o777 == 0o700
    assert cache_root.distrust(place) == ""


def test_users_who_may_read_the_folder_may_read_its_entries(place):
    place.mkdir(mode=0o700)
    place.chmod(0o755)
    old = os.umask(0o022)
    try:
        entry = made()
    finally:
        os.umask(old)
    assert {path.stat().st_mode & 0o777 for path in (entry, *entry.parents) if place in path.parents} == {0o755}
    assert {path.stat().st_mode & 0o777 for path in entry.iterdir()} == {0o644}


@AS_ROOT
def test_a_folder_of_another_user_is_passed_over(place, tmp_path, capsys):
    place.mkdir()
    os.chown(place, NOBODY, NOBODY)
    entry = made()
    assert entry.is_relative_to(private(tmp_path))
    assert private(tmp_path).stat().st_mode & 0o777 == 0o700
    assert list(place.iterdir()) == []
    made(digest="abce")
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("mode", [0o777, 0o770 if os.geteuid() else 0o707])
def test_a_folder_that_others_can_write_is_passed_over(place, tmp_path, capsys, mode):
    place.mkdir()
    place.chmod(mode)
    assert made().is_relative_to(private(tmp_path))
    assert "others can write it" in capsys.readouterr().err


def test_a_folder_below_one_that_others_can_write_is_passed_over(place, tmp_path, monkeypatch, capsys):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "open" / "cache"))
    assert made().is_relative_to(private(tmp_path))
    assert "others can replace it" in capsys.readouterr().err
    (tmp_path / "open").chmod(0o1777)
    cache_root._root.cache_clear()
    assert made().is_relative_to(tmp_path / "open" / "cache")


@AS_ROOT
def test_the_private_folder_is_not_taken_from_others(place, tmp_path, monkeypatch):
    place.mkdir()
    place.chmod(0o777)
    private(tmp_path).mkdir()
    os.chown(private(tmp_path), NOBODY, NOBODY)
    entry = made()
    assert not entry.is_relative_to(private(tmp_path))
    assert not entry.is_relative_to(place)
    private(tmp_path).rmdir()
    (tmp_path / "elsewhere").mkdir()
    private(tmp_path).symlink_to(tmp_path / "elsewhere")
    cache_root._root.cache_clear()
    assert not made(digest="abce").resolve().is_relative_to(tmp_path / "elsewhere")


@pytest.mark.parametrize("name", ["OTELOBJ_CACHE_DIR", "OTELOBJ_SHARED_CACHE"])
def test_a_relative_folder_is_one_clear_error(name, monkeypatch, tmp_path):
    monkeypatch.setenv(name, "here/cache")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"{name}=here/cache is relative"):
        made()
    assert not (tmp_path / "here").exists()


def test_without_a_home_a_temporary_folder_is_used(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("OTELOBJ_CACHE_DIR")
    monkeypatch.setenv("HOME", "")
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError()))
    assert made().is_relative_to(private(tmp_path))
    assert "no home folder" in capsys.readouterr().err


def test_a_home_that_cannot_be_written(tmp_path):
    """As somebody else than root, whom no permission stops."""
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir(mode=0o555)
    other.mkdir(mode=0o777)
    other.chmod(0o1777)
    code = "from objinst.store import cache; print(cache.folder('archive', 'abcd', lambda f: (f / 'x').touch()))"
    demote = (lambda: (os.setgid(NOBODY), os.setuid(NOBODY))) if os.geteuid() == 0 else None
    for path in (tmp_path, *tmp_path.parents):
        if os.geteuid() == 0 and path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o011)
    python = shutil.which("python3", path="/usr/bin") or sys.executable
    if os.geteuid() == 0 and not os.access("/usr/bin/python3", os.X_OK):
        pytest.skip("no Python that another user may run")
    copy = tmp_path / "code"
    shutil.copytree(ROOT / "objinst", copy / "objinst", ignore=shutil.ignore_patterns("__pycache__"))
    environ = {"HOME": str(home), "TMPDIR": str(other), "PATH": os.environ["PATH"], "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([python, "-c", code], env=environ, capture_output=True, text=True, preexec_fn=demote, check=False)
    if "SyntaxError" in done.stderr or "ImportError" in done.stderr or "hashlib" in done.stderr:
        pytest.skip(f"the system's Python is too old: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(other))
    assert "cannot be written" in done.stderr
    assert list(home.iterdir()) == []


# entries


def test_a_changed_entry_is_made_again(place):
    entry = made("one")
    stat = (entry / "f").stat()
    (entry / "f").write_text("two")
    assert not cache.has("archive", "abcd")
    os.utime(entry / "f", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (made("one") / "f").read_text() == "two"  # own entries by size and time


def test_a_copy_is_known_by_its_content(place, tmp_path, monkeypatch):
    made("one")
    shutil.copytree(place, tmp_path / "copy", copy_function=shutil.copyfile)
    (tmp_path / "copy").chmod(0o700)
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "copy"))
    assert (cache.folder("archive", "abcd", lambda _: pytest.fail("it is there")) / "f").read_text() == "one"
    cache_root._make.cache_clear()
    cache._has_content.cache_clear()
    assert cache.has("archive", "abcd")
    (tmp_path / "copy" / "archive" / "ab" / "abcd" / "f").write_text("two")
    assert not cache.has("archive", "abcd")


def test_links_are_no_files_of_an_entry(place, tmp_path):
    entry = made("one")
    (tmp_path / "other").write_text("one")
    shutil.copystat(entry / "f", tmp_path / "other")
    (entry / "f").unlink()
    (entry / "f").symlink_to(tmp_path / "other")
    assert not cache.has("archive", "abcd")


@AS_ROOT
@pytest.mark.parametrize("content", ["one", "two"])
def test_entries_of_others_are_known_by_their_content(place, tmp_path, monkeypatch, content):
    entry = made("one")
    stat = (entry / "f").stat()
    (entry / "f").write_text(content)
    os.utime(entry / "f", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.chown(entry / "f", NOBODY, NOBODY)
    assert not cache.has("archive", "abcd")  # nobody else puts anything into this user's own
    place.rename(tmp_path / "shared")
    cache_root._make.cache_clear()
    monkeypatch.setenv("OTELOBJ_SHARED_CACHE", str(tmp_path / "shared"))
    assert cache.has("archive", "abcd") is (content == "one")


@AS_ROOT
@pytest.mark.parametrize("kind", ["archive", "closure", "toolchains"])
def test_kinds_that_others_can_write_are_not_trusted(place, tmp_path, kind):
    made()
    (place / kind).mkdir(exist_ok=True)
    (place / kind).chmod(0o777)
    cache_root._root.cache_clear()
    assert cache.root() == private(tmp_path)
    (place / kind).chmod(0o700)
    os.chown(place / kind, NOBODY, NOBODY)
    cache_root._root.cache_clear()
    assert cache.root() == private(tmp_path)


@AS_ROOT
def test_owners_of_folders_above_are_not_trusted(place, tmp_path, monkeypatch):
    theirs = tmp_path / "theirs"
    (theirs / "mine").mkdir(parents=True)
    os.chown(theirs, NOBODY, NOBODY)
    (theirs / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("mine", "link"):
        monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(theirs / name / "cache"))
        cache_root._root.cache_clear()
        assert cache.root() == private(tmp_path)


@pytest.mark.parametrize("content", ["", "1 2 3", "3 1 abc f\n"])
def test_a_record_that_was_cut_off_is_none(place, content):
    entry = made("one")
    (entry / cache.RECORD).write_text(content)
    assert not cache.has("archive", "abcd")
    made("one")
    assert cache.has("archive", "abcd")


def test_a_folder_of_the_users_with_a_name_of_ours_is_not_marked(place):
    (place / "go" / "src").mkdir(parents=True)
    place.chmod(0o700)
    made()
    assert not cache.is_ours()


def other_user(monkeypatch, own: Path, shared: Path | None) -> None:
    """Whose cache is `own`, from here on."""
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(own))
    if shared:
        monkeypatch.setenv("OTELOBJ_SHARED_CACHE", str(shared))
    else:
        monkeypatch.delenv("OTELOBJ_SHARED_CACHE", raising=False)


def test_the_owner_of_a_shared_cache_does_not_trim_it_while_others_read(place, tmp_path, monkeypatch):
    with cache.in_use():
        entry = made()
    other_user(monkeypatch, tmp_path / "mine", place)
    with cache.in_use():
        assert made() == entry
        other_user(monkeypatch, place, None)
        with cache.in_use():  # the owner's own links do not wait
            assert cache.trim(0) == 0
        assert cache.trim(0) == 0
        assert (entry / "f").read_text() == "x"
    assert cache.trim(0) > 0
    assert not entry.exists()


def test_readers_that_take_the_lock_for_themselves_stop_nobody(place, tmp_path, monkeypatch):
    with cache.in_use():
        made()
    monkeypatch.setattr(cache, "READERS_WAIT", 0)
    with (place / "locks" / "readers.lock").open("rb") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        with cache.in_use():
            assert cache.has("archive", "abcd")
        other_user(monkeypatch, tmp_path / "mine", place)
        with cache.in_use():
            assert not cache.has("archive", "abcd"), "it may go at any time"
            assert made("y").is_relative_to(tmp_path / "mine")
    with cache.in_use():
        assert cache.has("archive", "abcd")


def test_the_lock_of_readers_can_be_read(place):
    old = os.umask(0o022)
    try:
        with cache.in_use():
            pass
    finally:
        os.umask(old)
    assert (place / "locks" / "readers.lock").stat().st_mode & 0o777 == 0o644
    assert (place / "locks" / "cache.lock").stat().st_mode & 0o777 == 0o600


def test_temporary_files_are_never_put_into_the_current_folder(tmp_path, monkeypatch, capsys):
    """Where tempfile finds no other, it takes that: a user's own."""
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.chdir(mine)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: [str(tmp_path / "none"), str(mine)])
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    monkeypatch.delenv("OTELOBJ_CACHE_DIR")
    cache_root._root.cache_clear()
    monkeypatch.setattr(cache_root, "_unwritable", lambda _: "it cannot be written")
    with pytest.raises(OtelobjError, match="no folder for temporary files"):
        made()
    with pytest.raises(OtelobjError, match="no folder for temporary files"), paths.scratch_anywhere():
        pass
    assert list(mine.iterdir()) == []
    monkeypatch.setenv("TMPDIR", str(mine))  # as the user wants it
    with paths.scratch_anywhere() as folder:
        assert folder.parent == mine


def test_a_shared_cache_is_read_and_never_written(place, tmp_path, monkeypatch):
    made("one")
    shared = tmp_path / "shared"
    place.rename(shared)
    cache_root._make.cache_clear()
    os.utime(shared / "archive" / "ab" / "abcd" / "f", (1, 1))  # as copies have it

    def state(path):
        found = path.lstat()
        return path, found.st_ino, found.st_mtime_ns

    before = sorted(map(state, shared.rglob("*")))
    monkeypatch.setenv("OTELOBJ_SHARED_CACHE", f"{tmp_path / 'not there'}:{shared}")
    assert cache.folder("archive", "abcd", lambda _: pytest.fail("it is there")).is_relative_to(shared)
    assert made("new", "abce").is_relative_to(place)
    assert sorted(map(state, shared.rglob("*"))) == before
    (shared / "archive" / "ab" / "abcd" / "f").unlink()
    assert made("one").is_relative_to(place)
    assert cache.trim(0) > 0
    assert sorted(shared.rglob("*")) == [path for path, _, _ in before if path.name != "f"]


# removal


def test_nothing_is_removed_from_a_folder_that_is_not_marked(place, tmp_path):
    place.mkdir(mode=0o700)
    (place / "thesis.tex").write_text("years")
    (place / "archive").mkdir()
    (place / "archive" / "mine").write_text("x")
    made()
    assert not cache.is_ours()
    assert cache.trim(0) == 0
    done = subprocess.run([LAUNCHER, "cache", "clean"], env=os.environ | {"OTELOBJ_CACHE_DIR": str(place)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "CACHEDIR.TAG" in done.stderr
    assert (place / "thesis.tex").exists() and (place / "archive" / "mine").exists()


def test_a_cache_without_a_mark_that_holds_nothing_else_is_marked(place):
    (place / "toolchains").mkdir(parents=True)
    place.chmod(0o700)
    made()
    assert cache.is_ours()


def test_trimming_leaves_unknown_kinds(place):
    made()
    (place / "other" / "ab" / "abcd").mkdir(parents=True)
    (place / "other" / "ab" / "abcd" / cache.RECORD).write_text("")
    assert cache.trim(0) > 0
    assert (place / "other" / "ab" / "abcd" / cache.RECORD).exists()


# locks


def test_locks_are_not_opened_through_links(place, tmp_path):
    (place / "locks").mkdir(parents=True)
    place.chmod(0o700)
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (place / "locks" / "x.lock").symlink_to(precious)
    with pytest.raises(OtelobjError), cache.lock("x"):
        pass
    (place / "locks" / "y.lock").write_text("kept")
    with cache.lock("y"):
        pass
    assert (precious.read_text(), (place / "locks" / "y.lock").read_text()) == ("precious", "kept")


# the launcher


def test_nothing_of_the_cache_is_run(tmp_path):
    """Whatever lies where the launcher looks for the linker's identity, none of it is executed."""
    case = Case(tmp_path / "m")
    assert case.build().returncode == 0
    trap = tmp_path / "sprung"
    memory = case.cache / "version" / str(case.folder)[1:] / ".line"
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(f"touch {trap}\nknown=$signature; answer=$(touch {trap}); touch {trap}\n")
    (case.folder / "prog").unlink()
    assert case.build().returncode == 0
    assert case.run() == HOOKED
    assert not trap.exists()
