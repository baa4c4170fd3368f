"""LEB128 against pyelftools' reader, and where numbers have no end."""

from __future__ import annotations

import io

import pytest
from elftools.common.construct_utils import SLEB128, ULEB128
from hypothesis import given
from hypothesis import strategies as st

from objinst.errors import ObjectError
from objinst.goobj import leb128


@given(st.integers(0, (1 << 63) - 1), st.binary(max_size=3))
def test_unsigned(value: int, rest: bytes) -> None:
    data = leb128.unsigned(value)
    assert ULEB128("").parse_stream(io.BytesIO(data + rest)) == value
    assert leb128.read_unsigned(rest + data + rest, len(rest)) == (value, len(rest) + len(data))


@given(st.integers(-(1 << 62), (1 << 62) - 1))
def test_signed(value: int) -> None:
    assert SLEB128("").parse_stream(io.BytesIO(leb128.signed(value))) == value


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9, b"\x80" * 40 + b"\x00"])
def test_a_number_without_end(data: bytes) -> None:
    with pytest.raises(ObjectError, match="has no end"):
        leb128.read_unsigned(data, 0)
