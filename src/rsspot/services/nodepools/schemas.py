"""The SpotNodePool and OnDemandNodePool kinds, on a common base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from rsspot.models.authoring import Truth, WholeNumber, between
from rsspot.models.fields import (
    COLUMN,
    EXCLUSIVE,
    IMMUTABLE,
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
from rsspot.services.auction import BID, auction_readiness
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
    min_nodes: Annotated[
        WholeNumber | None,
        between(0, MOST_SERVERS),
        NeededWhen(ENABLED, 1),
        NotAbove(MAX_NODES),
        CommandLine("autoscaling-min"),
        WIDE,
    ] = None
    max_nodes: Annotated[
        WholeNumber | None, between(0, MOST_SERVERS), NeededWhen(ENABLED, 1), CommandLine("autoscaling-max"), WIDE
    ] = None


class PoolSpec(Spec):
    """The fields of every pool. desired: a number of servers."""

    cloud_space: Annotated[str, IMMUTABLE, RefersTo("CloudSpace", parent=True), CommandLine("cloudspace"), WIDE]
    server_class: Annotated[str, IMMUTABLE, RefersTo("ServerClass"), COLUMN]
    desired: Annotated[
        WholeNumber,
        between(1, MOST_SERVERS),
        YieldsTo(ENABLED),
        FilledIn(_least_servers),
        CommandLine("desired", default=1),
        COLUMN,
    ] = 0
    custom_labels: Annotated[StringMap | None, NODE_LABELS, CommandLine("label")] = None
    custom_annotations: Annotated[StringMap | None, ANNOTATIONS, CommandLine("annotation")] = None
    custom_taints: Taints = None


class SpotNodePoolSpec(PoolSpec):
    """bid_price: the most to pay for one server, in dollars per hour; the market price is what is billed."""

    bid_price: Annotated[Offer, BID, COLUMN]
    autoscaling: Autoscaling | None = None


class SpotNodePoolStatus(Status):
    """won_count: servers won; they may not have joined the cluster yet."""

    bid_status: Annotated[str | None, Column("STATUS")] = None
    won_count: Annotated[int | None, Column("WON")] = None


class SpotNodePool(Resource):
    """Servers of one class, won at auction."""

    spec: SpotNodePoolSpec
    status: SpotNodePoolStatus | None = None


class OnDemandNodePoolSpec(PoolSpec):
    """The spec of a pool billed at the class's on-demand price."""


class OnDemandNodePoolStatus(Status):
    """reserved_count: servers rented so far."""

    reserved_count: Annotated[int | None, Column("RESERVED")] = None
    reserved_status: Annotated[str | None, Column("STATUS")] = None


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
)
ON_DEMAND_NODE_POOL = Kind(
    OnDemandNodePool,
    plural="ondemandnodepools",
    short_names=("odnp",),
    summary="Servers rented at a fixed price.",
    naming=Naming.UUID,
    ready=rented_ready,
)
KINDS = (SPOT_NODE_POOL, ON_DEMAND_NODE_POOL, AUTOPILOT_NODE_POOL)
