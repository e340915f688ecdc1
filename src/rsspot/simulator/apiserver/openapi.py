"""Builds the OpenAPI v2 document of the served kinds from their definitions. Requests are not validated against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.openapi_types import (
    INFO,
    META,
    ORGANIZATIONS,
    TYPE_META,
    Schema,
    common,
    meta,
    record,
    reference,
)

ORGANIZATIONS_PATH = "/apis/auth.ngpc.rxt.io/v1/organizations"
JSON_AND_YAML = ["application/json", "application/yaml"]
PATCHES = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]

_KEPT = frozenset(
    [
        "title",
        "description",
        "type",
        "format",
        "default",
        "enum",
        "required",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "pattern",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "multipleOf",
    ]
)
_KUBERNETES = ".k8s.io"
"""How the groups of Kubernetes itself end. It names their schemas and operations in ways of its own."""
_VERBS = {
    # verb: (method, Kubernetes action, prefix of the operationId, description)
    "list": ("get", "list", "list", "list or watch objects of kind"),
    "create": ("post", "post", "create", "create"),
    "deletecollection": ("delete", "deletecollection", "delete", "delete collection of"),
    "get": ("get", "get", "read", "read the specified"),
    "update": ("put", "put", "replace", "replace the specified"),
    "patch": ("patch", "patch", "patch", "partially update the specified"),
    "delete": ("delete", "delete", "delete", "delete"),
}
_LIST_QUERY = [
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
]
_QUERY = {
    "list": [*_LIST_QUERY, "watch"],
    "create": ["dryRun", "fieldManager", "fieldValidation"],
    "deletecollection": _LIST_QUERY,
    "get": ["resourceVersion"],
    "update": ["dryRun", "fieldManager", "fieldValidation"],
    "patch": ["dryRun", "fieldManager", "fieldValidation", "force"],
    "delete": ["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"],
}
_PARAMETERS = {
    "allowWatchBookmarks": ("boolean", "Whether a watch receives events of type BOOKMARK."),
    "continue": ("string", "The continue token of the previous page of a list."),
    "dryRun": ("string", "All: run every check and store nothing."),
    "fieldManager": ("string", "The name of the field manager that makes the change."),
    "fieldSelector": ("string", "Selects objects by their fields. Defaults to all objects."),
    "fieldValidation": ("string", "How to handle unknown or duplicate fields: Ignore, Warn or Strict."),
    "force": ("boolean", "Whether an apply takes over fields of other managers."),
    "gracePeriodSeconds": ("integer", "Seconds before the object is deleted."),
    "labelSelector": ("string", "Selects objects by their labels. Defaults to all objects."),
    "limit": ("integer", "The maximum number of objects on a page of a list."),
    "orphanDependents": ("boolean", "Deprecated: use propagationPolicy."),
    "pretty": ("string", "Whether the response is indented."),
    "propagationPolicy": ("string", "Whether and how dependents are deleted: Orphan, Background or Foreground."),
    "resourceVersion": ("string", "The version that the response is read at, or that a watch starts after."),
    "resourceVersionMatch": ("string", "How resourceVersion is applied to a list."),
    "sendInitialEvents": ("boolean", "Whether a watch starts with the existing objects."),
    "timeoutSeconds": ("integer", "The maximum duration of a list or a watch in seconds."),
    "watch": ("boolean", "Whether to return a stream of changes instead of a list."),
}
_RESPONSES = {
    "create": {"200": "OK", "201": "Created", "202": "Accepted"},
    "update": {"200": "OK", "201": "Created"},
    "delete": {"200": "OK", "202": "Accepted"},
}


def swagger(definitions: Iterable[Definition], version: str) -> dict[str, Any]:
    """The document at /openapi/v2. It has the operations that tenants may use."""
    served = sorted(definitions, key=lambda definition: (definition.group, definition.version, definition.plural))
    paths, schemas = {ORGANIZATIONS_PATH: _organizations(), "/version/": _version()}, common()
    for definition in served:
        paths |= _paths(definition)
        schemas |= _schemas(definition)
    schemas[f"{META}DeleteOptions"]["x-kubernetes-group-version-kind"] = _delete_options_of(served)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(schemas.items())),
        "parameters": {name: _query_parameter(name) for name in sorted(_PARAMETERS)},
        "securityDefinitions": {"BearerToken": {"type": "apiKey", "name": "authorization", "in": "header"}},
        "security": [{"BearerToken": []}],
    }


def definition_name(definition: Definition, suffix: str = "") -> str:
    """The name of a kind's schema: `io.rxt.ngpc.v1.SpotNodePool`, or `io.k8s.api.core.v1.Namespace`."""
    group = definition.group or f"core{_KUBERNETES}"
    if group.endswith(_KUBERNETES):
        group = f"{group.removesuffix(_KUBERNETES)}.api{_KUBERNETES}"
    reverse = ".".join(reversed(group.split(".")))
    return f"{reverse}.{definition.version}.{definition.kind}{suffix}"


