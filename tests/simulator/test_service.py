"""The service's own actions: preemption and webhooks, autoscaling, deliveries; and its switches."""

import json
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rsspot.errors import UsageError
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.front.webhook_sender import WebhookSender, is_loopback
from rsspot.simulator.spot.auction import RECORDING_BEGAN, WEEK, going_rate
from rsspot.simulator.spot.autoscaler import MANAGER, NEEDED, UNNEEDED_FOR
from rsspot.simulator.spot.protocol import Notice
from rsspot.simulator.spot.switches import Rules, rules_of

POOL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"
OTHER = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a02"
CLASS = "ch.vs1.large-ord"
DELIVERED = 1000
"""Seconds after which any server has been delivered."""
SCALING = {"enabled": True, "minNodes": 1, "maxNodes": 5}


def status_of(tenant, plural="cloudspaces", name="prod"):
    return tenant.get(plural, name).said.get("status", {})


@pytest.fixture
def manned(new_tenant):
    """Create tenants with a cloudspace that has two delivered servers: `manned(rules=…)`."""

    def make(webhook="http://127.0.0.1:9/hook", **options):
        tenant = new_tenant(**options)
        spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1", "webhook": webhook}
        assert tenant.create("cloudspaces", "prod", spec).status == 201
        assert tenant.pool(POOL, desired=2).status == 201
        tenant.spot.advance(DELIVERED)
        assert len(status_of(tenant)["assignedServers"]) == 2
        return tenant

    return make


# Preemption


def test_an_outbid_server_is_announced_and_removed_six_minutes_later(manned):
    """There is one notice for each server, with the fields that the real service sends."""
    tenant = manned()
    addresses = {name: server["IP"] for name, server in status_of(tenant)["assignedServers"].items()}
    tenant.api.set_price(CLASS, 5)
    notices = tenant.spot.world.notices
    assert {notice.body["Server"]: notice.body["IP"] for notice in notices} == addresses
    assert {(notice.url, notice.body["cloudspace"]) for notice in notices} == {("http://127.0.0.1:9/hook", "prod")}
    assert set(notices[0].body) == {"cloudspace", "Server", "IP", "Time"}
    assert status_of(tenant, "spotnodepools", POOL) == {"bidStatus": "Lost", "wonCount": 0}
    tenant.spot.advance(350)
    assert len(status_of(tenant)["assignedServers"]) == 2
    tenant.spot.advance(20)
    assert status_of(tenant)["assignedServers"] == {}
    assert status_of(tenant)["phase"] == "NoWinningBids"


def test_the_notice_period_can_be_changed(manned):
    """To five minutes, which other sources state."""
    tenant = manned(rules=Rules(notice=300))
    tenant.api.set_price(CLASS, 5)
    tenant.spot.advance(310)
    assert status_of(tenant)["assignedServers"] == {}


def test_no_notice_is_sent_for_servers_that_were_given_back(manned):
    """Neither by scaling a pool down nor by deleting it."""
    tenant = manned()
    tenant.patch("spotnodepools", POOL, {"spec": {"desired": 1}})
    tenant.spot.advance(60)
    tenant.delete("spotnodepools", POOL)
    tenant.spot.advance(600)
    assert tenant.spot.world.notices == []


def test_slack_webhooks_get_a_text(manned):
    """Slack requires another format."""
    tenant = manned(webhook="https://hooks.slack.com/services/x")
    tenant.api.set_price(CLASS, 5)
    assert [set(notice.body) for notice in tenant.spot.world.notices] == [{"text"}, {"text"}]


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999/", "nonsense"])
def test_an_invalid_webhook_does_not_stop_the_clock(manned, url):
    """An event reports that the notice was not delivered."""
    tenant = manned(webhook=url)
    tenant.api.set_price(CLASS, 5)
    tenant.spot.advance(400)
    assert status_of(tenant)["assignedServers"] == {}
    assert tenant.spot.world.notices == []
    events = tenant.store.events(tenant.namespace, "prod", 100)
    assert any("the webhook was not notified" in message for _, message in events)
    assert not any(url in message for _, message in events)


def test_a_fixed_price_can_be_released(manned):
    """With None, the market price moves again."""
    tenant = manned()
    tenant.api.set_price(CLASS, 5)
    tenant.api.set_price(CLASS, None)
    assert status_of(tenant, "spotnodepools", POOL)["bidStatus"] == "Fulfilled"


# The webhook sender


