"""The organization, region and account of a command are those that were selected, never others."""

from __future__ import annotations

import asyncio
import json

import pytest

from rsspot import AsyncSpotClient, NotFound, SpotClient, use_org, use_region
from support.loopback_server import PROD, REGION, SPEC, STAGING

BOTH = [STAGING, PROD]


@pytest.fixture
def two_organizations(new_loopback, config):
    """Two organizations, each with a cloudspace `web`; the active profile is prod's, by organization id."""
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
    """The namespaces that were written to."""
    return {write.split("/namespaces/")[1].split("/")[0] for write in service.writes()}


@pytest.mark.defect(5)
@pytest.mark.parametrize("by", ["option", "variable", "argument", "use_org"])
def test_a_selected_organization_overrides_the_id_in_the_profile(two_organizations, rsspot, monkeypatch, by):
    """Otherwise a delete meant for staging goes to production."""
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
    assert namespaces(two_organizations) == {STAGING.namespace}


@pytest.mark.defect(5)
def test_a_selected_id_overrides_the_name_in_the_profile(two_organizations, monkeypatch):
    """The reverse case."""
    with SpotClient(profile="staging", organization=PROD.id, refresh_token=PROD.refresh_token) as client:
        client.cloudspaces.delete("web")
    assert namespaces(two_organizations) == {PROD.namespace}


@pytest.mark.defect(6)
def test_a_default_organization_applies_only_to_its_profile(two_organizations, rsspot):
    """Otherwise `-p staging` deletes in production."""
    assert rsspot("-p", "prod", "config", "set-default", "org", "prod").code == 0
    assert rsspot("-p", "staging", "cloudspaces", "delete", "web", "--yes").code == 0
    assert namespaces(two_organizations) == {STAGING.namespace}


@pytest.mark.defect(6)
def test_a_selected_profile_overrides_the_default(two_organizations, rsspot, monkeypatch):
    """RSSPOT_PROFILE takes precedence over a default in state.db."""
    assert rsspot("config", "set-default", "profile", "prod").code == 0
    monkeypatch.setenv("RSSPOT_PROFILE", "staging")
    assert rsspot("cloudspaces", "delete", "web", "--yes").code == 0
    assert namespaces(two_organizations) == {STAGING.namespace}


@pytest.mark.defect(6)
@pytest.mark.parametrize("by", ["option", "variable", "default", "active"])
def test_the_profile_shown_is_the_profile_used(two_organizations, rsspot, monkeypatch, by):
    """Otherwise users check the profile and still delete elsewhere."""
    if by == "variable":
        monkeypatch.setenv("RSSPOT_PROFILE", "staging")
    elif by == "default":
        assert rsspot("config", "set-default", "profile", "staging").code == 0
    elif by == "active":
        assert rsspot("profiles", "use", "staging").code == 0
    named = ["-p", "staging"] if by == "option" else []
    shown = rsspot("profiles", "show", "-o", "json", *named).json
    assert (shown["profile"], shown["organization"]) == ("staging", "staging")
    listed = rsspot("profiles", "list", "-o", "json", *named).json
    assert [profile["name"] for profile in listed if profile["inUse"]] == ["staging"]
    assert rsspot("whoami", "-o", "json", *named).json["organization"] == "staging"


@pytest.mark.defect(6)
@pytest.mark.parametrize("which", ["profile", "org", "region"])
def test_a_default_can_be_removed(two_organizations, rsspot, which):
    """Otherwise the only way is to delete state.db."""
    before = rsspot("config", "explain").out
    value = {"profile": "staging", "org": "other", "region": REGION}[which]
    assert rsspot("config", "set-default", which, value).code == 0
    assert rsspot("config", "explain").out != before
    assert rsspot("config", "unset-default", which).code == 0
    assert rsspot("config", "explain").out == before


@pytest.mark.defect(6, 9)
def test_nothing_is_deleted_without_confirmation(two_organizations, rsspot):
    """Without a terminal there is no prompt, and nothing is sent."""
    ended = rsspot("cloudspaces", "delete", "web")
    assert ended.code == 5
    assert two_organizations.writes() == []


@pytest.mark.defect(42)
@pytest.mark.parametrize("by", ["option", "variable", "profile", "default"])
def test_the_selected_region_is_used(account, config, rsspot, monkeypatch, by):
    """Otherwise it must be repeated in every command."""
    if by == "variable":
        monkeypatch.setenv("RSSPOT_REGION", REGION)
    elif by == "profile":
        config(default=account.profile(region=REGION))
    elif by == "default":
        assert rsspot("config", "set-default", "region", REGION).code == 0
    named = ["--region", REGION] if by == "option" else []
    assert rsspot("cloudspaces", "create", "web", '{"kubernetesVersion": "1.31.1"}', *named).code == 0
    (created,) = [sent for sent in account.requests if sent.method == "POST" and sent.path.endswith("/cloudspaces")]
    assert json.loads(created.body)["spec"]["region"] == REGION
    prices = rsspot("pricing", "list", "-o", "json", *named).json
    assert {price["region"] for price in prices} == {REGION}


@pytest.mark.defect(42)
def test_the_region_of_a_spec_overrides_the_default(account):
    """The default applies only if the spec has no region."""
    with use_region("us-central-ord-1"), SpotClient() as client:
        client.cloudspaces.create("web", SPEC)
    (created,) = [sent for sent in account.requests if sent.method == "POST" and sent.path.endswith("/cloudspaces")]
    assert json.loads(created.body)["spec"]["region"] == REGION


@pytest.mark.defect(30)
@pytest.mark.parametrize("named", ["prod", PROD.id, PROD.id.lower(), PROD.namespace])
def test_a_kubeconfig_for_every_form_of_organization_name(two_organizations, named):
    """Otherwise users of an id can list cloudspaces but not connect to them."""
    two_organizations.make("cloudspaces", "ready", SPEC, PROD)
    with two_organizations.world.lock:
        body = two_organizations.world.store.get("cloudspaces", PROD.namespace, "ready")
        body["status"] = {"APIServerEndpoint": "ready.example.com", "phase": "Ready"}
        two_organizations.world.store.put("cloudspaces", body)
    with SpotClient(profile="prod", organization=named) as client:
        assert "clusters" in client.cloudspaces.kubeconfig("ready")


@pytest.mark.defect(49)
def test_events_are_those_of_the_selected_organization(two_organizations, rsspot):
    """Otherwise an incident is investigated in the wrong organization."""
    for organization in BOTH:
        with two_organizations.world.store.transaction():
            two_organizations.world.store.add_event(
                organization.namespace, "web", "2026-01-01T00:00:00Z", f"of {organization.name}"
            )
    for name in ("staging", "prod"):
        events = rsspot("-p", name, "events", "list", "-o", "json").json
        assert [event["message"] for event in events] == [f"of {name}"]


@pytest.mark.defect(49)
def test_delete_can_ignore_a_missing_object(account):
    """Otherwise a cleanup that runs twice fails the second time."""

    async def work() -> None:
        async with AsyncSpotClient() as client:
            await client.cloudspaces.delete("never-was", missing_ok=True)
            with pytest.raises(NotFound):
                await client.cloudspaces.delete("never-was")

    asyncio.run(work())
