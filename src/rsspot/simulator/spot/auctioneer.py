"""The auctioneer: which classes are auctioned when, and what becomes of pools and prices. Does not answer requests.

An auction is held for the classes in which something changed. It can be interrupted after each award. A timer with the
rest then goes before all others, so that the history is the same as without a break.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.spot.auction import PERIOD, Auction, going_rate, run_auction
from rsspot.simulator.spot.bid_book import Address, BidBook, outcome
from rsspot.simulator.spot.events import tell
from rsspot.simulator.spot.pools import POOLS
from rsspot.simulator.spot.provisioning import group_of, servers_of, supply

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld

AUCTION_EVERY = 30.0
PRICE = "price/"
"""Prefix of the facts that fix the going rate of a class."""
AUCTION, REST = "auction", "auction_rest"
"""Actions of timers: an auction, and what is left of an interrupted one."""
Stop = Callable[[], bool]
"""Whether to leave the rest for later."""


class Auctioneer:
    """Holds the auctions of a world.

    What it remembers only saves work: each process with the same world has its own, and they need not know each other.
    """

    def __init__(self, world: SpotWorld) -> None:
        self._world = world
        self.forget()

    def forget(self) -> None:
        """Look at everything again, because what was done last may have been rolled back."""
        self._book = BidBook(self._world.store)
        self._settled = ""
        """The circumstances after the last auction. Until they change, another one would change nothing."""
        self._was_stuck = False
        self._rates: dict[str, Decimal] = {}
        """The going rate that each class was last auctioned at."""

    def act(self, action: str, payload: dict[str, Any], stop: Stop) -> None:
        """Hold an auction, or the rest of one."""
        if action == REST:
            self._book.refresh()
            self._run(payload["classes"], tuple(payload["after"]), stop)
        else:
            self._world.after(AUCTION_EVERY, AUCTION, {})
            if self._settled != self._circumstances():
                self._hold(stop)

    def _circumstances(self) -> str:
        """What the result of an auction depends on: the prices and the version of all objects."""
        world = self._world
        return f"{world.rules.prices}/{world.store.version()}/{int(world.now // PERIOD)}"

    def _hold(self, stop: Stop) -> None:
        names = self._names()
        self._book.due.clear()
        finished = self._run(names, None, stop)
        self._was_stuck = self._world.any_stuck
        self._settled = self._circumstances() if finished and not self._was_stuck else ""

    def _names(self) -> list[str]:
        """The classes to be auctioned now: those with bids, and all of them in a new price period.

        Of these, only those whose result may differ from that of their last auction.
        """
        everything = self._book.version is None or self._was_stuck or self._world.any_stuck
        self._book.refresh()
        moved, before = self._note_period(), self._note_bidding()
        prices = self._world.prices
        if moved:
            rates = self._going_rates()
            changed = self._book.due | {name for name in prices if rates[name] != self._rates.get(name)}
            return [name for name in prices if everything or name in changed]
        # A class that lost its last bid needs one more auction, which frees its servers.
        lost = before - self._book.classes
        busy = self._book.classes | before
        return sorted(name for name in (busy if everything else busy & (self._book.due | lost)) if name in prices)

    def _note_period(self) -> bool:
        """Whether a new price period has begun since the last auction."""
        return self._noted("market-period", str(int(self._world.now // PERIOD))) is not None

    def _note_bidding(self) -> set[str]:
        """The classes that had bids at the last auction."""
        bidding = json.dumps(sorted(self._book.classes))
        before = self._noted("auctioned", bidding)
        return set(json.loads(before or "[]")) if before is not None else self._book.classes

    def _noted(self, fact: str, value: str) -> str | None:
        """Store a fact that differs. Returns what it was before, None if it does not differ."""
        before = self._world.store.fact(fact, "")
        if before == value:
            return None
        self._world.store.set_fact(fact, value)
        return before

    def _going_rates(self) -> dict[str, Decimal]:
        fixed = self._world.store.facts(PRICE)
        return {
            name: Decimal(fixed[name]) if name in fixed else market_rate(self._world, name, self._world.now)
            for name in self._world.prices
        }

    def set_price(self, name: str, price: Decimal | None) -> None:
        """Fix the going rate of a class from now on, or release it; holds an auction for the class at once."""
        store = self._world.store
        if price is None:
            store.remove_fact(PRICE + name)
        else:
            store.set_fact(PRICE + name, str(price))
        self._book.refresh()
        self._run([name], None, lambda: False)

    def _run(self, names: Sequence[str], after: Address | None, stop: Stop) -> bool:
        """Auction classes, in the first one only the pools after an address. Returns whether it was not interrupted."""
        interrupted: Address | None = None
        for index, name in enumerate(names):
            interrupted = self._auction_of(name, after, stop)
            after = None
            if interrupted:
                rest = {"classes": names[index:], "after": interrupted}
                self._world.store.set_first_timer(self._world.now, REST, rest)
                break
        # Its own writes are in the book already.
        self._book.version = self._world.store.version()
        return interrupted is None

    def _auction_of(self, name: str, after: Address | None, stop: Stop) -> Address | None:
        """Auction one class. Returns the address of the last award if it was interrupted."""
        world = self._world
        server_class = world.store.get("serverclasses", "", name)
        if server_class is None:
            return None
        entries, rate = self._book.entries(name), rate_of(world, name, world.now)
        self._rates[name] = rate
        result = run_auction(rate, server_class["status"]["capacity"], [entry.bid for _, entry in entries])
        _publish(world, server_class, result)
        groups: dict[tuple[str, str], Object | None] = {}
        for address, entry in entries:
            won = result.won[entry.bid.pool]
            if entry.has(won) or (after is not None and address <= after):
                continue
            self._settle(address, won, groups)
            if stop():
                return address
        return None

    def _settle(self, address: Address, won: int, groups: dict[tuple[str, str], Object | None]) -> None:
        """Give a pool what it won. groups: those that this auction has read already, kept up to date by its writes"""
        plural, namespace, _ = address
        pool = self._world.store.get(*address)
        assert pool is not None, address
        group_plural, field = POOLS[plural]
        key = (group_plural, f"{namespace}/{pool['spec'][field]}")
        if key not in groups:
            groups[key] = group_of(self._world, plural, pool)
        _award(self._world, plural, pool, groups[key], won)
        self._book.note(address, pool)


def market_rate(world: SpotWorld, name: str, now: float) -> Decimal:
    """The going rate of a class at a time, unless it was fixed."""
    return going_rate(world.seed, name, world.prices[name], now, world.rules.prices)


def rate_of(world: SpotWorld, name: str, now: float) -> Decimal:
    """The going rate of a class at a time, or the price that it was fixed at."""
    fixed = world.store.fact(PRICE + name, "")
    return Decimal(fixed) if fixed else market_rate(world, name, now)


def _publish(world: SpotWorld, server_class: Object, result: Auction) -> None:
    """Record the result of an auction in the status of its class, and its price."""
    capacity, taken = server_class["status"]["capacity"], sum(result.won.values())
    minimum = server_class["spec"].get("minBidPricePerHour") or "0"
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
        world.store.add_tick(PRICE + server_class["metadata"]["name"], world.now, market)


def _award(world: SpotWorld, plural: str, pool: Object, group: Object | None, won: int) -> None:
    """Record what a pool won, and deliver or release servers accordingly."""
    bid_status = outcome(pool["spec"]["desired"], won)
    status = pool.get("status") or {}
    before = status.get("wonCount", 0)
    if (status.get("bidStatus"), status.get("wonCount")) == (bid_status, won) and len(servers_of(world, pool)) == won:
        return
    world.set_status(plural, pool, bidStatus=bid_status, wonCount=won)
    supply(world, plural, pool, group, won)
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
