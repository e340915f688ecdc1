"""The two endpoints outside the Kubernetes API: generated kubeconfigs and an organization's events."""

import base64

import pytest
import yaml

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.apiserver.kv import MOST_EVENTS
from rsspot.simulator.apiserver.store import Store
from rsspot.simulator.spot.events import USUAL

KUBECONFIG = "/apis/auth.ngpc.rxt.io/v1/generate-kubeconfig"
EVENTS = "/apis/metrics.ngpc.rxt.io/v1/events/organizations"
POOL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"
LONG_ENOUGH = 1000.0


@pytest.fixture
def prod(tenant):
    """A tenant whose cloudspace `prod` is ready and has a pool."""
    tenant.cloudspace()
    tenant.pool(POOL, desired=2)
    tenant.spot.advance(120)
    return tenant


def generate(tenant, **changes):
    """Request a kubeconfig without a bearer token."""
    usual = {
        "organization_name": tenant.organization.name,
        "cloudspace_name": "prod",
        "refresh_token": tenant.organization.refresh_token,
    }
    return tenant.ask("POST", KUBECONFIG, usual | changes, Authorization=None)


# Kubeconfigs


def test_a_kubeconfig_comes_in_an_envelope(prod):
    """The envelope is JSON and contains the YAML text."""
    status, result = generate(prod)
    assert status == 200
    assert (set(result), set(result["data"])) == ({"data", "message", "status_code"}, {"kubeconfig"})
    assert (result["message"], result["status_code"]) == ("kubeconfig generated successfully", 200)
    assert result["data"]["kubeconfig"].startswith("apiVersion: v1\n")


def test_a_kubeconfig_has_two_contexts(prod):
    """One with a valid token and one that logs in interactively; both in the namespace default."""
    config = yaml.safe_load(generate(prod).said["data"]["kubeconfig"])
    (cluster,) = config["clusters"]
    endpoint = prod.get("cloudspaces", "prod").said["status"]["APIServerEndpoint"]
    assert cluster["cluster"]["server"] == f"https://{endpoint}"
    assert b"BEGIN CERTIFICATE" in base64.b64decode(cluster["cluster"]["certificate-authority-data"])
    contexts = {each["name"]: each["context"] for each in config["contexts"]}
    assert contexts == {
        "sandbox-prod": {"cluster": cluster["name"], "namespace": "default", "user": "ngpc-user"},
        "sandbox-prod-oidc": {"cluster": cluster["name"], "namespace": "default", "user": "oidc"},
    }
    assert config["current-context"] == "sandbox-prod"
    users = {each["name"]: each["user"] for each in config["users"]}
    bearer = f"Bearer {users['ngpc-user']['token']}"
    assert prod.ask("GET", prod.path("cloudspaces"), Authorization=bearer).status == 200
    login = users["oidc"]["exec"]
    assert (login["apiVersion"], login["command"]) == ("client.authentication.k8s.io/v1beta1", "kubectl")
    assert (login["interactiveMode"], login["provideClusterInfo"]) == ("IfAvailable", False)
    assert login["args"][:2] == ["oidc-login", "get-token"]
    assert any(prod.organization.id in argument for argument in login["args"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"refresh_token": "wrong"}, (401, "access_denied")),
        ({"organization_name": "other"}, (401, "access_denied")),
        ({"organization_name": "org_Sandbox000000001"}, (401, "access_denied")),
        ({"cloudspace_name": "none"}, (400, "bad_request")),
        ({"cloudspace_name": ""}, (400, "bad_request")),
        ({"refresh_token": 1}, (400, "bad_request")),
    ],
)
def test_an_invalid_kubeconfig_request_is_refused(prod, changes, expected):
    """With an OAuth error, not a Kubernetes Status."""
    status, result = generate(prod, **changes)
    assert (status, result["error"]) == expected
    assert set(result) == {"error", "error_description"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"{"])
def test_a_body_without_the_required_fields_is_a_bad_request(prod, body):
    """So is one that is not valid JSON."""
    assert prod.ask("POST", KUBECONFIG, body, Authorization=None).said["error"] == "bad_request"


def test_a_kubeconfig_requires_a_running_api_server(tenant):
    """The response is a 400 until the cloudspace has an endpoint."""
    tenant.cloudspace()
    assert generate(tenant).status == 400
    tenant.spot.advance(120)
    assert generate(tenant).status == 200


# Events


