"""The response cache: serves only valid responses, only to their identity, and never fails a request."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.concurrency import drive, pause
from rsspot.errors import Forbidden, RsspotError, StateError
from rsspot.http.cache import TTLS, Back, CachePolicy, ResponseCache, written_place
from rsspot.http.call import Call
from rsspot.http.transport import SpotTransport
from rsspot.simulator.clock import ManualClock
from rsspot.state.database import Database
from rsspot.state.http_cache import SqliteCache
from rsspot.utils.clock import SystemClock
from rsspot.wire import httpx

URL = "http://127.0.0.1"
GROUP = "/apis/ngpc.rxt.io/v1"
REGIONS = f"{GROUP}/regions"
MINE = f"{GROUP}/namespaces/org-a/cloudspaces"
OTHERS = f"{GROUP}/namespaces/org-b/cloudspaces"
EVERYTHING = CachePolicy(default_ttl=60.0)


def read(path: str = MINE, **rest: object) -> Call:
    """A read that may be served from the cache."""
    return Call("GET", path, **{"fresh": False, "private": False, **rest})


class Signer:
    """Adds no token. live: whether it claims to have a valid credential."""

    live = True

    async def carry(self, request: httpx.Request, send: object) -> httpx.Response:
        return await send(request)


class Service:
    """Answers each read with the request's number; writes get a response chosen by the test."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.asked: list[tuple[str, str]] = []
        self.written = httpx.Response(200, json={})
        self.reading = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        number = len(self.asked)
        await pause(0)
        if request.method != "GET":
            return self.written
        if self.gate is not None:
            self.reading.set()
            await self.gate.wait()
        return httpx.Response(200, json={"number": number})

    def session(
        self,
        policy: CachePolicy = EVERYTHING,
        *,
        url: str = URL,
        identity: str = "alice",
        back: Back | None = None,
        signer: Signer | None = None,
    ) -> SpotTransport:
        """A transport with a cache."""
        cache = ResponseCache(url, lambda: identity, policy, self.clock, back)
        return SpotTransport(url, signer or Signer(), self.clock, httpx.MockTransport(self.handle), cache=cache)


@pytest.fixture
def service() -> Service:
    """A service that counts requests."""
    return Service()


async def number(session: SpotTransport, call: Call | None = None) -> int:
    """The number of the request whose response this read returns."""
    return (await session.send(call or read()))["number"]


# TTL


async def test_a_response_is_cached_for_exactly_its_ttl(service: Service) -> None:
    """By the clock, to the second."""
    session = service.session()
    assert [await number(session), await number(session)] == [1, 1]
    service.clock.advance(59.9)
    assert await number(session) == 1
    service.clock.advance(0.1)
    assert await number(session) == 2


async def test_a_cache_hit_does_not_extend_the_ttl(service: Service) -> None:
    """The TTL runs from when the response arrived."""
    session = service.session()
    for _ in range(7):
        await number(session)
        service.clock.advance(10)
    assert len(service.asked) == 2


@pytest.mark.parametrize("policy", [CachePolicy(), CachePolicy(default_ttl=-1), CachePolicy(ttls={"*": 0})])
async def test_a_ttl_of_zero_or_less_disables_caching(service: Service, policy: CachePolicy) -> None:
    """Tenants' objects are not cached unless configured."""
    session = service.session(policy)
    assert [await number(session), await number(session)] == [1, 2]


async def test_a_disabled_policy_caches_nothing(service: Service) -> None:
    """Not even the paths that are cached by default."""
    session = service.session(CachePolicy(enabled=False, default_ttl=60, ttls={"*": 60}))
    assert [await number(session, read(REGIONS)) for _ in range(2)] == [1, 2]


async def test_a_fresh_read_bypasses_the_cache(service: Service) -> None:
    """Otherwise waiting for a change could never end."""
    session = service.session()
    assert await number(session) == 1
    assert await number(session, read(fresh=True)) == 2


