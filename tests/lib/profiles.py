"""CPU profiles for -pgo, in pprof's format (github.com/google/pprof/proto/profile.proto)."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence


def profile(calls: Iterable[tuple[str, str, int]]) -> bytes:
    """A profile in which these calls are all that takes time. calls: caller, callee, and the line of the call, counted from the caller's first line."""
    strings = ["", "samples", "count", "cpu", "nanoseconds"]
    functions: list[str] = []
    locations: list[tuple[int, int]] = []

    def function(name: str) -> int:
        if name not in functions:
            functions.append(name)
            strings.append(name)
        return functions.index(name) + 1

    def location(name: str, line: int) -> int:
        locations.append((function(name), line))
        return len(locations)

    samples = [(location(callee, FIRST), location(caller, FIRST + line)) for caller, callee, line in calls]
    out = b"".join(_message(1, _number(1, kind) + _number(2, unit)) for kind, unit in ((1, 2), (3, 4)))
    out += b"".join(_message(2, b"".join(_number(1, at) for at in stack) + _number(2, 1000) + _number(2, 10**10)) for stack in samples)
    out += b"".join(_message(4, _number(1, at + 1) + _message(4, _number(1, owner) + _number(2, line))) for at, (owner, line) in enumerate(locations))
    out += b"".join(_message(5, _number(1, at + 1) + _number(2, strings.index(name)) + _number(3, strings.index(name)) + _number(5, FIRST)) for at, name in enumerate(functions))
    out += b"".join(_message(6, text.encode()) for text in strings)
    return gzip.compress(out)


FIRST = 10
"""The line that functions begin at, as far as the profile says: only differences count."""


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, data: bytes | Sequence[int]) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + bytes(data)
