"""Which organization, region and account a command is about: the one that was named, and never another."""

from __future__ import annotations

import asyncio
import json

import pytest

from rsspot import AsyncSpotClient, NotFound, SpotClient, use_org, use_region
from support.loopback_server import PROD, REGION, SPEC, STAGING

BOTH = [STAGING, PROD]


@pytest.fixture
def two(new_loopback, config):
    """Two organizations, each with a cloudspace `web`; the active profile is prod's, by its id."""
    service = new_loopback(organizations=BOTH)
    for organization in BOTH:
        service.make("cloudspaces", "web", SPEC, organization)
    config(
        active="prod",
        prod={**service.profile(PROD), "orgId": PROD.id},
        staging=service.profile(STAGING),
    )
    return service


def namespaces(service) -> set[str]:
    """Where writes went."""
    return {each.split("/namespaces/")[1].split("/")[0] for each in service.writes()}


@pytest.mark.defect(5)
@pytest.mark.parametrize("by", ["option", "variable", "argument", "use_org"])
def test_an_organization_that_is_asked_for_beats_the_id_in_the_profile(two, rsspot, monkeypatch, by):
    """Otherwise a delete that was meant for staging goes to production."""
    token = STAGING.refresh_token
    monkeypatch.setenv("RSSPOT_REFRESH_TOKEN", token)
    if by == "option":
        assert rsspot("--org", "staging", "cloudspaces", "delete", "web", "--yes").code == 0
    elif by == "variable":
        monkeypatch.setenv("RSSPOT_ORG", "staging")
        assert rsspot("cloudspaces", "delete", "web", "--yes").code == 0
    elif by == "argument":
        with SpotClient(organization="staging") as client:
            client.cloudspaces.delete("web")
    else:
        with use_org("staging"), SpotClient() as client:
            client.cloudspaces.delete("web")
    assert namespaces(two) == {STAGING.namespace}


@pytest.mark.defect(5)
def test_an_id_that_is_asked_for_beats_the_name_in_the_profile(two, monkeypatch):
    """The same the other way round."""
    with SpotClient(profile="staging", organization=PROD.id, refresh_token=PROD.refresh_token) as client:
        client.cloudspaces.delete("web")
    assert namespaces(two) == {PROD.namespace}


@pytest.mark.defect(6)
def test_a_remembered_organization_is_its_profiles_alone(two, rsspot):
    """Otherwise `-p staging` deletes in production."""
    assert rsspot("-p", "prod", "config", "set-default", "org", "prod").code == 0
    assert rsspot("-p", "staging", "cloudspaces", "delete", "web", "--yes").code == 0
    assert namespaces(two) == {STAGING.namespace}


@pytest.mark.defect(6)
def test_a_remembered_profile_yields_to_the_one_that_is_named(two, rsspot, monkeypatch):
    """What is typed says more than what was once remembered."""
    assert rsspot("config", "set-default", "profile", "prod").code == 0
    monkeypatch.setenv("RSSPOT_PROFILE", "staging")
    assert rsspot("cloudspaces", "delete", "web", "--yes").code == 0
    assert namespaces(two) == {STAGING.namespace}


@pytest.mark.defect(6)
@pytest.mark.parametrize("by", ["option", "variable", "remembered", "active"])
def test_what_is_shown_is_what_is_used(two, rsspot, monkeypatch, by):
    """Otherwise people look, believe what they see, and delete elsewhere."""
    if by == "variable":
        monkeypatch.setenv("RSSPOT_PROFILE", "staging")
    elif by == "remembered":
        assert rsspot("config", "set-default", "profile", "staging").code == 0
    elif by == "active":
        assert rsspot("profiles", "use", "staging").code == 0
    named = ["-p", "staging"] if by == "option" else []
    shown = rsspot("profiles", "show", "-o", "json", *named).json
    assert (shown["profile"], shown["organization"]) == ("staging", "staging")
    listed = rsspot("profiles", "list", "-o", "json", *named).json
    assert [each["name"] for each in listed if each["inUse"]] == ["staging"]
    assert rsspot("whoami", "-o", "json", *named).json["organization"] == "staging"


