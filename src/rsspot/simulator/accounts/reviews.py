"""Reviews: callers ask who they are and what they may do. Nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from rsspot.simulator.accounts.authorization import OPEN_PATHS, may, may_get, verbs_in
from rsspot.simulator.accounts.builtin import ACCESS_REVIEW, REVIEWS, RULES_REVIEW, SUBJECT_REVIEW
from rsspot.simulator.accounts.people import Caller
from rsspot.simulator.apiserver import metadata as metadata_rules
from rsspot.simulator.apiserver import protobuf
from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Refusal, Request, Response, invalid
from rsspot.simulator.apiserver.parsing import PROTOBUF, Twice, document_of, media_type, write_options
from rsspot.simulator.apiserver.resources import Target, not_allowed
from rsspot.simulator.apiserver.schema import NOTHING, violations
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.apiserver.validation import check_kind, check_version, completed, strictly

Answer = Callable[[Caller, dict[str, Any], Iterable[Definition]], dict[str, Any]]
"""The status of a review, from its caller, its spec and the served kinds."""

_RESOURCE = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
_FIELDS: protobuf.Fields = {
    2: (
        "spec",
        {
            1: ("resourceAttributes", {number: (name, None) for number, name in enumerate(_RESOURCE, 1)}),
            2: ("nonResourceAttributes", {1: ("path", None), 2: ("verb", None)}),
        },
    )
}
_RULES_FIELDS: protobuf.Fields = {2: ("spec", {1: ("namespace", None)})}


def review(request: Request, caller: Caller, definition: Definition, served: Iterable[Definition]) -> Response:
    """POST to a kind of review. Raises Refusal."""
    if request.method != "POST":
        raise not_allowed()
    body, warnings = _submitted(request, definition)
    answer, _ = _ANSWERS[definition.kind]
    status = answer(caller, body.get("spec") or {}, [*served, *REVIEWS])
    metadata = {**body["metadata"], "creationTimestamp": None}
    return replace(Response.of_json(201, {**body, "metadata": metadata, "status": status}), warnings=warnings)


def _submitted(request: Request, definition: Definition) -> tuple[Object, tuple[str, ...]]:
    """The review in a body, and warnings about it."""
    strictness, twice = write_options(request, "CreateOptions"), Twice()
    if media_type(request) == PROTOBUF:
        body = _decoded(request, definition)
    else:
        body = document_of(request, definition.kind, twice if strictness != "Ignore" else None)
    check_version(definition, body)
    metadata_rules.check_shape(definition.kind, definition.version, body)
    warnings = strictly(definition, body, strictness, twice)
    check_kind(definition, body)
    body = completed(definition, body)
    if causes := violations(definition.schema, {**body, "metadata": {}}, NOTHING, ()):
        raise invalid(definition.group, definition.kind, "", causes)
    return body, warnings


def _decoded(request: Request, definition: Definition) -> Object:
    _, fields = _ANSWERS[definition.kind]
    try:
        return protobuf.object_in(request.body, fields)
    except ValueError as error:
        raise Refusal(400, "BadRequest", str(error)) from None


def _access(caller: Caller, spec: dict[str, Any], served: Iterable[Definition]) -> dict[str, Any]:
    """SelfSubjectAccessReview: may the caller do this?"""
    if asked := spec.get("nonResourceAttributes"):
        return {"allowed": asked.get("verb") == "get" and may_get(asked.get("path", ""))}
    asked = spec.get("resourceAttributes") or {}
    resource = (asked.get("group", ""), asked.get("resource", ""))
    definition = next((each for each in served if (each.group, each.plural) == resource), None)
    return {"allowed": definition is not None and may(caller, _target(asked, definition))}


def _target(asked: dict[str, str], definition: Definition) -> Target:
    name = asked.get("name") or (definition.per_tenant and asked.get("namespace")) or None
    namespace = asked.get("namespace") or None if definition.namespaced else ""
    return Target(asked.get("verb", ""), definition, namespace, name, asked.get("subresource", ""))


def _rules(caller: Caller, spec: dict[str, Any], served: Iterable[Definition]) -> dict[str, Any]:
    """SelfSubjectRulesReview: what may the caller do in a namespace?"""
    rules: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    for definition in served:
        if verbs := verbs_in(caller, definition, spec.get("namespace", "")):
            name = caller.organization.namespace if definition.per_tenant else ""
            rules.setdefault((definition.group, verbs, name), []).append(definition.plural)
    return {
        "resourceRules": [
            {"verbs": verbs, "apiGroups": [group], "resources": plurals, **({"resourceNames": [name]} if name else {})}
            for (group, verbs, name), plurals in rules.items()
        ],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": OPEN_PATHS}],
        "incomplete": False,
    }


def _subject(caller: Caller, spec: dict[str, Any], served: Iterable[Definition]) -> dict[str, Any]:
    """SelfSubjectReview: who is the caller?"""
    return {"userInfo": {"username": caller.person.email, "groups": [caller.group, "system:authenticated"]}}


_ANSWERS: dict[str, tuple[Answer, protobuf.Fields]] = {
    ACCESS_REVIEW.kind: (_access, _FIELDS),
    RULES_REVIEW.kind: (_rules, _RULES_FIELDS),
    SUBJECT_REVIEW.kind: (_subject, {}),
}
"""Kind of review -> what answers it, and the fields of its spec in protobuf."""
