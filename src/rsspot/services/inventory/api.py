"""Inventory as an SDK service: the servers that cloudspaces and VM cloudspaces report. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from rsspot.resources.documents import Documents
from rsspot.resources.listing import Listing
from rsspot.resources.sync_twins import Blocking, blocking
from rsspot.utils.serialization import Document, at_path


@dataclass(frozen=True)
class Machine:
    """A server as its cloudspace or VM cloudspace (its group) reports it. uid: stable for the server's lifetime."""

    uid: str
    name: str
    group: str
    group_kind: str
    server_class: str | None
    ip_address: str | None
    state: str | None


class Inventory:
    """The machines of all cloudspaces and VM cloudspaces."""

    def __init__(self, *groups: Documents) -> None:
        self._groups = groups

    async def list(self) -> Listing[Machine]:
        """All machines, sorted by group and name. Source: `status.assignedServers` of each group, uncached.

        Raises ApiError, AuthError, TransportError, UnexpectedShape.
        """
        unsorted = [
            machine for documents in self._groups for group in await documents.list() for machine in machines(group)
        ]
        return Listing(sorted(unsorted, key=lambda machine: (machine.group, machine.name)), "machines")


def machines(group: Document) -> list[Machine]:
    """The machines that one group reports. The address is `IP` in cloudspaces and `ipAddress` in VM cloudspaces."""
    return [
        Machine(
            uid=uid,
            name=server.get("displayName") or server.get("serverName") or uid,
            group=group["metadata"]["name"],
            group_kind=group["kind"],
            server_class=server.get("serverClassName"),
            ip_address=server.get("ipAddress") or server.get("IP"),
            state=server.get("state"),
        )
        for uid, server in (at_path(group, ("status", "assignedServers")) or {}).items()
    ]


class BlockingInventory(Blocking):
    """The synchronous version of Inventory."""

    list = blocking(Inventory.list)
