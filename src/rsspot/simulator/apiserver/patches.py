"""Patches: RFC 7386 merge patches and RFC 6902 JSON patches on plain values. Server-side apply is in `ownership`."""

from __future__ import annotations

import json
from typing import Any

import jsonpatch

from rsspot.simulator.apiserver.messages import Refusal

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
MOST_OPERATIONS = 10_000


def check_type(sent: str) -> None:
    """Refuse a content type that is no patch here: strategic merges are for kinds that are built in."""
    if sent not in (MERGE, JSON_PATCH, APPLY):
        accepted = ", ".join((JSON_PATCH, MERGE, APPLY))
        message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise Refusal(415, "UnsupportedMediaType", message)


def patched(sent: str, body: bytes, live: dict[str, Any]) -> dict[str, Any]:
    """A live object with a patch applied."""
    try:
        patch = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "BadRequest", f"error decoding patch: {error}") from None
    if sent == MERGE and isinstance(patch, dict):
        return dict(merged(live, patch))
    if sent == JSON_PATCH and isinstance(patch, list):
        return _operated(live, patch)
    word = "array" if isinstance(patch, list) else "object" if isinstance(patch, dict) else "value"
    wanted = "map[string]interface {}" if sent == MERGE else "[]handlers.jsonPatchOp"
    said = f"error decoding patch: json: cannot unmarshal {word} into Go value of type {wanted}"
    raise Refusal(400, "BadRequest", said)


def _operated(live: dict[str, Any], operations: list[Any]) -> dict[str, Any]:
    if len(operations) > MOST_OPERATIONS:
        said = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(operations)}"
        raise Refusal(413, "RequestEntityTooLarge", f"Request entity is too large: {said}")
    try:
        result = jsonpatch.apply_patch(live, operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError, ValueError):
        result = None
    if not isinstance(result, dict):
        raise Refusal(422, "Invalid", "the server rejected our request due to an error in our request")
    return result


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
