"""Caches responses to reads, in memory and behind that in state.db. Decides what to cache and for how long.

A response belongs to one service and one identity. A write to its path invalidates it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import RLock
from typing import Protocol

from rsspot.concurrency import Mutex
from rsspot.errors import RsspotError, StateError
from rsspot.utils.clock import Clock
from rsspot.utils.serialization import digest

TTLS: dict[str, float] = {
    "/apis/auth.ngpc.rxt.io/v1/organizations": 300.0,
    "/apis/ngpc.rxt.io/v1/regions": 3600.0,
    "/apis/ngpc.rxt.io/v1/regions/*": 3600.0,
    "/apis/ngpc.rxt.io/v1/serverclasses": 60.0,
    "/apis/ngpc.rxt.io/v1/serverclasses/*": 60.0,
    "/percentiles.json": 300.0,
    "/comparable_prices.json": 3600.0,
    "/history/*": 300.0,
}
"""Seconds by path, for data that changes seldom or on a schedule. Nothing else is cached unless configured."""


@dataclass(frozen=True)
class CachePolicy:
    """What to cache. ttls: seconds by path pattern; the longest matching pattern wins, and overrides `TTLS`."""

    enabled: bool = True
    default_ttl: float = 0.0
    ttls: Mapping[str, float] = field(default_factory=dict)
    most_entries: int = 1000
    most_bytes: int = 32 * 1024 * 1024

    def ttl(self, path: str) -> float:
        """Seconds for which a response at this path stays valid; 0 or less means it is not cached."""
        if not self.enabled:
            return 0.0
        for table in (self.ttls, TTLS):
            matches = [pattern for pattern in table if fnmatchcase(path, pattern)]
            if matches:
                return table[max(matches, key=len)]
        return self.default_ttl


class Back(Protocol):
    """The persistent cache behind the one in memory: `state.http_cache.SqliteCache`."""

    def get(self, owner: str, path: str, query: str, now: float) -> tuple[bytes, float] | None: ...

    def put(self, owner: str, path: str, query: str, body: bytes, *, now: float, expires_at: float) -> None: ...

    def drop(self, owner: str, prefix: str) -> None: ...

    def foreign_writes(self) -> int: ...

    def close(self) -> None: ...


Place = tuple[str, str]
"""A cache key: a path and its normalized query."""


@dataclass
class InFlight:
    """A read shared by concurrent callers: one sends it, the others use its cached response or raise its failure."""

    mutex: Mutex = field(default_factory=Mutex)
    users: int = 0
    failure: RsspotError | None = None


Mark = tuple[int, int, str]
"""The number of invalidations, the counter of foreign writes, and the owner of the responses."""


class ResponseCache:
    """The cached responses of one identity at a time; another identity never sees them.

    If the persistent cache fails, it is no longer used: a cache failure never fails a read.
    """

    def __init__(
        self, base_url: str, identity: Callable[[], str], policy: CachePolicy, clock: Clock, back: Back | None = None
    ):
        self.policy = policy
        self._base_url = base_url
        self._identity = identity
        self._owner = self._owned_by = ""
        self._clock = clock
        self._back = back
        self._guard = RLock()
        self._front: OrderedDict[Place, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0
        self._forgotten = 0
        self._seen_writes = -1
        self._in_flight: dict[Place, InFlight] = {}

    def get(self, place: Place) -> bytes | None:
        """A response that is still valid, or None."""
        with self._guard:
            self._notice_others()
            self._notice_identity()
            cached = self._front.get(place)
            if cached is not None and cached[1] > self._clock.monotonic():
                self._front.move_to_end(place)
                return cached[0]
            body, seconds = self._read_back(place) or (None, 0.0)
            if body is not None:
                self._hold(place, body, seconds)
            return body

    def begin(self) -> Mark:
        """A mark to take before a request and pass to `put`.

        `put` drops the response if anything was invalidated since, here or by another process, or the identity changed.
        """
        with self._guard:
            return self._mark()

    def put(self, place: Place, body: bytes, ttl: float, mark: Mark, *, private: bool = False) -> None:
        """Cache a response. private: it may hold secrets, so it is kept in memory only."""
        now = self._clock.now().timestamp()
        with self._guard:
            if mark != self._mark() or len(body) > self.policy.most_bytes:
                return
            self._hold(place, body, ttl)
            if private or self._back is None:
                return
            with self._without_a_failing_back():
                self._back.put(self._owner, *place, body, now=now, expires_at=now + ttl)

    def forget(self, prefix: str) -> None:
        """Invalidate a path and everything below it."""
        with self._guard:
            self._notice_identity()
            self._forgotten += 1
            for place in [key for key in self._front if key[0] == prefix or key[0].startswith(f"{prefix}/")]:
                self._drop(place)
            if self._back is not None:
                with self._without_a_failing_back():
                    self._back.drop(self._owner, prefix)

    @contextmanager
    def coalesced(self, place: Place) -> Iterator[InFlight]:
        """The state shared by all callers that read the same place concurrently."""
        with self._guard:
            in_flight = self._in_flight.setdefault(place, InFlight())
            in_flight.users += 1
        try:
            yield in_flight
        finally:
            with self._guard:
                in_flight.users -= 1
                if not in_flight.users:
                    self._in_flight.pop(place, None)

    def close(self) -> None:
        """Close the persistent cache's files."""
        with self._guard:
            # The write counter is only comparable within one connection.
            self._seen_writes = -1
            if self._back is not None:
                self._back.close()

    def _mark(self) -> Mark:
        self._notice_others()
        self._notice_identity()
        return self._forgotten, self._seen_writes, self._owner

    def _notice_identity(self) -> None:
        """Drop what is in memory if the identity has changed: it belongs to the previous one."""
        identity = self._identity()
        if identity != self._owned_by:
            self._owned_by, self._owner = identity, digest([self._base_url, identity])
            self._front.clear()
            self._bytes = 0

    def _read_back(self, place: Place) -> tuple[bytes, float] | None:
        """A stored response, and for how many seconds it is valid."""
        stored, now = None, self._clock.now().timestamp()
        if self._back is not None:
            with self._without_a_failing_back():
                stored = self._back.get(self._owner, *place, now)
        if stored is None or stored[1] - now > self.policy.ttl(place[0]):
            # One that would be valid for longer than any was kept by a clock that has been set back since.
            return None
        return stored[0], stored[1] - now

    def _notice_others(self) -> None:
        """Drop what is in memory if another process has written: it may be out of date."""
        if self._back is None:
            return
        with self._without_a_failing_back():
            writes = self._back.foreign_writes()
            if writes != self._seen_writes:
                self._seen_writes = writes
                self._front.clear()
                self._bytes = 0

    def _hold(self, place: Place, body: bytes, seconds: float) -> None:
        self._drop(place)
        self._front[place] = (body, self._clock.monotonic() + seconds)
        self._bytes += len(body)
        while len(self._front) > self.policy.most_entries or self._bytes > self.policy.most_bytes:
            self._drop(next(iter(self._front)))

    def _drop(self, place: Place) -> None:
        body, _ = self._front.pop(place, (b"", 0.0))
        self._bytes -= len(body)

    @contextmanager
    def _without_a_failing_back(self) -> Iterator[None]:
        try:
            yield
        except StateError:
            self._back = None


def written_place(path: str) -> str:
    """The prefix to invalidate after a write to a path: the whole organization, since objects change each other.

    Other organizations, and objects outside organizations, stay cached.
    """
    head, separator, rest = path.partition("/namespaces/")
    return f"{head}{separator}{rest.split('/', 1)[0]}" if separator else path.rsplit("/", 1)[0]
