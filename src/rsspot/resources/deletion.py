"""require_object(): refuses the deletion of a whole collection by a path that a caller wrote. Sends nothing."""

from __future__ import annotations

import re
from urllib.parse import unquote

from rsspot.errors import UsageError
from rsspot.resources.registry import kinds

WITHOUT_NAME = re.compile(r"(/api/[^/]+|/apis(/[^/]+){2})?(/namespaces/[^/]+)?(/[^/]+)?")
"""The path of an API, a namespace or a collection."""
END_OF_SEGMENT = re.compile(r"[?#;\x00-\x1f]")


def require_object(path: str) -> None:
    """Raise UsageError unless a path can only be that of one object.

    The API server deletes all objects of a collection at once. Empty segments, dots and encoded slashes are read as a
    server or proxy could read them, since one of them may do so.
    """
    # Without its query, in which there may be a secret.
    path = re.split("[?#]", path)[0]
    segments = _segments(path)
    if any(each in (".", "..") for each in segments):
        raise UsageError(f"DELETE {path}: a path with . or .. may be another one to the service", hint=HINT)
    named = [each for each in segments if each]
    last = named[-1].lower() if named else ""
    if WITHOUT_NAME.fullmatch("".join(f"/{each}" for each in named)) or last in _plurals():
        raise UsageError(f"DELETE {path}: without the name of an object, all would be deleted", hint=HINT)


HINT = "end the path in the name of one object"


def _segments(path: str) -> list[str]:
    """The segments of a path, also those that decoding reveals. What follows ?, # or ; in one is left out."""
    # A proxy may decode a path once, and the next one again.
    while (decoded := unquote(path)) != path:
        path = decoded
    return [END_OF_SEGMENT.split(each)[0].strip() for each in re.split(r"[/\\]", path)]


def _plurals() -> frozenset[str]:
    return frozenset(kind.plural for kind in kinds().values())
