"""The delivery of the servers that pools have won or reserved, and their release. Does not answer requests."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from rsspot.simulator.apiserver.objects import place
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.rng import draw
from rsspot.simulator.spot.events import tell
from rsspot.simulator.spot.pools import POOLS, SUPPLIED
from rsspot.simulator.spot.webhooks import announce

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld


def supply(
    world: SpotWorld, plural: str, pool: Object, group: Object | None, wanted: int, notice: float | None = None
) -> None:
    """Order or release servers until a pool has as many as are wanted, counting those being delivered.

    group: the cloudspace of the pool, without which nothing happens
    notice: seconds before a server is removed; the service's usual time if left out
    """
    if group is None:
        return
    uid, fact = pool["metadata"]["uid"], f"servers/{pool['metadata']['uid']}"
    servers = servers_of(world, pool)
    group_plural, _ = POOLS[plural]
    where, before = place(group_plural, group), len(servers)
    about = {"pool": pool["metadata"]["name"], "class": pool["spec"]["serverClass"], "fact": fact}
    about |= {"type": "ondemand" if plural == "ondemandnodepools" else "spot"}
    while len(servers) < wanted:
        serial = world.store.serial()
        server = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{world.seed}/server/{uid}/{serial}"))
        servers.append(server)
        world.after(delivery_time(world, pool, server), "deliver", {**where, "server": server, **about})
    while len(servers) > wanted:
        server = servers.pop()
        # Fewer servers than desired means that this one was outbid, not given back.
        if notice is None and len(servers) < pool["spec"]["desired"]:
            announce(world, group, server)
        world.after(world.rules.notice if notice is None else notice, "release", {**where, "server": server})
    if len(servers) != before:
        world.store.set_fact(fact, json.dumps(servers))
        _list_pending(world, group_plural, group, pool, servers)


def servers_of(world: SpotWorld, pool: Object) -> list[str]:
    """A pool's servers, including those being delivered."""
    servers: list[str] = json.loads(world.store.fact(f"servers/{pool['metadata']['uid']}", "[]"))
    return servers


def _list_pending(world: SpotWorld, plural: str, group: Object, pool: Object, servers: list[str]) -> None:
    """List the pool's servers that are won but not delivered yet in the cloudspace's status."""
    if plural != "cloudspaces":
        return
    status, name = group.get("status") or {}, pool["metadata"]["name"]
    arrived = sum(server in status.get("assignedServers", {}) for server in servers)
    pending = {key: value for key, value in status.get("pendingAllocations", {}).items() if key != name}
    if arrived < len(servers):
        counted = {"count": len(servers), "allocatedCount": arrived}
        bid = {"bidName": name, "bidType": "ondemand" if pool["kind"] == "OnDemandNodePool" else "spot"}
        pending[name] = {"serverClassName": pool["spec"]["serverClass"], **counted, **bid}
    if pending != status.get("pendingAllocations", {}):
        world.set_status(plural, group, pendingAllocations=pending)


def delivery_time(world: SpotWorld, pool: Object, server: str) -> float:
    """Seconds until a won server is delivered: 3 to 10 minutes on the newer infrastructure, 5 to 15 on the older."""
    older = ".vs1." in pool["spec"]["serverClass"] or ".bm2" in pool["spec"]["serverClass"]
    least, most = (300.0, 900.0) if older else (180.0, 600.0)
    return least + (most - least) * draw(world.seed, "delivery", server)


def joining_time(world: SpotWorld, server: str) -> float:
    """Seconds until a delivered server has joined as a node: 5 to 15 minutes."""
    return 300.0 + 600.0 * draw(world.seed, "joining", server)


def deliver(world: SpotWorld, body: Object, plural: str, server: str, pool: str, **about: str) -> None:
    """Deliver a server to its cloudspace, unless it was lost before delivery."""
    servers = json.loads(world.store.fact(about["fact"], "[]"))
    if server not in servers:
        return
    octets = [int(draw(world.seed, "ip", server, index) * 254) + 1 for index in range(2)]
    address = f"10.20.{octets[0]}.{octets[1]}"
    common = {"serverClassName": about["class"], "serverName": server, "serverType": about["type"], "error": ""}
    if plural == "vmcloudspaces":
        short = f"{body['metadata']['name']}-{server[:5]}"
        entry = {**common, "state": "Running", "ipAddress": address, "displayName": short, "nodePoolName": pool}
    else:
        entry = {**common, "state": "Joining", "IP": address, "clusterRole": "worker"}
        world.after(joining_time(world, server), "join", {**place(plural, body), "server": server})
    assigned = {**(body.get("status") or {}).get("assignedServers", {}), server: entry}
    world.set_status(plural, body, assignedServers=assigned)
    owner = pool_named(world, plural, body, pool)
    if owner:
        _list_pending(world, plural, body, owner, servers)
    tell(world, body, f"server {server} of {about['class']} was delivered")


def join(world: SpotWorld, body: Object, plural: str, server: str) -> None:
    """Mark a delivered server as a running node."""
    assigned = (body.get("status") or {}).get("assignedServers", {})
    if server in assigned:
        world.set_status(plural, body, assignedServers={**assigned, server: {**assigned[server], "state": "Running"}})


def release(world: SpotWorld, body: Object, plural: str, server: str) -> None:
    """Remove a server from its cloudspace."""
    assigned = dict((body.get("status") or {}).get("assignedServers", {}))
    if assigned.pop(server, None):
        world.set_status(plural, body, assignedServers=assigned)
        tell(world, body, f"server {server} was released")


def reserve(world: SpotWorld, body: Object, plural: str) -> None:
    """Reserve on-demand servers, which need no auction."""
    server_class = world.store.get("serverclasses", "", body["spec"]["serverClass"])
    # A pool cannot reserve more than the class's capacity.
    desired = min(body["spec"]["desired"], server_class["status"]["capacity"] if server_class else 0)
    world.set_status(plural, body, reservedCount=desired, reservedStatus="Reserved")
    supply(world, plural, body, group_of(world, plural, body), desired)


def phase_of(world: SpotWorld, body: Object) -> str:
    """The phase of a cloudspace whose API server is up."""
    bids = (body.get("status") or {}).get("bids", {})
    return "Ready" if any(bid["wonCount"] for bid in bids.values()) else "NoWinningBids"


def group_of(world: SpotWorld, plural: str, pool: Object) -> Object | None:
    """The cloudspace or VM cloudspace that a pool belongs to."""
    group_plural, field = POOLS[plural]
    return world.store.get(group_plural, pool["metadata"]["namespace"], pool["spec"][field])


def pool_named(world: SpotWorld, group_plural: str, group: Object, name: str) -> Object | None:
    """The pool of that name in a cloudspace; None if there is none."""
    namespace = group["metadata"]["namespace"]
    pools = (world.store.get(plural, namespace, name) for plural in SUPPLIED if POOLS[plural][0] == group_plural)
    return next((pool for pool in pools if pool is not None), None)
