"""Validates the metadata of new and changed objects, with the messages of a real API server. Knows no kinds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rsspot.simulator.apiserver.decoding import Mismatch
from rsspot.simulator.apiserver.messages import Cause, Refusal
from rsspot.simulator.apiserver.object_meta import OBJECT_META
from rsspot.simulator.apiserver.store import Object

MAPS = ("labels", "annotations")
SERVERS = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
"""Metadata fields that only the server sets."""
KNOWN = OBJECT_META.fields.keys()
SUFFIXES = "bcdfghjklmnpqrstvwxz2456789"
"""Characters for the suffix of generated names: no vowels and no characters that look alike."""

_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_PART = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_NO_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_NO_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_PART}')"
)
_NO_QUALIFIED = _NO_PART.replace("name part", "a qualified name") + (
    " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
_NO_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    f"regex used for validation is '{_VALUE}')"
)
_LARGEST_ANNOTATIONS = 256 * 1024
_LONGEST_NAME = 253
_LONGEST_PART = 63


def check_shape(kind: str, version: str, body: Object) -> None:
    """Decode the metadata of an object. Refuses metadata that cannot be decoded."""
    try:
        decode(body)
    except Mismatch as mismatch:
        message = f'{kind} in version "{version}" cannot be handled as a {kind}: {mismatch}'
        raise Refusal(400, "BadRequest", message) from None


def decode(body: Object) -> None:
    """Decode the metadata of an object in place. Raises Mismatch. Unknown fields are kept, to be warned about."""
    metadata = body.get("metadata")
    if metadata is None:
        metadata = body["metadata"] = {}
    known = OBJECT_META.decoded(metadata)
    if owners := known.get("ownerReferences"):
        known["ownerReferences"] = [owner for index, owner in enumerate(owners) if owner not in owners[:index]]
    unknown = {key: value for key, value in metadata.items() if key not in KNOWN}
    body["metadata"] = {key: value for key, value in known.items() if value not in ("", [], {})} | unknown


def violations(body: Object) -> Iterator[Cause]:
    """Yield a cause for everything that is wrong with the metadata of an object."""
    metadata = body["metadata"]
    name = metadata.get("name", "")
    if not name:
        yield Cause("FieldValueRequired", "metadata.name", "Required value: name or generateName is required")
    elif not re.fullmatch(_SUBDOMAIN, name):
        yield Cause.invalid("metadata.name", f'"{name}": {_NO_SUBDOMAIN}')
    elif len(name) > _LONGEST_NAME:
        yield Cause.invalid("metadata.name", f'"{name}": must be no more than {_LONGEST_NAME} characters')
    yield from attached_violations(body)
    yield from _finalizer_problems(metadata.get("finalizers", []))


def attached_violations(body: Object) -> Iterator[Cause]:
    """Yield a cause for everything that is wrong with the labels, annotations and owners of an object."""
    metadata = body["metadata"]
    for field in MAPS:
        for key in metadata.get(field, {}):
            for problem in _key_problems(key.lower() if field == "annotations" else key):
                yield Cause.invalid(f"metadata.{field}", f'"{key}": {problem}')
    for value in metadata.get("labels", {}).values():
        if not re.fullmatch(_VALUE, value):
            yield Cause.invalid("metadata.labels", f'"{value}": {_NO_VALUE}')
        elif len(value) > _LONGEST_PART:
            yield Cause.invalid("metadata.labels", f'"{value}": must be no more than {_LONGEST_PART} characters')
    size = sum(len(key) + len(value) for key, value in metadata.get("annotations", {}).items())
    if size > _LARGEST_ANNOTATIONS:
        problem = f"Too long: may not be more than {_LARGEST_ANNOTATIONS} bytes"
        yield Cause("FieldValueTooLong", "metadata.annotations", problem)
    yield from _owner_problems(metadata.get("ownerReferences", ()))


def _finalizer_problems(finalizers: list[str]) -> Iterator[Cause]:
    for finalizer in finalizers:
        for problem in _key_problems(finalizer):
            yield Cause.invalid("metadata.finalizers", f'"{finalizer}": {problem}')
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        problem = "finalizer orphan and foregroundDeletion cannot be both set"
        yield Cause.invalid("metadata.finalizers", f"{_compact(finalizers)}: {problem}")


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _key_problems(key: str) -> Iterator[str]:
    if key.count("/") > 1:
        yield _NO_QUALIFIED
        return
    prefix, slash, part = key.rpartition("/")
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        yield f"prefix part {_NO_SUBDOMAIN}"
    if not part:
        yield "name part must be non-empty"
    if len(part) > _LONGEST_PART:
        yield f"name part must be no more than {_LONGEST_PART} characters"
    if not re.fullmatch(_PART, part):
        yield _NO_PART


def _owner_problems(references: list[dict[str, Any]]) -> Iterator[Cause]:
    for reference in references:
        if not reference["apiVersion"] or reference["apiVersion"].count("/") > 1:
            problem = f'"{reference["apiVersion"]}": version must not be empty'
            yield Cause.invalid("metadata.ownerReferences.apiVersion", problem)
        for field in ("kind", "name", "uid"):
            if not reference[field]:
                yield Cause.invalid(f"metadata.ownerReferences.{field}", '"": must not be empty')
        if (reference["apiVersion"], reference["kind"]) == ("v1", "Event"):
            problem = f"{_compact(reference)}: /v1, Kind=Event is disallowed from being an owner"
            yield Cause.invalid("metadata.ownerReferences", problem)
    controllers = [reference for reference in references if reference.get("controller")]
    if len(controllers) > 1:
        first, second = (f"{owner['kind']}/{owner['name']}" for owner in controllers[:2])
        problem = (
            f'Only one reference can have Controller set to true. Found "true" in references for {first} and {second}'
        )
        yield Cause.invalid("metadata.ownerReferences", f"{_compact(references)}: {problem}")


def changes_refused(body: Object, old: Object) -> Iterator[Cause]:
    """Yield a cause for every changed metadata field that is immutable."""
    metadata, before = body["metadata"], old["metadata"]
    for field in ("uid", "deletionTimestamp", "deletionGracePeriodSeconds"):
        value = metadata.get(field)
        if value is not None and value != before.get(field):
            yield Cause.invalid(f"metadata.{field}", f"{json.dumps(value)}: field is immutable")
    if before.get("deletionTimestamp"):
        new = [name for name in metadata.get("finalizers", ()) if name not in before.get("finalizers", ())]
        if new:
            listed = ", ".join(f'"{finalizer}"' for finalizer in new)
            problem = "no new finalizers can be added if the object is being deleted, found new finalizers"
            message = f"Forbidden: {problem} []string{{{listed}}}"
            yield Cause("FieldValueForbidden", "metadata.finalizers", message)


def warnings(body: Object, old: Object | None = None) -> Iterator[str]:
    """Yield the warnings about the metadata of a written object."""
    before = ("foregroundDeletion", "orphan", *(old["metadata"].get("finalizers", ()) if old else ()))
    for finalizer in body["metadata"].get("finalizers", ()):
        if "/" not in finalizer and finalizer not in before:
            advice = (
                "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
            )
            yield f'metadata.finalizers: "{finalizer}": {advice}'
