"""Events of an organization, newest first: recorded by the controllers, read at the metrics endpoint.

These are not Kubernetes Event objects, which tenants cannot see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.apiserver.messages import Refusal, Request, Response
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.clock import rfc3339

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld

USUAL = 100
"""The default number of events in a response."""


def tell(world: SpotWorld, group: Object, message: str) -> None:
    """Record an event of a cloudspace or VM cloudspace."""
    metadata = group["metadata"]
    world.store.add_event(metadata["namespace"], metadata["name"], rfc3339(world.now), message)


def events_endpoint(world: SpotWorld, caller: Tenant, request: Request) -> Response:
    """GET /apis/metrics.ngpc.rxt.io/v1/events/organizations?limits=N&cloudspace=NAME: pairs of strings."""
    cloudspace = request.query.get("cloudspace", "")
    events = world.store.events(caller.namespace, cloudspace, _limit(request))
    about = {"cloudspace_id": cloudspace} if cloudspace else {}
    return Response.of_json(200, {"org_id": caller.id, **about, "events": events})


def _limit(request: Request) -> int:
    """The `limits` parameter; the plural is the service's name for it."""
    text = request.query.get("limits") or str(USUAL)
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refusal(400, "BadRequest", f"limits: not a number: {text!r}")
    return int(text)
