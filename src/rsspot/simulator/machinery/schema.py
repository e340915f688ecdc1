"""Structural schemas: fills in defaults, prunes unknown fields and finds violations, in the API server's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rsspot.simulator.machinery.messages import Cause

_NO_OLD = object()
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def with_defaults(schema: dict[str, Any], value: Any) -> Any:
    """A value with its schema's defaults filled in."""
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        # A null where none may be is taken for absent.
        given = {k: v for k, v in value.items() if v is not None or properties.get(k, {}).get("nullable")}
        missing = {k: s["default"] for k, s in properties.items() if "default" in s and k not in given}
        return {k: with_defaults(properties.get(k, {}), v) for k, v in {**given, **missing}.items()}
    if isinstance(value, list):
        return [with_defaults(schema.get("items", {}), item) for item in value]
    return value


def pruned(schema: dict[str, Any], value: Any) -> Any:
    """A value without the fields that its schema does not know."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return value
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {key: pruned(known[key], inner) for key, inner in value.items() if key in known}
    if isinstance(value, list):
        return [pruned(schema.get("items", {}), item) for item in value]
    return value


def violations(schema: dict[str, Any], value: Any, path: str = "", old: Any = _NO_OLD) -> Iterator[Cause]:
    """Everything that is wrong with a value. `old` is what an update replaces."""
    if value is None and schema.get("nullable"):
        return
    expected = schema.get("type")
    if expected and not _is(value, expected):
        said = _type_name(value)
        message = f'Invalid value: "{said}": {path} in body must be of type {expected}: "{said}"'
        yield Cause("FieldValueTypeInvalid", path, message)
        return
    yield from _scalar_violations(schema, value, path)
    yield from _rule_violations(schema, value, path, old)
    if isinstance(value, dict):
        yield from _object_violations(schema, value, path, old)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from violations(schema.get("items", {}), item, f"{path}[{index}]")


def _object_violations(schema: dict[str, Any], value: dict[str, Any], path: str, old: Any) -> Iterator[Cause]:
    for name in schema.get("required", ()):
        if name not in value:
            yield Cause("FieldValueRequired", _join(path, name), "Required value")
    properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
    for name, inner in value.items():
        inner_schema = properties.get(name, rest if isinstance(rest, dict) else None)
        if inner_schema is not None:
            before = old.get(name, _NO_OLD) if isinstance(old, dict) else _NO_OLD
            yield from violations(inner_schema, inner, _join(path, name), before)


def _scalar_violations(schema: dict[str, Any], value: Any, path: str) -> Iterator[Cause]:
    if "enum" in schema and value not in schema["enum"]:
        supported = ", ".join(f'"{each}"' for each in schema["enum"])
        yield Cause("FieldValueNotSupported", path, f'Unsupported value: "{value}": supported values: {supported}')
    if "minimum" in schema and isinstance(value, int) and value < schema["minimum"]:
        said = f"{path} in body should be greater than or equal to {schema['minimum']}"
        yield Cause("FieldValueInvalid", path, f"Invalid value: {value}: {said}")
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            said = f"{path} in body should be at least {schema['minLength']} chars long"
            yield Cause("FieldValueInvalid", path, f'Invalid value: "{value}": {said}')
        if len(value) > schema.get("maxLength", len(value)):
            said = f"may not be more than {schema['maxLength']} bytes"
            yield Cause("FieldValueTooLong", path, f"Too long: {said}")


def _rule_violations(schema: dict[str, Any], value: Any, path: str, old: Any) -> Iterator[Cause]:
    for validation in schema.get("x-kubernetes-validations", ()):
        if not _holds(validation["rule"], value, old):
            kind = _type_name(value)
            yield Cause("FieldValueInvalid", path, f'Invalid value: "{kind}": {validation["message"]}')


def _holds(rule: str, value: Any, old: Any) -> bool:
    """The two forms of CEL that the shipped definitions use; any other is an error, never silently true."""
    if rule == "self == oldSelf":
        return old is _NO_OLD or bool(value == old)
    if matched := re.fullmatch(r"self\.matches\('(.*)'\)", rule):
        pattern = matched[1].replace("\\\\", "\\")
        # CEL's $ is the very end, and its \d knows ten digits.
        return re.search(re.sub(r"\$$", r"\\Z", pattern), value, re.ASCII) is not None
    raise ValueError(f"the rule {rule!r} is not understood")


def _is(value: Any, expected: str) -> bool:
    if isinstance(value, bool):
        return expected == "boolean"
    return isinstance(value, _TYPES[expected])


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    return next(name for name in ("boolean", "integer", "number", "string", "array", "object") if _is(value, name))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
