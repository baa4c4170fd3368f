"""The file of `otelobj cache export`: the same bytes twice, everything back, and nothing of a hostile one in the cache."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from objinst.errors import OtelobjError
from objinst.store import bundle, cache

ONE, TWO = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()
CONTENT = {"pkg.a": b"!<arch>\n" * 400, "src/deep/er/a.go": b"package er\n", "empty": b""}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(folder: Path) -> None:
    for name, data in CONTENT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def entries() -> list[bundle.Entry]:
    for digest in (ONE, TWO):
        cache.folder("compiled", digest, fill)
    return [bundle.Entry.read("compiled", digest) for digest in (TWO, ONE)]


def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "elsewhere"))
    return tmp_path / "elsewhere"


def accept(manifest: object) -> None:
    del manifest


def test_there_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = bundle.write(tmp_path / "x", {"maker": "me"}, entries())
    assert told == hashlib.sha256((tmp_path / "x").read_bytes()).hexdigest()
    place = elsewhere(tmp_path, monkeypatch)
    done = bundle.read(tmp_path / "x", accept)
    assert done.manifest["maker"] == "me" and [entry.digest for entry in done.new] == sorted([ONE, TWO]) and not done.kept
    made = cache.find("compiled", ONE)
    assert made is not None and made.is_relative_to(place)
    assert {name: (made / name).read_bytes() for name in CONTENT} == CONTENT
    assert sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()) == sorted([*CONTENT, cache.RECORD])


def test_the_same_twice_whatever_the_files_times_and_the_processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "CHUNK", 4096)  # or all of it would be one chunk
    chosen = entries()
    bundle.write(tmp_path / "x", {"b": 1, "a": 2}, chosen)
    found = cache.find("compiled", ONE)
    assert found is not None
    os.utime(found / "pkg.a", (1, 1))
    monkeypatch.setattr(type(bundle.host()), "processors", lambda _: 7)
    bundle.write(tmp_path / "y", {"a": 2, "b": 1}, reversed(chosen))
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_what_is_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle.write(tmp_path / "x", {}, entries())
    elsewhere(tmp_path, monkeypatch)
    mine = cache.folder("compiled", ONE, lambda folder: (folder / "mine").write_text("mine"))
    done = bundle.read(tmp_path / "x", accept)
    assert [entry.digest for entry in done.kept] == [ONE] and [entry.digest for entry in done.new] == [TWO]
    assert (mine / "mine").read_text() == "mine" and not (mine / "pkg.a").exists()


def test_what_another_process_makes_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks at the cache."""
    bundle.write(tmp_path / "x", {}, entries())
    elsewhere(tmp_path, monkeypatch)
    find = cache.find
    looks: list[str] = []

    def late(kind: str, digest: str) -> Path | None:
        found = find(kind, digest)
        looks.append(digest)
        if looks.count(ONE) == 1 and digest == ONE:
            cache.folder(kind, digest, lambda folder: (folder / "mine").write_text("mine"))
        return found

    monkeypatch.setattr(cache, "find", late)
    done = bundle.read(tmp_path / "x", accept)
    made = find("compiled", ONE)
    assert made is not None
    assert (made / "mine").read_text() == "mine" and len([*done.new, *done.kept]) == 2
    assert find("compiled", TWO) is not None


