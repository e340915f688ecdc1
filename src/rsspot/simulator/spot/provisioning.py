"""Auctions, and the delivery and release of servers that follow from them. Does not answer requests."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rsspot.simulator.apiserver.objects import place
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.rng import draw
from rsspot.simulator.spot.admission import POOLS
from rsspot.simulator.spot.auction import PERIOD, Bid, going_rate, run_auction
from rsspot.simulator.spot.events import tell
from rsspot.simulator.spot.webhooks import announce

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld

AUCTION_EVERY = 30.0
BIDDERS = ("spotnodepools", "vmpools")
SUPPLIED = (*BIDDERS, "ondemandnodepools")
"""Pools that servers are delivered to."""
PRICE = "price/"
"""Prefix of the facts that fix the going rate of a class."""


def is_going(body: Object) -> bool:
    """Whether an object is being deleted."""
    return bool(body["metadata"].get("deletionTimestamp"))


def rate_of(world: SpotWorld, name: str, now: float) -> Decimal:
    """The going rate of a class at a time, or the price that it was fixed at."""
    fixed = world.store.fact(PRICE + name, "")
    return Decimal(fixed) if fixed else going_rate(world.seed, name, world.prices[name], now, world.rules.prices)


def auction(world: SpotWorld) -> None:
    """Hold an auction for every class with bids, or for all classes in a new price period; schedule the next one."""
    world.after(AUCTION_EVERY, "auction", {})
    before = _circumstances(world)
    if world.settled == before:
        return
    for name, pools in _auctioned(world):
        _auction_of(world, name, pools)
    if _circumstances(world) == before and not world.any_stuck:
        world.settled = before


def _circumstances(world: SpotWorld) -> str:
    """What the result of an auction depends on: the prices and the version of all objects."""
    return f"{world.rules.prices}/{world.store.version()}/{int(world.now // PERIOD)}"


def _auctioned(world: SpotWorld) -> list[tuple[str, list[tuple[str, Object]]]]:
    """The classes whose servers are auctioned now, with the pools that bid for them."""
    bids: dict[str, list[tuple[str, Object]]] = defaultdict(list)
    for plural in BIDDERS:
        for pool in world.store.objects(plural):
            if not is_going(pool):
                bids[pool["spec"]["serverClass"]].append((plural, pool))
    period = str(int(world.now // PERIOD))
    moved = world.store.fact("market-period", "") != period
    world.store.set_fact("market-period", period)
    # A class that lost its last bid needs one more auction, which frees its servers.
    busy = set(bids) | set(json.loads(world.store.fact("auctioned", "[]")))
    world.store.set_fact("auctioned", json.dumps(sorted(bids)))
    names = world.prices if moved else sorted(name for name in busy if name in world.prices)
    return [(name, bids.get(name, [])) for name in names]


def set_price(world: SpotWorld, name: str, price: Decimal | None) -> None:
    """Fix the going rate of a class from now on, or release it; holds an auction for the class at once."""
    if price is None:
        world.store.remove_fact(PRICE + name)
    else:
        world.store.set_fact(PRICE + name, str(price))
    pools = [(plural, pool) for plural in BIDDERS for pool in world.store.objects(plural)]
    bidding = [each for each in pools if each[1]["spec"]["serverClass"] == name and not is_going(each[1])]
    _auction_of(world, name, bidding)


def _auction_of(world: SpotWorld, name: str, pools: list[tuple[str, Object]]) -> None:
    server_class = world.store.get("serverclasses", "", name)
    if server_class is None:
        return
    offers = [Bid(p["metadata"]["uid"], Decimal(p["spec"]["bidPrice"]), p["spec"]["desired"]) for _, p in pools]
    capacity = server_class["status"]["capacity"]
    result = run_auction(rate_of(world, name, world.now), capacity, offers)
    minimum = server_class["spec"].get("minBidPricePerHour") or "0"
    taken = sum(result.won.values())
    before = server_class["status"]["spotPricing"]["marketPricePerHour"]
    market = f"{result.price:.6f}"
    world.set_status(
        "serverclasses",
        server_class,
        available=capacity - taken,
        reserved=taken,
        spotPricing={
            "marketPricePerHour": market,
            "hammerPricePerHour": f"{max(result.price, Decimal(minimum)):.6f}",
        },
    )
    if market != before:
        world.store.add_tick(PRICE + name, world.now, market)
    for plural, pool in pools:
        _award(world, plural, pool, result.won[pool["metadata"]["uid"]])


def _award(world: SpotWorld, plural: str, pool: Object, won: int) -> None:
    """Record what a pool won, and deliver or release servers accordingly."""
    bid_status = "Fulfilled" if won == pool["spec"]["desired"] else "Pending" if won else "Lost"
    status = pool.get("status") or {}
    before = status.get("wonCount", 0)
    if (status.get("bidStatus"), status.get("wonCount")) == (bid_status, won) and len(_servers(world, pool)) == won:
        # Most auctions change nothing for most pools.
        return
    world.set_status(plural, pool, bidStatus=bid_status, wonCount=won)
    supply(world, plural, pool, won)
    group = group_of(world, plural, pool)
    if group:
        _tell_award(world, group, pool, before, won)
        _list_bid(world, plural, group, pool["metadata"]["name"], won)


def _tell_award(world: SpotWorld, group: Object, pool: Object, before: int, won: int) -> None:
    name, of = pool["metadata"]["name"], f"servers of {pool['spec']['serverClass']}"
    if won > before:
        tell(world, group, f"bid {name} won {won - before} {of}")
    elif won < before:
        tell(world, group, f"bid {name} lost {before - won} {of}")


def _list_bid(world: SpotWorld, plural: str, group: Object, name: str, won: int) -> None:
    bids = {**(group.get("status") or {}).get("bids", {}), name: {"bidName": name, "type": "spot", "wonCount": won}}
    status: dict[str, Any] = {"bids": bids}
    if group["kind"] == "CloudSpace" and (group.get("status") or {}).get("APIServerEndpoint"):
        status["phase"] = "Ready" if any(bid["wonCount"] for bid in bids.values()) else "NoWinningBids"
    world.set_status(POOLS[plural][0], group, **status)


def supply(world: SpotWorld, plural: str, pool: Object, wanted: int, notice: float | None = None) -> None:
    """Order or release servers until a pool has as many as are wanted, counting those being delivered.

    notice: seconds before a server is removed; the service's usual time if left out
    """
    uid, fact = pool["metadata"]["uid"], f"servers/{pool['metadata']['uid']}"
    servers = _servers(world, pool)
    group_plural, _ = POOLS[plural]
    group = group_of(world, plural, pool)
    if group is None:
        return
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


def _servers(world: SpotWorld, pool: Object) -> list[str]:
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
    supply(world, plural, body, desired)


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
