"""Merge patches (RFC 7386) and JSON patches (RFC 6902) on plain values. Server-side apply is in `managed_fields`."""

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
    """Refuse an unsupported patch type. Strategic merge patches exist only for built-in kinds."""
    if sent not in (MERGE, JSON_PATCH, APPLY):
        accepted = ", ".join((JSON_PATCH, MERGE, APPLY))
        message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise Refusal(415, "UnsupportedMediaType", message)


def patched(sent: str, body: bytes, live: dict[str, Any]) -> dict[str, Any]:
    """Apply a patch to a live object."""
    try:
        patch = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "BadRequest", f"error decoding patch: {error}") from None
    if sent == MERGE and isinstance(patch, dict):
        return dict(merged(live, patch))
    if sent == JSON_PATCH and isinstance(patch, list):
        return _operated(live, patch)
    json_type = "array" if isinstance(patch, list) else "object" if isinstance(patch, dict) else "value"
    wanted = "map[string]interface {}" if sent == MERGE else "[]handlers.jsonPatchOp"
    problem = f"error decoding patch: json: cannot unmarshal {json_type} into Go value of type {wanted}"
    raise Refusal(400, "BadRequest", problem)


def _operated(live: dict[str, Any], operations: list[Any]) -> dict[str, Any]:
    if len(operations) > MOST_OPERATIONS:
        problem = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(operations)}"
        raise Refusal(413, "RequestEntityTooLarge", f"Request entity is too large: {problem}")
    try:
        result = jsonpatch.apply_patch(live, operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError, ValueError):
        result = None
    if not isinstance(result, dict):
        raise Refusal(422, "Invalid", "the server rejected our request due to an error in our request")
    return result


def merged(target: Any, patch: Any) -> Any:
    """Apply an RFC 7386 merge patch."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
