"""Inventory as an SDK service: reads the servers that cloudspaces report. Changes nothing."""

from __future__ import annotations

import builtins
from dataclasses import dataclass

from rsspot.resources.documents import Documents
from rsspot.resources.sync_twins import Blocking, blocking
from rsspot.utils.serialization import Document, at_path


@dataclass(frozen=True)
class Machine:
    """A server as its group reports it."""

    uid: str
    name: str
    group: str
    group_kind: str
    server_class: str | None
    ip_address: str | None
    state: str | None


class Inventory:
    """Machines of cloudspaces and VM cloudspaces together."""

    def __init__(self, *groups: Documents) -> None:
        self._groups = groups

    async def list(self) -> builtins.list[Machine]:
        """Every machine, by group and name. Source: `status.assignedServers` of each group."""
        found = [
            machine for documents in self._groups for group in await documents.list() for machine in machines(group)
        ]
        return sorted(found, key=lambda machine: (machine.group, machine.name))


def machines(group: Document) -> list[Machine]:
    """The machines one group reports. CloudSpaces say `IP`, VM cloudspaces say `ipAddress`."""
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
    """The same, synchronous."""

    list = blocking(Inventory.list)
