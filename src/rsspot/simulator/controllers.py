"""What the service does by itself as time passes: control planes, auctions, deliveries, releases, deletions.

Answers no requests.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rsspot.simulator.admission import POOLS, own_finalizer
from rsspot.simulator.clock import rfc3339
from rsspot.simulator.market import PERIOD, Bid, draw, going_rate, run_auction
from rsspot.simulator.objects import finalized
from rsspot.simulator.store import Object

if TYPE_CHECKING:
    from rsspot.simulator.world import World

AUCTION_EVERY = 30.0
NOTICE = 360.0
"""Seconds between losing a server and its removal."""
BIDDERS = ("spotnodepools", "vmpools")
GROUPS = ("cloudspaces", "vmcloudspaces")
NOISE = (1.0, 2.5, 4.0)
"""Seconds after a write at which controllers bump the object's version without changing anything."""


def place(plural: str, body: Object) -> dict[str, str]:
    """Where a timer finds an object, and the very one it is about."""
    metadata = body["metadata"]
    return {
        "plural": plural,
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def on_created(world: World, plural: str, body: Object) -> None:
    """Set the timers of a new object."""
    where = place(plural, body)
    if plural == "cloudspaces":
        phases = ((0.5, "Provisioning"), (8.0, "Error"), (14.0, "Provisioning"))
        for after, phase in phases:
            world.after(after, "phase", {**where, "phase": phase})
        world.after(45.0 + 30.0 * draw(world.seed, "plane", body["metadata"]["uid"]), "control_plane", where)
    elif plural == "vmcloudspaces":
        world.after(20.0, "group_ready", where)
    elif plural in POOLS:
        _note_pool(world, plural, body, present=True)
        if plural == "ondemandnodepools":
            world.after(60.0, "reserve", where)
    if plural in POOLS or plural in GROUPS:
        on_written(world, plural, body)


def on_written(world: World, plural: str, body: Object) -> None:
    """Stir the object a little, as the service's controllers do after any write."""
    where = place(plural, body)
    for after in NOISE:
        world.after(after, "noise", where)
    if plural == "ondemandnodepools":
        world.after(30.0, "reserve", where)
    running = (body.get("status") or {}).get("currentKubernetesVersion")
    if plural == "cloudspaces" and running not in (None, body["spec"]["kubernetesVersion"]):
        world.set_status(plural, body, phase="Upgrading", upgradePhase="ControlPlane")
        world.after(180.0, "upgraded", where)


def on_doomed(world: World, plural: str, body: Object) -> None:
    """Start taking down an object that is to be deleted, and what lives in it."""
    where = place(plural, body)
    if plural in GROUPS:
        world.set_status(plural, body, phase="Deleting")
        for pool_plural, (group_plural, field) in POOLS.items():
            for pool in world.store.objects(pool_plural, where["namespace"]) if group_plural == plural else ():
                if pool["spec"].get(field) == where["name"]:
                    world.doom(pool_plural, pool)
    world.after(40.0 if plural in GROUPS else 15.0, "finalize", where)


def phase(world: World, body: Object, plural: str, phase: str) -> None:
    """A step of a cloudspace's way up; `Error` shows for a moment, as it does on the service."""
    reason = "Operation cannot be fulfilled: the object has been modified" if phase == "Error" else ""
    if not (body.get("status") or {}).get("APIServerEndpoint") and not is_going(body):
        world.set_status(plural, body, phase=phase, reason=reason)


def control_plane(world: World, body: Object, plural: str) -> None:
    """The API server of a cloudspace answers."""
    if is_going(body):
        return
    name, uid = body["metadata"]["name"], body["metadata"]["uid"]
    world.set_status(
        plural,
        body,
        phase=_phase_of(world, body),
        reason="",
        health="Healthy",
        APIServerEndpoint=f"hcp-{uid[:8]}.spot.rackspace.com",
        currentKubernetesVersion=body["spec"]["kubernetesVersion"],
        firstReadyTimestamp=rfc3339(world.now),
        cloudspaceClassName=name,
    )


def upgraded(world: World, body: Object, plural: str) -> None:
    """A cloudspace runs the version that was asked for."""
    if not is_going(body):
        version = body["spec"]["kubernetesVersion"]
        world.set_status(plural, body, phase=_phase_of(world, body), upgradePhase="", currentKubernetesVersion=version)


def is_going(body: Object) -> bool:
    """Whether an object is being deleted."""
    return bool(body["metadata"].get("deletionTimestamp"))


def group_ready(world: World, body: Object, plural: str) -> None:
    """A VM cloudspace can take machines."""
    if is_going(body):
        return
    world.set_status(plural, body, phase="Ready", health="Healthy", reason="")


def noise(world: World, body: Object, plural: str) -> None:
    """Another version of the same object."""
    world.store.put(plural, body)


def reserve(world: World, body: Object, plural: str) -> None:
    """Rented servers are there when asked for."""
    desired = body["spec"]["desired"]
    world.set_status(plural, body, reservedCount=desired, reservedStatus="Reserved")
    _supply(world, plural, body, desired)


def finalize(world: World, body: Object, plural: str) -> None:
    """Let a doomed object go once nothing lives in it."""
    namespace = body["metadata"].get("namespace", "")
    if plural in GROUPS and any(
        pool["spec"].get(field) == body["metadata"]["name"]
        for pool_plural, (group_plural, field) in POOLS.items()
        if group_plural == plural
        for pool in world.store.objects(pool_plural, namespace)
    ):
        world.after(10.0, "finalize", place(plural, body))
        return
    if plural in POOLS:
        _supply(world, plural, body, 0, notice=0.0)
        _note_pool(world, plural, body, present=False)
    ours = own_finalizer(world.definitions[plural])
    body["metadata"]["finalizers"] = [each for each in body["metadata"].get("finalizers", ()) if each != ours]
    finalized(world.store, world.definitions[plural], world.store.put(plural, body))


OBJECT_ACTIONS: dict[str, Callable[..., None]] = {
    "phase": phase,
    "control_plane": control_plane,
    "upgraded": upgraded,
    "group_ready": group_ready,
    "noise": noise,
    "reserve": reserve,
    "finalize": finalize,
}
"""Timers about one object, which is looked up first and passed over if it is gone."""


def auction(world: World) -> None:
    """Move the prices, hold an auction for every class, and hold the next one later."""
    world.after(AUCTION_EVERY, "auction", {})
    bids: dict[str, list[tuple[str, Object]]] = defaultdict(list)
    for plural in BIDDERS:
        for pool in world.store.objects(plural):
            if not pool["metadata"].get("deletionTimestamp"):
                bids[pool["spec"]["serverClass"]].append((plural, pool))
    period = str(int(world.now // PERIOD))
    moved = world.store.fact("market-period", "") != period
    world.store.set_fact("market-period", period)
    # A class that lost its last bid is settled once more.
    busy = set(bids) | set(json.loads(world.store.fact("auctioned", "[]")))
    world.store.set_fact("auctioned", json.dumps(sorted(bids)))
    names = world.prices if moved else sorted(name for name in busy if name in world.prices)
    for name in names:
        _auction_of(world, name, bids.get(name, []))


def _auction_of(world: World, name: str, pools: list[tuple[str, Object]]) -> None:
    server_class = world.store.get("serverclasses", "", name)
    if server_class is None:
        return
    rate = going_rate(world.seed, name, world.prices[name], world.now)
    offers = [Bid(p["metadata"]["uid"], Decimal(p["spec"]["bidPrice"]), p["spec"]["desired"]) for _, p in pools]
    capacity = server_class["status"]["capacity"]
    result = run_auction(rate, capacity, offers)
    minimum = server_class["spec"].get("minBidPricePerHour") or "0"
    taken = sum(result.won.values())
    world.set_status(
        "serverclasses",
        server_class,
        available=capacity - taken,
        reserved=taken,
        spotPricing={
            "marketPricePerHour": f"{result.price:.6f}",
            "hammerPricePerHour": f"{max(result.price, Decimal(minimum)):.6f}",
        },
    )
    for plural, pool in pools:
        _award(world, plural, pool, result.won[pool["metadata"]["uid"]])


def _award(world: World, plural: str, pool: Object, won: int) -> None:
    """Tell a pool what it won, and supply or take back servers."""
    bid_status = "Fulfilled" if won == pool["spec"]["desired"] else "Pending" if won else "Lost"
    world.set_status(plural, pool, bidStatus=bid_status, wonCount=won)
    _supply(world, plural, pool, won)
    group = _group(world, plural, pool)
    if group:
        name = pool["metadata"]["name"]
        bids = {**(group.get("status") or {}).get("bids", {}), name: {"bidName": name, "type": "spot", "wonCount": won}}
        status: dict[str, Any] = {"bids": bids}
        if group["kind"] == "CloudSpace" and (group.get("status") or {}).get("APIServerEndpoint"):
            status["phase"] = "Ready" if any(bid["wonCount"] for bid in bids.values()) else "NoWinningBids"
        world.set_status(POOLS[plural][0], group, **status)


def _supply(world: World, plural: str, pool: Object, wanted: int, notice: float = NOTICE) -> None:
    """Have as many servers on their way or at work as are wanted."""
    uid, fact = pool["metadata"]["uid"], f"servers/{pool['metadata']['uid']}"
    servers: list[str] = json.loads(world.store.fact(fact, "[]"))
    group_plural, field = POOLS[plural]
    group = world.store.get(group_plural, pool["metadata"]["namespace"], pool["spec"][field])
    if group is None:
        return
    where = place(group_plural, group)
    while len(servers) < wanted:
        serial = world.serial()
        server = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{world.seed}/server/{uid}/{serial}"))
        servers.append(server)
        world.after(
            delivery_time(world, pool, server),
            "deliver",
            {
                **where,
                "server": server,
                "pool": pool["metadata"]["name"],
                "class": pool["spec"]["serverClass"],
                "fact": fact,
            },
        )
    while len(servers) > wanted:
        world.after(notice, "release", {**where, "server": servers.pop()})
    world.store.set_fact(fact, json.dumps(servers))


def delivery_time(world: World, pool: Object, server: str) -> float:
    """Seconds until a won server is delivered: 3 to 10 minutes on the newer undercloud, 5 to 15 on the older."""
    older = ".vs1." in pool["spec"]["serverClass"] or ".bm2" in pool["spec"]["serverClass"]
    least, most = (300.0, 900.0) if older else (180.0, 600.0)
    return least + (most - least) * draw(world.seed, "delivery", server)


def deliver(world: World, body: Object, plural: str, server: str, pool: str, **about: str) -> None:
    """A server arrives in its group, unless it was lost on the way."""
    if server not in json.loads(world.store.fact(about["fact"], "[]")):
        return
    octets = [int(draw(world.seed, "ip", server, index) * 254) + 1 for index in range(2)]
    address = f"10.20.{octets[0]}.{octets[1]}"
    common = {"serverClassName": about["class"], "serverName": server, "state": "Running", "error": ""}
    if plural == "vmcloudspaces":
        short = f"{body['metadata']['name']}-{server[:5]}"
        entry = {**common, "ipAddress": address, "displayName": short, "serverType": "spot", "nodePoolName": pool}
    else:
        entry = {**common, "IP": address, "clusterRole": "worker", "serverType": "spot"}
    assigned = {**(body.get("status") or {}).get("assignedServers", {}), server: entry}
    world.set_status(plural, body, assignedServers=assigned)


def release(world: World, body: Object, plural: str, server: str) -> None:
    """A server leaves its group."""
    assigned = dict((body.get("status") or {}).get("assignedServers", {}))
    if assigned.pop(server, None):
        world.set_status(plural, body, assignedServers=assigned)


OBJECT_ACTIONS |= {"deliver": deliver, "release": release}


def _phase_of(world: World, body: Object) -> str:
    bids = (body.get("status") or {}).get("bids", {})
    return "Ready" if any(bid["wonCount"] for bid in bids.values()) else "NoWinningBids"


def _group(world: World, plural: str, pool: Object) -> Object | None:
    group_plural, field = POOLS[plural]
    return world.store.get(group_plural, pool["metadata"]["namespace"], pool["spec"][field])


def _note_pool(world: World, plural: str, pool: Object, *, present: bool) -> None:
    """Keep a group's list of its pools in step."""
    group = _group(world, plural, pool)
    if group is None:
        return
    field = "onDemandRequests" if plural == "ondemandnodepools" else "bidRequests"
    names: list[Any] = [name for name in group["spec"].get(field, []) if name != pool["metadata"]["name"]]
    wanted = sorted([*names, pool["metadata"]["name"]]) if present else names
    if wanted != group["spec"].get(field, []):
        group["spec"][field] = wanted
        group["metadata"]["generation"] += 1
    bids = (group.get("status") or {}).get("bids", {})
    if not present:
        bids.pop(pool["metadata"]["name"], None)
    world.store.put(POOLS[plural][0], group)
