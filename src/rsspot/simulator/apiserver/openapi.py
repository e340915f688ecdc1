"""The OpenAPI v2 document that describes what is served, made from the definitions. Judges no request by it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
_READS = ("get", "list")
_VERBS = {
    # verb: (method, Kubernetes' action, how an operationId begins, what it does)
    "list": ("get", "list", "list", "list or watch objects of kind"),
    "create": ("post", "post", "create", "create"),
    "deletecollection": ("delete", "deletecollection", "delete", "delete collection of"),
    "get": ("get", "get", "read", "read the specified"),
    "replace": ("put", "put", "replace", "replace the specified"),
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
    "replace": ["dryRun", "fieldManager", "fieldValidation"],
    "patch": ["dryRun", "fieldManager", "fieldValidation", "force"],
    "delete": ["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"],
}
_PARAMETERS = {
    "allowWatchBookmarks": ("boolean", "Whether a watch is sent events of type BOOKMARK."),
    "continue": ("string", "Where the next page of a list begins, as its last page said."),
    "dryRun": ("string", "All: go through every check and keep nothing."),
    "fieldManager": ("string", "A name for whoever makes the change."),
    "fieldSelector": ("string", "Restricts the objects by their fields. Defaults to everything."),
    "fieldValidation": ("string", "What to do about unknown or duplicate fields: Ignore, Warn or Strict."),
    "force": ("boolean", "Whether an apply takes over fields that others manage."),
    "gracePeriodSeconds": ("integer", "Seconds before the object is deleted."),
    "labelSelector": ("string", "Restricts the objects by their labels. Defaults to everything."),
    "limit": ("integer", "The most objects that one page of a list has."),
    "orphanDependents": ("boolean", "Deprecated: use propagationPolicy."),
    "pretty": ("string", "Whether the answer is indented."),
    "propagationPolicy": ("string", "Whether and how dependents are deleted: Orphan, Background or Foreground."),
    "resourceVersion": ("string", "Which versions the answer may be made from."),
    "resourceVersionMatch": ("string", "How resourceVersion is applied to a list."),
    "sendInitialEvents": ("boolean", "Whether a watch begins with the objects that there are."),
    "timeoutSeconds": ("integer", "The longest that a list or a watch may take."),
    "watch": ("boolean", "Whether to answer with a stream of changes instead of a list."),
}
_RESPONSES = {
    "create": {"200": "OK", "201": "Created", "202": "Accepted"},
    "replace": {"200": "OK", "201": "Created"},
    "delete": {"200": "OK", "202": "Accepted"},
}


def swagger(definitions: Iterable[Definition], version: str, read_only: Collection[str] = ()) -> dict[str, Any]:
    """The document at /openapi/v2. read_only: plurals of the kinds that tenants may only read."""
    served = sorted(definitions, key=lambda each: (each.group, each.version, each.plural))
    paths, schemas = {ORGANIZATIONS_PATH: _organizations(), "/version/": _version()}, common()
    for definition in served:
        paths |= _paths(definition, definition.plural in read_only)
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
    """The name of a kind's schema: `io.rxt.ngpc.v1.SpotNodePool`."""
    reverse = ".".join(reversed(definition.group.split(".")))
    return f"{reverse}.{definition.version}.{definition.kind}{suffix}"


