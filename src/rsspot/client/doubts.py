"""Whether a list can be believed: objects that are known of and not in it are asked for one by one. Sends only reads.

A gateway without its backend, a cache that lags and a proxy that cuts may answer 200 with fewer objects than there are.
On the word of such a list a plan would make everything again, or miss what goes down with a cloudspace. A few requests
for each kind tell that from objects which were really deleted: those are not found one by one either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import TypeAlias

from rsspot.errors import NotFound, ServerError
from rsspot.resources.documents import Documents
from rsspot.resources.names import full_name
from rsspot.utils.serialization import Document

MOST_ASKED = 3
"""Objects of one kind that are asked for one by one."""
Objects: TypeAlias = dict[str, Document]


async def believed(documents: Documents, live: Objects, known: Collection[str]) -> Objects:
    """The objects of a list, read again if it lacks one that is there. live, and what is returned: by wire name

    known: names of objects that were there when they were last heard of. Raises ServerError if the second list lacks it
    too, and what reading raises.
    """
    if (lacking := await _lacking(documents, live, known)) is None:
        return live
    # What was written a moment ago may be late in a list.
    again = by_name(await documents.list())
    if lacking["metadata"]["name"] not in again:
        message = f"the list does not show {full_name(documents.kind, lacking)}, which is there"
        raise ServerError(message, status=200)
    return again


def by_name(listed: Iterable[Document]) -> Objects:
    """The objects of a list by wire name."""
    return {document["metadata"]["name"]: document for document in listed}


async def _lacking(documents: Documents, live: Objects, known: Collection[str]) -> Document | None:
    """One of the known objects that lives and is not in a list; None if a few that are missing are really gone."""
    for name in sorted(set(known) - live.keys())[:MOST_ASKED]:
        with suppress(NotFound):
            return await documents.get(name)
    return None
