"""What a script gets wrong when nobody checks its types, and what a wait must not take for ready."""

from __future__ import annotations

from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import NotReady, UsageError
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx

SPEC = {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}


@pytest.mark.parametrize("name", [None, 5, ["a"]])
@pytest.mark.parametrize("verb", ["get", "patch", "delete", "wait", "wait_gone", "upgrade"])
@pytest.mark.parametrize("group", ["cloudspaces", "spot_nodepools"])
async def test_a_name_that_is_none_reaches_no_collection(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, group: str, verb: str, name: Any
) -> None:
    """`delete(os.environ.get("UNSET"))` would delete everything there is."""
    await spot_client.cloudspaces.create("edge", SPEC)
    collection = getattr(spot_client, group)
    if not hasattr(collection, verb):
        pytest.skip("cloudspaces only")
    before = len(spot_api.requests())
    more: dict[str, Any] = {"patch": {"spec": {"desired": 2}}, "upgrade": {"version": "1.32.0"}}.get(verb, {})
    if (group, verb) == ("cloudspaces", "patch"):
        more = {"spec": {"kubernetesVersion": "1.32.0"}}
    with pytest.raises(UsageError):
        await getattr(collection, verb)(name, **more)
    assert spot_api.requests()[before:] == []
    assert len(await spot_client.cloudspaces.list()) == 1


async def test_an_upgrade_under_way_is_not_ready(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """Whoever waits for it wants the new version."""
    await spot_client.cloudspaces.create("edge", SPEC)
    await spot_client.cloudspaces.wait("edge")
    await spot_client.cloudspaces.upgrade("edge", "1.32.0")
    ready = await spot_client.cloudspaces.wait("edge")
    assert ready.status is not None and ready.status.current_kubernetes_version == "1.32.0"


async def test_what_is_being_deleted_will_never_be_ready(spot_client: AsyncSpotClient) -> None:
    """A pipeline would go on with something that is about to vanish."""
    await spot_client.cloudspaces.create("edge", SPEC)
    await spot_client.cloudspaces.wait("edge")
    await spot_client.cloudspaces.delete("edge")
    with pytest.raises(NotReady, match="being deleted"):
        await spot_client.cloudspaces.wait("edge")


@pytest.mark.parametrize("timeout", [1.0, 7.0])
async def test_a_wait_keeps_its_time(spot_api: SimulatedSpot, spot_client: AsyncSpotClient, timeout: float) -> None:
    """And does not sleep past it."""
    await spot_client.cloudspaces.create("edge", SPEC)
    began = spot_api.clock.time()
    with pytest.raises(NotReady):
        await spot_client.cloudspaces.wait_gone("edge", timeout=timeout)
    assert spot_api.clock.time() - began == pytest.approx(timeout, abs=0.1)


async def test_a_wait_for_a_service_that_does_not_answer_ends_in_time(spot_api: SimulatedSpot) -> None:
    """The patience of single requests must not be added to it."""

    async def silent(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return await spot_api.transport.handle_async_request(request)
        seconds = request.extensions["timeout"]["read"]
        spot_api.clock.advance(seconds)
        raise httpx.ReadTimeout("nothing", request=request)

    client = AsyncSpotClient(
        resolved=spot_api.client().config, transport=httpx.MockTransport(silent), clock=spot_api.clock
    )
    client.scope._namespace = "org-sandbox000000001"
    began = spot_api.clock.time()
    with pytest.raises(NotReady, match="could not be read in time"):
        await client.cloudspaces.wait("edge", timeout=20)
    assert spot_api.clock.time() - began <= 25
    await client.aclose()