def structural(schema: Mapping[str, Any]) -> Schema:
    """A structural schema in the words of OpenAPI v2, which knows neither null nor choices between schemas."""
    kept = {key: value for key, value in schema.items() if key in _KEPT or key.startswith("x-kubernetes-")}
    if schema.get("nullable"):
        # A type would forbid the null that the server takes.
        kept.pop("type", None)
    if "properties" in schema:
        kept["properties"] = {name: structural(each) for name, each in sorted(schema["properties"].items())}
    if "items" in schema:
        kept["items"] = structural(schema["items"])
    if isinstance(rest := schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = structural(rest)
    elif rest is not None:
        kept["additionalProperties"] = rest
    return kept


def _paths(definition: Definition, read_only: bool) -> dict[str, Any]:
    root, plural = f"/apis/{definition.api_version}", definition.plural
    collection = f"{root}/namespaces/{{namespace}}/{plural}" if definition.namespaced else f"{root}/{plural}"
    found = {
        collection: _path_item(definition, ("list", "create", "deletecollection"), read_only, _in_path(definition)),
        f"{collection}/{{name}}": _path_item(
            definition, ("get", "replace", "patch", "delete"), read_only, ["name", *_in_path(definition)]
        ),
    }
    if definition.namespaced:
        everywhere = _operation(definition, "list")
        everywhere["operationId"] = f"list{_group_id(definition)}{definition.kind}ForAllNamespaces"
        found[f"{root}/{plural}"] = {"get": everywhere, "parameters": [reference("parameters", "pretty")]}
    return found


def _in_path(definition: Definition) -> list[str]:
    return ["namespace"] if definition.namespaced else []


def _path_item(definition: Definition, verbs: Iterable[str], read_only: bool, in_path: list[str]) -> dict[str, Any]:
    offered = [verb for verb in verbs if verb in _READS or not read_only]
    operations = {_VERBS[verb][0]: _operation(definition, verb) for verb in offered}
    said = {"name": f"name of the {definition.kind}", "namespace": "whose objects these are"}
    fixed = [
        {"name": name, "in": "path", "required": True, "type": "string", "uniqueItems": True, "description": said[name]}
        for name in in_path
    ]
    return {**dict(sorted(operations.items())), "parameters": [*fixed, reference("parameters", "pretty")]}


def _operation(definition: Definition, verb: str) -> dict[str, Any]:
    _, action, begins, does = _VERBS[verb]
    collection = "Collection" if verb == "deletecollection" else ""
    scope = "Namespaced" if definition.namespaced else ""
    body = _body(definition, verb)
    queries = [reference("parameters", name) for name in _QUERY[verb]]
    return {
        "description": f"{does} {definition.kind}",
        "operationId": f"{begins}{_group_id(definition)}{collection}{scope}{definition.kind}",
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
    if verb in ("create", "replace"):
        named[verb] = definition_name(definition)
    if verb not in named:
        return None
    required = {} if verb == "delete" else {"required": True}
    return {"name": "body", "in": "body", **required, "schema": reference("definitions", named[verb])}


def _responses(definition: Definition, verb: str) -> dict[str, Any]:
    name = definition_name(definition, "List" if verb == "list" else "")
    schema = reference("definitions", f"{META}Status" if verb.startswith("delete") else name)
    answers: Schema = {
        code: {"description": said, "schema": schema} for code, said in _RESPONSES.get(verb, {"200": "OK"}).items()
    }
    return {**answers, "401": {"description": "Unauthorized"}}


def _schemas(definition: Definition) -> dict[str, Schema]:
    gvk = _gvk(definition.group, definition.version, definition.kind)
    one, several = structural(definition.schema), f"{definition.kind}List"
    one["properties"] = {**one.get("properties", {}), **TYPE_META, "metadata": meta("ObjectMeta")}
    items = {"type": "array", "items": reference("definitions", definition_name(definition))}
    listed = record(f"{several} is a list of {definition.kind}", ["items"], items=items, metadata=meta("ListMeta"))
    listed["properties"] |= TYPE_META
    return {
        definition_name(definition): {**one, "x-kubernetes-group-version-kind": [gvk]},
        definition_name(definition, "List"): {
            **listed,
            "x-kubernetes-group-version-kind": [_gvk(definition.group, definition.version, several)],
        },
    }


def _delete_options_of(served: list[Definition]) -> list[dict[str, str]]:
    """DeleteOptions belong to every group that takes them."""
    groups = sorted({("", "v1"), *((each.group, each.version) for each in served)})
    return [_gvk(group, version, "DeleteOptions") for group, version in groups]


def _group_id(definition: Definition) -> str:
    """How operation ids spell a group and version: `NgpcRxtIoV1`."""
    words = definition.group.replace("-", ".").split(".")
    return "".join(word[:1].upper() + word[1:] for word in [*words, definition.version])


def _camel(words: str) -> str:
    return words[:1].lower() + words[1:]


def _gvk(group: str, version: str, kind: str) -> dict[str, str]:
    return {"group": group, "kind": kind, "version": version}


def _query_parameter(name: str) -> Schema:
    kind, said = _PARAMETERS[name]
    return {"name": name, "in": "query", "type": kind, "uniqueItems": True, "description": said}


def _plain_get(identity: str, said: str, schema: str) -> dict[str, Any]:
    answers: Schema = {"200": {"description": "OK", "schema": reference("definitions", schema)}}
    answers["401"] = {"description": "Unauthorized"}
    about = {"operationId": identity, "description": said, "schemes": ["https"]}
    return {"get": {**about, "produces": ["application/json"], "responses": answers}}


def _organizations() -> dict[str, Any]:
    return _plain_get("listAuthNgpcRxtIoV1Organization", "list the organizations of the caller", ORGANIZATIONS)


def _version() -> dict[str, Any]:
    return _plain_get("getCodeVersion", "get the version of the server", INFO)
