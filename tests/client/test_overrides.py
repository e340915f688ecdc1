"""A client's settings show in its requests: organization, region, hooks, cache and credentials."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rsspot import AsyncSpotClient, ConfigError, Exchange, Hooks, SpotClient, use_org
from rsspot.errors import AuthError, NotFound
from rsspot.simulator.accounts.people import SANDBOX_TOKEN, Tenant
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.front.inprocess import InProcessTransport
from rsspot.simulator.world import World
from rsspot.testing import URL, SimulatedSpot
from support.recording import CLOUDSPACE, Overheard

ADDRESSES: dict[str, Any] = {"base_url": URL, "oauth_url": URL}
ORGANIZATIONS = (Tenant("org_One", "one", SANDBOX_TOKEN), Tenant("org_Two", "two", "second-token"))


class TwoOrganizations:
    """A service with two organizations, and clients of it that read their settings in the usual way."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.world = World(clock=self.clock, organizations=ORGANIZATIONS)
        self.wire = Overheard(InProcessTransport(Api(self.world)))

    def client(self, **options: Any) -> AsyncSpotClient:
        """A client with only these arguments."""
        return AsyncSpotClient(transport=self.wire, clock=self.clock, **ADDRESSES, **options)

    async def namespaces(self, client: AsyncSpotClient) -> list[str]:
        """The namespace in which a client lists cloudspaces; the service may refuse."""
        self.wire.requests.clear()
        with suppress(PermissionError):
            await client.cloudspaces.list()
        return [each.url.path.split("/")[5] for each in self.wire.of("GET", path="/namespaces/")]


@pytest.fixture
def two(here: Path) -> Any:
    """A service with two organizations."""
    made = TwoOrganizations()
    yield made
    made.world.close()


BY_ID = {"profiles": {"default": {"organizationId": "org_One", "refreshToken": SANDBOX_TOKEN}}}


