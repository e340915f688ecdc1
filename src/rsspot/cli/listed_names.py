"""The names of the objects that a command has listed, kept for shell completion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsspot.config.loader import Resolved
    from rsspot.resources.kind import Kind
    from rsspot.utils.serialization import Document


class ListedNames:
    """Plural of a kind -> the names of all its objects, as people call them, with those of the parents."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._names)

    def add(self, kind: Kind[Any], items: list[Document]) -> None:
        """Take note of a whole list."""
        from rsspot.resources.names import full_name

        self._names[kind.plural] = [full_name(kind, item) for item in items]

    def keep(self, settings: Resolved, state_path: Path) -> None:
        """Write them to state.db. Like cached responses, only where caching is not disabled; never creates the file."""
        from rsspot.state.listed_names import keep_names
        from rsspot.utils.clock import utc_now

        cache = settings.options.cache
        if cache.enabled and cache.persistent and state_path.is_file():
            keep_names(state_path, self._names, now=utc_now().timestamp())
