"""Patches: RFC 7386 merge patches and RFC 6902 JSON patches on plain values."""

from __future__ import annotations

import json
from typing import Any

import jsonpatch

from rsspot.simulator.machinery.messages import Refusal

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def patched(content_type: str, body: bytes, live: dict[str, Any]) -> dict[str, Any]:
    """A live object with a patch applied."""
    kind = content_type.split(";", maxsplit=1)[0].strip()
    if kind not in (MERGE, JSON_PATCH):
        accepted = f"{JSON_PATCH}, {MERGE}"
        message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise Refusal(415, "UnsupportedMediaType", message)
    try:
        patch = json.loads(body)
    except ValueError as error:
        raise Refusal(400, "BadRequest", f"error decoding patch: {error}") from None
    if kind == MERGE:
        result = merged(live, patch)
    else:
        try:
            result = jsonpatch.apply_patch(live, patch)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError) as error:
            raise Refusal(
                422, "Invalid", f"the server rejected our request due to an error in our request: {error}"
            ) from None
    if not isinstance(result, dict):
        raise Refusal(400, "BadRequest", "a patch must leave an object")
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
