"""Cached responses: never another identity's, never expired, never older than a write, and bounded in size."""

from __future__ import annotations

import asyncio

import pytest

from rsspot import AsyncSpotClient, NotFound, OutcomeUnknown, SpotClient
from rsspot.resources.kind import Phase
from rsspot.simulator.apiserver.messages import Response
from rsspot.state.database import Database
from rsspot.state.http_cache import SqliteCache
from rsspot.testing import URL, SimulatedSpot
from support.loopback_server import PROD, SPEC, STAGING, failure, query

KEEP = {"cache": {"ttls": {"*/cloudspaces*": 60}}}


def simulated(spot: SimulatedSpot, **cache: object) -> AsyncSpotClient:
    """A client with a cache, on the simulated clock."""
    profile = {"org": "sandbox", "refreshToken": "sandbox-refresh-token", "baseUrl": URL, "oauthUrl": URL}
    config = {"profiles": {"default": {**profile, "cache": cache}}}
    return AsyncSpotClient(
        config=config, state_path=spot.folder / "state.db", transport=spot.transport, clock=spot.clock
    )


@pytest.mark.defect(7)
def test_cached_responses_are_separate_per_identity(new_loopback, config, rsspot):
    """Otherwise two users of one state.db read each other's objects."""
    service = new_loopback(organizations=[STAGING, PROD])
    service.make("cloudspaces", "of-staging", SPEC, STAGING)
    service.make("cloudspaces", "of-prod", SPEC, PROD)
    config(**{tenant.name: service.profile(tenant, **KEEP) for tenant in (STAGING, PROD)})
    for _ in range(2):
        for name in ("staging", "prod"):
            listed = rsspot("-p", name, "cloudspaces", "list", "-o", "json").json
            assert [cloudspace["metadata"]["name"] for cloudspace in listed] == [f"of-{name}"]
            rsspot("-p", name, "organizations", "list")


@pytest.mark.defect(7)
def test_no_cached_response_without_a_valid_credential(account, config, rsspot):
    """Otherwise reads with a revoked token still succeed."""
    assert rsspot("organizations", "list").code == 0
    config(default={**account.profile(), "refreshToken": "revoked"})
    assert rsspot("organizations", "list").code == 4
    dead = "http://127.0.0.1:9"
    config(default={**account.profile(retry={"maxRetries": 0}), "baseUrl": dead, "oauthUrl": dead})
    assert rsspot("organizations", "list").code == 1


@pytest.mark.defect(8)
async def test_a_cached_response_expires(spot_api: SimulatedSpot):
    """Otherwise polling shows the first response forever."""
    async with simulated(spot_api, ttls={"*/cloudspaces": 1}) as client:
        listing = client.documents(client.cloudspaces.kind)
        phases = []
        await client.cloudspaces.create("web", SPEC)
        for _ in range(5):
            (body,) = await listing.kept_list()
            assert await listing.kept_list() == [body]
            phases.append((body.get("status") or {}).get("phase"))
            spot_api.advance(300)
    assert phases[0] != phases[-1]
    assert len([path for _, path in spot_api.requests("GET") if path.endswith("/cloudspaces")]) == 5


@pytest.mark.defect(8)
async def test_a_ttl_of_zero_disables_the_cache(spot_api: SimulatedSpot):
    """Otherwise it would cache forever."""
    async with simulated(spot_api, ttls={"*/cloudspaces": 0}, defaultTtl=0) as client:
        for _ in range(3):
            await client.documents(client.cloudspaces.kind).kept_list()
    assert len([path for _, path in spot_api.requests("GET") if path.endswith("/cloudspaces")]) == 3


@pytest.mark.defect(8)
async def test_wait_bypasses_the_cache(spot_api: SimulatedSpot):
    """Otherwise a wait times out although the object is ready."""
    async with simulated(spot_api, defaultTtl=1e9, ttls={"*": 1e9}) as client:
        await client.cloudspaces.create("web", SPEC)
        cached = await client.cloudspaces.get("web")
        assert client.cloudspaces.kind.readiness(cached).phase is Phase.PROGRESSING
        spot_api.advance(3600)
        assert await client.cloudspaces.get("web") == cached
        ready = await client.cloudspaces.wait("web", timeout=0)
    assert ready.status.api_server_endpoint


