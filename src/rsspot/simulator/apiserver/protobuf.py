"""The wire format of protocol buffers, as far as clients insist on it: messages from and to dictionaries.

Clients send the reviews of what they may do in it, and read the OpenAPI v2 document in no other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Fields: TypeAlias = Mapping[int, "tuple[str, Fields | None]"]
"""The fields of a message that are read: number -> (name, fields of an inner message, or None for a text)."""

MAGIC = b"k8s\x00"
"""What Kubernetes puts before a message."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TYPE_META: Fields = {1: ("apiVersion", None), 2: ("kind", None)}
_META: Fields = {1: ("name", None), 2: ("generateName", None), 3: ("namespace", None)}


def object_in(body: bytes, fields: Fields) -> dict[str, Any]:
    """The object in the envelope of Kubernetes. fields: those besides metadata. Raises ValueError."""
    if not body.startswith(MAGIC):
        raise ValueError("provided data does not appear to be a protobuf message")
    envelope = {number: value for number, value in _parts(body[len(MAGIC) :]) if isinstance(value, bytes)}
    return {
        **_message(envelope.get(1, b""), _TYPE_META),
        **_message(envelope.get(2, b""), {1: ("metadata", _META), **fields}),
    }


def _message(body: bytes, fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _parts(body):
        if number in fields and isinstance(value, bytes):
            name, inner = fields[number]
            read = value.decode() if inner is None else _message(value, inner)
            if read or inner is not None:  # an empty text is a field that was left out
                found[name] = read
    return found


def _parts(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: their numbers and what they hold."""
    at = 0
    while at < len(body):
        tag, at = _number(body, at)
        if tag & 7 == _VARINT:
            value, at = _number(body, at)
            yield tag >> 3, value
            continue
        if tag & 7 == _BYTES:
            size, at = _number(body, at)
        elif tag & 7 in (_FIXED64, _FIXED32):
            size = 8 if tag & 7 == _FIXED64 else 4
        else:
            raise ValueError(f"proto: illegal wireType {tag & 7}")
        if at + size > len(body):
            raise ValueError("unexpected EOF")
        yield tag >> 3, body[at : at + size]
        at += size


def _number(body: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place after it."""
    value = shift = 0
    while at < len(body) and shift < 64:
        value |= (body[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if body[at - 1] < 0x80:
            return value, at
    raise ValueError("unexpected EOF")


def field(number: int, value: str | bytes | bool | int | float) -> bytes:
    """A field of a message. bytes: an inner message"""
    if isinstance(value, float):
        return _varint(number << 3 | _FIXED64) + struct.pack("<d", value)
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value & (1 << 64) - 1)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