def structural(schema: Mapping[str, Any]) -> Schema:
    """Convert a structural schema to OpenAPI v2, which has no nullable, oneOf, anyOf, allOf or not."""
    kept = {key: value for key, value in schema.items() if key in _KEPT or key.startswith("x-kubernetes-")}
    if schema.get("nullable"):
        # With a type, the schema would forbid null, which the server accepts.
        kept.pop("type", None)
    if "properties" in schema:
        kept["properties"] = {name: structural(inner) for name, inner in sorted(schema["properties"].items())}
    if "items" in schema:
        kept["items"] = structural(schema["items"])
    if isinstance(rest := schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = structural(rest)
    elif rest is not None:
        kept["additionalProperties"] = rest
    return kept


def _paths(definition: Definition) -> dict[str, Any]:
    root, plural = definition.root, definition.plural
    collection = f"{root}/namespaces/{{namespace}}/{plural}" if definition.namespaced else f"{root}/{plural}"
    paths = {
        collection: _path_item(definition, ("list", "create", "deletecollection"), _in_path(definition)),
        f"{collection}/{{name}}": _path_item(
            definition, ("get", "update", "patch", "delete"), ["name", *_in_path(definition)]
        ),
    }
    paths = {path: item for path, item in paths.items() if set(item) != {"parameters"}}
    if definition.namespaced:
        everywhere = _operation(definition, "list")
        everywhere["operationId"] = f"list{_group_id(definition)}{definition.kind}ForAllNamespaces"
        paths[f"{root}/{plural}"] = {"get": everywhere, "parameters": [reference("parameters", "pretty")]}
    return paths


def _in_path(definition: Definition) -> list[str]:
    return ["namespace"] if definition.namespaced else []


def _path_item(definition: Definition, verbs: Iterable[str], in_path: list[str]) -> dict[str, Any]:
    operations = {_VERBS[verb][0]: _operation(definition, verb) for verb in verbs if verb in definition.verbs}
    descriptions = {"name": f"name of the {definition.kind}", "namespace": "namespace of the objects"}
    fixed = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "type": "string",
            "uniqueItems": True,
            "description": descriptions[name],
        }
        for name in in_path
    ]
    return {**dict(sorted(operations.items())), "parameters": [*fixed, reference("parameters", "pretty")]}


def _operation(definition: Definition, verb: str) -> dict[str, Any]:
    _, action, prefix, description = _VERBS[verb]
    collection = "Collection" if verb == "deletecollection" else ""
    scope = "Namespaced" if definition.namespaced else ""
    body = _body(definition, verb)
    queries = [reference("parameters", name) for name in _QUERY[verb]]
    return {
        "description": f"{description} {definition.kind}",
        "operationId": f"{prefix}{_group_id(definition)}{collection}{scope}{definition.kind}",
        "tags": [_camel(_group_id(definition))],
        "schemes": ["https"],
        "consumes": PATCHES if verb == "patch" else JSON_AND_YAML,
        "produces": [*JSON_AND_YAML, "application/json;stream=watch"] if verb == "list" else JSON_AND_YAML,
        "parameters": [*([body] if body else []), *queries],
        "responses": _responses(definition, verb),
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _gvk(definition.group, definition.version, definition.kind),
    }


