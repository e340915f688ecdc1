"""The Go types of an object's metadata and of the options of a delete."""

from __future__ import annotations

from rsspot.simulator.apiserver.decoding import TEXT, TRUTH, UID, WHOLE, Anything, ListOf, Scalar, Struct, Texts, Time

_REFERENCE = ("apiVersion", "kind", "name", "uid")
OWNER = Struct(
    "OwnerReference",
    "v1.OwnerReference",
    {**dict.fromkeys(_REFERENCE, TEXT), "uid": UID, "controller": TRUTH, "blockOwnerDeletion": TRUTH},
    always=_REFERENCE,
)
MANAGED = Struct(
    "ManagedFieldsEntry",
    "v1.ManagedFieldsEntry",
    {
        **dict.fromkeys(("manager", "operation", "apiVersion", "fieldsType", "subresource"), TEXT),
        "time": Time(),
        "fieldsV1": Anything(),
    },
)
OBJECT_META = Struct(
    "ObjectMeta",
    "v1.ObjectMeta",
    {
        **dict.fromkeys(("name", "generateName", "namespace", "selfLink", "resourceVersion"), TEXT),
        "uid": UID,
        **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), WHOLE),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), Time()),
        **dict.fromkeys(("labels", "annotations"), Texts()),
        "ownerReferences": ListOf(OWNER, OWNER.qualified),
        "finalizers": ListOf(TEXT, "string"),
        "managedFields": ListOf(MANAGED, MANAGED.qualified),
    },
)
TYPE_META = Struct("", "", dict.fromkeys(("apiVersion", "kind"), TEXT))
DELETE_OPTIONS = Struct(
    "DeleteOptions",
    "v1.DeleteOptions",
    {
        **dict.fromkeys(("kind", "apiVersion"), TEXT),
        "gracePeriodSeconds": WHOLE,
        "preconditions": Struct("Preconditions", "v1.Preconditions", {"uid": UID, "resourceVersion": TEXT}),
        "orphanDependents": TRUTH,
        "propagationPolicy": Scalar("v1.DeletionPropagation", str, ""),
        "dryRun": ListOf(TEXT, "string"),
        "ignoreStoreReadErrorWithClusterBreakingPotential": TRUTH,
    },
)
