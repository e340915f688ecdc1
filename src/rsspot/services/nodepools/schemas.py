"""What spot and on-demand node pools are, on one base."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rsspot.models.fields import COLUMN, EXCLUSIVE, IMMUTABLE, UNORDERED, RefersTo, YieldsTo
from rsspot.models.money import Offer
from rsspot.models.resource import Model, Resource, Spec, Status, StringMap
from rsspot.resources.kind import Kind, Naming, Phase, Readiness
from rsspot.services.auction import BID, auction_readiness
from rsspot.services.nodepools.autopilot import AUTOPILOT_NODE_POOL
from rsspot.services.nodepools.taints import Taint

MOST_SERVERS = 10_000
"""Far above the service's own limit of servers in an organization."""


class Autoscaling(Model):
    """While enabled, the service moves `desired` between min_nodes and max_nodes."""

    enabled: Annotated[bool, EXCLUSIVE]
    min_nodes: Annotated[int | None, Field(ge=1)] = None
    max_nodes: Annotated[int | None, Field(ge=1)] = None


class PoolSpec(Spec):
    """What every pool has. desired is a number of servers."""

    cloud_space: Annotated[str, IMMUTABLE, RefersTo("CloudSpace", parent=True), COLUMN]
    server_class: Annotated[str, IMMUTABLE, RefersTo("ServerClass"), COLUMN]
    desired: Annotated[int, Field(ge=1, le=MOST_SERVERS), YieldsTo(("autoscaling", "enabled")), COLUMN]
    custom_labels: StringMap | None = None
    custom_annotations: StringMap | None = None
    custom_taints: Annotated[list[Taint] | None, UNORDERED] = None


class SpotNodePoolSpec(PoolSpec):
    """bid_price is the most that one server may cost per hour; the market price is what is paid."""

    bid_price: Annotated[Offer, BID, COLUMN]
    autoscaling: Autoscaling | None = None


class SpotNodePoolStatus(Status):
    """won_count is servers won, which may not have joined yet."""

    bid_status: Annotated[str | None, COLUMN] = None
    won_count: Annotated[int | None, COLUMN] = None


class SpotNodePool(Resource):
    """Servers of one class, won at auction."""

    spec: SpotNodePoolSpec
    status: SpotNodePoolStatus | None = None


class OnDemandNodePoolSpec(PoolSpec):
    """Rented at the class's on-demand price."""


class OnDemandNodePoolStatus(Status):
    """reserved_count is servers rented so far."""

    reserved_count: Annotated[int | None, COLUMN] = None
    reserved_status: Annotated[str | None, COLUMN] = None


class OnDemandNodePool(Resource):
    """Servers of one class, rented at a fixed price."""

    spec: OnDemandNodePoolSpec
    status: OnDemandNodePoolStatus | None = None


def spot_ready(pool: SpotNodePool) -> Readiness:
    """Ready when every server asked for is won."""
    status = pool.status or SpotNodePoolStatus()
    return auction_readiness(status.won_count or 0, pool.spec.desired, status.bid_status)


def rented_ready(pool: OnDemandNodePool) -> Readiness:
    """Ready when every server asked for is reserved."""
    reserved = (pool.status and pool.status.reserved_count) or 0
    phase = Phase.READY if reserved >= pool.spec.desired else Phase.PROGRESSING
    return Readiness(phase, f"reserved {reserved} of {pool.spec.desired}")


SPOT_NODE_POOL = Kind(
    SpotNodePool, plural="spotnodepools", summary="Servers won at auction.", naming=Naming.UUID, ready=spot_ready
)
ON_DEMAND_NODE_POOL = Kind(
    OnDemandNodePool,
    plural="ondemandnodepools",
    summary="Servers rented at a fixed price.",
    naming=Naming.UUID,
    ready=rented_ready,
)
KINDS = (SPOT_NODE_POOL, ON_DEMAND_NODE_POOL, AUTOPILOT_NODE_POOL)
