"""Validates the specs that callers write against the kind, and converts field names to camelCase, before sending."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from rsspot.errors import UsageError
from rsspot.models.authoring import AUTHORING
from rsspot.models.fields import IMMUTABLE, SERVER_OWNED
from rsspot.models.findings import findings
from rsspot.models.resource import models_in, plain_types
from rsspot.resources.consistency import filled_in, inconsistencies
from rsspot.resources.field import Path
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document, at_path
from rsspot.utils.text import did_you_mean


def whole_spec(kind: Kind[Any], spec: Mapping[str, Any], region: str | None) -> Document:
    """The validated spec of a new object, in camelCase. Raises UsageError naming the invalid fields.

    region: the default for a kind with a region, if the spec names none.
    """
    given = _spelled_throughout(kind.spec_model, spec, kind.name)
    for path in kind.regions if region else ():
        given = {path[0]: region, **given}
    _refuse(kind, given, SERVER_OWNED, "is set by the service and cannot be written")
    try:
        valid = kind.spec_model.model_validate(given, extra="forbid", by_name=False, by_alias=True, context=AUTHORING)
    except ValidationError as error:
        raise _unusable(kind.name, error) from None
    whole: Document = valid.model_dump(mode="json", by_alias=True, exclude_unset=True)
    whole |= {path[0]: value for path, value in filled_in(kind, whole).items()}
    for path, clause in inconsistencies(kind, lambda path: at_path(whole, path)):
        raise UsageError(f"{kind.name}.{_dotted(path)} {clause}")
    return whole


def part_of_spec(kind: Kind[Any], spec: Mapping[str, Any]) -> Document:
    """The validated fields to change, in camelCase; None removes one. Raises UsageError naming an invalid field."""
    given = _spelled(kind.spec_model, spec, kind.name)
    _refuse(kind, given, SERVER_OWNED, "is set by the service and cannot be written")
    _refuse(kind, given, IMMUTABLE, "is immutable: it can only be set when the object is created")
    part = _part(kind.spec_model, given, kind.name)
    missing = object()
    for path, clause in inconsistencies(kind, lambda path: at_path(part, path)):
        # What is not given stays as it is, and may fit.
        if at_path(part, path, missing) is not missing:
            raise UsageError(f"{kind.name}.{_dotted(path)} {clause}")
    return part


def _part(model: type[BaseModel], given: Mapping[str, Any], where: str) -> Document:
    valid: Document = {}
    for key, value in given.items():
        name = _field_of(model, key)
        inner = _model_in(model.model_fields[name].annotation)
        if value is None:
            valid[key] = None
        elif inner and isinstance(value, Mapping):
            valid[key] = _part(inner, _spelled(inner, value, f"{where}.{key}"), f"{where}.{key}")
        else:
            try:
                checked = _adapter(model, name).validate_python(value, extra="forbid", context=AUTHORING)
            except ValidationError as error:
                raise _unusable(f"{where}.{key}", error) from None
            valid[key] = _adapter(model, name).dump_python(checked, mode="json", by_alias=True, exclude_unset=True)
    return valid


def _field_of(model: type[BaseModel], key: str) -> str:
    """The model field with this wire name."""
    return next(name for name, info in model.model_fields.items() if (info.alias or name) == key)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds; None for other types, also for a list of models."""
    types = plain_types(annotation)
    return next((held for held in types if isinstance(held, type) and issubclass(held, BaseModel)), None)


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    info = model.model_fields[name]
    whole: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    return TypeAdapter(whole)


def _spelled(model: type[BaseModel], given: Mapping[str, Any], where: str) -> Document:
    """Keys in camelCase, from camelCase or snake_case. Raises UsageError for an unknown field."""
    known = {name: info.alias or name for name, info in model.model_fields.items()}
    wire = set(known.values())
    spelled: Document = {}
    for key, value in given.items():
        if key not in wire and key not in known:
            raise UsageError(f"{where} has no field {key!r}", hint=did_you_mean(str(key), sorted(wire)))
        spelled[key if key in wire else known[key]] = value
    return spelled


def _spelled_throughout(model: type[BaseModel], given: Mapping[str, Any], where: str) -> Document:
    """`_spelled`, applied to nested models too; other values stay unchanged."""
    spelled = _spelled(model, given, where)
    for key, value in spelled.items():
        for inner in models_in(model.model_fields[_field_of(model, key)].annotation)[:1]:
            if isinstance(value, Mapping):
                spelled[key] = _spelled_throughout(inner, value, f"{where}.{key}")
            elif isinstance(value, list):
                spelled[key] = [
                    _spelled_throughout(inner, item, f"{where}.{key}") if isinstance(item, Mapping) else item
                    for item in value
                ]
    return spelled


def _refuse(kind: Kind[Any], given: Document, fact: Any, why: str) -> None:
    missing = object()
    for path in kind.marked(fact):
        if len(path) == 1 and at_path(given, path, missing) is not missing:
            raise UsageError(f"{kind.name}.{_dotted(path)} {why}")


def _dotted(path: Path) -> str:
    return ".".join(path)


def _unusable(where: str, error: ValidationError) -> UsageError:
    return UsageError(f"{where}: {'; '.join(map(str, findings(error)))}")
