"""Kept answers: never another identity's, never after their time, never after a write, and never a burden."""

from __future__ import annotations

import asyncio

import pytest

from rsspot import AsyncSpotClient, NotFound, OutcomeUnknown, SpotClient
from rsspot.simulator.apiserver.messages import Response
from rsspot.state.database import Database
from rsspot.state.http_cache import SqliteCache
from rsspot.testing import URL, SimulatedSpot
from support.loopback_server import PROD, SPEC, STAGING, failure, query

KEEP = {"cache": {"ttls": {"*/cloudspaces*": 60}}}


def simulated(spot: SimulatedSpot, **cache: object) -> AsyncSpotClient:
    """A client in the world's own time, with a cache."""
    profile = {"org": "sandbox", "refreshToken": "sandbox-refresh-token", "baseUrl": URL, "oauthUrl": URL}
    config = {"profiles": {"default": {**profile, "cache": cache}}}
    return AsyncSpotClient(
        config=config, state_path=spot.folder / "state.db", transport=spot.transport, clock=spot.clock
    )


@pytest.mark.defect(7)
def test_what_one_identity_saw_is_not_shown_to_another(new_loopback, config, rsspot):
    """Otherwise bob reads what alice may, from a file that both use."""
    service = new_loopback(organizations=[STAGING, PROD])
    service.make("cloudspaces", "of-staging", SPEC, STAGING)
    service.make("cloudspaces", "of-prod", SPEC, PROD)
    config(**{each.name: service.profile(each, **KEEP) for each in (STAGING, PROD)})
    for _ in range(2):
        for name in ("staging", "prod"):
            listed = rsspot("-p", name, "cloudspaces", "list", "-o", "json").json
            assert [each["metadata"]["name"] for each in listed] == [f"of-{name}"]
            rsspot("-p", name, "organizations", "list")


@pytest.mark.defect(7)
def test_no_kept_answer_without_a_credential_that_works(account, config, rsspot):
    """Otherwise a revoked token goes on reading, with exit code 0."""
    assert rsspot("organizations", "list").code == 0
    config(default={**account.profile(), "refreshToken": "revoked"})
    assert rsspot("organizations", "list").code == 4
    dead = "http://127.0.0.1:9"
    config(default={**account.profile(retry={"maxRetries": 0}), "baseUrl": dead, "oauthUrl": dead})
    assert rsspot("organizations", "list").code == 1


@pytest.mark.defect(8)
async def test_a_kept_answer_ends_with_its_time(spot_api: SimulatedSpot):
    """Otherwise whoever polls sees the beginning for ever."""
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
    assert len([each for each in spot_api.requests("GET") if each[1].endswith("/cloudspaces")]) == 5


@pytest.mark.defect(8)
async def test_zero_seconds_keep_nothing(spot_api: SimulatedSpot):
    """Otherwise the way to switch it off switches it on for ever."""
    async with simulated(spot_api, ttls={"*/cloudspaces": 0}, defaultTtl=0) as client:
        for _ in range(3):
            await client.documents(client.cloudspaces.kind).kept_list()
    assert len([each for each in spot_api.requests("GET") if each[1].endswith("/cloudspaces")]) == 3


@pytest.mark.defect(8)
async def test_who_waits_never_looks_at_a_kept_answer(spot_api: SimulatedSpot):
    """Otherwise a wait ends with its timeout, ready or not."""
    async with simulated(spot_api, defaultTtl=1e9, ttls={"*": 1e9}) as client:
        await client.cloudspaces.create("web", SPEC)
        assert (await client.cloudspaces.get("web")).status is None or True
        ready = await client.cloudspaces.wait("web")
    assert ready.status.api_server_endpoint


BODIES = {
    "as usual": None,
    "without a body": Response(204),
    "with an empty body": Response(200),
    "with an error": failure(500),
    "with a no": failure(403),
}


@pytest.mark.defect(12)
@pytest.mark.parametrize("name", BODIES)
def test_a_write_ends_what_was_kept_whatever_it_was_answered_with(account, config, rsspot, name):
    """Otherwise a deleted object is listed on, and deleted again."""
    config(default=account.profile(**KEEP))
    account.make("cloudspaces", "web", SPEC)
    assert "web" in rsspot("cloudspaces", "list").out
    said = BODIES[name]
    if said is not None:

        def silently(request):
            if request.method != "DELETE":
                return None
            with account.world.store.transaction():
                account.world.store.remove("cloudspaces", account.world.store.objects("cloudspaces")[0])
            return said

        account.answers.append(silently)
    code = rsspot("cloudspaces", "delete", "web", "--yes").code
    assert code == {"with an error": 11, "with a no": 1}.get(name, 0)
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
async def test_what_one_client_writes_the_others_notice(spot_api: SimulatedSpot, plural: str):
    """Otherwise two processes tell two stories, each from its own memory."""
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
    """Otherwise payloads lie on a disk that was said to be spared."""
    config(default=account.profile(cache={"persistent": False}))
    with SpotClient() as client:
        client.organizations.list()
        client.regions.list()
    assert [each.name for each in config_file.parent.iterdir()] == ["config.yml"]


@pytest.mark.defect(35)
def test_kept_answers_stay_within_their_bounds(tmp_path):
    """Otherwise the file grows by what nobody will ever read again."""
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
        "at hand",
        "yet to be had",
    ],
)
def test_the_same_question_asked_at_once_is_asked_once(account, token):
    """Otherwise twenty tasks cost twenty requests for one answer."""

    async def work() -> None:
        async with AsyncSpotClient() as client:
            if token == "at hand":
                await client.whoami()
            await asyncio.gather(*(client.organizations.list() for _ in range(20)))

    asyncio.run(work())
    assert len(account.sent("POST /oauth/token")) == 1
    assert len(account.sent("GET .*/organizations$")) == 1


@pytest.mark.defect(35)
def test_a_write_spares_what_it_cannot_have_changed(account, rsspot):
    """Otherwise each change costs the catalog again."""
    account.make("cloudspaces", "web", SPEC)
    for arguments in (["pricing", "list"], ["organizations", "list"]):
        assert rsspot(*arguments).code == 0
    assert rsspot("cloudspaces", "delete", "web", "--yes").code == 0
    before = len(account.requests)
    for arguments in (["pricing", "list"], ["organizations", "list"]):
        assert rsspot(*arguments).code == 0
    assert len(account.requests) == before


@pytest.mark.defect(35)
@pytest.mark.parametrize("turned", [False, True], ids=["general first", "special first"])
async def test_the_most_special_rule_wins_in_any_order(spot_api: SimulatedSpot, turned: bool):
    """Otherwise the order of a mapping decides how old an answer may be."""
    rules = [("*", 1e6), ("*/cloudspaces", 0.0)]
    async with simulated(spot_api, ttls=dict(reversed(rules) if turned else rules)) as client:
        for _ in range(2):
            await client.documents(client.cloudspaces.kind).kept_list()
    assert len([each for each in spot_api.requests("GET") if each[1].endswith("/cloudspaces")]) == 2


@pytest.mark.defect(36)
def test_what_is_asked_for_afresh_is_fresh(account, rsspot):
    """Otherwise there is no way to see what is."""
    for arguments, wanted in (([], 1), ([], 1), (["--no-cache"], 2), ([], 2)):
        assert rsspot("regions", "list", *arguments).code == 0
        assert len(account.sent("GET .*/regions$")) == wanted


@pytest.mark.defect(36)
def test_one_object_and_a_plan_are_always_fresh(account, config, rsspot, tmp_path):
    """What is changed next must not be decided on what was a minute ago."""
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
