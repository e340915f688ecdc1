"""Reading objects that do not quite fit their model: what does not fit is left out. Knows no kinds."""

from __future__ import annotations

from typing import Any


def without(value: Any, path: tuple[str | int, ...]) -> Any:
    """A copy without the innermost thing on a path of pydantic's that exists; the value itself if nothing of it does.

    Parts of the path that pydantic adds for its own steps are passed over.
    """
    entries: dict[Any, Any] = {}
    if isinstance(value, dict):
        entries = dict(value)
    elif isinstance(value, list):
        entries = dict(enumerate(value))
    for index, key in enumerate(path):
        if key in entries:
            inner = without(entries[key], path[index + 1 :])
            if inner is entries[key]:
                del entries[key]
            else:
                entries[key] = inner
            return entries if isinstance(value, dict) else list(entries.values())
    return value