async def test_the_query_is_part_of_the_key_but_not_its_order(service: Service) -> None:
    """Pages are not mixed up."""
    session = service.session()
    assert await number(session, read(params={"limit": "1", "continue": "x"})) == 1
    assert await number(session, read(params={"continue": "x", "limit": "1"})) == 1
    assert await number(session, read(params={"continue": "y", "limit": "1"})) == 2
    assert await number(session, read(params={"continue": "x&limit=1"})) == 3


async def test_only_get_responses_are_cached(service: Service) -> None:
    """A HEAD response has no body and cannot serve a GET."""
    session = service.session()
    await session.content(replace(read(), method="HEAD"))
    assert await number(session) == 2


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_failure_is_not_cached(service: Service, status: int) -> None:
    """The next read may succeed."""
    answers = iter([status] * 5)
    session = SpotTransport(
        URL,
        None,
        service.clock,
        httpx.MockTransport(lambda _: httpx.Response(next(answers, 200), json={})),
        cache=ResponseCache(URL, lambda: "alice", EVERYTHING, service.clock),
    )
    with suppress(RsspotError):
        await session.send(read())
    while next(answers, None):
        pass
    assert await session.send(read()) == {}


@pytest.mark.parametrize(
    ("path", "seconds"),
    [
        (REGIONS, 3600),
        (f"{REGIONS}/us-central-ord-1", 3600),
        (f"{GROUP}/serverclasses", 60),
        ("/apis/auth.ngpc.rxt.io/v1/organizations", 300),
        ("/history/x.json", 300),
        (MINE, 7),
    ],
)
def test_data_that_seldom_changes_is_cached_by_default(path: str, seconds: float) -> None:
    """Everything else has the policy's default TTL."""
    assert CachePolicy(default_ttl=7).ttl(path) == seconds


def test_the_longest_matching_pattern_wins() -> None:
    """It also overrides the defaults, in any order of the patterns."""
    ttls = {"*": 1.0, "*/cloudspaces": 2.0, "*/namespaces/org-a/*": 3.0, "*/regions": 4.0}
    for ordered in (ttls, dict(reversed(ttls.items()))):
        policy = CachePolicy(ttls=ordered)
        assert policy.ttl(MINE) == 3.0
        assert policy.ttl(OTHERS) == 2.0
        assert policy.ttl(REGIONS) == 4.0
        assert policy.ttl("/x") == 1.0


# Size


def answers_kept(cache: ResponseCache, names: str) -> str:
    """The names that are still cached."""
    return "".join(name for name in names if cache.get((name, "")) is not None)


def cache_of(**policy: object) -> ResponseCache:
    """A cache in memory."""
    return ResponseCache(URL, lambda: "alice", CachePolicy(default_ttl=60, **policy), ManualClock())


def hold(cache: ResponseCache, names: str, body: bytes = b"{}") -> None:
    """Cache a response for each name."""
    for name in names:
        cache.put((name, ""), body, 60, cache.begin())


def test_the_least_recently_used_response_is_evicted() -> None:
    """When there are too many entries."""
    cache = cache_of(most_entries=3)
    hold(cache, "abc")
    cache.get(("a", ""))
    hold(cache, "d")
    assert answers_kept(cache, "abcd") == "acd"


def test_the_total_size_is_limited_too() -> None:
    """Whether by two large responses or many small ones."""
    cache = cache_of(most_bytes=100)
    hold(cache, "ab", b"x" * 50)
    assert answers_kept(cache, "ab") == "ab"
    hold(cache, "c", b"x")
    assert answers_kept(cache, "abc") == "bc"
    hold(cache, "d", b"x" * 101)
    assert answers_kept(cache, "bcd") == "bc"


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 60), st.booleans()), max_size=40))
def test_the_size_is_tracked_through_any_sequence_of_operations(steps: list[tuple[str, int, bool]]) -> None:
    """Replacing and invalidating an entry frees its size."""
    cache = cache_of(most_bytes=100, most_entries=4)
    for name, size, forget in steps:
        if forget:
            cache.forget(name)
        else:
            hold(cache, name, b"x" * size)
        kept = [cache.get((key, "")) for key in "abcdef"]
        assert sum(len(body) for body in kept if body is not None) == cache._bytes <= 100
        assert len(cache._front) <= 4


