"""The SpotNodePool and OnDemandNodePool kinds, on a common base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from rsspot.models.authoring import Truth, WholeNumber, between
from rsspot.models.fields import (
    COLUMN,
    EXCLUSIVE,
    IMMUTABLE,
    WHOLE,
    WIDE,
    Column,
    CommandLine,
    FilledIn,
    NeededWhen,
    NotAbove,
    RefersTo,
    YieldsTo,
)
from rsspot.models.labels import ANNOTATIONS, NODE_LABELS
from rsspot.models.money import Offer
from rsspot.models.resource import Model, Resource, Spec, Status, StringMap
from rsspot.resources.kind import Kind, Naming, Phase, Readiness
from rsspot.services.auction import BID, SERVERS, auction_readiness
from rsspot.services.billing import rented, won_at_auction
from rsspot.services.nodepools.autopilot import AUTOPILOT_NODE_POOL
from rsspot.services.nodepools.taints import Taints

MOST_SERVERS = 10_000
"""A sanity limit, far above the service's own limit per organization."""
ENABLED, MAX_NODES = ("autoscaling", "enabled"), ("autoscaling", "maxNodes")


def _least_servers(spec: Mapping[str, Any]) -> Any:
    """What an autoscaled pool begins with; any other pool has to say how many servers it is for."""
    autoscaling = spec.get("autoscaling") or {}
    return autoscaling.get("minNodes") if autoscaling.get("enabled") else None


Bound = Annotated[WholeNumber | None, between(0, MOST_SERVERS), NeededWhen(ENABLED, 1)]


class Autoscaling(Model):
    """While enabled, the service sets `desired`, between min_nodes and max_nodes."""

    enabled: Annotated[Truth, EXCLUSIVE, Column("AUTOSCALING", wide=True)]
    """Whether the service sets the number of servers. At most one pool of a cloudspace may have it."""
    min_nodes: Annotated[Bound, NotAbove(MAX_NODES), CommandLine("autoscaling-min"), WIDE] = None
    """Fewest servers while enabled."""
    max_nodes: Annotated[Bound, CommandLine("autoscaling-max"), WIDE] = None
    """Most servers while enabled."""


class PoolSpec(Spec):
    """The fields of every pool."""

    cloud_space: Annotated[str, IMMUTABLE, RefersTo("CloudSpace", parent=True), CommandLine("cloudspace"), WIDE]
    """Name of the cloudspace whose nodes these are."""
    server_class: Annotated[str, IMMUTABLE, RefersTo("ServerClass"), WHOLE]
    """Server class of every node, in the region of the cloudspace. See `rsspot serverclasses list`."""
    desired: Annotated[
        WholeNumber,
        between(1, MOST_SERVERS),
        SERVERS,
        YieldsTo(ENABLED),
        FilledIn(_least_servers),
        CommandLine("desired", default=1),
        COLUMN,
    ] = 0
    """Number of servers. May be left out, and is left alone, while autoscaling is enabled."""
    custom_labels: Annotated[StringMap | None, NODE_LABELS, CommandLine("label")] = None
    """Kubernetes labels of every node."""
    custom_annotations: Annotated[StringMap | None, ANNOTATIONS, CommandLine("annotation")] = None
    """Kubernetes annotations of every node."""
    custom_taints: Taints = None
    """Kubernetes taints of every node."""


class SpotNodePoolSpec(PoolSpec):
    """What a spot pool is to be: a number of servers of one class, and a bid for each."""

    bid_price: Annotated[Offer, BID, WHOLE]
    """The most to pay for one server, in dollars an hour: on the bid ladder, and at or above the minimum of the
    class and its market price. The market price is what is billed.
    """
    autoscaling: Autoscaling | None = None
    """Lets the service set the number of servers."""


class SpotNodePoolStatus(Status):
    """What the auctions gave a pool."""

    bid_status: Annotated[str | None, Column("STATUS", whole=True)] = None
    """Result of the last auction, such as Fulfilled or Lost."""
    won_count: Annotated[int | None, Column("WON")] = None
    """Servers won; they may not have joined the cluster yet."""


class SpotNodePool(Resource):
    """Servers of one class, won at auction."""

    spec: SpotNodePoolSpec
    status: SpotNodePoolStatus | None = None


class OnDemandNodePoolSpec(PoolSpec):
    """The spec of a pool billed at the class's on-demand price."""


class OnDemandNodePoolStatus(Status):
    """What a pool has rented."""

    reserved_count: Annotated[int | None, Column("RESERVED")] = None
    """Servers rented so far."""
    reserved_status: Annotated[str | None, Column("STATUS", whole=True)] = None
    """State of the reservation."""


class OnDemandNodePool(Resource):
    """Servers of one class, rented at a fixed price."""

    spec: OnDemandNodePoolSpec
    status: OnDemandNodePoolStatus | None = None


def spot_ready(pool: SpotNodePool) -> Readiness:
    """Ready when all desired servers are won."""
    status = pool.status or SpotNodePoolStatus()
    return auction_readiness(status.won_count or 0, pool.spec.desired, status.bid_status)


def rented_ready(pool: OnDemandNodePool) -> Readiness:
    """Ready when all desired servers are reserved."""
    reserved = (pool.status and pool.status.reserved_count) or 0
    phase = Phase.READY if reserved >= pool.spec.desired else Phase.PROGRESSING
    return Readiness(phase, f"reserved {reserved} of {pool.spec.desired}")


SPOT_NODE_POOL = Kind(
    SpotNodePool,
    plural="spotnodepools",
    short_names=("snp", "pools", "nodepools"),
    summary="Servers won at auction.",
    naming=Naming.UUID,
    ready=spot_ready,
    cost=won_at_auction,
)
ON_DEMAND_NODE_POOL = Kind(
    OnDemandNodePool,
    plural="ondemandnodepools",
    short_names=("odnp",),
    summary="Servers rented at a fixed price.",
    naming=Naming.UUID,
    ready=rented_ready,
    cost=rented,
)
KINDS = (SPOT_NODE_POOL, ON_DEMAND_NODE_POOL, AUTOPILOT_NODE_POOL)