@pytest.fixture
def receiver():
    """A webhook on this machine; `received` lists the notices."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.received = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_webhooks_on_this_machine_are_called(manned, receiver):
    """Once for each notice."""
    tenant = manned(webhook=f"http://127.0.0.1:{receiver.server_address[1]}/hook?team=a")
    tenant.api.set_price(CLASS, 5)
    sender = WebhookSender(tenant.spot.world)
    assert (sender.deliver(), sender.deliver()) == (2, 0)
    assert [notice["cloudspace"] for notice in receiver.received] == ["prod", "prod"]


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.1/hook", "https://hooks.slack.com/x", "ftp://127.0.0.1/x", "nonsense", "http://127.0.0.1:1/"],
)
def test_webhooks_elsewhere_are_not_called(manned, url):
    """A manifest may contain a real team's webhook. A local receiver that is down is not an error."""
    world = manned().spot.world
    world.notices.append(Notice(url, {}))
    assert WebhookSender(world).deliver() == 0
    assert world.notices == []


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_loopback_hosts_are_recognized(host, own):
    assert is_loopback(host) == own


# Deliveries


def test_won_servers_are_pending_until_they_are_delivered(tenant):
    """pendingAllocations lists them until then."""
    tenant.cloudspace()
    tenant.pool(POOL, desired=2)
    tenant.spot.advance(60)
    pending = status_of(tenant)["pendingAllocations"][POOL]
    assert (pending["count"], pending["allocatedCount"], pending["bidName"], pending["bidType"]) == (2, 0, POOL, "spot")
    tenant.spot.advance(DELIVERED)
    assert status_of(tenant)["pendingAllocations"] == {}


def test_a_delivered_server_joins_later(tenant):
    """It becomes Running five to fifteen minutes after its delivery."""
    tenant.cloudspace()
    tenant.pool(POOL)
    tenant.spot.advance(DELIVERED)
    (server,) = status_of(tenant)["assignedServers"].values()
    assert server["state"] == "Joining"
    tenant.spot.advance(900)
    (server,) = status_of(tenant)["assignedServers"].values()
    assert server["state"] == "Running"


def test_on_demand_servers_are_marked(tenant):
    """serverType distinguishes them from spot servers."""
    tenant.cloudspace()
    spec = {"serverClass": CLASS, "cloudSpace": "prod", "desired": 1}
    tenant.create("ondemandnodepools", POOL, spec)
    tenant.spot.advance(60 + DELIVERED)
    assert [each["serverType"] for each in status_of(tenant)["assignedServers"].values()] == ["ondemand"]


# The autoscaler


def desired(tenant):
    return tenant.get("spotnodepools", POOL).said["spec"]["desired"]


def need(tenant, nodes):
    tenant.patch("spotnodepools", POOL, {"metadata": {"annotations": {NEEDED: str(nodes)}}})


def test_a_busy_pool_grows_at_once_and_an_idle_one_shrinks_later(tenant):
    """It stays within its bounds, and the autoscaler becomes the field's manager."""
    tenant.cloudspace()
    tenant.pool(POOL, autoscaling=SCALING)
    need(tenant, 4)
    tenant.spot.advance(70)
    assert desired(tenant) == 4
    managers = {each["manager"]: each for each in tenant.get("spotnodepools", POOL).said["metadata"]["managedFields"]}
    assert managers[MANAGER]["fieldsV1"] == {"f:spec": {"f:desired": {}}}
    need(tenant, 99)
    tenant.spot.advance(70)
    assert desired(tenant) == 5
    need(tenant, 0)
    tenant.spot.advance(UNNEEDED_FOR - 120)
    assert desired(tenant) == 5
    tenant.spot.advance(240)
    assert desired(tenant) == 1


def test_an_annotation_that_is_no_size_does_not_stop_the_clock(tenant):
    """Python converts no text of more than 4300 digits."""
    tenant.cloudspace()
    tenant.pool(POOL, autoscaling=SCALING)
    need(tenant, "9" * 5000)
    tenant.spot.advance(70)
    assert 1 <= desired(tenant) <= 5


def test_a_workload_without_annotation_follows_the_seed(new_tenant):
    """It changes from hour to hour and never exceeds the bounds."""
    seen = []
    for _ in range(2):
        tenant = new_tenant(seed=3)
        tenant.cloudspace()
        tenant.pool(POOL, autoscaling=SCALING)
        sizes = []
        for _ in range(12):
            tenant.spot.advance(3600)
            sizes.append(desired(tenant))
        seen.append(sizes)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) > 1 and set(seen[0]) <= {1, 2, 3, 4, 5}


def test_without_autoscaling_the_size_does_not_change(tenant):
    """Also after autoscaling has been disabled."""
    tenant.cloudspace()
    tenant.pool(POOL, desired=2, autoscaling=SCALING)
    tenant.patch("spotnodepools", POOL, {"spec": {"autoscaling": {"enabled": False}, "desired": 2}})
    need(tenant, 5)
    tenant.spot.advance(3600)
    assert desired(tenant) == 2
    tenant.patch("spotnodepools", POOL, {"spec": {"autoscaling": SCALING}})
    tenant.spot.advance(120)
    assert desired(tenant) == 5


