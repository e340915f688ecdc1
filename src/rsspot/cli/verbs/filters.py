"""Which objects a list shows: those of a region, and those that can be used."""

from __future__ import annotations

from typing import Any

import typer

from rsspot.client.async_client import AsyncSpotClient
from rsspot.models.fields import AVAILABILITY
from rsspot.resources.kind import Kind, Path
from rsspot.resources.known import require_known
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import Document, at_path


def only_available_option(kind: Kind[Any]) -> Any:
    """The option `--only-available` of a list. Kinds whose objects can always be used do not have it."""
    return typer.Option(
        False,
        "--only-available/--all",
        help=f"Only {kind.plural} that can be used now, or all.",
        hidden=not kind.marked(AVAILABILITY),
    )


def is_available(kind: Kind[Any], document: Document) -> bool:
    """Whether new objects may use an object."""
    return all(at_path(document, ("spec", *path)) == "available" for path in kind.marked(AVAILABILITY))


async def in_region(
    client: AsyncSpotClient, kind: Kind[Any], documents: list[Document], region: str | None
) -> list[Document]:
    """The objects in a region; all of them without one, and of a kind that has no region.

    Raises UsageError, with those there are, if there is no such region.
    """
    path = _region_of(kind)
    if region is None or path is None:
        return documents
    there = [document for document in documents if at_path(document, ("spec", *path)) == region]
    if not there:
        await require_known(client.documents(kinds()["Region"]), region)
    return there


def _region_of(kind: Kind[Any]) -> Path | None:
    return next((path for path, to in kind.references if to.kind == "Region"), None)
