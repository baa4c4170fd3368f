"""How many messages a request holds, counted before it is parsed: a few kilobytes of gzip can hold millions, each an object in memory.

Protobuf's wire format (protobuf.dev/programming-guides/encoding): tags and lengths alone are read, and only fields that the
descriptors call messages are entered. In JSON every object and list begins with a bracket of its own.
"""

from __future__ import annotations

import functools

from google.protobuf.descriptor import Descriptor, FieldDescriptor

MAX_MESSAGES = 100_000
"""Of one request, attributes and values counted: exporters send 512 spans at a time."""
MAX_DEPTH = 100
"""As protobuf's own parsers have it."""
PACKED = 8
"""Bytes of packed numbers, each of which becomes an object, that count as a message."""
OBJECT = 500
"""Bytes that a message takes in memory, about, beside the text in it."""
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


class TooHeavyError(Exception):
    """More than MAX_MESSAGES, or deeper than MAX_DEPTH."""


def of_json(body: bytes) -> int:
    """Raises TooHeavyError."""
    return _checked(body.count(b"{") + body.count(b"[") + body.count(b",") // 2)


def of_protobuf(body: bytes, root: Descriptor) -> int:
    """Messages in `body`, a message of type `root`. Ends where the bytes make no sense, which the parser says better. Raises TooHeavyError."""
    count = packed = 0
    todo = [(0, len(body), root, 0)]
    while todo:
        at, end, message, depth = todo.pop()
        count = _checked(count + 1)
        if depth > MAX_DEPTH:
            raise TooHeavyError(f"more than {MAX_DEPTH} messages inside each other")
        inner, numbers = _messages(message), _numbers(message)
        while at < end:
            tag, at = _varint(body, at, end)
            kind = tag & 7
            if kind == VARINT:
                _, at = _varint(body, at, end)
            elif kind == FIXED64:
                at += 8
            elif kind == FIXED32:
                at += 4
            elif kind == LENGTH:
                size, at = _varint(body, at, end)
                if size > end - at:
                    break
                field = inner.get(tag >> 3)
                if field is not None:
                    todo.append((at, at + size, field, depth + 1))
                elif tag >> 3 in numbers:
                    packed += size
                _checked(count + len(todo) + packed // PACKED)
                at += size
            else:
                break
    return count + packed // PACKED


def _checked(count: int) -> int:
    if count > MAX_MESSAGES:
        raise TooHeavyError(f"more than {MAX_MESSAGES} messages")
    return count


@functools.cache
def _messages(message: Descriptor) -> dict[int, Descriptor]:
    """Numbers of the fields that hold messages."""
    return {field.number: field.message_type for field in message.fields if field.type == FieldDescriptor.TYPE_MESSAGE}


@functools.cache
def _numbers(message: Descriptor) -> frozenset[int]:
    """Numbers of the fields that hold lists of numbers, which are packed into one."""
    texts = (FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
    return frozenset(field.number for field in message.fields if field.is_repeated and field.type not in texts)


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    """A number and the offset after it; the end of the data if the number is not terminated."""
    value = shift = 0
    while at < end and shift < 70:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, end