# Identities


class Shelf:
    """A persistent cache in memory. broken: methods that raise StateError · foreign: the counter of foreign writes."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], tuple[bytes, float]] = {}
        self.broken: set[str] = set()
        self.used: list[str] = []
        self.foreign = 0
        self.closed = False

    def _use(self, name: str) -> None:
        self.used.append(name)
        if name in self.broken:
            raise StateError("the disk is full")

    def get(self, owner: str, path: str, query: str, now: float) -> tuple[bytes, float] | None:
        self._use("get")
        entry = self.kept.get((owner, path, query))
        return entry if entry and entry[1] > now else None

    def put(self, owner: str, path: str, query: str, body: bytes, *, now: float, expires_at: float) -> None:
        self._use("put")
        self.kept[owner, path, query] = (body, expires_at)

    def drop(self, owner: str, prefix: str) -> None:
        self._use("drop")
        self.kept = {k: v for k, v in self.kept.items() if not (k[0] == owner and f"{k[1]}/".startswith(f"{prefix}/"))}

    def foreign_writes(self) -> int:
        self._use("foreign_writes")
        return self.foreign

    def close(self) -> None:
        self.closed = True


async def test_identities_and_services_do_not_share_responses(service: Service) -> None:
    """One identity may see what another may not."""
    shelf = Shelf()
    assert await number(service.session(back=shelf)) == 1
    assert await number(service.session(back=shelf, identity="bob")) == 2
    assert await number(service.session(back=shelf, url="http://127.0.0.1:81")) == 3
    assert await number(service.session(back=shelf)) == 1


def test_the_persistent_cache_does_not_reveal_its_owner() -> None:
    """The owner is stored as a digest."""
    shelf = Shelf()
    cache = ResponseCache("http://canary", lambda: "canary", EVERYTHING, ManualClock(), shelf)
    hold(cache, "a")
    assert shelf.kept
    assert "canary" not in repr(shelf.kept)


async def test_without_a_valid_credential_the_cache_is_not_used(service: Service) -> None:
    """The service decides whether an expired token is still accepted."""
    signer = Signer()
    session = service.session(signer=signer)
    assert await number(session) == 1
    signer.live = False
    assert await number(session) == 2
    signer.live = True
    assert await number(session) == 2


async def test_responses_that_may_hold_secrets_stay_in_memory(service: Service) -> None:
    """A kubeconfig is never written to disk by the cache."""
    shelf = Shelf()
    session = service.session(back=shelf)
    assert [await number(session, read(private=True)) for _ in range(2)] == [1, 1]
    assert shelf.kept == {}
    assert await number(service.session(back=shelf), read(private=True)) == 2


async def test_another_process_reads_the_persistent_cache(service: Service) -> None:
    """For the remaining TTL and no longer."""
    shelf = Shelf()
    assert await number(service.session(back=shelf)) == 1
    service.clock.advance(40)
    session = service.session(back=shelf)
    assert await number(session) == 1
    service.clock.advance(20)
    assert await number(session) == 2


# Invalidation


WRITTEN: dict[str, httpx.Response] = {
    "200": httpx.Response(200, json={"kind": "CloudSpace"}),
    "204": httpx.Response(204),
    "empty": httpx.Response(200),
    "no JSON": httpx.Response(202, content=b"<html>"),
    "409": httpx.Response(409, json={"reason": "Conflict"}),
    "500": httpx.Response(500),
    "401": httpx.Response(401),
}


@pytest.mark.parametrize("outcome", WRITTEN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_any_write_invalidates_its_organization(service: Service, method: str, outcome: str) -> None:
    """It may have been executed. All kinds are invalidated, in memory and on disk, since objects change each other."""
    shelf, pools = Shelf(), read(f"{GROUP}/namespaces/org-a/spotnodepools/x")
    session = service.session(back=shelf)
    before = [await number(session), await number(session, pools)]
    service.written = WRITTEN[outcome]
    with suppress(RsspotError):
        await session.send(Call(method, f"{MINE}/x", body={}))
    assert not any("org-a" in path for _, path, _ in shelf.kept)
    after = [await number(session), await number(session, pools)]
    assert not set(before) & set(after)


async def test_a_broken_write_invalidates_too(service: Service) -> None:
    """Its outcome is unknown."""
    session = service.session()
    await number(session)

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broke", request=request)

    breaking = SpotTransport(URL, None, service.clock, httpx.MockTransport(broken), cache=session.cache)
    with pytest.raises(RsspotError):
        await breaking.send(Call("POST", MINE, body={}))
    assert await number(session) == 2


async def test_other_organizations_and_global_objects_stay_cached(service: Service) -> None:
    """The write cannot have changed them."""
    shelf = Shelf()
    session = service.session(back=shelf)
    for path in (REGIONS, OTHERS, f"{GROUP}/namespaces/org-a-2/cloudspaces"):
        await number(session, read(path))
    await session.send(Call("POST", MINE, body={}))
    for transport in (session, service.session(back=shelf)):
        numbers = [await number(transport, read(path)) for path in (REGIONS, OTHERS)]
        assert numbers == [1, 2]
        assert await number(transport, read(f"{GROUP}/namespaces/org-a-2/cloudspaces")) == 3


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (MINE, f"{GROUP}/namespaces/org-a"),
        (f"{MINE}/x/status", f"{GROUP}/namespaces/org-a"),
        ("/apis/auth.ngpc.rxt.io/v1/generate-kubeconfig", "/apis/auth.ngpc.rxt.io/v1"),
        (f"{REGIONS}/x", REGIONS),
    ],
)
def test_a_write_invalidates_an_organization_or_a_collection(path: str, place: str) -> None:
    """As much as it may have changed."""
    assert written_place(path) == place


async def test_a_read_started_before_a_write_is_not_cached(service: Service) -> None:
    """Its response has the state before the write."""
    session = service.session()
    service.gate = asyncio.Event()
    reading = asyncio.create_task(number(session))
    await service.reading.wait()
    await session.send(Call("DELETE", f"{MINE}/x"))
    service.gate.set()
    assert await reading == 1
    assert await number(session) == 3


async def test_a_read_during_a_write_is_not_cached_beyond_it(service: Service) -> None:
    """It may have the state before or after the write."""
    gate, started = asyncio.Event(), asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            started.set()
            await gate.wait()
        return await service.handle(request)

    cache = ResponseCache(URL, lambda: "alice", EVERYTHING, service.clock)
    session = SpotTransport(URL, Signer(), service.clock, httpx.MockTransport(slowly), cache=cache)
    writing = asyncio.create_task(session.send(Call("DELETE", f"{MINE}/x")))
    await started.wait()
    assert await number(session) == 1
    gate.set()
    await writing
    assert await number(session) == 3


# Concurrent reads


async def test_concurrent_equal_reads_fail_together() -> None:
    """If each retried in turn, the last of twenty would wait twenty times as long."""
    asked = 0

    async def down(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.001)
        return httpx.Response(403, json={"message": "not now"})

    clock = ManualClock()
    cache = ResponseCache(URL, lambda: "alice", EVERYTHING, clock)
    session = SpotTransport(URL, Signer(), clock, httpx.MockTransport(down), cache=cache)
    failures = await asyncio.gather(*(session.send(read()) for _ in range(20)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {Forbidden}
    assert asked == 1
    with pytest.raises(Forbidden):
        await session.send(read())
    assert asked == 2


async def test_concurrent_equal_reads_are_one_request(service: Service) -> None:
    """The others use its response; different reads do not wait for it."""
    session = service.session()
    mine = [number(session) for _ in range(20)]
    others = [number(session, read(OTHERS)) for _ in range(20)]
    numbers = await asyncio.gather(*mine, *others)
    assert (len(set(numbers[:20])), len(set(numbers[20:])), len(service.asked)) == (1, 1, 2)
    assert session.cache is not None and not session.cache._in_flight


def test_equal_reads_of_threads_and_loops_are_one_request() -> None:
    """Four threads without a loop and two with one."""
    service = Service(SystemClock())  # type: ignore[arg-type]
    session = service.session()
    numbers: list[int] = []
    barrier = threading.Barrier(6)

    async def five() -> list[int]:
        return await asyncio.gather(*(number(session) for _ in range(5)))

    def looping() -> None:
        barrier.wait(60)
        numbers.extend(asyncio.run(five()))

    def blocking() -> None:
        barrier.wait(60)
        numbers.append(drive(number(session)))

    threads = [threading.Thread(target=work, daemon=True) for work in [looping] * 2 + [blocking] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert numbers == [1] * 14


async def test_a_cancelled_read_does_not_cancel_the_others(service: Service) -> None:
    """The next one sends the request."""
    session = service.session()
    service.gate = asyncio.Event()
    first = asyncio.create_task(number(session))
    await service.reading.wait()
    second = asyncio.create_task(number(session))
    await asyncio.sleep(0)
    first.cancel()
    service.gate.set()
    async with asyncio.timeout(5):
        assert await second == 2
    assert session.cache is not None and not session.cache._in_flight


# The persistent cache


@pytest.mark.parametrize("broken", ["get", "put", "drop", "foreign_writes"])
async def test_a_failing_persistent_cache_is_no_longer_used(service: Service, broken: str) -> None:
    """No request fails because of it, and the cache in memory goes on."""
    shelf = Shelf()
    shelf.broken = {broken}
    session = service.session(back=shelf)
    await number(session)
    await session.send(Call("DELETE", f"{MINE}/x"))
    last = await number(session)
    assert await number(session) == last
    assert shelf.used.count(broken) == 1
    assert shelf.used[-1] == broken
    await session.aclose()


async def test_a_write_of_another_process_clears_the_memory(service: Service) -> None:
    """It invalidated responses in the persistent cache only."""
    shelf = Shelf()
    session, other = service.session(back=shelf), service.session(back=shelf)
    assert await number(session) == 1
    await other.send(Call("DELETE", f"{MINE}/x"))
    shelf.foreign += 1
    assert await number(session) == 3


async def test_closing_a_transport_closes_the_persistent_cache(service: Service) -> None:
    """On some systems an open file cannot be deleted."""
    shelf = Shelf()
    await service.session(back=shelf).aclose()
    assert shelf.closed


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[list[Database]]:
    """The same file opened twice, as by two processes."""
    opened = [Database(tmp_path / "state.db", durable=False) for _ in range(2)]
    yield opened
    for database in opened:
        database.close()


async def test_two_connections_to_state_db_see_each_others_writes(service: Service, databases: list[Database]) -> None:
    """The real persistent cache: responses are shared, and neither memory serves a stale one."""
    shelves = [SqliteCache(database, most_entries=10, most_bytes=10_000) for database in databases]
    one, two = (service.session(back=shelf) for shelf in shelves)
    assert [await number(one), await number(two)] == [1, 1]
    await one.send(Call("PATCH", f"{MINE}/x", body={}))
    assert await number(two) == 3
    assert await number(one) == 3


def test_tenants_objects_are_not_cached_by_default() -> None:
    """Otherwise deleted objects would be shown."""
    assert not any("namespaces" in pattern for pattern in TTLS)
    assert CachePolicy().ttl(MINE) == 0
