"""The synchronous client: the same services, from any thread, but never inside a running loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rsspot.client.groups import AsyncGroups, Group
from rsspot.client.sync_client import SpotClient
from rsspot.errors import NotFound
from rsspot.resources.collection import Collection
from rsspot.testing import SimulatedSpot

GROUPS = (
    "organizations",
    "regions",
    "server_classes",
    "cloudspaces",
    "spot_nodepools",
    "ondemand_nodepools",
    "autopilot_nodepools",
    "vm_cloudspaces",
    "vm_pools",
    "vm_ssh_keys",
    "pricing",
    "inventory",
    "events",
)


def blocking_client(spot: SimulatedSpot) -> SpotClient:
    """A synchronous client of a simulated service."""
    return SpotClient(resolved=spot.client().config, transport=spot.transport, clock=spot.clock)


@pytest.fixture
def client(spot_api: SimulatedSpot) -> Iterator[SpotClient]:
    """A synchronous client, closed after the test."""
    with blocking_client(spot_api) as opened:
        yield opened


def coroutines(service: object) -> set[str]:
    """The public coroutines of a service."""
    members = inspect.getmembers(type(service), inspect.iscoroutinefunction)
    return {name for name, _ in members if not name.startswith("_")}


def test_the_groups_are_those_of_the_async_client(spot_api: SimulatedSpot) -> None:
    """None is missing on either side."""
    services = {name for name, value in vars(AsyncGroups).items() if isinstance(value, Group)}
    assert services == set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_coroutine_has_a_blocking_version(client: SpotClient, group: str) -> None:
    """With the same parameters and docstring."""
    service, twin = getattr(client, f"a{group}"), getattr(client, group)
    assert coroutines(service)
    for name in coroutines(service):
        method, blocking = getattr(service, name), getattr(twin, name)
        assert not inspect.iscoroutinefunction(blocking)
        assert blocking.__doc__ == method.__doc__ or method.__doc__ is None
        theirs = list(inspect.signature(method).parameters)
        assert [each for each in inspect.signature(blocking).parameters if each != "self"] == theirs


@pytest.mark.parametrize("group", GROUPS)
async def test_a_call_in_a_running_loop_names_the_async_version(spot_api: SimulatedSpot, group: str) -> None:
    """A blocking call would freeze the loop."""
    client = blocking_client(spot_api)
    with pytest.raises(RuntimeError, match=rf"await client\.a{group}\.list\(\)"):
        getattr(client, group).list()
    assert spot_api.transport.carried == []
    assert isinstance(await getattr(client, f"a{group}").list(), list)
    await client.aclose()
    await asyncio.to_thread(client.close)


def test_a_script_can_create_read_change_and_delete(spot_api: SimulatedSpot, client: SpotClient) -> None:
    """The common verbs, in a row."""
    made = client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
    assert made.name == "edge"
    assert client.cloudspaces.patch("edge", {"kubernetesVersion": "1.32.0"}).spec.kubernetes_version == "1.32.0"
    assert [each.name for each in client.cloudspaces.list()] == ["edge"]
    client.cloudspaces.delete("edge")
    spot_api.advance(60)
    with pytest.raises(NotFound):
        client.cloudspaces.get("edge")


@pytest.mark.parametrize("attempt", range(3))
def test_threads_may_share_it_from_the_first_call(spot_api: SimulatedSpot, attempt: int) -> None:
    """Sixteen threads at once."""
    before = threading.active_count()
    together = threading.Barrier(16)

    def ask(number: int) -> int:
        together.wait()
        return len(getattr(client, GROUPS[1 + number % 2]).list())

    with blocking_client(spot_api) as client, ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(ask, range(16)))
    assert set(counts[::2]) == {counts[0]}
    assert counts[0]
    tokens = [path for _, path in spot_api.transport.carried if path == "/oauth/token"]
    assert len(tokens) == 1
    assert threading.active_count() <= before


def test_an_unused_client_has_nothing_to_close(spot_api: SimulatedSpot) -> None:
    """It made neither a thread nor a file."""
    before = threading.active_count()
    with blocking_client(spot_api):
        assert threading.active_count() == before
    assert not list(spot_api.folder.iterdir())


def test_any_kind_is_reachable_by_its_plural(client: SpotClient) -> None:
    """A new kind needs no change in either client."""
    assert client.spotnodepools.list() == []  # type: ignore[attr-defined]
    assert isinstance(client.aspotnodepools, Collection)  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'widgets'"):
        client.widgets  # type: ignore[attr-defined]  # noqa: B018