def messages_of(tenant, **query):
    """The messages, newest first."""
    return [message for _, message in tenant.ask("GET", EVENTS, query=query).said["events"]]


def test_events_report_what_happened(prod):
    """They are pairs of time and message, newest first."""
    prod.spot.advance(LONG_ENOUGH)
    status, result = prod.ask("GET", EVENTS)
    assert (status, set(result), result["org_id"]) == (200, {"org_id", "events"}, prod.organization.id)
    times = [time for time, _ in result["events"]]
    assert times == sorted(times, reverse=True)
    assert all(time.endswith("Z") for time in times)
    server = next(iter(prod.get("cloudspaces", "prod").said["status"]["assignedServers"]))
    messages = messages_of(prod)
    assert f"server {server} of ch.vs1.large-ord was delivered" in messages
    assert f"bid {POOL} won 2 servers of ch.vs1.large-ord" in messages
    assert "cloudspace prod is ready" in messages


def test_events_report_lost_servers(prod):
    """After a scale-down, the lost part of the bid and the released server."""
    prod.spot.advance(LONG_ENOUGH)
    prod.patch("spotnodepools", POOL, {"spec": {"desired": 1}})
    prod.spot.advance(500)
    messages = messages_of(prod)
    assert f"bid {POOL} lost 1 servers of ch.vs1.large-ord" in messages
    assert sum(message.endswith("was released") for message in messages) == 1


def test_events_report_an_upgrade(prod):
    """Once it is complete."""
    prod.patch("cloudspaces", "prod", {"spec": {"kubernetesVersion": "1.32.9"}})
    prod.spot.advance(LONG_ENOUGH)
    assert "cloudspace prod runs Kubernetes 1.32.9" in messages_of(prod)


def test_events_can_be_filtered_by_cloudspace(prod):
    """The response repeats the filter and leaves out other cloudspaces."""
    prod.cloudspace("second")
    prod.spot.advance(120)
    assert messages_of(prod, cloudspace="second") == ["cloudspace second is ready"]
    assert prod.ask("GET", EVENTS, query={"cloudspace": "second"}).said["cloudspace_id"] == "second"
    assert messages_of(prod, cloudspace="none") == []


def test_the_number_of_events_can_be_limited(prod):
    """By the parameter `limits`; `limit` has no effect."""
    everything = messages_of(prod)
    assert len(everything) > 1
    assert messages_of(prod, limits="1") == everything[:1]
    assert messages_of(prod, limit="1") == everything
    assert messages_of(prod, limits="0") == []


@pytest.mark.parametrize("limits", ["x", "-1", "1.5", "9" * 30])
def test_a_limit_that_is_not_a_number_is_a_bad_request(tenant, limits):
    """Also a negative or very long number."""
    assert tenant.ask("GET", EVENTS, query={"limits": limits}).status == 400


def test_events_require_a_bearer_token(tenant):
    """Like all data of an organization."""
    assert tenant.ask("GET", EVENTS, Authorization=None) == (401, "Jwt is missing")


def test_events_of_other_organizations_are_not_visible(new_tenant):
    """Each organization gets only its own."""
    organizations = [Tenant("org_One", "one", "first"), Tenant("org_Two", "two", "second")]
    tenant = new_tenant(organizations=organizations)
    tenant.cloudspace()
    tenant.spot.advance(120)
    assert messages_of(tenant) == ["cloudspace prod is ready"]
    tenant.bearer = tenant.spot.world.identity.id_token(organizations[1])
    assert messages_of(tenant) == []


def test_old_events_are_dropped():
    """The limit applies per namespace, so a busy one does not displace another's events."""
    store = Store()
    store.add_event("quiet", "prod", "t", "kept")
    for index in range(MOST_EVENTS + 50):
        store.add_event("busy", "prod", "t", str(index))
    assert len(store.events("busy", "", 10_000)) == MOST_EVENTS
    assert store.events("busy", "", 1) == [("t", str(MOST_EVENTS + 49))]
    assert store.events("quiet", "", USUAL) == [("t", "kept")]
    store.close()


def test_vm_cloudspaces_have_events_too(tenant):
    """They can be filtered by the VM cloudspace's name."""
    tenant.create("vmcloudspaces", "vms", {"region": "us-central-ord-1", "vmSshKeyRef": {"name": "key"}})
    tenant.spot.advance(60)
    assert messages_of(tenant, cloudspace="vms") == ["cloudspace vms is ready"]