@pytest.mark.defect(6)
@pytest.mark.parametrize("which", ["profile", "org", "region"])
def test_what_is_remembered_can_be_forgotten(two, rsspot, which):
    """Otherwise the only way back is to delete the state."""
    before = rsspot("config", "explain").out
    value = {"profile": "staging", "org": "other", "region": REGION}[which]
    assert rsspot("config", "set-default", which, value).code == 0
    assert rsspot("config", "explain").out != before
    assert rsspot("config", "unset-default", which).code == 0
    assert rsspot("config", "explain").out == before


@pytest.mark.defect(6, 9)
def test_nothing_is_deleted_without_a_yes(two, rsspot):
    """What nobody confirmed is not sent; without a terminal nobody is asked either."""
    ended = rsspot("cloudspaces", "delete", "web")
    assert ended.code == 5
    assert two.writes() == []


@pytest.mark.defect(42)
@pytest.mark.parametrize("by", ["option", "variable", "profile", "remembered"])
def test_a_region_that_was_chosen_is_used(account, config, rsspot, monkeypatch, by):
    """Otherwise it has to be repeated in every command, and choosing one is for nothing."""
    if by == "variable":
        monkeypatch.setenv("RSSPOT_REGION", REGION)
    elif by == "profile":
        config(default=account.profile(region=REGION))
    elif by == "remembered":
        assert rsspot("config", "set-default", "region", REGION).code == 0
    named = ["--region", REGION] if by == "option" else []
    assert rsspot("cloudspaces", "create", "web", '{"kubernetesVersion": "1.31.1"}', *named).code == 0
    (created,) = [each for each in account.requests if each.method == "POST" and each.path.endswith("/cloudspaces")]
    assert json.loads(created.body)["spec"]["region"] == REGION
    prices = rsspot("pricing", "list", "-o", "json", *named).json
    assert {each["region"] for each in prices} == {REGION}


@pytest.mark.defect(42)
def test_a_spec_that_names_its_region_is_believed(account):
    """A default is for who says nothing."""
    with use_region("us-central-ord-1"), SpotClient() as client:
        client.cloudspaces.create("web", SPEC)
    (created,) = [each for each in account.requests if each.method == "POST" and each.path.endswith("/cloudspaces")]
    assert json.loads(created.body)["spec"]["region"] == REGION


@pytest.mark.defect(30)
@pytest.mark.parametrize("named", ["prod", PROD.id, PROD.id.lower(), PROD.namespace])
def test_every_way_to_name_an_organization_gets_a_kubeconfig(two, named):
    """Otherwise who uses an id can list clusters and not get into them."""
    two.make("cloudspaces", "ready", SPEC, PROD)
    with two.world.lock:
        body = two.world.store.get("cloudspaces", PROD.namespace, "ready")
        body["status"] = {"APIServerEndpoint": "ready.example.com", "phase": "Ready"}
        two.world.store.put("cloudspaces", body)
    with SpotClient(profile="prod", organization=named) as client:
        assert "clusters" in client.cloudspaces.kubeconfig("ready")


@pytest.mark.defect(49)
def test_events_are_those_of_the_organization_that_was_named(two, rsspot):
    """Otherwise an incident in one organization is looked for in another."""
    for organization in BOTH:
        with two.world.store.transaction():
            two.world.store.add_event(organization.namespace, "web", "2026-01-01T00:00:00Z", f"of {organization.name}")
    for name in ("staging", "prod"):
        told = rsspot("-p", name, "events", "list", "-o", "json").json
        assert [each["message"] for each in told] == [f"of {name}"]


@pytest.mark.defect(49)
def test_a_delete_of_what_is_gone_can_count_as_done(account):
    """Otherwise a cleanup that runs twice fails the second time."""

    async def work() -> None:
        async with AsyncSpotClient() as client:
            await client.cloudspaces.delete("never-was", missing_ok=True)
            with pytest.raises(NotFound):
                await client.cloudspaces.delete("never-was")

    asyncio.run(work())