def _body(definition: Definition, verb: str) -> Schema | None:
    named = {"patch": f"{META}Patch", "delete": f"{META}DeleteOptions"}
    if verb in ("create", "update"):
        named[verb] = definition_name(definition)
    if verb not in named:
        return None
    required = {} if verb == "delete" else {"required": True}
    return {"name": "body", "in": "body", **required, "schema": reference("definitions", named[verb])}


def _responses(definition: Definition, verb: str) -> dict[str, Any]:
    name = definition_name(definition, "List" if verb == "list" else "")
    schema = reference("definitions", f"{META}Status" if verb.startswith("delete") else name)
    answers: Schema = {
        code: {"description": description, "schema": schema}
        for code, description in _RESPONSES.get(verb, {"200": "OK"}).items()
    }
    return {**answers, "401": {"description": "Unauthorized"}}


def _schemas(definition: Definition) -> dict[str, Schema]:
    gvk = _gvk(definition.group, definition.version, definition.kind)
    schema, list_kind = structural(definition.schema), f"{definition.kind}List"
    schema["properties"] = {**schema.get("properties", {}), **TYPE_META, "metadata": meta("ObjectMeta")}
    schema["x-kubernetes-group-version-kind"] = [gvk]
    if "list" not in definition.verbs:
        return {definition_name(definition): schema}
    items = {"type": "array", "items": reference("definitions", definition_name(definition))}
    listed = record(f"{list_kind} is a list of {definition.kind}", ["items"], items=items, metadata=meta("ListMeta"))
    listed["properties"] |= TYPE_META
    return {
        definition_name(definition): schema,
        definition_name(definition, "List"): {
            **listed,
            "x-kubernetes-group-version-kind": [_gvk(definition.group, definition.version, list_kind)],
        },
    }


def _delete_options_of(served: list[Definition]) -> list[dict[str, str]]:
    """DeleteOptions is listed in every group that accepts it."""
    groups = sorted({("", "v1"), *((definition.group, definition.version) for definition in served)})
    return [_gvk(group, version, "DeleteOptions") for group, version in groups]


def _group_id(definition: Definition) -> str:
    """A group and version in the form of operation ids: `NgpcRxtIoV1`."""
    words = (definition.group.removesuffix(_KUBERNETES) or "core").replace("-", ".").split(".")
    return "".join(word[:1].upper() + word[1:] for word in [*words, definition.version])


def _camel(words: str) -> str:
    return words[:1].lower() + words[1:]


def _gvk(group: str, version: str, kind: str) -> dict[str, str]:
    return {"group": group, "kind": kind, "version": version}


def _query_parameter(name: str) -> Schema:
    kind, description = _PARAMETERS[name]
    return {"name": name, "in": "query", "type": kind, "uniqueItems": True, "description": description}


def _plain_get(identity: str, description: str, schema: str) -> dict[str, Any]:
    answers: Schema = {"200": {"description": "OK", "schema": reference("definitions", schema)}}
    answers["401"] = {"description": "Unauthorized"}
    operation = {"operationId": identity, "description": description, "schemes": ["https"]}
    return {"get": {**operation, "produces": ["application/json"], "responses": answers}}


def _organizations() -> dict[str, Any]:
    return _plain_get("listAuthNgpcRxtIoV1Organization", "list the organizations of the caller", ORGANIZATIONS)


def _version() -> dict[str, Any]:
    return _plain_get("getCodeVersion", "get the version of the server", INFO)