BODIES = {
    "normal": None,
    "without a body": Response(204),
    "with an empty body": Response(200),
    "with an error": failure(500),
    "forbidden": failure(403),
}


@pytest.mark.defect(12)
@pytest.mark.parametrize("name", BODIES)
def test_a_write_invalidates_the_cache_whatever_the_response(account, config, rsspot, name):
    """Otherwise a deleted object is still listed, and deleted again."""
    config(default=account.profile(**KEEP))
    account.make("cloudspaces", "web", SPEC)
    assert "web" in rsspot("cloudspaces", "list").out
    response = BODIES[name]
    if response is not None:

        def delete_and_respond(request):
            if request.method != "DELETE":
                return None
            with account.world.store.transaction():
                account.world.store.remove("cloudspaces", account.world.store.objects("cloudspaces")[0])
            return response

        account.answers.append(delete_and_respond)
    code = rsspot("cloudspaces", "delete", "web", "--yes").code
    assert code == {"with an error": 11, "forbidden": 1}.get(name, 0)
    account.clock.advance(600)
    account.tick()
    assert "web" not in rsspot("cloudspaces", "list").out


@pytest.mark.defect(12)
@pytest.mark.parametrize(
    "plural",
    [
        "spotnodepools",
        "cloudspaces",
    ],
)
async def test_a_write_invalidates_the_cache_of_other_clients(spot_api: SimulatedSpot, plural: str):
    """Otherwise two processes show different data, each from its own memory."""
    rules = {"*/cloudspaces": 1e6, "*/spotnodepools": 1e6}
    async with simulated(spot_api, ttls=rules) as one, simulated(spot_api, ttls=rules) as other:
        await one.cloudspaces.create("web", SPEC)
        kind = one.cloudspaces.kind if plural == "cloudspaces" else one.spot_nodepools.kind
        for client in (one, other):
            before = await client.documents(kind).kept_list()
        if plural == "cloudspaces":
            await one.cloudspaces.create("second", SPEC)
        else:
            spec = {"cloudSpace": "web", "serverClass": "gp.vs1.medium-dfw", "desired": 1, "bidPrice": "0.06"}
            await one.spot_nodepools.create("workers", spec)
        for client in (one, other):
            assert len(await client.documents(kind).kept_list()) == len(before) + 1


@pytest.mark.defect(35)
def test_a_cache_in_memory_writes_no_file(account, config, config_file):
    """Otherwise responses are stored on a disk that must not have them."""
    config(default=account.profile(cache={"persistent": False}))
    with SpotClient() as client:
        client.organizations.list()
        client.regions.list()
    assert [path.name for path in config_file.parent.iterdir()] == ["config.yml"]


@pytest.mark.defect(35)
def test_the_cache_stays_within_its_limits(tmp_path):
    """Otherwise the file grows without end."""
    path = tmp_path / "state.db"
    database = Database(path)
    cache = SqliteCache(database, most_entries=5, most_bytes=4000)
    for number in range(200):
        cache.put("me", f"/{number}", "", b"x" * 1000, now=float(number), expires_at=number + 1000.0)
    cache.tidy(200.0)
    ((rows, size),) = query(path, "SELECT COUNT(*), SUM(LENGTH(body)) FROM http_cache")
    assert rows <= 5 and size <= 4000
    cache.tidy(10_000.0)
    assert query(path, "SELECT COUNT(*) FROM http_cache") == [(0,)]
    database.close()


@pytest.mark.defect(35)
@pytest.mark.parametrize(
    "token",
    [
        "obtained before",
        "not obtained yet",
    ],
)
def test_concurrent_identical_reads_share_one_request(account, token):
    """Otherwise twenty tasks send twenty requests for one response."""

    async def work() -> None:
        async with AsyncSpotClient() as client:
            if token == "obtained before":
                await client.whoami()
            await asyncio.gather(*(client.organizations.list() for _ in range(20)))

    asyncio.run(work())
    assert len(account.sent("POST /oauth/token")) == 1
    assert len(account.sent("GET .*/organizations$")) == 1


