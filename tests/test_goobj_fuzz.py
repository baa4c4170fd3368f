"""Damaged archives and objects raise OtelobjError and nothing else, and a rewrite of what still parses is verified or refused.

OTELOBJ_FUZZ_PARSES and OTELOBJ_FUZZ_REWRITES set the counts (defaults 400 and 40; the long mode's are a million and 20,000).
"""

from __future__ import annotations

import os
import random

import pytest
import toolchains

from objinst.archive import Archive
from objinst.errors import OtelobjError
from objinst.goobj import STATIC_ABI, Edit, Object, verify
from objinst.plan.judge import read_function

PARSES = int(os.environ.get("OTELOBJ_FUZZ_PARSES", "400"))
REWRITES = int(os.environ.get("OTELOBJ_FUZZ_REWRITES", "40"))
SAMPLES = ("sync", "errors", "unicode/utf8", "container/list")


def damaged(data: bytes, rng: random.Random) -> bytes:
    """One of: flipped bits, a truncation, two blocks swapped, a word set to an extreme, a part doubled."""
    raw = bytearray(data)
    kind = rng.randrange(5)
    if kind == 0:
        for _ in range(rng.randrange(1, 9)):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del raw[rng.randrange(len(raw)) :]
    elif kind == 2:
        size = rng.randrange(1, len(raw) // 4)
        a, b = sorted(rng.sample(range(len(raw) - size), 2))
        raw[a : a + size], raw[b : b + size] = raw[b : b + size], raw[a : a + size]
    elif kind == 3:
        at = rng.randrange(max(len(raw) - 4, 1))
        raw[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\1\0\0\0"])
    else:
        at = rng.randrange(len(raw))
        raw[at:at] = raw[at : at + rng.randrange(1, 64)]
    return bytes(raw)


def samples(version: str) -> list[bytes]:
    exports = toolchains.exports(version, "amd64", *SAMPLES)
    return [exports[name].read_bytes() for name in SAMPLES if name in exports]


def read_everything(data: bytes) -> list[tuple[int, Object]]:
    """Parses an archive and verifies it; OtelobjError where it is damaged."""
    archive = Archive.parse(data, "fuzzed")
    objects = list(archive.objects().items())
    for _, obj in objects:
        verify(obj)
        for index in obj.text_symbols():
            read_function(obj, index)
    return objects


@pytest.mark.parametrize("version", ["1.22", "1.26", "1.27"])
def test_damaged_objects_raise_only_our_errors(version: str) -> None:
    rng = random.Random(f"{version}-parses")
    sources = samples(version)
    refused = 0
    for _ in range(PARSES // 3 + 1):
        try:
            read_everything(damaged(rng.choice(sources), rng))
        except OtelobjError:
            refused += 1
    assert refused, "no damage was noticed"


def test_damaged_objects_are_rewritten_whole_or_refused() -> None:
    rng = random.Random("rewrites")
    sources = samples("1.26")
    for _ in range(REWRITES):
        try:
            for _, obj in read_everything(damaged(rng.choice(sources), rng)):
                edit = Edit(obj)
                edit.add_def("otelobj.fuzz", STATIC_ABI, obj.tables.kinds["SRODATA"], data=b"x")
                edit.add_ref("example.com/p.F", 1)
                verify(Object.parse(edit.to_bytes(), "rewritten"))
        except OtelobjError:
            continue


def test_undamaged_objects_pass() -> None:
    for data in samples("1.26"):
        assert read_everything(data)
