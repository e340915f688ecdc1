"""The kinds of Kubernetes itself that a tenant meets: their namespaces, and reviews of what they may do."""

from __future__ import annotations

import uuid
from typing import Any

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.apiserver.crds import READS, Definition
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.clock import rfc3339

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}


def _record(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _schema(description: str, **properties: dict[str, Any]) -> dict[str, Any]:
    implied = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": _record()}
    return {"type": "object", "description": description, "properties": {**implied, **properties}}


def _review(group: str, kind: str, schema: dict[str, Any]) -> Definition:
    names = (f"{kind.lower()}s", kind.lower())
    return Definition(group, "v1", kind, *names, namespaced=False, schema=schema, verbs=("create",), stored=False)


NAMESPACE = Definition(
    "",
    "v1",
    "Namespace",
    "namespaces",
    "namespace",
    namespaced=False,
    schema=_schema(
        "A namespace. Each organization has one.",
        spec=_record(finalizers=_TEXTS),
        status=_record(phase=_TEXT),
    ),
    short_names=("ns",),
    columns=(
        {"name": "Status", "type": "string", "jsonPath": ".status.phase"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ),
    list_kind="NamespaceList",
    verbs=READS,
    per_tenant=True,
)
_RESOURCE = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
ACCESS_REVIEW = _review(
    "authorization.k8s.io",
    "SelfSubjectAccessReview",
    _schema(
        "A question: may the caller do this?",
        spec=_record(
            resourceAttributes=_record(**dict.fromkeys(_RESOURCE, _TEXT)),
            nonResourceAttributes=_record(path=_TEXT, verb=_TEXT),
        ),
        status=_record(allowed={"type": "boolean"}, denied={"type": "boolean"}, reason=_TEXT, evaluationError=_TEXT),
    ),
)
_RULE = _record(verbs=_TEXTS, apiGroups=_TEXTS, resources=_TEXTS, resourceNames=_TEXTS)
_PATH_RULE = _record(verbs=_TEXTS, nonResourceURLs=_TEXTS)
RULES_REVIEW = _review(
    "authorization.k8s.io",
    "SelfSubjectRulesReview",
    _schema(
        "A question: what may the caller do in a namespace?",
        spec=_record(namespace=_TEXT),
        status=_record(
            resourceRules={"type": "array", "items": _RULE},
            nonResourceRules={"type": "array", "items": _PATH_RULE},
            incomplete={"type": "boolean"},
            evaluationError=_TEXT,
        ),
    ),
)
SUBJECT_REVIEW = _review(
    "authentication.k8s.io",
    "SelfSubjectReview",
    _schema("A question: who is the caller?", status=_record(userInfo=_record(username=_TEXT, groups=_TEXTS))),
)
REVIEWS = (ACCESS_REVIEW, RULES_REVIEW, SUBJECT_REVIEW)


def namespace_of(organization: Tenant, now: float) -> Object:
    """The namespace of an organization as an object. Its uid depends on its name alone."""
    name = organization.namespace
    metadata = {
        "name": name,
        "uid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"namespaces/{name}")),
        "creationTimestamp": rfc3339(now),
        "labels": {"kubernetes.io/metadata.name": name},
    }
    frame = {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind, "metadata": metadata}
    return {**frame, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
