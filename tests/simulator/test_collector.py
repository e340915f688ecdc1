"""Tests of garbage collection: background and foreground cascades, orphans, and owners that never existed."""

import pytest

from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.apiserver.objects import COLLECTED_AFTER
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World
from support.no_service import NoService

SPEC = {"region": "r", "kubernetesVersion": "1.31.1"}


class Owners:
    """Cloudspaces that own each other, in a world without the controllers of the service."""

    def __init__(self):
        self.clock = ManualClock()
        self.world = World(clock=self.clock)
        self.world.objects.service = NoService()
        self.api = Api(self.world)
        self.bearer = self.world.identity.id_token(self.world.organizations[0])
        self.root = f"/apis/ngpc.rxt.io/v1/namespaces/{self.world.organizations[0].namespace}/cloudspaces"

    def ask(self, method, name="", body=None, query=""):
        import json

        headers = {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        path = f"{self.root}/{name}" if name else self.root
        answer = self.api.handle(Request.of(method, path + query, headers, data))
        return answer.status, json.loads(answer.body)

    def create(self, name, *owners, finalizers=(), blocking=True):
        """Create a cloudspace with owners. Returns its uid."""
        references = [
            {
                "apiVersion": "ngpc.rxt.io/v1",
                "kind": "CloudSpace",
                "name": "x",
                "uid": uid,
                "blockOwnerDeletion": blocking,
            }
            for uid in owners
        ]
        metadata = {"name": name, "ownerReferences": references, "finalizers": list(finalizers)}
        body = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "metadata": metadata, "spec": SPEC}
        status, answer = self.ask("POST", body=body)
        assert status == 201, answer
        return answer["metadata"]["uid"]

    def wait(self, steps=1):
        """Let the collector run that many times."""
        for _ in range(steps):
            self.clock.advance(COLLECTED_AFTER + 0.1)
            self.api.tick()

    def names(self):
        return [item["metadata"]["name"] for item in self.ask("GET")[1]["items"]]


@pytest.fixture
def owners():
    cloudspaces = Owners()
    yield cloudspaces
    cloudspaces.world.close()


def test_background_deletion_removes_dependents_after_their_owner(owners):
    """The owner is deleted at once, its dependents a moment later, then their dependents."""
    top = owners.create("top")
    middle = owners.create("middle", top)
    owners.create("bottom", middle)
    owners.create("free")
    owners.wait()
    owners.ask("DELETE", "top")
    assert owners.names() == ["bottom", "free", "middle"]
    owners.wait()
    assert owners.names() == ["bottom", "free"]
    owners.wait()
    assert owners.names() == ["free"]


def test_a_dependent_stays_while_any_owner_exists(owners):
    """A dependent of two owners is deleted only after both."""
    first, second = owners.create("first"), owners.create("second")
    owners.create("shared", first, second)
    owners.ask("DELETE", "first")
    owners.wait(2)
    assert owners.names() == ["second", "shared"]
    owners.ask("DELETE", "second")
    owners.wait(2)
    assert owners.names() == []


def test_foreground_deletion_removes_the_owner_last(owners):
    """The owner has the foregroundDeletion finalizer until its blocking dependents are gone."""
    top = owners.create("top")
    owners.create("child", top, finalizers=["example.com/hold"])
    owners.create("bystander", top, blocking=False)
    status, body = owners.ask("DELETE", "top", query="?propagationPolicy=Foreground")
    assert status == 200 and body["metadata"]["finalizers"] == ["foregroundDeletion"]
    owners.wait(3)
    assert owners.names() == ["bystander", "child", "top"]
    assert owners.ask("GET", "child")[1]["metadata"]["deletionTimestamp"]
    finalizers = owners.ask("GET", "child")[1]["metadata"]["finalizers"]
    assert "example.com/hold" in finalizers
    patched = owners.api.handle(
        Request.of(
            "PATCH",
            f"{owners.root}/child",
            {"Authorization": f"Bearer {owners.bearer}", "Content-Type": "application/merge-patch+json"},
            b'{"metadata": {"finalizers": null}}',
        )
    )
    assert patched.status == 200
    owners.wait(3)
    assert owners.names() == []


def test_orphaned_dependents_stay_without_owner(owners):
    """The owner reference is removed, and the dependent stays."""
    top = owners.create("top")
    owners.create("child", top)
    owners.ask("DELETE", "top", {"propagationPolicy": "Orphan"})
    owners.wait(3)
    assert owners.names() == ["child"]
    assert "ownerReferences" not in owners.ask("GET", "child")[1]["metadata"]


def test_dependents_of_an_owner_that_never_existed_are_deleted(owners):
    """Like in a real cluster."""
    owners.create("child", "11111111-1111-1111-1111-111111111111")
    assert owners.names() == ["child"]
    owners.wait()
    assert owners.names() == []
