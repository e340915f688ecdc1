"""The JSON Schema of manifests, for editors. It finds most mistakes, and accepts what `rsspot validate` accepts.

A variable in place of a whole spec, or of all metadata, is the one exception.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from rsspot.constants import LOCAL_API_VERSION
from rsspot.manifests.annotations import ABOUT, PREFIX
from rsspot.manifests.document import SERVERS_METADATA, authored_kinds
from rsspot.manifests.lifecycle import OnRemove, Replace
from rsspot.manifests.matrix import INCLUDE, KEY
from rsspot.manifests.own_documents import DOCUMENTS
from rsspot.models.authoring import INTEGER_TEXT
from rsspot.models.fields import SECRET, SERVER_OWNED
from rsspot.models.money import MOST, PRICE_TEXT
from rsspot.models.refs import DNS_LABEL
from rsspot.models.resource import AuthoredMetadata, Metadata, Model
from rsspot.resources.description import FieldDescription, Many, Type, described, summary
from rsspot.resources.kind import Kind

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE: Schema = {"$ref": "#/$defs/reference"}
LISTS = r"List$"
DEFINITIONS: Schema = {
    "reference": {
        "description": "A value that is filled in: ${var:NAME}, ${env:NAME}, ${file:PATH} or ${matrix:NAME},"
        " each with :-DEFAULT.",
        "type": "string",
        "pattern": r"\$\{[a-z]+:[^}:]+(:-[^}]*)?\}",
    }
}
SCALARS: dict[Type, list[Schema]] = {
    Type.STRING: [{"type": "string"}],
    Type.INTEGER: [{"type": "integer"}, {"type": "string", "pattern": INTEGER_TEXT}],
    Type.NUMBER: [{"type": "number"}],
    Type.BOOLEAN: [{"type": "boolean"}, {"enum": ["true", "false"]}],
    Type.PRICE: [
        {"type": "number", "minimum": 0, "exclusiveMaximum": MOST},
        {"type": "string", "pattern": PRICE_TEXT},
    ],
}
"""The values that are taken for each type. Variables are text, so digits and words are taken for numbers and truths."""


def schema_of(name: str) -> Schema:
    """The schema of manifests of one kind, or of a Stack or Overlay. Raises KeyError for a kind without manifests."""
    definition = _own(DOCUMENTS[name]) if name in DOCUMENTS else _manifest(authored_kinds()[name])
    return {"$schema": DIALECT, "title": name, **definition, "$defs": DEFINITIONS}


def whole_schema() -> Schema:
    """The schema of any manifest: which rules hold is decided by its `kind`."""
    definitions = {name: _manifest(kind) for name, kind in sorted(authored_kinds().items())}
    definitions |= {name: _own(model) for name, model in DOCUMENTS.items()}
    items = {"properties": {"items": {"type": "array", "items": {"type": "object", "$ref": "#"}}}}
    return {
        "$schema": DIALECT,
        "title": "rsspot manifest",
        "type": ["object", "array"],
        "required": ["kind"],
        "items": {"type": "object", "$ref": "#"},
        "properties": {
            "kind": {"anyOf": [{"enum": list(definitions)}, {"type": "string", "pattern": LISTS}]},
            "apiVersion": {"type": "string"},
        },
        "allOf": [
            *(_for_kind({"const": name}, {"$ref": f"#/$defs/{name}"}) for name in definitions),
            _for_kind({"type": "string", "pattern": LISTS}, items),
        ],
        "$defs": {**DEFINITIONS, **definitions},
    }


def schema_text() -> str:
    """The schema of any manifest as the file that editors read."""
    return json.dumps(whole_schema(), indent=2) + "\n"


def _for_kind(kind: Schema, then: Schema) -> Schema:
    return {"if": {"type": "object", "properties": {"kind": kind}, "required": ["kind"]}, "then": then}


def _manifest(kind: Kind[Any]) -> Schema:
    metadata = _metadata(Metadata)
    ignored = {"description": "Written by the service; ignored in manifests.", "readOnly": True}
    metadata["properties"] |= dict.fromkeys(SERVERS_METADATA, ignored)
    properties = {
        "metadata": metadata,
        "spec": {"description": summary(kind.spec_model), **_object(spec_fields(kind))},
        KEY: _matrix(),
        "status": {"description": "What the service reports; ignored in manifests.", "readOnly": True},
    }
    return _document(kind.name, kind.api_version, summary(kind.model), properties, required=["metadata", "spec"])


def spec_fields(kind: Kind[Any]) -> tuple[FieldDescription, ...]:
    """The fields of a spec as its author has to write them: a region may also come from the settings."""
    chosen = {path[0] for path in kind.regions}
    return tuple(
        replace(each, required=each.required and each.name not in chosen) for each in described(kind.spec_model)
    )


def _own(model: type[Model]) -> Schema:
    """The schema of a document that is no object of the service."""
    spec = next(each for each in described(model) if each.name == "spec")
    properties = {"metadata": _metadata(AuthoredMetadata), "spec": _field(spec)}
    required = ["metadata", "spec"] if spec.required else ["metadata"]
    return _document(model.__name__, LOCAL_API_VERSION, summary(model), properties, required=required)


def _matrix() -> Schema:
    """Names with lists of values, and combinations that are written out."""
    value: Schema = {"type": ["string", "number", "boolean"]}
    combination = {"type": "object", "minProperties": 1, "additionalProperties": value}
    return {
        "description": "One object for each combination of these values, which ${matrix:NAME} stands for.",
        "type": "object",
        "minProperties": 1,
        "properties": {INCLUDE: {"description": "Further combinations.", "type": "array", "items": combination}},
        "additionalProperties": {"anyOf": [{"type": "array", "items": value}, REFERENCE]},
    }


def _document(name: str, version: str, about: str, properties: Schema, required: list[str]) -> Schema:
    return {
        "description": about,
        "type": "object",
        "required": ["apiVersion", "kind", *required],
        "properties": {"apiVersion": {"const": version}, "kind": {"const": name}, **properties},
        "additionalProperties": False,
    }


def _metadata(model: type[BaseModel]) -> Schema:
    """The fields of metadata, with the rule for names, which is stricter in a manifest than in what the service has."""
    schema = _object(described(model))
    name = {"type": "string", "pattern": f"^{DNS_LABEL.pattern}$"}
    schema["properties"]["name"] = {**schema["properties"]["name"], "anyOf": [name, REFERENCE]}
    schema["properties"]["name"].pop("type")
    annotations = next(each for each in schema["properties"]["annotations"]["anyOf"] if each.get("type") == "object")
    annotations["properties"] = _lifecycle()
    return schema


def _lifecycle() -> Schema:
    """The annotations that rsspot itself reads."""
    texts = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
    known: Schema = {
        "on-remove": {"enum": [*map(str, OnRemove), None]},
        "replace": {"enum": [*map(str, Replace), None]},
        "ignore": texts,
        "previous-name": {"type": ["string", "null"]},
        "depends-on": texts,
    }
    return {PREFIX + name: {"description": ABOUT[name], **about} for name, about in known.items()}


def _object(fields: tuple[FieldDescription, ...]) -> Schema:
    return {
        "type": "object",
        "required": [each.name for each in fields if each.required],
        "properties": {each.name: _field(each) for each in fields},
        "additionalProperties": False,
    }


def _field(each: FieldDescription) -> Schema:
    """The schema of one field, with what people should know about it."""
    schema: Schema = {"description": " ".join([each.description, *each.notes]).strip()}
    if each.default is not None:
        schema["default"] = each.default
    if each.has(SECRET):
        schema["writeOnly"] = True
    if each.has(SERVER_OWNED):
        # It is ignored, so whatever the service wrote is fine.
        return {**schema, "readOnly": True}
    alternatives = _alternatives(each)
    if each.nullable:
        alternatives.append({"type": "null"})
    return {**schema, **_any_of(alternatives)}


def _alternatives(each: FieldDescription) -> list[Schema]:
    if each.many is Many.ONE:
        return _one(each, each.keywords)
    items = _one(each, {}) + ([{"type": "null"}] if each.item_nullable else [])
    if each.many is Many.LIST:
        return [{"type": "array", "items": _any_of(items), **each.keywords}, REFERENCE]
    return [{"type": "object", "additionalProperties": _any_of(items)}, REFERENCE]


def _one(each: FieldDescription, keywords: Any) -> list[Schema]:
    """The values that one item may have."""
    if each.type is Type.ANY:
        return [{}]
    if each.open:
        names = {"enum": [field.name for field in each.fields]}
        is_described = {"type": "object", "minProperties": 1, "propertyNames": names}
        return [{"if": is_described, "then": _object(each.fields)}]
    if each.type is Type.OBJECT:
        return [_object(each.fields), REFERENCE]
    first, *others = SCALARS[each.type]
    values = [{"enum": keywords["enum"]} if "enum" in keywords else {**first, **keywords}, *others]
    return values if values == [{"type": "string"}] else [*values, REFERENCE]


def _any_of(alternatives: list[Schema]) -> Schema:
    return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
