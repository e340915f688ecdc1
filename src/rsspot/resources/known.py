"""Checks a name that a user gave against those of the live objects of a kind."""

from __future__ import annotations

from rsspot.errors import UsageError
from rsspot.resources.documents import Documents
from rsspot.utils.text import choices


async def require_known(documents: Documents, name: str) -> None:
    """Raise UsageError for a name that no object of the kind has, naming those there are. Source: one list, cached."""
    known = sorted(str(document["metadata"]["name"]) for document in await documents.kept_list())
    if name not in known:
        kind = documents.kind
        raise UsageError(f"no {kind.name.lower()} {name!r}", hint=choices(kind.plural, name, known))