async def test_an_organization_setting_overrides_the_profiles_id(
    two: TwoOrganizations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As argument, block or variable."""
    assert await two.namespaces(two.client(config=BY_ID)) == ["org-one"]
    assert await two.namespaces(two.client(config=BY_ID, organization="two")) == ["org-two"]
    with use_org("two"):
        assert await two.namespaces(two.client(config=BY_ID)) == ["org-two"]
        assert await two.namespaces(two.client(config=BY_ID, organization="one")) == ["org-one"]
    monkeypatch.setenv("RSSPOT_ORG", "two")
    assert await two.namespaces(two.client(config=BY_ID)) == ["org-two"]


async def test_a_client_made_in_a_block_keeps_its_settings_afterwards(two: TwoOrganizations) -> None:
    """The block applies when the client is made."""
    with use_org("two"):
        client = two.client(config=BY_ID)
    assert await two.namespaces(client) == ["org-two"]


async def test_the_precedence_of_all_sources(
    two: TwoOrganizations, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the config file up to an argument, each overrides those before it."""
    file, state = here / "config.yml", here / "state.db"
    seen = []

    def look(**options: Any) -> None:
        client = two.client(config_path=file, state_path=state, **options)
        seen.append((client.config.get("region"), client.config.settings["region"].source))

    file.write_text("preferences: {region: r1}\nprofiles: {default: {refreshToken: t}}\n")
    look()
    file.write_text("preferences: {region: r1}\nprofiles: {default: {refreshToken: t, region: r2}}\n")
    look()
    from rsspot import configure, set_default_region, use_region

    configure(config_path=file, state_path=state)
    set_default_region("r3")
    look()
    monkeypatch.setenv("RSSPOT_REGION", "r4")
    look()
    with use_region("r5"):
        look()
        look(region="r6")
    assert [value for value, _ in seen] == ["r1", "r2", "r3", "r4", "r5", "r6"]
    assert [source.removeprefix(str(file)).removeprefix(str(state)) for _, source in seen] == [
        " (preferences)",
        " (default)",
        " (default region)",
        "RSSPOT_REGION",
        "use_region",
        "argument",
    ]


async def test_new_objects_are_created_in_the_configured_region(two: TwoOrganizations) -> None:
    """From the setting to the request body."""
    client = two.client(config=BY_ID, region="us-central-ord-1")
    made = await client.cloudspaces.create("edge", {"kubernetes_version": "1.31.1"})
    assert made.spec.region == "us-central-ord-1"


async def test_a_missing_credential_raises_at_once(two: TwoOrganizations) -> None:
    """The hint says how to provide one; nothing is sent."""
    with pytest.raises(AuthError, match="no refresh token for profile 'default'") as caught:
        two.client()
    assert caught.value.hint is not None and "RSSPOT_REFRESH_TOKEN" in caught.value.hint
    with pytest.raises(ConfigError, match="no profile 'nobody'"):
        two.client(profile="nobody", refresh_token="t")
    assert two.wire.requests == []


def test_an_unknown_option_is_refused(two: TwoOrganizations) -> None:
    """A typo must not be ignored silently."""
    with pytest.raises(TypeError, match="organisation"):
        SpotClient(refresh_token="t", organisation="one")  # type: ignore[call-arg]


async def test_no_repr_shows_a_credential(two: TwoOrganizations) -> None:
    """Neither of the client nor of its settings and parts."""
    client = two.client(refresh_token="canary-token", access_token="canary-access")
    shown = [repr(each) for each in (client, client.config, client.session, client.hooks, vars(client))]
    assert "canary" not in "".join(shown)


# Hooks


async def test_hooks_see_every_request_and_may_add_headers(spot_api: SimulatedSpot) -> None:
    """They see neither the credential nor the query."""
    seen: list[Exchange] = []
    asked: list[tuple[str, str]] = []
    hooks = Hooks(
        before=[lambda *call: asked.append(call), lambda *call: {"traceparent": "abc", "Authorization": "mine"}],
        after=[lambda _: 1 / 0, seen.append],
    )
    wire = Overheard(spot_api.transport)
    config = spot_api.client().config
    client = AsyncSpotClient(resolved=config, transport=wire, clock=spot_api.clock, hooks=hooks)
    spot_api.faults.add("status", "GET", "regions", status=503)
    await client.regions.list()
    await client.cloudspaces.create("edge", CLOUDSPACE)
    with pytest.raises(NotFound):
        await client.cloudspaces.get("nobody")
    attempts = [(each.method, each.path.rsplit("/", 1)[1], each.attempt, each.status) for each in seen]
    assert attempts == [
        ("POST", "token", 1, 200),
        ("GET", "regions", 1, 503),
        ("GET", "regions", 2, 200),
        ("GET", "organizations", 1, 200),
        ("POST", "cloudspaces", 1, 201),
        ("GET", "nobody", 1, 404),
    ]
    assert [method for method, _ in asked] == ["GET", "GET", "POST", "GET"]
    api = wire.of("GET", "POST")
    assert {each.headers["traceparent"] for each in api} == {"abc"}
    assert not any(each.headers["authorization"] == "mine" for each in api)
    assert "?" not in "".join(map(str, seen))


# Cached responses


async def test_data_that_seldom_changes_is_cached_unless_disabled(spot_api: SimulatedSpot) -> None:
    """cache=False disables it; tenants' objects are never cached by default."""
    from support.recording import settings_of

    config = settings_of(spot_api, cache__enabled=True)
    counts = {}
    for cache in (True, False):
        wire = Overheard(spot_api.transport)
        client = AsyncSpotClient(resolved=config, transport=wire, clock=spot_api.clock, cache=cache)
        for _ in range(3):
            await client.regions.list()
            await client.pricing.list()
            await client.pricing.percentiles()
            await client.organizations.list()
            await client.cloudspaces.list()
        counts[cache] = {
            name: len(wire.of("GET", path=name))
            for name in ("/regions", "/serverclasses", "/percentiles", "/organizations", "/cloudspaces")
        }
        await client.aclose()
    assert counts[True] == {
        "/regions": 1,
        "/serverclasses": 1,
        "/percentiles": 1,
        "/organizations": 1,
        "/cloudspaces": 3,
    }
    assert counts[False] == dict.fromkeys(counts[True], 3) | {"/organizations": 4}


async def test_documents_are_never_served_from_the_cache(spot_api: SimulatedSpot) -> None:
    """So a plan always sees live objects."""
    from rsspot.services.server_classes.schemas import SERVER_CLASS
    from support.recording import settings_of

    wire = Overheard(spot_api.transport)
    config = settings_of(spot_api, cache__enabled=True)
    async with AsyncSpotClient(resolved=config, transport=wire, clock=spot_api.clock) as client:
        await client.server_classes.list()
        await client.documents(SERVER_CLASS).list()
        await client.documents(SERVER_CLASS).get("gp.vs1.medium-dfw")
        await client.documents(SERVER_CLASS).get("gp.vs1.medium-dfw")
    assert len(wire.of("GET", path="/serverclasses")) == 4
