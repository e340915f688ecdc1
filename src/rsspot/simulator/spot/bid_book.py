"""The bids of all pools, and what each of them has won, as the last auction left them. Reads only what changed since.

A book is a copy, which every process has of its own. It decides where to look, never what to write: the award of a pool
begins with the pool as it is stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal

from rsspot.simulator.apiserver.store import Object, Store, TooOld
from rsspot.simulator.spot.auction import Bid
from rsspot.simulator.spot.pools import BIDDERS, BIDS, POOLS, is_going, member_of

Address = tuple[str, str, str]
"""Plural, namespace and name."""


@dataclass(frozen=True)
class Entry:
    """One pool that bids. shown: bidStatus and wonCount in its status · servers: how many it has or is to get"""

    server_class: str
    bid: Bid
    shown: tuple[str | None, int | None]
    servers: int = -1

    def has(self, won: int) -> bool:
        """Whether the pool shows and has what it won. Most auctions change nothing for most pools."""
        return self.shown == (outcome(self.bid.desired, won), won) and self.servers == won


class BidBook:
    """Entries by class. due: classes in which something changed since their last auction"""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries: dict[str, dict[Address, Entry]] = {}
        self._classes: dict[Address, str] = {}
        self.due: set[str] = set()
        self.version: int | None = None
        """The version of the store that it was last brought up to; None if it has not been filled yet."""

    def refresh(self) -> None:
        """Bring the book up to the state of the store."""
        version = self._store.version()
        try:
            self._follow(self.version)
        except TooOld:
            self._fill()
        self.version = version

    def _follow(self, since: int | None) -> None:
        """Look at the pools that changed since a version, and at those of new cloudspaces. Raises TooOld."""
        if since is None:
            raise TooOld
        changed = [(plural, *place) for plural in BIDDERS for place in self._store.places_changed(plural, since)]
        for address in changed:
            self.take(address, self._store.get(*address))
        for plural in BIDDERS:
            for namespace, group in self._store.places_changed(POOLS[plural][0], since, "ADDED"):
                self._look_again(plural, namespace, group)

    def _look_again(self, plural: str, namespace: str, group: str) -> None:
        """Look at the pools of a new cloudspace: those that were there before it could not be supplied."""
        for body in self._store.having(member_of(plural, group), plural, namespace):
            address = (plural, namespace, body["metadata"]["name"])
            self._drop(address)
            self.take(address, body)

    def _fill(self) -> None:
        """Read all the bids there are."""
        self._entries, self._classes = {}, {}
        for bid in self._store.terms_of(BIDS):
            for plural in BIDDERS:
                for body in self._store.having(BIDS + bid, plural):
                    self.take((plural, body["metadata"]["namespace"], body["metadata"]["name"]), body)

    def take(self, address: Address, body: Object | None) -> None:
        """Enter a pool as it is now. body: None if it is gone"""
        if body is None or is_going(body):
            self._drop(address)
            return
        entry, old = _entry_of(body), self._entry_at(address)
        if old is not None and (old.server_class, old.bid, old.shown) == (entry.server_class, entry.bid, entry.shown):
            return
        self._drop(address)
        self._put(address, entry)
        self.due.add(entry.server_class)

    def note(self, address: Address, body: Object) -> None:
        """Enter a pool after its award."""
        self._put(address, _entry_of(body))

    def _put(self, address: Address, entry: Entry) -> None:
        servers = len(json.loads(self._store.fact(f"servers/{entry.bid.pool}", "[]")))
        name = entry.server_class
        self._entries.setdefault(name, {})[address] = Entry(name, entry.bid, entry.shown, servers)
        self._classes[address] = name

    def _drop(self, address: Address) -> None:
        name = self._classes.pop(address, None)
        if name is None:
            return
        self.due.add(name)
        del self._entries[name][address]
        if not self._entries[name]:
            del self._entries[name]

    def _entry_at(self, address: Address) -> Entry | None:
        name = self._classes.get(address)
        return None if name is None else self._entries[name][address]

    @property
    def classes(self) -> set[str]:
        """The classes with bids."""
        return set(self._entries)

    def entries(self, server_class: str) -> list[tuple[Address, Entry]]:
        """The pools that bid for a class, in the order of a list."""
        return sorted(self._entries.get(server_class, {}).items(), key=lambda pair: pair[0])


def outcome(desired: int, won: int) -> str:
    """The bidStatus of a pool."""
    return "Fulfilled" if won == desired else "Pending" if won else "Lost"


def _entry_of(pool: Object) -> Entry:
    spec, status = pool["spec"], pool.get("status") or {}
    bid = Bid(pool["metadata"]["uid"], Decimal(spec["bidPrice"]), spec["desired"])
    return Entry(spec["serverClass"], bid, (status.get("bidStatus"), status.get("wonCount")))
