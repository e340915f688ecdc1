"""Structural schemas: defaults, pruning, unknown fields, and validation with the messages of a real API server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rsspot.simulator.apiserver.cel import compiled, is_transition
from rsspot.simulator.apiserver.messages import Cause

Schema = dict[str, Any]

NOTHING = object()
"""Stands for the missing old value of a new object or field."""
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_BLOCKING = (
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
)
"""Violations after which no validation rule is evaluated."""
_NOT_CHECKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


def with_defaults(schema: Schema, value: Any) -> Any:
    """A value with the defaults of its schema."""
    if isinstance(value, dict):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        others = rest if isinstance(rest, dict) else {}
        # A null in a field that is not nullable counts as missing.
        given = {k: v for k, v in value.items() if v is not None or _takes_null(properties.get(k))}
        missing = {k: s["default"] for k, s in properties.items() if "default" in s and k not in given}
        return {k: with_defaults(properties.get(k, others), v) for k, v in {**given, **missing}.items()}
    if isinstance(value, list):
        return [with_defaults(schema.get("items", {}), item) for item in value]
    return value


def _takes_null(schema: Schema | None) -> bool:
    return schema is None or bool(schema.get("nullable") or schema.get("x-kubernetes-preserve-unknown-fields"))


def pruned(schema: Schema, value: Any) -> Any:
    """A value without the fields that are not in its schema."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return value
    if isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties")
        if isinstance(rest, dict):
            return {key: pruned(known.get(key, rest), inner) for key, inner in value.items()}
        return {key: pruned(known[key], inner) for key, inner in value.items() if key in known} if not rest else value
    if isinstance(value, list):
        return [pruned(schema.get("items", {}), item) for item in value]
    return value


def unknown_fields(schema: Schema, value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of the fields that are not in a schema."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    if isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties")
        for key, inner in value.items():
            if key in known or isinstance(rest, dict):
                yield from unknown_fields(known.get(key, rest), inner, _join(path, key))
            elif not rest:
                yield _join(path, key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown_fields(schema.get("items", {}), item, f"{path}[{index}]")


def violations(schema: Schema, value: Any, old: Any = NOTHING, others: tuple[Cause, ...] = ()) -> list[Cause]:
    """Everything that is wrong with an object. old: the object before · others: causes already found elsewhere"""
    causes = [*others, *_value_violations(schema, value, "")]
    if not _has_rules(schema):
        return causes
    if any(cause.reason in _BLOCKING for cause in causes):
        return [*causes, Cause("FieldValueInvalid", "<nil>", _NOT_CHECKED)]
    return [*causes, *_rule_violations(schema, value, "", old)]


def _value_violations(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if value is None and schema.get("nullable"):
        return
    if schema.get("x-kubernetes-int-or-string"):
        if not _is(value, "integer") and not _is(value, "string"):
            yield _of_type(value, path, "integer,string")
        return
    expected = schema.get("type")
    if expected and not _is(value, expected):
        yield _of_type(value, path, expected)
        return
    yield from _scalar_violations(schema, value, path)
    if isinstance(value, dict):
        yield from _object_violations(schema, value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value_violations(schema.get("items", {}), item, f"{path}[{index}]")


def _of_type(value: Any, path: str, expected: str) -> Cause:
    type_name = _type_name(value)
    message = f'Invalid value: "{type_name}": {path} in body must be of type {expected}: "{type_name}"'
    return Cause("FieldValueTypeInvalid", path, message)


def _object_violations(schema: Schema, value: dict[str, Any], path: str) -> Iterator[Cause]:
    properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
    for name, inner in value.items():
        inner_schema = properties.get(name, rest if isinstance(rest, dict) else None)
        if inner_schema is not None:
            yield from _value_violations(inner_schema, inner, _join(path, name))
    for name in schema.get("required", ()):
        if name not in value:
            yield Cause("FieldValueRequired", _join(path, name), "Required value")


def _scalar_violations(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if "enum" in schema and value not in schema["enum"]:
        supported = ", ".join(f'"{choice}"' for choice in schema["enum"])
        yield Cause("FieldValueNotSupported", path, f'Unsupported value: "{value}": supported values: {supported}')
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_violations(schema, value, path)
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            problem = f"{path} in body should be at least {schema['minLength']} chars long"
            yield Cause.invalid(path, f'"{value}": {problem}')
        if len(value) > schema.get("maxLength", len(value)):
            problem = f"may not be more than {schema['maxLength']} bytes"
            yield Cause("FieldValueTooLong", path, f"Too long: {problem}")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield Cause.invalid(path, f"\"{value}\": {path} in body should match '{schema['pattern']}'")
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            problem = f"Too many: {len(value)}: must have at most {schema['maxItems']} items"
            yield Cause("FieldValueTooMany", path, problem)
        if len(value) < schema.get("minItems", 0):
            yield Cause.invalid(path, f"{len(value)}: {path} in body should have at least {schema['minItems']} items")


def _number_violations(schema: Schema, value: float, path: str) -> Iterator[Cause]:
    bounds = (("minimum", "greater", value.__lt__), ("maximum", "less", value.__gt__))
    for bound, comparison, exceeds in bounds:
        if bound in schema and exceeds(schema[bound]):
            problem = f"{path} in body should be {comparison} than or equal to {schema[bound]}"
            yield Cause.invalid(path, f"{value}: {problem}")


def _has_rules(schema: Schema) -> bool:
    inner = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return bool(schema.get("x-kubernetes-validations")) or any(_has_rules(s) for s in inner if isinstance(s, dict))


def _rule_violations(schema: Schema, value: Any, path: str, old: Any) -> Iterator[Cause]:
    for validation in schema.get("x-kubernetes-validations", ()):
        rule = validation["rule"]
        if is_transition(rule) and old is NOTHING:
            continue
        if not compiled(rule)(value, None if old is NOTHING else old):
            problem = validation.get("message") or f"failed rule: {rule}"
            yield Cause.invalid(path or "<nil>", f'"{_type_name(value)}": {problem}')
    if isinstance(value, dict):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            inner_schema = properties.get(name, rest if isinstance(rest, dict) else None)
            if inner_schema is not None and inner is not None:
                before = old.get(name, NOTHING) if isinstance(old, dict) else NOTHING
                yield from _rule_violations(inner_schema, inner, _join(path, name), before)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _rule_violations(schema.get("items", {}), item, f"{path}[{index}]", NOTHING)


def rules_of(schema: Schema) -> Iterator[str]:
    """Yield every validation rule of a schema."""
    yield from (validation["rule"] for validation in schema.get("x-kubernetes-validations", ()))
    inner = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    for part in inner:
        if isinstance(part, dict):
            yield from rules_of(part)


def _is(value: Any, expected: str) -> bool:
    if isinstance(value, bool):
        return expected == "boolean"
    return isinstance(value, _TYPES[expected])


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    return next(name for name in ("boolean", "integer", "number", "string", "array", "object") if _is(value, name))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else str(name)
