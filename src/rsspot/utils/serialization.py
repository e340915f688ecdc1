"""JSON documents: one spelling, a digest of it, and the value at a path. Knows no kinds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
"""A JSON object as it travels. The border where `Any` is allowed."""


def canonical(value: Any) -> str:
    """JSON with one spelling: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def digest(value: Any) -> str:
    """`sha256:…` of the canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(value).encode()).hexdigest()


def at_path(document: Any, path: Iterable[str | int], default: Any = None) -> Any:
    """The value at a path of keys and indexes, or `default`."""
    for key in path:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return default
    return document
