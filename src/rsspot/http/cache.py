"""Answers to reads that are kept a while: in memory first, in state.db behind. Decides what and how long.

An answer belongs to one service and one identity, and is forgotten when something at its place is written.
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
"""Seconds by path, of what changes seldom or by a clock of its own. Nothing else is kept unless it is asked for."""


@dataclass(frozen=True)
class CachePolicy:
    """What is kept. ttls: seconds by path pattern; the longest that fits wins, and any of them over the ones above."""

    enabled: bool = True
    default_ttl: float = 0.0
    ttls: Mapping[str, float] = field(default_factory=dict)
    most_entries: int = 1000
    most_bytes: int = 32 * 1024 * 1024

    def ttl(self, path: str) -> float:
        """Seconds that an answer of this path is good for; 0 or less: none at all."""
        if not self.enabled:
            return 0.0
        for table in (self.ttls, TTLS):
            fitting = [pattern for pattern in table if fnmatchcase(path, pattern)]
            if fitting:
                return table[max(fitting, key=len)]
        return self.default_ttl


class Back(Protocol):
    """Where answers outlive the process: `state.http_cache.SqliteCache`."""

    def get(self, owner: str, path: str, query: str, now: float) -> tuple[bytes, float] | None: ...

    def put(self, owner: str, path: str, query: str, body: bytes, *, now: float, expires_at: float) -> None: ...

    def drop(self, owner: str, prefix: str) -> None: ...

    def foreign_writes(self) -> int: ...

    def close(self) -> None: ...


Place = tuple[str, str]
"""A path and its query in one spelling."""


@dataclass
class InFlight:
    """Several who want one answer: one asks, the others find it kept, or hear that there was none."""

    mutex: Mutex = field(default_factory=Mutex)
    users: int = 0
    failure: RsspotError | None = None


Mark = tuple[int, int, str]
"""How often something was forgotten, what others had written, and whose answers these are."""


class ResponseCache:
    """The answers of one identity at a time: another one finds nothing of them.

    A back that fails is done without from then on: a cache never spoils a read.
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
        self._under_way: dict[Place, InFlight] = {}

    def get(self, place: Place) -> bytes | None:
        """An answer that is still good, or None."""
        now = self._now()
        with self._guard:
            self._notice_others()
            self._notice_identity()
            kept = self._front.get(place)
            if kept is not None and kept[1] > now:
                self._front.move_to_end(place)
                return kept[0]
            found = self._ask_back(place, now)
            if found is not None:
                self._hold(place, *found)
            return found[0] if found else None

    def begin(self) -> Mark:
        """A mark for `put`: an answer is not kept if anything was forgotten, here or by others, since it was asked for.

        Nor is it if it was asked for as somebody else.
        """
        with self._guard:
            return self._mark()

    def put(self, place: Place, body: bytes, ttl: float, mark: Mark, *, private: bool = False) -> None:
        """Keep an answer. private: it may hold secrets, so it stays in memory."""
        now = self._now()
        with self._guard:
            if mark != self._mark() or len(body) > self.policy.most_bytes:
                return
            self._hold(place, body, now + ttl)
            if private or self._back is None:
                return
            with self._without_a_failing_back():
                self._back.put(self._owner, *place, body, now=now, expires_at=now + ttl)

    def forget(self, prefix: str) -> None:
        """Forget what is at a path and below it."""
        with self._guard:
            self._notice_identity()
            self._forgotten += 1
            for place in [each for each in self._front if each[0] == prefix or each[0].startswith(f"{prefix}/")]:
                self._drop(place)
            if self._back is not None:
                with self._without_a_failing_back():
                    self._back.drop(self._owner, prefix)

    @contextmanager
    def coalesced(self, place: Place) -> Iterator[InFlight]:
        """What those share who ask for the same at the same time."""
        with self._guard:
            asking = self._under_way.setdefault(place, InFlight())
            asking.users += 1
        try:
            yield asking
        finally:
            with self._guard:
                asking.users -= 1
                if not asking.users:
                    self._under_way.pop(place, None)

    def close(self) -> None:
        """Let go of files."""
        with self._guard:
            # Numbers of another connection mean nothing to the next one.
            self._seen_writes = -1
            if self._back is not None:
                self._back.close()

    def _mark(self) -> Mark:
        self._notice_others()
        self._notice_identity()
        return self._forgotten, self._seen_writes, self._owner

    def _notice_identity(self) -> None:
        """Somebody else has logged in: what we hold in memory is not theirs."""
        identity = self._identity()
        if identity != self._owned_by:
            self._owned_by, self._owner = identity, digest([self._base_url, identity])
            self._front.clear()
            self._bytes = 0

    def _ask_back(self, place: Place, now: float) -> tuple[bytes, float] | None:
        found = None
        if self._back is not None:
            with self._without_a_failing_back():
                found = self._back.get(self._owner, *place, now)
        return found

    def _notice_others(self) -> None:
        """Another process has written: what we hold in memory may be what it made untrue."""
        if self._back is None:
            return
        with self._without_a_failing_back():
            writes = self._back.foreign_writes()
            if writes != self._seen_writes:
                self._seen_writes = writes
                self._front.clear()
                self._bytes = 0

    def _hold(self, place: Place, body: bytes, expires_at: float) -> None:
        self._drop(place)
        self._front[place] = (body, expires_at)
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

    def _now(self) -> float:
        return self._clock.now().timestamp()


def written_place(path: str) -> str:
    """What a write to a path may have changed: everything in the organization, since objects change each other.

    Other organizations, and what belongs to none, are as they were.
    """
    head, found, rest = path.partition("/namespaces/")
    return f"{head}{found}{rest.split('/', 1)[0]}" if found else path.rsplit("/", 1)[0]