def test_the_file_whose_hash_was_compared_is_the_one_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one takes its name in between."""
    digest = bundle.write(tmp_path / "x", {"maker": "me"}, entries())
    bundle.write(tmp_path / "y", {"maker": "other"}, entries())
    elsewhere(tmp_path, monkeypatch)
    hashed = hashlib.file_digest

    def late(file: Any, name: str) -> Any:
        found = hashed(file, name)
        if (tmp_path / "y").exists():
            (tmp_path / "y").replace(tmp_path / "x")
        return found

    monkeypatch.setattr(hashlib, "file_digest", late)
    assert bundle.read(tmp_path / "x", accept, expected=digest).manifest["maker"] == "me"
    with pytest.raises(OtelobjError, match="has the SHA-256"):
        bundle.read(tmp_path / "x", accept, expected=digest)


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, is_hidden: bool) -> None:  # noqa: FBT001
    chosen = entries()
    (tmp_path / "x").write_text("before")
    found = cache.find("compiled", ONE)
    assert found is not None
    before = (found / "pkg.a").stat()
    (found / "pkg.a").write_bytes(bytes(len(CONTENT["pkg.a"])))  # the size is right, the content is not
    if is_hidden:
        os.utime(found / "pkg.a", ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(OtelobjError, match="is damaged"):
        bundle.write(tmp_path / "x", {}, chosen)
    assert (tmp_path / "x").read_text() == "before" and sorted(path.name for path in tmp_path.iterdir()) == ["cache", "x"]


def test_a_tar_reads_it(tmp_path: Path) -> None:
    """People can look into it with the tools they have."""
    bundle.write(tmp_path / "x", {}, entries())
    with tarfile.open(tmp_path / "x", "r:xz") as tar:
        assert tar.getnames()[:2] == ["manifest.json", f"compiled/{min(ONE, TWO)}/empty"]
        assert all(member.isreg() and member.mode == 0o644 and not (member.mtime or member.uid or member.uname) for member in tar)


# hostile files


def member(name: str, data: bytes, kind: bytes = tarfile.REGTYPE, form: int = tarfile.USTAR_FORMAT, size: int | None = None) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(data) if size is None else size, "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    return info.tobuf(form) + data + bytes(-len(data) % 512)


def packed(manifest: object, *members: bytes, end: bytes = bytes(1024)) -> bytes:
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return lzma.compress(b"".join([member(bundle.MANIFEST, text), *members, end]), preset=0)


def listing(*files: tuple[str, bytes], kind: str = "compiled", digest: str = ONE, **more: Any) -> dict[str, Any]:
    listed = [[name, len(data), hashlib.sha256(data).hexdigest()] for name, data in files]
    return {"format": 1, "entries": [{"kind": kind, "digest": digest, "files": listed}], **more}


A = ("a", b"aaa")
FULL = f"compiled/{ONE}/a"
GOOD = listing(A)


def with_file(*file: Any) -> dict[str, Any]:
    return {"format": 1, "entries": [{"kind": "compiled", "digest": ONE, "files": [list(file)]}]}


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no xz": (lambda: b"PK\3\4" + bytes(100), "no xz file"),
    "nothing": (lambda: b"", "no xz file|ends too early"),
    "cut off": (lambda: packed(GOOD, member(FULL, os.urandom(9000)))[:200], "ends too early"),
    "no tar": (lambda: lzma.compress(b"x" * 2000), "no tar archive"),
    "no manifest": (lambda: lzma.compress(member(FULL, b"aaa") + bytes(1024)), "not with a manifest"),
    "manifest is no JSON": (lambda: packed(b"{"), "makes no sense"),
    "manifest nests": (lambda: packed(b"[" * 200_000), "makes no sense"),
    "manifest is too large": (lambda: lzma.compress(member(bundle.MANIFEST, b"", size=bundle.MOST_MANIFEST + 1)), "not with a manifest"),
    "manifest is a list": (lambda: packed([]), "format"),
    "format of the future": (lambda: packed({"format": 2, "entries": []}), "format 2"),
    "entries are none": (lambda: packed({"format": 1, "entries": {}}), "no list of entries"),
    "an entry more": (lambda: packed({"format": 1, "entries": [{**GOOD["entries"][0], "mode": 7}]}), "an entry that is none"),
    "unknown kind": (lambda: packed(listing(A, kind="toolchains"), member(f"toolchains/{ONE}/a", b"aaa")), "unknown kind"),
    "kind is a list": (lambda: packed(listing(A, kind=["compiled"])), "unknown kind"),  # type: ignore[arg-type]
    "kind leads elsewhere": (lambda: packed(listing(A, kind="../compiled")), "unknown kind"),
    "digest leads elsewhere": (lambda: packed(listing(A, digest="../../" + "a" * 58)), "digest"),
    "digest in capitals": (lambda: packed(listing(A, digest=ONE.upper())), "digest"),
    "absolute": (lambda: packed(listing(("/etc/cron.d/x", b"aaa"))), "leads elsewhere"),
    "upwards": (lambda: packed(listing(("../x", b"aaa"))), "leads elsewhere"),
    "upwards later": (lambda: packed(listing(("a/../../x", b"aaa"))), "leads elsewhere"),
    "not plain": (lambda: packed(listing(("a//b", b"aaa"))), "leads elsewhere"),
    "a newline": (lambda: packed(listing(("a\nb", b"aaa"))), "leads elsewhere"),
    "the cache's record": (lambda: packed(listing((cache.RECORD, b"aaa"))), "leads elsewhere"),
    "no name": (lambda: packed(listing(("", b"aaa"))), "leads elsewhere"),
    "negative size": (lambda: packed(with_file("a", -1, ONE)), "size"),
    "size is a fraction": (lambda: packed(with_file("a", 1.5, ONE)), "size"),
    "size is true": (lambda: packed(with_file("a", True, ONE)), "size"),  # noqa: FBT003
    "hash that is none": (lambda: packed(with_file("a", 3, "x" * 64)), "hash that is none"),
    "two of one name": (lambda: packed(listing(A, A)), "two of one name"),
    "no files": (lambda: packed(listing()), "without files"),
    "the same entry twice": (lambda: packed({"format": 1, "entries": GOOD["entries"] * 2}), "twice"),
    "bomb that is announced": (lambda: packed(with_file("a", 1 << 50, ONE)), "the limit is"),
    "bomb that is not": (lambda: packed(GOOD, member(FULL, bytes(50 << 20))), "should"),
    "bomb after the end": (lambda: packed(GOOD, member(FULL, b"aaa"), bytes(50 << 20)), "more is in it"),
    "another stream after the end": (lambda: packed(GOOD, member(FULL, b"aaa")) + lzma.compress(b"x"), "more is in it"),
    "decompressor that wants more memory": (lambda: lzma.compress(member(bundle.MANIFEST, b"{}"), filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2 * bundle.MEMORY}]), "no xz file"),
    "symbolic link": (lambda: packed(GOOD, member(FULL, b"", tarfile.SYMTYPE)), "no regular file"),
    "hard link": (lambda: packed(GOOD, member(FULL, b"", tarfile.LNKTYPE)), "no regular file"),
    "device": (lambda: packed(GOOD, member(FULL, b"", tarfile.CHRTYPE)), "no regular file"),
    "folder": (lambda: packed(GOOD, member(FULL, b"", tarfile.DIRTYPE)), "no regular file"),
    "sparse file": (lambda: packed(GOOD, member(FULL, b"aaa", tarfile.GNUTYPE_SPARSE)), "no regular file"),
    "extended header": (lambda: packed(GOOD, member("x" * 200, b"aaa", form=tarfile.PAX_FORMAT)), "no regular file"),
    "long name of GNU": (lambda: packed(GOOD, member("x" * 200, b"aaa", form=tarfile.GNU_FORMAT)), "no regular file"),
    "another name": (lambda: packed(GOOD, member("/etc/passwd", b"aaa")), "should"),
    "another size": (lambda: packed(GOOD, member(FULL, b"aaaa")), "should"),
    "another content": (lambda: packed(GOOD, member(FULL, b"aab")), "has not the hash"),
    "missing": (lambda: packed(GOOD), "no tar archive"),
    "padding with content": (lambda: packed(GOOD, member(FULL, b"aaa")[:-1] + b"x"), "padding"),
    "end with content": (lambda: packed(GOOD, member(FULL, b"aaa"), end=bytes(1000) + b"x" * 24), "more is in it"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_leaves_nothing(place: Path, tmp_path: Path, name: str) -> None:
    make, said = HOSTILE[name]
    (tmp_path / "x").write_bytes(make())
    with pytest.raises(OtelobjError, match=said) as caught:
        bundle.read(tmp_path / "x", accept, most=10 << 20)
    assert str(tmp_path / "x") in caught.value.what and caught.value.remedy
    after_its_end = name.startswith(("bomb after", "another stream", "end with"))  # the entry was complete by then, as announced
    assert cache.has("compiled", ONE) == after_its_end
    left = [path for path in place.rglob("*") if path.is_file() and path.name != "CACHEDIR.TAG"]
    assert after_its_end or left == []
    assert sorted(path.name for path in tmp_path.iterdir()) in (["cache", "x"], ["x"])


def test_the_good_one_among_them(tmp_path: Path) -> None:
    """What the hostile ones are made of is taken, so that each is refused for what is wrong with it."""
    (tmp_path / "x").write_bytes(packed(GOOD, member(FULL, b"aaa")))
    made = bundle.read(tmp_path / "x", accept, most=10 << 20).new
    assert [entry.files for entry in made] == [(("a", 3, hashlib.sha256(b"aaa").hexdigest()),)]
    found = cache.find("compiled", ONE)
    assert found is not None
    assert (found / "a").read_bytes() == b"aaa" and not stat.S_IMODE(found.stat().st_mode) & 0o7022


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    whole = packed(GOOD, member(FULL, b"aaa"))
    for end in range(0, len(whole), 7):
        (tmp_path / "x").write_bytes(whole[:end])
        with pytest.raises(OtelobjError):
            bundle.read(tmp_path / "x", accept)


def test_every_flipped_bit_is_noticed_or_harmless(tmp_path: Path) -> None:
    """Whatever is imported is what the hash in the manifest says; the manifest itself is covered by xz's own check."""
    whole = bytearray(packed(GOOD, member(FULL, b"aaa")))
    for at in range(0, len(whole), 5):
        whole[at] ^= 0x10
        (tmp_path / "x").write_bytes(whole)
        with pytest.raises(OtelobjError):
            bundle.read(tmp_path / "x", accept)
        whole[at] ^= 0x10


def test_the_manifest_is_looked_at_before_anything_is_written(place: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(packed({**GOOD, "otelobj": "9"}, member(FULL, b"aaa")))

    def refuse(manifest: Any) -> None:
        raise OtelobjError(f"made by {manifest['otelobj']}", "no")

    with pytest.raises(OtelobjError, match="made by 9"):
        bundle.read(tmp_path / "x", refuse)
    assert not place.exists()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OtelobjError, match="No such file") as caught:
        bundle.read(tmp_path / "nowhere", accept)
    assert caught.value.remedy
    with pytest.raises(OtelobjError, match="No such file|cannot be written"):
        bundle.write(tmp_path / "no" / "x", {}, [])