@pytest.mark.defect(35)
def test_a_write_keeps_unrelated_cached_responses(account, rsspot):
    """Otherwise each write causes the catalog to be read again."""
    account.make("cloudspaces", "web", SPEC)
    for arguments in (["pricing", "list"], ["organizations", "list"]):
        assert rsspot(*arguments).code == 0
    assert rsspot("cloudspaces", "delete", "web", "--yes").code == 0
    before = len(account.requests)
    for arguments in (["pricing", "list"], ["organizations", "list"]):
        assert rsspot(*arguments).code == 0
    assert len(account.requests) == before


@pytest.mark.defect(35)
@pytest.mark.parametrize("reverse", [False, True], ids=["general first", "specific first"])
async def test_the_most_specific_ttl_rule_wins_in_any_order(spot_api: SimulatedSpot, reverse: bool):
    """Otherwise the order of a mapping decides how old a response may be."""
    rules = [("*", 1e6), ("*/cloudspaces", 0.0)]
    async with simulated(spot_api, ttls=dict(reversed(rules) if reverse else rules)) as client:
        for _ in range(2):
            await client.documents(client.cloudspaces.kind).kept_list()
    assert len([path for _, path in spot_api.requests("GET") if path.endswith("/cloudspaces")]) == 2


@pytest.mark.defect(36)
def test_no_cache_sends_a_request(account, rsspot):
    """Otherwise there is no way to see the current state."""
    for arguments, wanted in (([], 1), ([], 1), (["--no-cache"], 2), ([], 2)):
        assert rsspot("regions", "list", *arguments).code == 0
        assert len(account.sent("GET .*/regions$")) == wanted


@pytest.mark.defect(36)
def test_get_and_plan_bypass_the_cache(account, config, rsspot, tmp_path):
    """A change must not be based on an old response."""
    config(default=account.profile(cache={"defaultTtl": 3600, "ttls": {"*": 3600}}))
    manifest = tmp_path / "stack.yaml"
    manifest.write_text(
        "apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {name: web}\n"
        "spec: {region: us-central-dfw-1, kubernetesVersion: 1.31.1}\n"
    )
    assert rsspot("plan", str(manifest), "-o", "json").json["summary"]["create"] == 1
    account.make("cloudspaces", "web", SPEC)
    assert rsspot("cloudspaces", "get", "web").code == 0
    assert rsspot("plan", str(manifest), "-o", "json", "--adopt").json["summary"]["create"] == 0
    with SpotClient() as client:
        assert client.cloudspaces.get("web").name == "web"
        with pytest.raises(NotFound):
            client.cloudspaces.get("wob")


@pytest.mark.defect(36)
def test_kept_answers_can_be_forgotten(account, rsspot):
    """Otherwise the only cure is to delete the file with everything else that is in it."""
    assert rsspot("organizations", "list").code == 0
    assert rsspot("state", "clear-cache", "-o", "json").json["forgotten"] >= 1
    assert rsspot("organizations", "list").code == 0
    assert len(account.sent("GET .*/organizations$")) == 2


@pytest.mark.defect(50)
def test_forgetting_a_path_forgets_no_path_that_only_looks_like_it(tmp_path):
    """Otherwise `_` and `%` in a name stand for anything, and capitals for small letters."""
    cache = SqliteCache(Database(tmp_path / "state.db"), most_entries=100, most_bytes=10**6)
    paths = ["/a_b", "/a_b/c", "/axb/c", "/A_B/c", "/a_bc", "/a%b/c"]
    for path in paths:
        cache.put("me", path, "", b"{}", now=0.0, expires_at=10.0)
    cache.drop("me", "/a_b")
    assert [path for path in paths if cache.get("me", path, "", 1.0)] == paths[2:]
    cache.drop("me", "/a%b")
    assert [path for path in paths if cache.get("me", path, "", 1.0)] == paths[2:-1]
    cache.close()


async def test_a_write_without_an_answer_ends_what_was_kept(spot_api: SimulatedSpot):
    """Nobody knows whether it happened, so nobody may go by what was before."""
    async with simulated(spot_api, ttls={"*/cloudspaces": 1e6}) as client:
        assert await client.documents(client.cloudspaces.kind).kept_list() == []
        spot_api.faults.add("reset-after", "POST", "/cloudspaces$")
        with pytest.raises(OutcomeUnknown):
            await client.cloudspaces.create("web", SPEC)
        assert len(await client.documents(client.cloudspaces.kind).kept_list()) == 1
