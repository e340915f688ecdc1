"""Concurrent writers: versions only increase, no update is lost, and a watcher can rebuild the state."""

import json
import threading
from itertools import takewhile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from support.tenancy import Spot, Tenant

NAMES = ("one", "two", "three")
APPLY = "application/apply-patch+yaml"
COUNT = "count"


def spec(version="1.31.1"):
    """The spec of a cloudspace."""
    return {"region": "us-central-ord-1", "kubernetesVersion": version}


def configuration(name, annotations):
    """An applied configuration of a cloudspace."""
    frame = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace"}
    return {**frame, "metadata": {"name": name, "annotations": annotations}, "spec": spec()}


class Writers(RuleBasedStateMachine):
    """Writers with stale and fresh reads take turns, controllers write in between, and watches start at any version."""

    def __init__(self):
        super().__init__()
        self.tenant = Tenant(Spot())
        self.known = {}
        """The last read of each object, which may be stale."""
        self.counts = {}
        """How many updates of each live object were accepted."""
        self.versions = [self.tenant.store.version()]
        self.watches = []

    def teardown(self):
        self.tenant.spot.world.close()

    def _accepted(self, name, answer):
        """Record an object that was read or written."""
        assert answer.status in (200, 201), answer.said
        self.known[name] = answer.said

    @rule(name=st.sampled_from(NAMES))
    def create(self, name):
        answer = self.tenant.create("cloudspaces", name, spec(), annotations={COUNT: "0"})
        assert (answer.status == 201) == (name not in self.counts)
        if answer.status == 201:
            self.counts[name] = 0
            self._accepted(name, answer)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def count_up(self, data):
        """Write an object that may be stale. This succeeds only if nothing, not even a controller, has changed it."""
        name = data.draw(st.sampled_from(sorted(self.known)))
        body = self.known[name]
        live = self.tenant.get("cloudspaces", name)
        annotations = {COUNT: str(int(body["metadata"]["annotations"][COUNT]) + 1)}
        version = body["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version, "uid": body["metadata"]["uid"], "annotations": annotations}}
        answer = self.tenant.patch("cloudspaces", name, patch)
        fresh = live.status == 200 and live.said["metadata"]["resourceVersion"] == version
        assert (answer.status == 200) == fresh, answer.said
        if fresh:
            self.counts[name] += 1
            self._accepted(name, answer)

    @precondition(lambda self: self.counts)
    @rule(data=st.data(), manager=st.sampled_from(["ada", "bob"]))
    def apply(self, data, manager):
        """Server-side apply needs no version. Each manager sets its own annotation."""
        name = data.draw(st.sampled_from(sorted(self.counts)))
        query = {"fieldManager": manager, "force": "true"}
        sent = configuration(name, {manager: "was here"})
        answer = self.tenant.ask("PATCH", self.tenant.path("cloudspaces", name), sent, query=query, content_type=APPLY)
        assert answer.status == 200, answer.said
        assert answer.said["metadata"]["annotations"][COUNT] == str(self.counts[name])

    @precondition(lambda self: self.counts)
    @rule(data=st.data())
    def read(self, data):
        name = data.draw(st.sampled_from(sorted(self.counts)))
        self._accepted(name, self.tenant.get("cloudspaces", name))

    @precondition(lambda self: self.counts)
    @rule(data=st.data())
    def delete(self, data):
        name = data.draw(st.sampled_from(sorted(self.counts)))
        assert self.tenant.delete("cloudspaces", name).status == 200
        # A finalizer delays the deletion. Until then the name is taken.
        self.tenant.spot.advance(120)
        del self.counts[name]
        assert self.tenant.get("cloudspaces", name).status == 404

    @rule(seconds=st.sampled_from([0.4, 5.0, 70.0]))
    def wait(self, seconds):
        self.tenant.spot.advance(seconds)

    @rule()
    def begin_to_watch(self):
        """Keep the current list and its version, from which a watch can start."""
        listed = self.tenant.list("cloudspaces").said
        state = {item["metadata"]["name"]: item for item in listed["items"]}
        self.watches.append((listed["metadata"]["resourceVersion"], state))

    @invariant()
    def versions_grow(self):
        changes = self.tenant.store.changes("cloudspaces", None, self.versions[-1])
        own = [change.version for change in changes]
        assert own == sorted(set(own))
        assert all(version > self.versions[-1] for version in own)
        self.versions += own

    @invariant()
    def no_update_is_lost(self):
        for name, count in self.counts.items():
            body = self.tenant.get("cloudspaces", name).said
            assert body["metadata"]["annotations"][COUNT] == str(count)

    @invariant()
    def a_watcher_rebuilds_the_state(self):
        """The state at any version plus the events since then gives the current state."""
        now = {item["metadata"]["name"]: item for item in self.tenant.list("cloudspaces").said["items"]}
        for since, state in self.watches[-2:]:
            rebuilt = dict(state)
            for event in self.tenant.watch("cloudspaces", since):
                name = event["object"]["metadata"]["name"]
                assert (name in rebuilt) == (event["type"] != "ADDED")
                rebuilt[name] = event["object"]
                if event["type"] == "DELETED":
                    del rebuilt[name]
            assert rebuilt == now


TestWriters = Writers.TestCase
TestWriters.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_concurrent_threads_lose_no_update(new_tenant):
    """Eight threads increment the same annotation after reading it. A watch sees every step."""
    tenant = new_tenant()
    created = tenant.create("cloudspaces", "prod", spec(), annotations={COUNT: "0"}).said
    accepted = []

    def count_up():
        for _ in range(25):
            body = tenant.get("cloudspaces", "prod").said["metadata"]
            annotations = {COUNT: str(int(body["annotations"][COUNT]) + 1)}
            patch = {"metadata": {"resourceVersion": body["resourceVersion"], "annotations": annotations}}
            answer = tenant.patch("cloudspaces", "prod", patch)
            assert answer.status in (200, 409)
            if answer.status == 200:
                accepted.append(answer.said["metadata"]["resourceVersion"])

    threads = [threading.Thread(target=count_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert tenant.get("cloudspaces", "prod").said["metadata"]["annotations"][COUNT] == str(len(accepted))
    assert len(set(accepted)) == len(accepted) >= 25
    seen = [event["object"]["metadata"]["annotations"][COUNT] for event in tenant.watch("cloudspaces", "0")[1:]]
    events = tenant.watch("cloudspaces", created["metadata"]["resourceVersion"])
    assert [event["object"]["metadata"]["annotations"][COUNT] for event in events] == [
        str(number) for number in range(1, len(accepted) + 1)
    ]
    assert seen == []


def run_busy_hour(tenant):
    """An hour of a busy account: pools of several kinds, changes, deletions and a price change."""
    tenant.cloudspace()
    pool, other = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01", "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a02"
    tenant.pool(pool, desired=2, autoscaling={"enabled": True, "minNodes": 1, "maxNodes": 4})
    tenant.create(
        "autopilotnodepools",
        other,
        {"region": "us-central-ord-1", "cloudSpace": "prod", "vcpu": {"total": 8}, "budgetPerHour": "0.5"},
    )
    tenant.create("cloudspaces", None, spec(), generateName="made-")
    tenant.spot.advance(1800)
    tenant.spot.api.set_price("ch.vs1.large-ord", 9)
    tenant.patch("cloudspaces", "prod", {"spec": {"kubernetesVersion": "1.32.9"}})
    tenant.spot.advance(1800)
    tenant.delete("spotnodepools", pool)
    tenant.spot.advance(600)


def full_history(tenant):
    """Every write, watch event, service event and price of the world, as bytes."""
    store = tenant.store
    parts = []
    for plural in tenant.spot.world.definitions:
        parts += [f"{change.version} {change.type} {change.body}" for change in store.changes(plural, None, 0)]
        query = {"watch": "true", "resourceVersion": "1"}
        definition = tenant.spot.world.definitions[plural]
        path = tenant.path(plural) if definition.namespaced else f"{definition.root}/{plural}"
        parts += [chunk.decode() for chunk in takewhile(bool, tenant.respond("GET", path, query=query).stream)]
    parts += [f"{time} {message}" for time, message in store.events(tenant.namespace, "", 1000)]
    parts += [json.dumps(store.ticks(f"price/{name}", 0)) for name in sorted(tenant.spot.world.prices)]
    return "\n".join(parts).encode()


def test_the_same_seed_gives_the_same_history_byte_for_byte(new_tenant):
    """Objects, managers, events, prices and streams are equal for equal seeds. Another seed gives another history."""
    histories = []
    for seed in (7, 7, 8):
        tenant = new_tenant(seed=seed)
        run_busy_hour(tenant)
        histories.append(full_history(tenant))
    assert histories[0] == histories[1] != histories[2]
    assert len(histories[0]) > 100_000
