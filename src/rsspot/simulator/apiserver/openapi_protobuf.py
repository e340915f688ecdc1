"""The OpenAPI v2 document as a protocol buffer, which is the only form that kubectl reads it in.

kubectl needs it to validate a `kind: List`, and only looks at the definitions, so paths are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rsspot.simulator.apiserver.openapi_types import Schema
from rsspot.simulator.apiserver.protobuf import field

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
ACCEPTED = (MEDIA_TYPE, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
"""The names of the form. Older clients know the second one, which is not a valid media type."""


def encoded(document: dict[str, Any]) -> bytes:
    """The document as a message of type openapi.v2.Document."""
    info = field(1, document["info"]["title"]) + field(2, document["info"]["version"])
    return field(1, document["swagger"]) + field(2, info) + field(9, _named(1, document["definitions"], _schema))


def _named(number: int, values: dict[str, Any], encode: Callable[[Any], bytes]) -> bytes:
    """A map: a list of messages with a name and a value."""
    return b"".join(field(number, field(1, name) + field(2, encode(value))) for name, value in values.items())


def _schema(schema: Schema) -> bytes:
    extensions = {name: value for name, value in schema.items() if name.startswith("x-")}
    known = [_ENCODERS[name](value) for name, value in schema.items() if name in _ENCODERS]
    return b"".join(known) + _named(31, extensions, _any)


def _any(value: Any) -> bytes:
    """A value without a type of its own, as YAML; JSON is YAML."""
    return field(2, json.dumps(value))


def _plain(number: int) -> Callable[[Any], bytes]:
    return lambda value: field(number, value)


def _double(number: int) -> Callable[[Any], bytes]:
    return lambda value: field(number, float(value))


def _additional(value: bool | Schema) -> bytes:
    return field(21, field(2, value) if isinstance(value, bool) else field(1, _schema(value)))


_ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "$ref": _plain(1),
    "format": _plain(2),
    "title": _plain(3),
    "description": _plain(4),
    "default": lambda value: field(5, _any(value)),
    "multipleOf": _double(6),
    "maximum": _double(7),
    "exclusiveMaximum": _plain(8),
    "minimum": _double(9),
    "exclusiveMinimum": _plain(10),
    "maxLength": _plain(11),
    "minLength": _plain(12),
    "pattern": _plain(13),
    "maxItems": _plain(14),
    "minItems": _plain(15),
    "uniqueItems": _plain(16),
    "maxProperties": _plain(17),
    "minProperties": _plain(18),
    "required": lambda names: b"".join(field(19, name) for name in names),
    "enum": lambda values: b"".join(field(20, _any(value)) for value in values),
    "additionalProperties": _additional,
    "type": lambda name: field(22, field(1, name)),
    "items": lambda item: field(23, field(1, _schema(item))),
    "properties": lambda properties: field(25, _named(1, properties, _schema)),
}
"""Keyword -> its field in a message of type openapi.v2.Schema."""
