"""Follows the pages of a list to its end. Sends nothing by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from rsspot.constants import PAGE_SIZE
from rsspot.http.envelopes import NotAsDocumented
from rsspot.utils.serialization import Document

MOST_PAGES = 4000
"""Pages of one list; at 500 objects a page, two million objects."""
P = TypeVar("P")


async def pages_of(
    read: Callable[[Mapping[str, str]], Awaitable[bytes]],
    params: Mapping[str, str],
    decode: Callable[[bytes], P],
    token_of: Callable[[P], str | None],
) -> AsyncIterator[P]:
    """The pages of a list, in order. Raises NotAsDocumented for one that never ends.

    read: gets a page by its parameters · params: those of the first one
    """
    params = {**params, "limit": str(PAGE_SIZE)}
    seen: set[str] = set()
    while len(seen) < MOST_PAGES:
        page = decode(await read(params))
        yield page
        token = token_of(page)
        if not token:
            return
        if token in seen:
            raise NotAsDocumented("continues with a page that was read before")
        seen.add(token)
        params = {**params, "continue": token}
    raise NotAsDocumented(f"continues after {MOST_PAGES} pages")


def items_of(pages: Iterable[Document]) -> list[Document]:
    """The items of all pages."""
    return [item for page in pages for item in page["items"] or ()]


def token_of(page: Document) -> str | None:
    """The token for the next page of a list, or None on the last page."""
    metadata = page.get("metadata")
    token = metadata.get("continue") if isinstance(metadata, dict) else None
    return token if isinstance(token, str) else None
