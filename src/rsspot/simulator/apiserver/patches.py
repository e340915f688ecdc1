"""Merge patches (RFC 7386) and JSON patches (RFC 6902) on plain values. Server-side apply is in `managed_fields`."""

from __future__ import annotations

import json
from typing import Any

from rsspot.simulator.apiserver import json_patches
from rsspot.simulator.apiserver.decoding import Mismatch, parsed
from rsspot.simulator.apiserver.messages import Cause, Refusal
from rsspot.simulator.apiserver.metadata import decode
from rsspot.simulator.apiserver.parsing import APPLY, check_type_meta

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
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
        patch = parsed(body)
        if sent == JSON_PATCH:
            return _operated(live, [] if patch is None else _operations(patch))
        if not isinstance(patch, dict | None):
            raise Mismatch.of(patch, "", "map[string]interface {}")
    except (Mismatch, ValueError) as error:
        raise Refusal(400, "BadRequest", f"error decoding patch: {error}") from None
    if patch is None:
        raise Refusal(400, "BadRequest", "Invalid JSON Patch")
    return dict(merged(live, patch))


def _operations(patch: Any) -> list[Any]:
    """The operations of a JSON patch. Raises Mismatch."""
    if not isinstance(patch, list):
        raise Mismatch.of(patch, "", "[]handlers.jsonPatchOp")
    for operation in patch:
        if not isinstance(operation, dict | None):
            raise Mismatch.of(operation, "", "handlers.jsonPatchOp")
        for field in ("op", "path", "from"):
            value = (operation or {}).get(field)
            if not isinstance(value, str | None):
                raise Mismatch.of(value, f"jsonPatchOp.{field}", "string")
    return patch


def _operated(live: dict[str, Any], operations: list[Any]) -> dict[str, Any]:
    if len(operations) > MOST_OPERATIONS:
        problem = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(operations)}"
        raise Refusal(413, "RequestEntityTooLarge", f"Request entity is too large: {problem}")
    try:
        result = json_patches.applied(live, operations)
    except json_patches.Unpatchable:
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


def check_patched(body: dict[str, Any]) -> None:
    """Refuse a patched object that cannot be decoded."""
    text = compact(body)
    try:
        check_type_meta(body, text)
        decode(body)
    except (Mismatch, ValueError) as error:
        raise unreadable(text, str(error)) from None
    if not body.get("apiVersion"):
        problem = "Object 'apiVersion' is missing in 'object has no apiVersion field'"
        raise Refusal(500, "InternalError", f"Internal error occurred: {problem}", causes=(Cause("", "", problem),))


def unreadable(text: str, problem: str) -> Refusal:
    """The refusal of a patch whose result cannot be decoded."""
    cause = Cause.invalid("patch", f"{json.dumps(text)}: {problem}")
    message = f' "" is invalid: {cause.field}: {cause.message}'
    return Refusal(422, "Invalid", message, causes=(cause,))


def compact(body: dict[str, Any]) -> str:
    """An object as JSON text, in the form of a real API server."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