# Switches


@pytest.mark.parametrize(
    ("rules", "bid", "message"),
    [
        ("ladder", "0.05", "is not on the bid ladder"),
        ("ladder", "0.06", ""),
        ("2026-05", "0.086", "must be a multiple of 0.01 when greater than 0.05, but got 0.086000"),
        ("2026-05", "0.043", ""),
        ("2026-01", "0.011", "must be a multiple of 0.005"),
        ("2026-01", "0.015", ""),
        ("2024", "0.011", ""),
        ("2024", "0.009", "the minimum bid price of 0.010000"),
    ],
)
def test_bids_are_validated_by_the_selected_rules(new_tenant, rules, bid, message):
    """Each of the four recorded sets of rules can be selected."""
    tenant = new_tenant(rules=Rules(bids=rules))
    tenant.cloudspace()
    status, answer = tenant.pool(POOL, bidPrice=bid)
    assert status == (403 if message else 201)
    assert message in answer.get("message", "")


def test_recorded_prices_change_weekly(new_tenant):
    """The series repeats after the last week. A class without a recorded series keeps its price."""
    weeks = [RECORDING_BEGAN + (11 * 20 + week) * WEEK for week in range(12)]
    seen = [going_rate(1, "gp.vs1.medium-lon", Decimal("0.005"), week, "recorded") for week in weeks]
    assert seen == [Decimal(price) / 1000 for price in (2, 3, 3, 4, 3, 4, 1, 3, 5, 5, 5, 2)]
    assert {going_rate(1, CLASS, Decimal("0.01"), week, "recorded") for week in weeks} == {Decimal("0.01")}
    tenant = new_tenant(clock=ManualClock(weeks[3]), rules=Rules(prices="recorded"))
    tenant.spot.advance(3600)
    server_class = tenant.ask("GET", "/apis/ngpc.rxt.io/v1/serverclasses/gp.vs1.medium-lon").said
    assert server_class["status"]["spotPricing"]["marketPricePerHour"] == "0.004000"


def test_immutable_fields_can_be_made_mutable(new_tenant):
    """They are immutable by default."""
    changes = ({"cni": "cilium"}, {"HAControlPlane": True, "type": "hosted"})
    for rules, allowed in ((Rules(), False), (Rules(cni_change=True, ha_change=True), True)):
        tenant = new_tenant(rules=rules)
        spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1", "cni": "calico", "type": "hosted"}
        tenant.create("cloudspaces", "prod", spec)
        assert [tenant.patch("cloudspaces", "prod", {"spec": each}).status for each in changes] == [
            200 if allowed else 403
        ] * 2


def test_labels_zero_servers_revalidation_and_noise_can_be_switched(new_tenant):
    """Each switch has the opposite of its default."""
    rules = Rules(labels=False, zero_desired=False, revalidate=True, noise=False)
    tenant = new_tenant(rules=rules)
    tenant.cloudspace()
    pool = tenant.pool(POOL).said
    assert "labels" not in pool["metadata"]
    assert tenant.patch("spotnodepools", POOL, {"spec": {"desired": 0}}).status == 403
    version = pool["metadata"]["resourceVersion"]
    tenant.spot.advance(10)
    assert tenant.get("spotnodepools", POOL).said["metadata"]["resourceVersion"] == version
    tenant.api.set_price(CLASS, 5)
    assert "market price" in tenant.patch("spotnodepools", POOL, {"spec": {"desired": 2}}).message


def test_switches_are_parsed_from_text():
    """Each NAME=VALUE is converted to the switch's type."""
    assert rules_of(["bids=2024", "labels=false", "notice=300"]) == Rules(bids="2024", labels=False, notice=300.0)


@pytest.mark.parametrize("words", ["", "bids", "bids=2023", "labels=maybe", "notice=soon", "notice=-1", "mood=good"])
def test_invalid_switches_are_refused(words):
    """The hint lists the valid names or values."""
    with pytest.raises(UsageError) as refused:
        rules_of([words])
    assert refused.value.hint


def test_a_version_of_kubernetes_is_only_raised(tenant):
    """And only to one that may exist."""
    spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.99.0"}
    assert tenant.create("cloudspaces", "far", spec).status == 403
    tenant.cloudspace("near")
    for version, status in (("1.32.9", 200), ("1.31.1", 403), ("1.32.9", 200), ("1.99.0", 403), ("1.33.0", 200)):
        patched = tenant.patch("cloudspaces", "near", {"spec": {"kubernetesVersion": version}})
        assert patched.status == status, version
