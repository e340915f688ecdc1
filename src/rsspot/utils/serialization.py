"""JSON documents: canonical text, digests, and the value at a path. Knows no kinds."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
"""A JSON object as sent and received. Its values are `Any`, because they come from outside."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys and no spaces, so that equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def without_surrogates(text: str) -> str:
    """A text with U+FFFD for lone surrogates: those in file names and variables can be neither hashed nor stored."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def digest(value: Any) -> str:
    """The SHA-256 digest of the canonical JSON, as `sha256:…`."""
    return "sha256:" + hashlib.sha256(without_surrogates(canonical(value)).encode()).hexdigest()


def has_text(value: Any, test: Callable[[str], bool]) -> bool:
    """Whether a text anywhere in a document, keys aside, passes a test. Makes no paths, so that it is cheap to ask."""
    if isinstance(value, str):
        return test(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        # Most values are texts, which need no call of their own.
        if test(inner) if isinstance(inner, str) else has_text(inner, test):
            return True
    return False


def at_path(document: Any, path: Iterable[str | int], default: Any = None) -> Any:
    """The value at a path of keys and indexes, or `default` if there is none."""
    for key in path:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return default
    return document
