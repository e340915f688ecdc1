"""Looks at what one object names and bids before it is sent, so that its author learns what would be taken.

Sends only GETs and prints nothing. A plan has guards for the same, with the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import ApiError, NotFound, TransportError, UsageError
from rsspot.models.bids import objection, price_at
from rsspot.resources.documents import Documents
from rsspot.resources.field import Path
from rsspot.resources.kind import READ_ONLY, Kind
from rsspot.resources.registry import kinds
from rsspot.resources.validation import part_of_spec, whole_spec
from rsspot.utils.serialization import Document, at_path
from rsspot.utils.text import did_you_mean

REGION = "region"
"""The field of a spec that says where an object is."""


async def check_new(
    client: AsyncSpotClient, kind: Kind[Any], spec: Mapping[str, Any], *, parent: Document | None = None
) -> None:
    """Raise UsageError for a new object that names no existing region or class, or whose bid would be refused.

    parent: the spec of its parent, if that is to be made with it; otherwise the parent is looked up
    """
    offered = {path: kinds()[to.kind] for path, to in kind.references if kinds()[to.kind].verbs == READ_ONLY}
    if offered:
        whole = whole_spec(kind, spec, client.config.options.region)
        named = {path: await _offer(client, of, at_path(whole, path)) for path, of in offered.items()}
        _check(kind, whole, named)
        if kind.parent is not None:
            around = await _parent(client, kind, whole) if parent is None else parent
            _check_regions(kind, whole, around, named)


async def _parent(client: AsyncSpotClient, kind: Kind[Any], spec: Document) -> Document:
    """The spec of the live parent; empty if it cannot be read now. Raises UsageError if there is none."""
    assert kind.parent is not None
    name, documents = kind.parent_name(spec), client.documents(kinds()[kind.parent.kind])
    try:
        return (await documents.find(str(name))).get("spec") or {}
    except NotFound as error:
        raise UsageError(f"there is no {kind.parent.kind} {name!r}", hint=error.hint) from None
    except (ApiError, TransportError):
        return {}


def _check_regions(kind: Kind[Any], spec: Document, parent: Document, named: Mapping[Path, Document | None]) -> None:
    """An object is where its parent is, so what it names has to be there too. That is so for server classes."""
    for path, offer in named.items():
        place, around = at_path(offer or {}, ("spec", REGION)), parent.get(REGION)
        if place and around and place != around:
            message = f"{kind.name}.{'.'.join(path)}: {at_path(spec, path)} is in {place}"
            raise UsageError(f"{message}, and {kind.parent_name(spec)} is in {around}")


async def check_change(client: AsyncSpotClient, kind: Kind[Any], name: str, spec: Mapping[str, Any]) -> None:
    """Raise UsageError for a changed bid that the service would refuse."""
    part = part_of_spec(kind, spec) if kind.bids else {}
    changed = [bid.of for path, bid in kind.bids if at_path(part, path) is not None]
    if changed:
        documents, references = client.documents(kind), dict(kind.references)
        live = await documents.get(await documents.wire_name(name))
        named = {of: await _offer(client, kinds()[references[of].kind], at_path(live, ("spec", *of))) for of in changed}
        _check(kind, part, named)


def _check(kind: Kind[Any], spec: Document, named: Mapping[Path, Document | None]) -> None:
    """named: the objects that the fields name, as far as they can be read"""
    for path, bid in kind.bids:
        price, offer = price_at(spec, path), named.get(bid.of)
        if price is None or offer is None:
            continue
        if message := objection(price, price_at(offer, bid.minimum), price_at(offer, bid.market)):
            hint = f"the class is {offer['metadata']['name']}"
            raise UsageError(f"{kind.name}.{'.'.join(path)}: {message}", hint=hint)


async def _offer(client: AsyncSpotClient, kind: Kind[Any], name: object) -> Document | None:
    """A region or class; None if it cannot be read now: then the service judges alone. Raises UsageError for none."""
    documents = client.documents(kind)
    try:
        return await documents.get(name) if isinstance(name, str) else None
    except NotFound:
        hint = did_you_mean(str(name), await _names(documents)) or f"see `rsspot {kind.plural} list`"
        raise UsageError(f"there is no {kind.name} {name!r}", hint=hint) from None
    except (ApiError, TransportError):
        return None


async def _names(documents: Documents) -> list[str]:
    try:
        return [each["metadata"]["name"] for each in await documents.kept_list()]
    except (ApiError, TransportError):
        return []
