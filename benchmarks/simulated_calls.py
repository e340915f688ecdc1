"""Calls to the simulator as values, and a simulated world in this process that answers them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World

VERSION = "ngpc.rxt.io/v1"
NAMESPACE = "org-sandbox000000001"
POOLS = f"/apis/{VERSION}/namespaces/{NAMESPACE}/spotnodepools"
CLOUDSPACES = f"/apis/{VERSION}/namespaces/{NAMESPACE}/cloudspaces"
MERGE = "application/merge-patch+json"


def name_of(number: int) -> str:
    """The wire name of a pool."""
    return f"00000000-0000-4000-8000-{number:012x}"


def cloudspace(name: str = "prod") -> dict[str, object]:
    """A cloudspace as a caller writes it."""
    spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}
    return {"apiVersion": VERSION, "kind": "CloudSpace", "metadata": {"name": name}, "spec": spec}


def pool(number: int, group: str = "prod", **more: object) -> dict[str, object]:
    """A spot pool as a caller writes it."""
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": group, "desired": 1, "bidPrice": "0.02", **more}
    return {"apiVersion": VERSION, "kind": "SpotNodePool", "metadata": {"name": name_of(number)}, "spec": spec}


def noted(number: int) -> dict[str, object]:
    """A merge patch that sets the annotation `note` to a number."""
    return {"metadata": {"annotations": {"note": str(number)}}}


@dataclass(frozen=True)
class Call:
    """A request, for the served simulator or the one in process."""

    method: str
    target: str
    body: bytes = b""
    media: str = "application/json"

    @classmethod
    def of(cls, method: str, target: str, body: object, media: str = "application/json") -> Call:
        """A request with a JSON body."""
        return cls(method, target, json.dumps(body).encode(), media)


def created(number: int, group: str = "prod") -> Call:
    """POST a pool."""
    return Call.of("POST", POOLS, pool(number, group))


def patched(number: int, note: int) -> Call:
    """PATCH a pool."""
    return Call.of("PATCH", f"{POOLS}/{name_of(number)}", noted(note), MERGE)


def got(number: int) -> Call:
    """GET a pool."""
    return Call("GET", f"{POOLS}/{name_of(number)}")


class Local:
    """A simulated world in this process, with an authenticated caller."""

    def __init__(self, path: Path | None = None) -> None:
        self.clock = ManualClock()
        self.world = World(path, clock=self.clock)
        self.api = Api(self.world)
        self.headers = {"Host": "127.0.0.1", "User-Agent": "bench", "Authorization": f"Bearer {self.token()}"}

    def token(self) -> str:
        """A new id token."""
        return self.world.identity.id_token(self.world.organizations[0])

    def ask(self, call: Call) -> Response:
        """The response to a call; asserts that it succeeds."""
        headers = {**self.headers, "Content-Type": call.media}
        response = self.api.handle(Request.of(call.method, call.target, headers, call.body))
        assert response.status in (200, 201), response.body
        return response

    def fill(self, count: int, first: int = 1_000_000) -> None:
        """Add pools to `prod`: copies of a created one, put into the store without validation."""
        made = json.loads(self.ask(created(first)).body)
        with self.world.store.transaction():
            for number in range(first + 1, first + count):
                metadata = {**made["metadata"], "name": name_of(number), "uid": name_of(number)}
                self.world.store.put("spotnodepools", {**made, "metadata": metadata})
