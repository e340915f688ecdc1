"""One object for programs with an event loop, without one, with several and with threads."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
import time
from pathlib import Path

import pytest

import rsspot
from rsspot import (
    ApiError,
    AsyncSpotClient,
    NotFound,
    RsspotError,
    SpotClient,
    aclose_all_clients,
    close_all_clients,
    configure,
    errors,
    get_async_client,
    get_client,
    use_org,
)


@pytest.fixture(autouse=True)
def nothing_shared():
    """What a test shares ends with it."""
    yield
    close_all_clients()
    configure()


@pytest.mark.defect(17)
def test_calls_of_both_sorts_take_turns_on_one_object(account):
    """Otherwise the second sort fails with words about event loops."""
    client = SpotClient()

    async def awaited() -> int:
        try:
            return len(await client.aregions.list())
        finally:
            await client.aclose()

    wanted = len(client.regions.list())
    assert [asyncio.run(awaited()) for _ in range(2)] == [wanted] * 2
    assert len(client.regions.list()) == wanted
    client.close()
    assert len(client.regions.list()) == wanted
    client.close()


@pytest.mark.defect(17)
def test_a_blocking_call_inside_a_loop_says_what_to_call(account):
    """Otherwise it freezes the loop, or fails with words about another one."""

    async def work() -> None:
        with pytest.raises(RuntimeError, match=r"await client\.aregions\.list\(\)"):
            SpotClient().regions.list()

    asyncio.run(work())


@pytest.mark.defect(17)
def test_a_shared_client_outlives_a_loop(account):
    """Otherwise the second `asyncio.run` of a program fails."""

    used = []

    async def work(end) -> int:
        used.append(get_async_client())
        try:
            return len(await used[-1].regions.list())
        finally:
            await end()

    assert asyncio.run(work(lambda: used[-1].aclose())) == asyncio.run(work(lambda: used[-1].aclose()))
    assert used[0] is used[1]
    with get_client() as blocking:
        assert blocking.regions.list()
    asyncio.run(work(aclose_all_clients))
    assert asyncio.run(work(aclose_all_clients))
    assert used[3] is not used[0]


@pytest.mark.defect(17, 48)
def test_closing_inside_a_loop_closes_what_threads_have_opened(account):
    """Otherwise a program that used both sorts keeps its connections, whatever it is told to do."""
    before = settled_descriptors()
    client = get_client()
    client.regions.list()
    try:
        asyncio.run(aclose_all_clients())
        assert settled_descriptors(before) <= before
    finally:
        client.close()


@pytest.mark.defect(17)
def test_a_shared_client_that_was_closed_is_usable_or_new(account):
    """Otherwise everybody is given a dead object."""
    get_client().close()
    assert get_client().regions.list()


@pytest.mark.defect(18)
def test_one_object_serves_many_threads(account):
    """Otherwise one of eight threads works and seven fail."""
    results: list[object] = []

    def work(client: SpotClient) -> None:
        try:
            results.append((len(client.regions.list()), len(client.cloudspaces.list())))
        except Exception as error:
            results.append(error)

    with SpotClient(cache=False) as client:
        threads = [threading.Thread(target=work, args=(client,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert results == [results[0]] * 8
    assert not isinstance(results[0], Exception)
    assert len(account.sent("POST /oauth/token")) == 1


def everything() -> list[RsspotError]:
    """An error of each class."""
    found: list[RsspotError] = []
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, RsspotError) and not value.__name__.startswith("_"):
            if issubclass(value, ApiError):
                more = {"status": 409, "reason": "r", "causes": {"a": "b"}, "request_id": "i", "retry_after": 2.0}
                found.append(value("no", hint="h", **more))
            elif issubclass(value, errors.ManifestError | errors.PlanRefused):
                found.append(value([errors.Problem("no", errors.Origin("f", 1, 2))], hint="h"))
            else:
                found.append(value("no") if value is errors.UnexpectedShape else value("no", hint="h"))
    return found


@pytest.mark.defect(47)
@pytest.mark.parametrize("error", everything(), ids=lambda each: type(each).__name__)
def test_every_error_can_be_sent_and_kept(error):
    """Otherwise a worker's failure arrives as another one, in a process pool or a set."""
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is type(error)
        assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))
        assert str(other)
    assert error in {error}


@pytest.mark.defect(47)
def test_an_error_of_the_service_survives_the_way(account):
    """The same for one that was really raised."""
    with SpotClient() as client, pytest.raises(NotFound) as raised:
        client.cloudspaces.get("nope")
    other = pickle.loads(pickle.dumps(raised.value))
    assert (other.status, other.reason, str(other)) == (404, "NotFound", str(raised.value))


@pytest.mark.defect(48)
def test_what_is_configured_holds_for_who_asks_next(account):
    """Otherwise the first one who asked decides for the whole program."""
    before = get_client()
    configure(organization="org-other0000000001")
    after = get_client()
    assert after is not before
    assert after is get_client()
    assert after._aio.config.get("organization") == "org-other0000000001"
    with use_org("third"):
        assert get_client()._aio.config.get("organization") == "third"
    assert get_client() is after


def settled_descriptors(most: int | None = None) -> int:
    """How many files are open, once the service at the other end has noticed what was closed."""
    deadline, found = time.monotonic() + 2, 0
    while time.monotonic() < deadline:
        found = len(list(Path("/proc/self/fd").iterdir()))
        if most is not None and found <= most:
            break
        time.sleep(0.02 if most is not None else 0.2)
        if most is None:
            break
    return found


@pytest.mark.defect(48)
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files cannot be counted here")
def test_closed_clients_leave_nothing_open(account):
    """Otherwise a long-running program runs out of files."""

    def work() -> None:
        for number in range(10):
            client = get_client(organization=f"org-{number:016}")
            client.regions.list()
            client.organizations.list()
        close_all_clients()

    work()
    before = settled_descriptors()
    for _ in range(3):
        work()
    assert settled_descriptors(before) <= before


@pytest.mark.defect(48)
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files cannot be counted here")
def test_clients_of_loops_that_are_over_leave_nothing_open(account):
    """The same where each has a loop of its own."""

    async def work() -> None:
        async with AsyncSpotClient() as client:
            await client.regions.list()
            await client.cloudspaces.list()

    asyncio.run(work())
    before = settled_descriptors()
    for _ in range(5):
        asyncio.run(work())
    assert settled_descriptors(before) <= before


def test_every_public_name_can_be_had():
    """A name that is promised and fails on its first use is found by users."""
    assert all(getattr(rsspot, name) is not None for name in rsspot.__all__)
