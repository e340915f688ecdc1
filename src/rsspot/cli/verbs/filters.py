"""Which objects a list shows: those of a region, and those that can be used."""

from __future__ import annotations

from typing import Any

import typer

from rsspot.client.async_client import AsyncSpotClient
from rsspot.models.fields import AVAILABILITY
from rsspot.resources.kind import Kind
from rsspot.resources.known import require_known
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import Document, at_path

REGION = "Region"
"""The kind that other objects are in."""


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
    """The objects in a region, or whose parent is in it; all of them without one, and of a kind that is nowhere.

    Raises UsageError, with those there are, if there is no such region.
    """
    if region is None:
        return documents
    regions = await _regions(client, kind, documents)
    there = [each for each in documents if regions is None or regions.get(each["metadata"]["name"]) == region]
    if not there or regions is None:
        await require_known(client.documents(kinds()[REGION]), region)
    return there


async def _regions(client: AsyncSpotClient, kind: Kind[Any], documents: list[Document]) -> dict[str, Any] | None:
    """Name of an object -> its region; None for a kind whose objects are nowhere."""
    if kind.name == REGION:
        return {each["metadata"]["name"]: each["metadata"]["name"] for each in documents}
    path = next((path for path, to in kind.references if to.kind == REGION), None)
    if path is not None:
        return {each["metadata"]["name"]: at_path(each, ("spec", *path)) for each in documents}
    if kind.parent is None:
        return None
    parent = kinds()[kind.parent.kind]
    around = await _regions(client, parent, await client.documents(parent).kept_list()) or {}
    return {each["metadata"]["name"]: around.get(kind.parent_name(each.get("spec") or {}) or "") for each in documents}
