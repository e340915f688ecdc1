"""A tenant that sends requests to the simulator's API in process, without HTTP."""

import json
from itertools import takewhile
from typing import NamedTuple
from urllib.parse import urlencode

from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World

GROUP = "/apis/ngpc.rxt.io/v1"
KINDS = {
    "cloudspaces": "CloudSpace",
    "spotnodepools": "SpotNodePool",
    "ondemandnodepools": "OnDemandNodePool",
    "vmcloudspaces": "VMCloudSpace",
    "vmpools": "VMPool",
    "autopilotnodepools": "AutopilotNodePool",
    "vmsshkeys": "VMSSHKey",
}


class Answer(NamedTuple):
    """A status code and the body in `said`, parsed if it is JSON."""

    status: int
    said: dict | str

    @property
    def message(self):
        """The message of a Status."""
        return self.said["message"]


class Spot:
    """A new world with a clock that stands still. Uses no client code."""

    def __init__(self, clock=None, **options):
        self.clock = clock or ManualClock()
        self.world = World(clock=self.clock, **options)
        self.api = Api(self.world)

    def advance(self, seconds):
        """Advance the clock and run everything that is due by then."""
        self.clock.advance(seconds)
        self.api.tick()


class Tenant:
    """A caller of one organization. `api` is its Api, `spot` the simulated service."""

    def __init__(self, spot):
        self.spot, self.api, self.store = spot, spot.api, spot.world.store
        self.organization = spot.world.organizations[0]
        self.namespace = self.organization.namespace
        self.bearer = spot.world.identity.id_token(self.organization)

    def path(self, plural, name=""):
        """The path of a collection or an object in the tenant's namespace."""
        where = f"{GROUP}/namespaces/{self.namespace}/{plural}"
        return f"{where}/{name}" if name else where

    def respond(self, method, path, body=None, *, query=None, content_type="application/json", **headers):
        """Send a request; returns the raw response."""
        target = f"{path}?{urlencode(query)}" if query else path
        sent = {"Authorization": f"Bearer {self.bearer}", "Content-Type": content_type, **headers}
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.api.handle(Request.of(method, target, {k: v for k, v in sent.items() if v is not None}, data))

    def ask(self, method, path, body=None, **rest):
        """Send a request; returns the parsed answer."""
        response = self.respond(method, path, body, **rest)
        is_json = response.content_type == "application/json"
        return Answer(response.status, json.loads(response.body) if is_json else response.body.decode())

    def create(self, plural, name, spec, query=None, **metadata):
        """POST an object."""
        named = {"name": name} if name else {}
        body = {"apiVersion": "ngpc.rxt.io/v1", "kind": KINDS[plural], "metadata": {**named, **metadata}}
        return self.ask("POST", self.path(plural), {**body, "spec": spec}, query=query)

    def get(self, plural, name):
        """GET an object."""
        return self.ask("GET", self.path(plural, name))

    def list(self, plural, **query):
        """GET a collection."""
        return self.ask("GET", self.path(plural), query=query)

    def names(self, plural, **query):
        """The names in a collection."""
        return [each["metadata"]["name"] for each in self.list(plural, **query).said["items"]]

    def patch(self, plural, name, patch, content_type="application/merge-patch+json", query=None):
        """PATCH an object."""
        return self.ask("PATCH", self.path(plural, name), patch, content_type=content_type, query=query)

    def delete(self, plural, name, body=None):
        """DELETE an object."""
        return self.ask("DELETE", self.path(plural, name), body)

    def watch(self, plural, since, **query):
        """The events that a watch from a version returns without waiting."""
        query = {"watch": "true", "resourceVersion": since, **query}
        stream = self.respond("GET", self.path(plural), query=query).stream
        return [json.loads(chunk) for chunk in takewhile(bool, stream)]

    def cloudspace(self, name="prod", region="us-central-ord-1"):
        """Create a cloudspace and return it."""
        return self.create("cloudspaces", name, {"region": region, "kubernetesVersion": "1.31.1"}).said

    def pool(self, name, **spec):
        """Create a spot pool; by default a small, cheap one in `prod`."""
        usual = {"serverClass": "ch.vs1.large-ord", "cloudSpace": "prod", "desired": 1, "bidPrice": "0.02"}
        return self.create("spotnodepools", name, usual | spec)
