"""OpenAPI v2 schemas of the types that every kind shares: metadata, Status and options. Knows none of the kinds."""

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


_SAID = {
    "annotations": "Notes of any shape, for whoever knows their keys.",
    "blockOwnerDeletion": "Whether the owner, deleted in the foreground, waits for this object.",
    "continue": "Where the next page begins; empty on the last one.",
    "controller": "Whether the owner steers this object.",
    "deletionGracePeriodSeconds": "Seconds that the object is given to end.",
    "finalizers": "Who has to let go before the object is gone.",
    "generateName": "What a name that the server makes up begins with.",
    "generation": "How often what is asked for has changed.",
    "labels": "Short notes by which objects are found.",
    "managedFields": "Who manages which fields.",
    "manager": "Who manages the fields.",
    "name": "The name, unique among objects of the kind in the namespace.",
    "namespace": "The organization's namespace.",
    "operation": "How the fields came to be managed: Apply or Update.",
    "ownerReferences": "The objects that this one goes with.",
    "remainingItemCount": "How many are on the pages to come.",
    "resourceVersion": "The version of the object; a write that names another one is refused.",
    "selfLink": "No longer given.",
    "uid": "What tells the object from others that had its name before.",
}
"""What fields of the shared types are for."""


def reference(where: str, name: str) -> Schema:
    """A reference to a definition or a parameter of the document."""
    return {"$ref": f"#/{where}/{name}"}


def meta(name: str) -> Schema:
    """A reference to one of Kubernetes' own types."""
    return reference("definitions", META + name)


def record(said: str, required: Iterable[str] = (), /, **properties: Any) -> Schema:
    """An object's schema; a property given as a word is of that type."""
    made = {name: {"type": each} if isinstance(each, str) else each for name, each in properties.items()}
    needed = {"required": sorted(required)} if required else {}
    for name, schema in made.items():
        if name in _SAID and "$ref" not in schema:
            made[name] = {"description": _SAID[name], **schema}
    return {"type": "object", "description": said, **needed, "properties": dict(sorted(made.items()))}


def common() -> dict[str, Schema]:
    """Every shared type by the name of its definition."""
    types = _metadata_types() | _outcome_types()
    return {f"{META}{name}": schema for name, schema in types.items()} | {
        INFO: record("The server's version.", major="string", minor="string", gitVersion="string", platform="string"),
        ORGANIZATIONS: _organization_list(),
    }


def _metadata_types() -> dict[str, Schema]:
    time, whole = meta("Time"), {"type": "integer", "format": "int64"}
    owner = record(
        "The object that this one depends on.",
        ["apiVersion", "kind", "name", "uid"],
        **dict.fromkeys(("apiVersion", "kind", "name", "uid"), "string"),
        **dict.fromkeys(("blockOwnerDeletion", "controller"), "boolean"),
    )
    managed = record(
        "Who manages which fields.",
        **dict.fromkeys(("apiVersion", "fieldsType", "manager", "operation", "subresource"), "string"),
        fieldsV1=meta("FieldsV1"),
        time=time,
    )
    object_meta = record(
        "The metadata that every object has.",
        **dict.fromkeys(("generateName", "name", "namespace", "resourceVersion", "selfLink", "uid"), "string"),
        **dict.fromkeys(("annotations", "labels"), _MAP),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), time),
        **dict.fromkeys(("deletionGracePeriodSeconds", "generation"), whole),
        finalizers=_STRINGS,
        managedFields={"type": "array", "items": meta("ManagedFieldsEntry")},
        ownerReferences={"type": "array", "items": meta("OwnerReference")},
    )
    listed = dict.fromkeys(("continue", "resourceVersion", "selfLink"), "string")
    return {
        "FieldsV1": {"type": "object", "description": "A set of fields as a tree."},
        "ListMeta": record("The metadata of a list.", **listed, remainingItemCount=whole),
        "ManagedFieldsEntry": managed,
        "ObjectMeta": object_meta,
        "OwnerReference": owner,
        "Time": {"type": "string", "format": "date-time", "description": "A moment, to the second."},
    }


def _outcome_types() -> dict[str, Schema]:
    whole = {"type": "integer", "format": "int32"}
    details = record(
        "More about the reason.",
        **dict.fromkeys(("group", "kind", "name", "uid"), "string"),
        causes={"type": "array", "items": meta("StatusCause")},
        retryAfterSeconds=whole,
    )
    status = record(
        "What became of a request that returns no object.",
        **dict.fromkeys(("message", "reason", "status"), "string"),
        code=whole,
        details=meta("StatusDetails"),
        metadata=meta("ListMeta"),
    )
    status["properties"] |= TYPE_META
    status["x-kubernetes-group-version-kind"] = [{"group": "", "kind": "Status", "version": "v1"}]
    options = record(
        "What may be asked of a delete.",
        dryRun=_STRINGS,
        gracePeriodSeconds={"type": "integer", "format": "int64"},
        orphanDependents="boolean",
        preconditions=meta("Preconditions"),
        propagationPolicy="string",
    )
    options["properties"] |= TYPE_META
    return {
        "DeleteOptions": options,
        "Patch": {"type": "object", "description": "A change, in the words of the request's content type."},
        "Preconditions": record("What must hold.", resourceVersion="string", uid="string"),
        "Status": status,
        "StatusCause": record("One cause.", field="string", message="string", reason="string"),
        "StatusDetails": details,
    }


def _organization_list() -> Schema:
    place = record("Where its objects live.", namespace="string")
    one = record("An organization.", id="string", name="string", display_name="string", metadata=place)
    paging = dict.fromkeys(("length", "limit", "start", "total"), "integer")
    organizations = {"type": "array", "items": one}
    return record("The caller's organizations.", **paging, next="string", organizations=organizations)
