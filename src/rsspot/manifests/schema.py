"""The JSON Schema of manifests, for editors. It finds most mistakes, and accepts what `rsspot validate` accepts.

A variable in place of a whole spec, or of all metadata, is the one exception.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from rsspot.constants import LOCAL_API_VERSION
from rsspot.manifests.parse import SERVERS_METADATA, authored_kinds
from rsspot.manifests.stack import Stack
from rsspot.models.authoring import INTEGER_TEXT
from rsspot.models.fields import SECRET, SERVER_OWNED
from rsspot.models.money import MOST, PRICE_TEXT
from rsspot.models.refs import DNS_LABEL
from rsspot.models.resource import AuthoredMetadata, Metadata
from rsspot.resources.description import FieldDescription, Many, Type, described, summary
from rsspot.resources.kind import Kind

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE: Schema = {"$ref": "#/$defs/reference"}
LISTS = r"List$"
DEFINITIONS: Schema = {
    "reference": {
        "description": "A value that is filled in: ${var:NAME}, ${env:NAME} or ${file:PATH}, each with :-DEFAULT.",
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
    """The schema of manifests of one kind, or of a Stack. Raises KeyError for a kind that has no manifests."""
    definition = _stack() if name == Stack.__name__ else _manifest(authored_kinds()[name])
    return {"$schema": DIALECT, "title": name, **definition, "$defs": DEFINITIONS}


def whole_schema() -> Schema:
    """The schema of any manifest: which rules hold is decided by its `kind`."""
    definitions = {name: _manifest(kind) for name, kind in sorted(authored_kinds().items())}
    definitions[Stack.__name__] = _stack()
    items = {"properties": {"items": {"type": "array", "items": {"$ref": "#"}}}}
    return {
        "$schema": DIALECT,
        "title": "rsspot manifest",
        "type": "object",
        "required": ["kind"],
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
    return {"if": {"properties": {"kind": kind}, "required": ["kind"]}, "then": then}


def _manifest(kind: Kind[Any]) -> Schema:
    metadata = _metadata(Metadata)
    ignored = {"description": "Written by the service; ignored in manifests.", "readOnly": True}
    metadata["properties"] |= dict.fromkeys(SERVERS_METADATA, ignored)
    properties = {
        "metadata": metadata,
        "spec": {"description": summary(kind.spec_model), **_object(described(kind.spec_model))},
        "status": {"description": "What the service reports; ignored in manifests.", "readOnly": True},
    }
    return _document(kind.name, kind.api_version, summary(kind.model), properties, required=["metadata", "spec"])


def _stack() -> Schema:
    fields = {each.name: each for each in described(Stack)}
    properties = {"metadata": _metadata(AuthoredMetadata), "spec": _field(fields["spec"])}
    return _document(Stack.__name__, LOCAL_API_VERSION, summary(Stack), properties, required=["metadata"])


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
    return schema


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
    if each.type is Type.OBJECT:
        return [_object(each.fields), REFERENCE]
    first, *others = SCALARS[each.type]
    values = [{"enum": keywords["enum"]} if "enum" in keywords else {**first, **keywords}, *others]
    return values if values == [{"type": "string"}] else [*values, REFERENCE]


def _any_of(alternatives: list[Schema]) -> Schema:
    return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
