"""Module zips: those that Go's own hash refuses are refused, damaged ones get a remedy, and what is compiled is what was hashed. No Go here."""

from __future__ import annotations

import base64
import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from objinst.errors import OtelobjError
from objinst.hookpkgs import sources
from objinst.hookpkgs.pins import Pin

PREFIX = "m.com/m@v1.0.0/"
CONTENT = [("a.go", b"package m\n" * 50), ("go.mod", b"module m.com/m\n\ngo 1.23\n"), ("sub/b.go", b"package sub\n" * 50)]


def written(path: Path, members: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> Pin:
    """A zip of these members, and a pin that fits it: its hash as dirhash.Hash1 would compute it, were no name refused."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    lines = sorted((name, hashlib.sha256(data).hexdigest()) for name, data in members)
    digest = hashlib.sha256("".join(f"{found}  {name}\n" for name, found in lines).encode()).digest()
    return Pin("m.com/m", "v1.0.0", "h1:" + base64.b64encode(digest).decode())


def good(path: Path, method: int = zipfile.ZIP_DEFLATED) -> Pin:
    return written(path, [(PREFIX + name, data) for name, data in CONTENT], method)


def test_a_good_one(tmp_path: Path) -> None:
    module = sources._Module.read(good(tmp_path / "m.zip"), tmp_path / "m.zip")
    assert list(module.files) == ["a.go", "go.mod", "sub/b.go"] and module.language == "1.23"
    module.extract(["sub/b.go"], tmp_path / "out")
    assert (tmp_path / "out/sub/b.go").read_bytes() == CONTENT[2][1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (f"{PREFIX}x.go\n{'0' * 64}  {PREFIX}y.go", "is not the name of"),  # with which one list of hashes could stand for two trees
        (f"{PREFIX}x\r.go", "is not the name of"),
        (f"{PREFIX}x\x7f.go", "is not the name of"),
        ("m.com/m@v1.0.1/x.go", "is not the name of"),
        ("x.go", "is not the name of"),
    ],
)
def test_names_that_no_module_has(tmp_path: Path, name: str, said: str) -> None:
    pin = written(tmp_path / "m.zip", [*((PREFIX + short, data) for short, data in CONTENT), (name, b"package x\n")])
    with pytest.raises(OtelobjError, match=said) as caught:
        sources._Module.read(pin, tmp_path / "m.zip")
    assert "modcache" in caught.value.remedy


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice(tmp_path: Path) -> None:
    pin = written(tmp_path / "m.zip", [(f"{PREFIX}a.go", b"package m\n")] * 2)
    with pytest.raises(OtelobjError, match="a.go is there twice"):
        sources._Module.read(pin, tmp_path / "m.zip")


def test_damage_is_noticed_with_a_remedy(tmp_path: Path) -> None:
    """Whatever zipfile raises for it. A flip that changes no name and no content, in a date say, is none to Go's hash either."""
    said = set()
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        pin = good(tmp_path / "m.zip", method)
        module = sources._Module.read(pin, tmp_path / "m.zip")
        whole = (tmp_path / "m.zip").read_bytes()
        entry = whole.index(b"PK\1\2")  # of a.go, in the directory: at 8 its flags, at 10 the compression, at 20 the sizes
        edits = {8: b"\1", 10: b"\1", 20: b"\0\0\1\0" * 2} | {at - entry: bytes([whole[at] ^ 1]) for at in range(0, len(whole), 7)}
        damaged = [whole[:-100], *(whole[: entry + at] + data + whole[entry + at + len(data) :] for at, data in edits.items())]
        for data in damaged:
            (tmp_path / "m.zip").write_bytes(data)
            for attempt in (lambda: sources._Module.read(pin, tmp_path / "m.zip"), lambda: module.extract(["a.go", "sub/b.go"], tmp_path / "out")):  # noqa: B023
                try:
                    attempt()
                except OtelobjError as error:
                    said.add(type(error.__cause__))
                    assert error.remedy == sources.DAMAGED and str(tmp_path / "m.zip") in error.what
    assert {zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError} <= said


def test_what_is_taken_is_what_was_hashed(tmp_path: Path) -> None:
    """Somebody replaces the zip between the two looks at it."""
    module = sources._Module.read(good(tmp_path / "m.zip"), tmp_path / "m.zip")
    written(tmp_path / "m.zip", [(PREFIX + name, data.replace(b"package sub", b"package bad")) for name, data in CONTENT])
    with pytest.raises(OtelobjError, match="sub/b.go has changed"):
        module.extract(["a.go", "sub/b.go"], tmp_path / "out")
    assert not (tmp_path / "out/sub/b.go").exists()
    (tmp_path / "m.zip").unlink()
    with pytest.raises(OtelobjError, match=r"m\.zip"):
        module.extract(["a.go"], tmp_path / "out")
