"""Judges the body of a 2xx response: whether it is what the service documents. The one place that does.

A gateway, a login page or a captive portal answers 200 as well. An object that is none would read as "nothing there",
and a list without items as "all gone", after which a plan creates everything again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from rsspot.utils.reading import parse_json
from rsspot.utils.serialization import Document, at_path
from rsspot.wire import httpx


class Envelope(StrEnum):
    """What the body of a 2xx response has to be."""

    DOCUMENT = "a JSON object"
    OBJECT = "an object with a name"
    LIST = "a list of objects"
    DELETED = "a Status or the deleted object"


class NotAsDocumented(ValueError):
    """A 2xx response whose body is not what the service documents. Its text is a clause: `is not …`."""


def opened(body: bytes, envelope: Envelope, name: str | None = None) -> Document:
    """The JSON object of a response; {} for the empty body of a deletion. Raises NotAsDocumented.

    name: the metadata.name that an OBJECT must have.
    """
    if envelope is Envelope.DELETED and not body.strip():
        return {}
    try:
        document = parse_json(body)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not _JUDGES[envelope](document):
        raise NotAsDocumented(f"is not {envelope.value}")
    if name is not None and document["metadata"]["name"] != name:
        raise NotAsDocumented(f"is an object of another name than {name!r}")
    return document


def may_be_documented(response: httpx.Response) -> bool:
    """Whether a response to a read may be the service's, by its first byte: cheap, since every response is asked."""
    return not response.is_success or response.content.lstrip()[:1] == b"{"


def page_of(body: bytes, kind: str | None = None) -> Document:
    """One page of a list, all of whose items have names. Raises NotAsDocumented.

    kind: what the list is of; neither it nor an item may say that it is of another kind
    """
    page = opened(body, Envelope.LIST)
    items = page["items"] or ()
    if not all(isinstance(item, dict) and _has_name(item) for item in items):
        raise NotAsDocumented("holds an item that is not an object with a name")
    require_whole(page.get("metadata"))
    if kind is not None:
        require_kind(kind, page.get("kind"), (item.get("kind") for item in items))
    return page


def require_kind(kind: str, of_list: Any, of_items: Iterable[Any]) -> None:
    """Raise NotAsDocumented for a list of another kind. What a list or an item does not say is no objection."""
    if of_list not in (None, "", "List", f"{kind}List"):
        raise NotAsDocumented(f"is a {of_list} and no {kind}List")
    for other in of_items:
        if other not in (None, "", kind):
            raise NotAsDocumented(f"holds an item of kind {other!r} among objects of kind {kind}")


def require_whole(metadata: Any) -> None:
    """Raise NotAsDocumented for a page that does not tell where the list goes on, or that contradicts itself."""
    token, left = at_path(metadata, ("continue",)), at_path(metadata, ("remainingItemCount",))
    if not isinstance(token, str | None):
        raise NotAsDocumented("continues with what is no page token")
    if not isinstance(left, int | None) or isinstance(left, bool) or (left or 0) < 0:
        raise NotAsDocumented("says of the objects that are left what is no number of objects")
    if left and not token:
        raise NotAsDocumented(f"leaves out {left} objects and does not say where the list goes on")


def is_definite(page: Document) -> bool:
    """Whether a page says for certain what there is.

    Go servers send null for an empty list, in what has the version of what it shows. Null alone may be any answer.
    """
    version = at_path(page, ("metadata", "resourceVersion"))
    return page["items"] is not None or (isinstance(version, str) and bool(version))


def _has_items(document: Document) -> bool:
    """Whether a list has its items; null stands for none."""
    return "items" in document and isinstance(document["items"], list | None)


def _has_name(document: Document) -> bool:
    name: Any = at_path(document, ("metadata", "name"))
    return isinstance(name, str) and bool(name)


def _is_deletion(document: Document) -> bool:
    succeeded = document.get("kind") == "Status" and document.get("status") == "Success"
    return succeeded or _has_name(document)


_JUDGES: dict[Envelope, Callable[[Document], bool]] = {
    Envelope.DOCUMENT: lambda _: True,
    Envelope.OBJECT: _has_name,
    Envelope.LIST: _has_items,
    Envelope.DELETED: _is_deletion,
}
