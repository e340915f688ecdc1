"""What a client was told is what its requests show: organization, hooks, kept answers and where things come from."""

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
    """A service with two organizations, and clients of it that read their settings as anybody's."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.world = World(clock=self.clock, organizations=ORGANIZATIONS)
        self.wire = Overheard(InProcessTransport(Api(self.world)))

    def client(self, **options: Any) -> AsyncSpotClient:
        """A client that is told no more than this."""
        return AsyncSpotClient(transport=self.wire, clock=self.clock, **ADDRESSES, **options)

    async def namespaces(self, client: AsyncSpotClient) -> list[str]:
        """Where a client looks for its cloudspaces; the service may well say no."""
        self.wire.requests.clear()
        with suppress(PermissionError):
            await client.cloudspaces.list()
        return [each.url.path.split("/")[5] for each in self.wire.of("GET", path="/namespaces/")]


@pytest.fixture
def two(here: Path) -> Any:
    """A service of two organizations."""
    made = TwoOrganizations()
    yield made
    made.world.close()


BY_ID = {"profiles": {"default": {"organizationId": "org_One", "refreshToken": SANDBOX_TOKEN}}}


async def test_a_named_organization_displaces_the_profiles_id(
    two: TwoOrganizations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By argument, by block or by variable: requests go where was said last, not where the file says."""
    assert await two.namespaces(two.client(config=BY_ID)) == ["org-one"]
    assert await two.namespaces(two.client(config=BY_ID, organization="two")) == ["org-two"]
    with use_org("two"):
        assert await two.namespaces(two.client(config=BY_ID)) == ["org-two"]
        assert await two.namespaces(two.client(config=BY_ID, organization="one")) == ["org-one"]
    monkeypatch.setenv("RSSPOT_ORG", "two")
    assert await two.namespaces(two.client(config=BY_ID)) == ["org-two"]


async def test_a_block_ends_but_its_clients_stay_as_they_are(two: TwoOrganizations) -> None:
    """They were made for that organization."""
    with use_org("two"):
        client = two.client(config=BY_ID)
    assert await two.namespaces(client) == ["org-two"]


async def test_every_source_in_its_order(two: TwoOrganizations, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the file's preferences up to an argument, each beating all before it."""
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


async def test_the_region_in_use_is_where_new_things_go(two: TwoOrganizations) -> None:
    """All the way from the argument to the body."""
    client = two.client(config=BY_ID, region="us-central-ord-1")
    made = await client.cloudspaces.create("edge", {"kubernetes_version": "1.31.1"})
    assert made.spec.region == "us-central-ord-1"


async def test_who_has_no_credential_is_told_at_once(two: TwoOrganizations) -> None:
    """And how to give one; nothing is sent."""
    with pytest.raises(AuthError, match="no refresh token for profile 'default'") as caught:
        two.client()
    assert caught.value.hint is not None and "RSSPOT_REFRESH_TOKEN" in caught.value.hint
    with pytest.raises(ConfigError, match="no profile 'nobody'"):
        two.client(profile="nobody", refresh_token="t")
    assert two.wire.requests == []


def test_an_option_that_does_not_exist_is_refused(two: TwoOrganizations) -> None:
    """A slip must not be a wish that nobody fulfils."""
    with pytest.raises(TypeError, match="organisation"):
        SpotClient(refresh_token="t", organisation="one")  # type: ignore[call-arg]


async def test_a_credential_is_in_no_representation(two: TwoOrganizations) -> None:
    """Of a client, its settings or its parts."""
    client = two.client(refresh_token="canary-token", access_token="canary-access")
    shown = [repr(each) for each in (client, client.config, client.session, client.hooks, vars(client))]
    assert "canary" not in "".join(shown)


# Hooks


async def test_hooks_see_every_request_and_may_add_headers(spot_api: SimulatedSpot) -> None:
    """Not the credential, and not what was asked in detail."""
    seen: list[Exchange] = []
    asked: list[tuple[str, str]] = []
    hooks = Hooks(
        before=[lambda *call: asked.append(call), lambda *call: {"traceparent": "abc", "Authorization": "mine"}],
        after=[lambda each: 1 / 0, seen.append],
    )
    wire = Overheard(spot_api.transport)
    config = spot_api.client().config
    client = AsyncSpotClient(resolved=config, transport=wire, clock=spot_api.clock, hooks=hooks)
    spot_api.faults.add("status", "GET", "regions", status=503)
    await client.regions.list()
    await client.cloudspaces.create("edge", CLOUDSPACE)
    with pytest.raises(NotFound):
        await client.cloudspaces.get("nobody")
    told = [(each.method, each.path.rsplit("/", 1)[1], each.attempt, each.status) for each in seen]
    assert told == [
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


# Kept answers


async def test_what_seldom_changes_is_asked_for_once_unless_told_otherwise(spot_api: SimulatedSpot) -> None:
    """cache=False asks each time; what is anybody's to change is always asked for."""
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


async def test_a_planner_never_sees_a_kept_answer(spot_api: SimulatedSpot) -> None:
    """`documents` asks each time."""
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
