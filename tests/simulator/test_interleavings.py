"""Whatever writers do: versions only grow, no update is lost, and a watcher can rebuild it all."""

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
    """What a cloudspace asks for."""
    return {"region": "us-central-ord-1", "kubernetesVersion": version}


def configuration(name, annotations):
    """An applied configuration of a cloudspace."""
    frame = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace"}
    return {**frame, "metadata": {"name": name, "annotations": annotations}, "spec": spec()}


class Writers(RuleBasedStateMachine):
    """Writers with old and new knowledge take turns; controllers write in between, and watchers begin anywhere."""

    def __init__(self):
        super().__init__()
        self.tenant = Tenant(Spot())
        self.known = {}
        """What each writer read last of each object, which may be long ago."""
        self.counts = {}
        """How often an update of a living object was accepted."""
        self.versions = [self.tenant.store.version()]
        self.watches = []

    def teardown(self):
        self.tenant.spot.world.close()

    def _accepted(self, name, answer):
        """Note a write that was accepted, and that its version is new."""
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
        """Read long ago, written now: accepted only if nobody, not even a controller, wrote in between."""
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
        """Server-side apply has no version to be out of date; each manager has a mark of its own."""
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
        # Its finalizer lets it go after a while; until then the name is taken.
        self.tenant.spot.advance(120)
        del self.counts[name]
        assert self.tenant.get("cloudspaces", name).status == 404

    @rule(seconds=st.sampled_from([0.4, 5.0, 70.0]))
    def wait(self, seconds):
        self.tenant.spot.advance(seconds)

    @rule()
    def begin_to_watch(self):
        """Keep what a list says now, and where a watch could begin."""
        listed = self.tenant.list("cloudspaces").said
        state = {each["metadata"]["name"]: each for each in listed["items"]}
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
        """From any version on: what was there then and the events since make what is there now."""
        now = {each["metadata"]["name"]: each for each in self.tenant.list("cloudspaces").said["items"]}
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


def test_threads_that_write_at_once_lose_nothing(new_tenant):
    """Eight of them count the same annotation up, each with what it has just read; a watcher sees every step."""
    tenant = new_tenant()
    made = tenant.create("cloudspaces", "prod", spec(), annotations={COUNT: "0"}).said
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
    told = tenant.watch("cloudspaces", made["metadata"]["resourceVersion"])
    assert [event["object"]["metadata"]["annotations"][COUNT] for event in told] == [
        str(number) for number in range(1, len(accepted) + 1)
    ]
    assert seen == []


def story(tenant):
    """An hour of a busy account: pools of every kind, changes, applies, deletes and a market that moves."""
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


def everything(tenant):
    """All that was ever written, byte for byte, and what a watcher hears."""
    store = tenant.store
    parts = []
    for plural in tenant.spot.world.definitions:
        parts += [f"{change.version} {change.type} {change.body}" for change in store.changes(plural, None, 0)]
        asked = {"watch": "true", "resourceVersion": "1"}
        path = (
            tenant.path(plural)
            if tenant.spot.world.definitions[plural].namespaced
            else f"/apis/ngpc.rxt.io/v1/{plural}"
        )
        parts += [chunk.decode() for chunk in takewhile(bool, tenant.respond("GET", path, query=asked).stream)]
    parts += [f"{time} {told}" for time, told in store.events(tenant.namespace, "", 1000)]
    parts += [json.dumps(store.ticks(f"price/{name}", 0)) for name in sorted(tenant.spot.world.prices)]
    return "\n".join(parts).encode()


def test_the_same_seed_gives_the_same_history_byte_for_byte(new_tenant):
    """Objects, managers, events, prices and streams; another seed gives another one."""
    told = []
    for seed in (7, 7, 8):
        tenant = new_tenant(seed=seed)
        story(tenant)
        told.append(everything(tenant))
    assert told[0] == told[1] != told[2]
    assert len(told[0]) > 100_000
