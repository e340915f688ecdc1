"""Builds the OpenAPI v3 document of a group and version: the v2 document converted, with complete schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.openapi import definition_name, swagger
from rsspot.simulator.apiserver.openapi_types import Schema, meta

_OLD, _NEW = "#/definitions/", "#/components/schemas/"
_STREAM = ";stream=watch"


def document(definitions: Sequence[Definition], version: str) -> dict[str, Any]:
    """The document at /openapi/v3/apis/GROUP/VERSION."""
    old = swagger(definitions, version)
    root = f"{definitions[0].root}/"
    paths = {path: _path(item, old["parameters"]) for path, item in old["paths"].items() if path.startswith(root)}
    schemas = {
        **old["definitions"],
        **{definition_name(definition): _whole(old, definition) for definition in definitions},
    }
    security = {"BearerToken": {"type": "apiKey", "name": "authorization", "in": "header"}}
    return {
        "openapi": "3.0.0",
        "info": old["info"],
        "paths": paths,
        "components": {"schemas": _renamed(_reachable(schemas, paths)), "securitySchemes": security},
        "security": [{"BearerToken": []}],
    }


def _whole(old: dict[str, Any], definition: Definition) -> Schema:
    """A kind's schema with the keywords that v2 does not have: nullable, oneOf, anyOf, allOf and not."""
    schema = {**definition.schema, "properties": dict(definition.schema.get("properties", {}))}
    described = old["definitions"][definition_name(definition)]
    for name in ("apiVersion", "kind"):
        schema["properties"][name] = described["properties"][name]
    schema["properties"]["metadata"] = meta("ObjectMeta")
    gvk = "x-kubernetes-group-version-kind"
    return {**schema, gvk: described[gvk]}


def _path(item: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    operations = {method: _operation(value, shared) for method, value in item.items() if method != "parameters"}
    return {**operations, "parameters": [_parameter(parameter, shared) for parameter in item.get("parameters", ())]}


def _operation(operation: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in operation.items() if key not in _GONE}
    given = operation.get("parameters", ())
    bodies = [parameter for parameter in given if parameter.get("in") == "body"]
    body = {"requestBody": _body(bodies[0], operation["consumes"])} if bodies else {}
    parameters = [_parameter(parameter, shared) for parameter in given if parameter.get("in") != "body"]
    answers = {code: _answer(response, operation["produces"]) for code, response in operation["responses"].items()}
    return {**kept, "parameters": parameters, **body, "responses": answers}


_GONE = ("consumes", "produces", "schemes", "parameters", "responses")


def _parameter(parameter: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """A parameter without references, since some clients do not resolve them here."""
    if "$ref" in parameter:
        parameter = shared[parameter["$ref"].rsplit("/", 1)[1]]
    schema = {key: parameter[key] for key in ("type", "uniqueItems", "enum", "minimum") if key in parameter}
    kept = {key: value for key, value in parameter.items() if key not in schema}
    return {**kept, "schema": schema}


def _body(body: dict[str, Any], types: list[str]) -> dict[str, Any]:
    content = {media: {"schema": _renamed(body["schema"])} for media in types}
    return {"content": content, **({"required": True} if body.get("required") else {})}


def _answer(answer: dict[str, Any], types: list[str]) -> dict[str, Any]:
    if "schema" not in answer:
        return answer
    schema = _renamed(answer["schema"])
    content = {media: {"schema": schema} for media in types if not media.endswith(_STREAM)}
    return {"description": answer["description"], "content": content}


def _renamed(value: Any) -> Any:
    """The value with its references converted to v3."""
    if isinstance(value, dict):
        return {
            key: inner.replace(_OLD, _NEW) if key == "$ref" and isinstance(inner, str) else _renamed(inner)
            for key, inner in value.items()
        }
    return [_renamed(item) for item in value] if isinstance(value, list) else value


def _reachable(schemas: dict[str, Schema], paths: dict[str, Any]) -> dict[str, Schema]:
    """The schemas that are reachable by references from the paths."""
    reachable: dict[str, Schema] = {}
    waiting = sorted(set(_references(paths)))
    while waiting:
        name = waiting.pop()
        if name not in reachable:
            reachable[name] = schemas[name]
            waiting += sorted(set(_references(schemas[name])))
    return dict(sorted(reachable.items()))


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"].rsplit("/", 1)[1]] if isinstance(value.get("$ref"), str) else []
        return own + [name for inner in value.values() for name in _references(inner)]
    return [name for item in value for name in _references(item)] if isinstance(value, list) else []
