"""OpenAPI v2 schemas of the types that all kinds share: metadata, Status and options. Knows none of the kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
INFO = "io.k8s.apimachinery.pkg.version.Info"
ORGANIZATIONS = "io.rxt.ngpc.auth.v1.OrganizationList"
TYPE_META: dict[str, Schema] = {
    "apiVersion": {"type": "string", "description": "The version of this representation of an object."},
    "kind": {"type": "string", "description": "What the object represents, in CamelCase."},
}
_STRINGS: Schema = {"type": "array", "items": {"type": "string"}}
_MAP: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


_DESCRIPTIONS = {
    "annotations": "Free-form annotations by key.",
    "blockOwnerDeletion": "Whether a foreground deletion of the owner waits for this object.",
    "continue": "The token for the next page; empty on the last page.",
    "controller": "Whether the owner is the controller of this object.",
    "deletionGracePeriodSeconds": "The grace period of the deletion in seconds.",
    "finalizers": "Names that must be removed before the object is deleted.",
    "generateName": "The prefix of a name that the server generates.",
    "generation": "A counter that increases with every change of the desired state.",
    "labels": "Labels by which objects can be selected.",
    "managedFields": "The managers and the fields that each of them manages.",
    "manager": "The name of the manager of the fields.",
    "name": "The name, unique among objects of the kind in the namespace.",
    "namespace": "The namespace of the organization.",
    "operation": "The operation that set the fields: Apply or Update.",
    "ownerReferences": "The owners of the object. It is deleted when all of them are gone.",
    "remainingItemCount": "The number of objects on the following pages.",
    "resourceVersion": "The version of the object. A write with another version is refused.",
    "selfLink": "No longer set.",
    "uid": "The unique id of the object. It is never reused, unlike the name.",
}
"""Descriptions of the fields of the shared types."""


def reference(where: str, name: str) -> Schema:
    """A reference to a definition or parameter of the document."""
    return {"$ref": f"#/{where}/{name}"}


def meta(name: str) -> Schema:
    """A reference to a Kubernetes meta/v1 type."""
    return reference("definitions", META + name)


def record(description: str, required: Iterable[str] = (), /, **properties: Any) -> Schema:
    """The schema of an object. A property given as a string has that type."""
    schemas = {name: {"type": value} if isinstance(value, str) else value for name, value in properties.items()}
    required_part = {"required": sorted(required)} if required else {}
    for name, schema in schemas.items():
        if name in _DESCRIPTIONS and "$ref" not in schema:
            schemas[name] = {"description": _DESCRIPTIONS[name], **schema}
    return {"type": "object", "description": description, **required_part, "properties": dict(sorted(schemas.items()))}


def common() -> dict[str, Schema]:
    """Every shared type by its definition name."""
    types = _metadata_types() | _outcome_types()
    return {f"{META}{name}": schema for name, schema in types.items()} | {
        INFO: record("The server's version.", major="string", minor="string", gitVersion="string", platform="string"),
        ORGANIZATIONS: _organization_list(),
    }


def _metadata_types() -> dict[str, Schema]:
    time, integer = meta("Time"), {"type": "integer", "format": "int64"}
    owner = record(
        "A reference to an owner of the object.",
        ["apiVersion", "kind", "name", "uid"],
        **dict.fromkeys(("apiVersion", "kind", "name", "uid"), "string"),
        **dict.fromkeys(("blockOwnerDeletion", "controller"), "boolean"),
    )
    managed = record(
        "A manager and the fields that it manages.",
        **dict.fromkeys(("apiVersion", "fieldsType", "manager", "operation", "subresource"), "string"),
        fieldsV1=meta("FieldsV1"),
        time=time,
    )
    object_meta = record(
        "The metadata that every object has.",
        **dict.fromkeys(("generateName", "name", "namespace", "resourceVersion", "selfLink", "uid"), "string"),
        **dict.fromkeys(("annotations", "labels"), _MAP),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), time),
        **dict.fromkeys(("deletionGracePeriodSeconds", "generation"), integer),
        finalizers=_STRINGS,
        managedFields={"type": "array", "items": meta("ManagedFieldsEntry")},
        ownerReferences={"type": "array", "items": meta("OwnerReference")},
    )
    listed = dict.fromkeys(("continue", "resourceVersion", "selfLink"), "string")
    return {
        "FieldsV1": {"type": "object", "description": "A set of fields as a tree."},
        "ListMeta": record("The metadata of a list.", **listed, remainingItemCount=integer),
        "ManagedFieldsEntry": managed,
        "ObjectMeta": object_meta,
        "OwnerReference": owner,
        "Time": {"type": "string", "format": "date-time", "description": "A time with a resolution of one second."},
    }


def _outcome_types() -> dict[str, Schema]:
    integer = {"type": "integer", "format": "int32"}
    details = record(
        "Details of the reason.",
        **dict.fromkeys(("group", "kind", "name", "uid"), "string"),
        causes={"type": "array", "items": meta("StatusCause")},
        retryAfterSeconds=integer,
    )
    status = record(
        "The result of a request that returns no object.",
        **dict.fromkeys(("message", "reason", "status"), "string"),
        code=integer,
        details=meta("StatusDetails"),
        metadata=meta("ListMeta"),
    )
    status["properties"] |= TYPE_META
    status["x-kubernetes-group-version-kind"] = [{"group": "", "kind": "Status", "version": "v1"}]
    options = record(
        "Options of a delete.",
        dryRun=_STRINGS,
        gracePeriodSeconds={"type": "integer", "format": "int64"},
        orphanDependents="boolean",
        preconditions=meta("Preconditions"),
        propagationPolicy="string",
    )
    options["properties"] |= TYPE_META
    return {
        "DeleteOptions": options,
        "Patch": {"type": "object", "description": "A patch in the format of the content type of the request."},
        "Preconditions": record("Conditions for a delete.", resourceVersion="string", uid="string"),
        "Status": status,
        "StatusCause": record("One cause.", field="string", message="string", reason="string"),
        "StatusDetails": details,
    }


def _organization_list() -> Schema:
    place = record("The namespace of its objects.", namespace="string")
    organization = record("An organization.", id="string", name="string", display_name="string", metadata=place)
    paging = dict.fromkeys(("length", "limit", "start", "total"), "integer")
    organizations = {"type": "array", "items": organization}
    return record("The caller's organizations.", **paging, next="string", organizations=organizations)
