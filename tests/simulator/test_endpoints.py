"""The two endpoints beside the Kubernetes API: generated kubeconfigs and an organization's events."""

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
    """A tenant whose cloudspace `prod` is up and has a pool."""
    tenant.cloudspace()
    tenant.pool(POOL, desired=2)
    tenant.spot.advance(120)
    return tenant


def generate(tenant, **changes):
    """Ask for a kubeconfig without a bearer."""
    usual = {
        "organization_name": tenant.organization.name,
        "cloudspace_name": "prod",
        "refresh_token": tenant.organization.refresh_token,
    }
    return tenant.ask("POST", KUBECONFIG, usual | changes, Authorization=None)


# Kubeconfigs


def test_a_kubeconfig_comes_in_an_envelope(prod):
    """YAML text that begins at once."""
    status, said = generate(prod)
    assert status == 200
    assert (set(said), set(said["data"])) == ({"data", "message", "status_code"}, {"kubeconfig"})
    assert (said["message"], said["status_code"]) == ("kubeconfig generated successfully", 200)
    assert said["data"]["kubeconfig"].startswith("apiVersion: v1\n")


def test_a_kubeconfig_has_two_contexts(prod):
    """One with a token that works, one that logs in by itself; both in namespace default."""
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
def test_a_kubeconfig_is_refused(prod, changes, expected):
    """In the words of OAuth, not of Kubernetes."""
    status, said = generate(prod, **changes)
    assert (status, said["error"]) == expected
    assert set(said) == {"error", "error_description"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"{"])
def test_a_body_that_says_nothing_is_a_bad_request(prod, body):
    """400 too."""
    assert prod.ask("POST", KUBECONFIG, body, Authorization=None).said["error"] == "bad_request"


def test_a_cloudspace_without_an_endpoint_has_no_kubeconfig_yet(tenant):
    """400 until its API server answers."""
    tenant.cloudspace()
    assert generate(tenant).status == 400
    tenant.spot.advance(120)
    assert generate(tenant).status == 200


# Events


def told(tenant, **query):
    """The messages, newest first."""
    return [message for _, message in tenant.ask("GET", EVENTS, query=query).said["events"]]


def test_events_say_what_happened(prod):
    """Newest first, as pairs of strings."""
    prod.spot.advance(LONG_ENOUGH)
    status, said = prod.ask("GET", EVENTS)
    assert (status, set(said), said["org_id"]) == (200, {"org_id", "events"}, prod.organization.id)
    times = [time for time, _ in said["events"]]
    assert times == sorted(times, reverse=True)
    assert all(time.endswith("Z") for time in times)
    server = next(iter(prod.get("cloudspaces", "prod").said["status"]["assignedServers"]))
    messages = told(prod)
    assert f"server {server} of ch.vs1.large-ord was delivered" in messages
    assert f"bid {POOL} won 2 servers of ch.vs1.large-ord" in messages
    assert "cloudspace prod is ready" in messages


def test_events_tell_of_losses(prod):
    """A smaller bid, and the servers that leave."""
    prod.spot.advance(LONG_ENOUGH)
    prod.patch("spotnodepools", POOL, {"spec": {"desired": 1}})
    prod.spot.advance(500)
    messages = told(prod)
    assert f"bid {POOL} lost 1 servers of ch.vs1.large-ord" in messages
    assert sum(message.endswith("was released") for message in messages) == 1


def test_events_tell_of_an_upgrade(prod):
    """When it is done."""
    prod.patch("cloudspaces", "prod", {"spec": {"kubernetesVersion": "1.32.9"}})
    prod.spot.advance(LONG_ENOUGH)
    assert "cloudspace prod runs Kubernetes 1.32.9" in told(prod)


def test_events_of_one_cloudspace(prod):
    """The filter is echoed, and others are left out."""
    prod.cloudspace("second")
    prod.spot.advance(120)
    assert told(prod, cloudspace="second") == ["cloudspace second is ready"]
    assert prod.ask("GET", EVENTS, query={"cloudspace": "second"}).said["cloudspace_id"] == "second"
    assert told(prod, cloudspace="none") == []


def test_events_are_limited(prod):
    """By a parameter that really is called `limits`."""
    everything = told(prod)
    assert len(everything) > 1
    assert told(prod, limits="1") == everything[:1]
    assert told(prod, limit="1") == everything
    assert told(prod, limits="0") == []


@pytest.mark.parametrize("limits", ["x", "-1", "1.5", "9" * 30])
def test_a_limit_is_a_number(tenant, limits):
    """400 otherwise."""
    assert tenant.ask("GET", EVENTS, query={"limits": limits}).status == 400


def test_events_need_a_bearer(tenant):
    """Like everything that is an organization's own."""
    assert tenant.ask("GET", EVENTS, Authorization=None) == (401, "Jwt is missing")


def test_events_are_an_organizations_own(new_tenant):
    """Nobody hears of the neighbors."""
    organizations = [Tenant("org_One", "one", "first"), Tenant("org_Two", "two", "second")]
    tenant = new_tenant(organizations=organizations)
    tenant.cloudspace()
    tenant.spot.advance(120)
    assert told(tenant) == ["cloudspace prod is ready"]
    tenant.bearer = tenant.spot.world.identity.id_token(organizations[1])
    assert told(tenant) == []


def test_old_events_are_forgotten():
    """Each namespace keeps so many; a busy one does not push out another's."""
    store = Store()
    store.add_event("quiet", "prod", "t", "kept")
    for index in range(MOST_EVENTS + 50):
        store.add_event("busy", "prod", "t", str(index))
    assert len(store.events("busy", "", 10_000)) == MOST_EVENTS
    assert store.events("busy", "", 1) == [("t", str(MOST_EVENTS + 49))]
    assert store.events("quiet", "", USUAL) == [("t", "kept")]
    store.close()


def test_vm_groups_have_events_too(tenant):
    """Under their own name."""
    tenant.create("vmcloudspaces", "vms", {"region": "us-central-ord-1", "vmSshKeyRef": {"name": "key"}})
    tenant.spot.advance(60)
    assert told(tenant, cloudspace="vms") == ["cloudspace vms is ready"]
