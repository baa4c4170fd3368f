"""Damage to archives and objects, each kind where it hurts: the container, the object's blocks, single records.

`choose(n)` decides: a random number generator's randrange, or hypothesis, which then shrinks what it finds.
"""

from __future__ import annotations

from collections.abc import Callable

from objinst.goobj.archive import Archive
from objinst.goobj.records import HEADER, RECORD_SIZES, Blk

Choose = Callable[[int], int]
EXTREMES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\1\0\0\0", b"\0\0\0\x80")


def flip_bits(raw: bytearray, choose: Choose) -> None:
    for _ in range(choose(8) + 1):
        raw[choose(len(raw))] ^= 1 << choose(8)


def truncate(raw: bytearray, choose: Choose) -> None:
    del raw[choose(len(raw)) :]


def swap_parts(raw: bytearray, choose: Choose) -> None:
    size = choose(max(len(raw) // 4, 1)) + 1
    a, b = sorted(choose(max(len(raw) - size, 1)) for _ in range(2))
    raw[a : a + size], raw[b : b + size] = raw[b : b + size], raw[a : a + size]


def set_word(raw: bytearray, choose: Choose) -> None:
    at = choose(max(len(raw) - 4, 1))
    raw[at : at + 4] = EXTREMES[choose(len(EXTREMES))]


def double_part(raw: bytearray, choose: Choose) -> None:
    at = choose(len(raw))
    raw[at:at] = raw[at : at + choose(64) + 1]


ANYWHERE = (flip_bits, truncate, swap_parts, set_word, double_part)


def swap_blocks(blob: bytearray, blocks: list[tuple[int, int, int]], choose: Choose) -> None:
    """Two blocks of an object change places; the table of blocks does not know, or does and is not in order."""
    (a, a_end, _), (b, b_end, _) = sorted((blocks[choose(len(blocks))], blocks[choose(len(blocks))]))
    if choose(2):
        blob[a:b_end] = blob[b:b_end] + blob[a_end:b] + blob[a:a_end]
    else:
        table = HEADER.size - 4 * (len(Blk))
        one, two = (table + 4 * choose(len(Blk)) for _ in range(2))
        blob[one : one + 4], blob[two : two + 4] = blob[two : two + 4], blob[one : one + 4]


def mix_records(blob: bytearray, blocks: list[tuple[int, int, int]], choose: Choose) -> None:
    """One record takes another's place: every field is one that occurs."""
    start, end, size = blocks[choose(len(blocks))]
    count = (end - start) // size
    to, source = (start + size * choose(count) for _ in range(2))
    blob[to : to + size] = blob[source : source + size]


def set_in_record(blob: bytearray, blocks: list[tuple[int, int, int]], choose: Choose) -> None:
    """A byte of a record becomes a small number or an extreme one."""
    start, end, _ = blocks[choose(len(blocks))]
    blob[start + choose(end - start)] = (0, 1, 2, 3, 7, 0x7F, 0x80, 0xFE, 0xFF)[choose(9)]


IN_BLOCKS = (swap_blocks, mix_records, set_in_record, set_in_record)


class Sample:
    """An archive to be damaged. member: that of its object; blocks: (start, end, record size) of those that are not empty."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.archive = Archive.parse(data, "sample")
        self.member, self.object = self.archive.go_object()
        offsets = self.object.offsets
        self.blocks = [
            (offsets[block], offsets[block + 1], RECORD_SIZES[block]) for block in Blk if block is not Blk.END and offsets[block + 1] > offsets[block]
        ]

    def damaged(self, choose: Choose) -> bytes:
        """The archive with one kind of damage: in the file, in the object, or within its blocks with all that surrounds them whole."""
        where = choose(8)
        if where == 0:
            raw = bytearray(self.data)
            ANYWHERE[choose(len(ANYWHERE))](raw, choose)
            return bytes(raw)
        if where < 3:
            raw = bytearray(self.archive.members[self.member].data)
            ANYWHERE[choose(len(ANYWHERE))](raw, choose)
        else:
            raw = bytearray(self.object.blob)
            for _ in range(choose(3) + 1):
                IN_BLOCKS[choose(len(IN_BLOCKS))](raw, self.blocks, choose)
            raw[:0] = self.object.header.text
        return self.archive.to_bytes({self.member: bytes(raw)})
