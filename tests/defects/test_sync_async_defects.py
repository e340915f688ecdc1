"""One client for programs with an event loop, without one, with several, and with threads."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
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
from support.open_files import open_files, settled


@pytest.fixture(autouse=True)
def close_shared_clients():
    """Clients shared by a test are closed after it."""
    yield
    close_all_clients()
    configure()


@pytest.mark.defect(17)
def test_blocking_and_async_calls_alternate_on_one_client(account):
    """Otherwise the second kind fails with an event loop error."""
    client = SpotClient()

    async def count() -> int:
        return len(await client.aregions.list())

    wanted = len(client.regions.list())
    assert [asyncio.run(count()) for _ in range(2)] == [wanted] * 2
    assert len(client.regions.list()) == wanted
    client.close()
    with pytest.raises(RuntimeError, match="this client has been closed"):
        client.regions.list()


@pytest.mark.defect(17)
def test_a_blocking_call_inside_a_loop_names_the_async_one(account):
    """Otherwise it blocks the loop, or fails with an error about another loop."""

    async def work() -> None:
        with pytest.raises(RuntimeError, match=r"await client\.aregions\.list\(\)"):
            SpotClient().regions.list()

    asyncio.run(work())


@pytest.mark.defect(17)
def test_a_shared_client_outlives_a_loop(account):
    """Otherwise the second `asyncio.run` of a program fails. Whoever closes it is given another one the next time."""

    clients = []

    async def work(close) -> int:
        clients.append(get_async_client())
        try:
            return len(await clients[-1].regions.list())
        finally:
            await close()

    counts = [asyncio.run(work(lambda: clients[-1].aclose())) for _ in range(2)]
    assert counts[0] == counts[1]
    assert clients[0] is not clients[1]
    with get_client() as blocking:
        assert blocking.regions.list()
    asyncio.run(work(aclose_all_clients))
    assert asyncio.run(work(aclose_all_clients))
    assert clients[3] is not clients[0]


@pytest.mark.defect(17, 48)
def test_closing_inside_a_loop_closes_the_connections_of_threads(account):
    """Otherwise a program that used both kinds keeps its connections open."""
    before = len(open_files())
    client = get_client()
    client.regions.list()
    try:
        asyncio.run(aclose_all_clients())
        assert settled(before) <= 0
    finally:
        client.close()


@pytest.mark.defect(17)
def test_a_shared_client_works_after_it_was_closed(account):
    """Otherwise every later caller gets a closed client."""
    get_client().close()
    assert get_client().regions.list()


@pytest.mark.defect(18)
def test_one_client_serves_many_threads(account):
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
            thread.join(60)
    assert results == [results[0]] * 8
    assert not isinstance(results[0], Exception)
    assert len(account.sent("POST /oauth/token")) == 1


def one_error_of_each_class() -> list[RsspotError]:
    """An error of each class."""
    instances: list[RsspotError] = []
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, RsspotError) and not value.__name__.startswith("_"):
            if issubclass(value, ApiError):
                more = {"status": 409, "reason": "r", "causes": {"a": "b"}, "request_id": "i", "retry_after": 2.0}
                instances.append(value("no", hint="h", **more))
            elif issubclass(value, errors.ManifestError | errors.PlanRefused):
                instances.append(value([errors.Problem("no", errors.Origin("f", 1, 2))], hint="h"))
            else:
                instances.append(value("no") if value is errors.UnexpectedShape else value("no", hint="h"))
    return instances


@pytest.mark.defect(47)
@pytest.mark.parametrize("error", one_error_of_each_class(), ids=lambda error: type(error).__name__)
def test_every_error_can_be_pickled_copied_and_hashed(error):
    """Otherwise an error changes when it crosses a process pool or is put into a set."""
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is type(error)
        assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))
        assert str(other)
    assert error in {error}


@pytest.mark.defect(47)
def test_a_raised_api_error_can_be_pickled(account):
    """The same for an error that was actually raised."""
    with SpotClient() as client, pytest.raises(NotFound) as raised:
        client.cloudspaces.get("nope")
    other = pickle.loads(pickle.dumps(raised.value))
    assert (other.status, other.reason, str(other)) == (404, "NotFound", str(raised.value))


@pytest.mark.defect(48)
def test_configure_applies_to_later_clients(account):
    """Otherwise the first caller decides for the whole program."""
    before = get_client()
    configure(organization="org-other0000000001")
    after = get_client()
    assert after is not before
    assert after is get_client()
    assert after._aio.config.get("organization") == "org-other0000000001"
    with use_org("third"):
        assert get_client()._aio.config.get("organization") == "third"
    assert get_client() is after


@pytest.mark.defect(48)
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files cannot be counted here")
def test_closed_clients_leave_no_file_open(account):
    """Otherwise a long-running program runs out of file descriptors."""

    def work() -> None:
        for number in range(10):
            client = get_client(organization=f"org-{number:016}")
            client.regions.list()
            client.organizations.list()
        close_all_clients()

    work()
    before = len(open_files())
    for _ in range(3):
        work()
    assert settled(before) <= 0


@pytest.mark.defect(48)
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files cannot be counted here")
def test_clients_of_finished_loops_leave_no_file_open(account):
    """The same if each client has its own loop."""

    async def work() -> None:
        async with AsyncSpotClient() as client:
            await client.regions.list()
            await client.cloudspaces.list()

    asyncio.run(work())
    before = len(open_files())
    for _ in range(5):
        asyncio.run(work())
    assert settled(before) <= 0


def test_every_public_name_can_be_imported():
    """Lazy imports that fail would only be found by users."""
    assert all(getattr(rsspot, name) is not None for name in rsspot.__all__)
