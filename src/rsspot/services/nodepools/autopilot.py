"""The AutopilotNodePool kind: a number of vCPUs within an hourly budget. The service picks the server classes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from rsspot.models.authoring import WholeNumber, between, one_of
from rsspot.models.fields import (
    DEFAULTED,
    IMMUTABLE,
    WHOLE,
    WIDE,
    Column,
    CommandLine,
    NotAbove,
    RefersTo,
    ServiceDefault,
)
from rsspot.models.labels import ANNOTATIONS, NODE_LABELS
from rsspot.models.money import Offer
from rsspot.models.resource import Model, Resource, Spec, Status, StringMap
from rsspot.resources.kind import Kind, Naming, Phase, Readiness
from rsspot.services.billing import budgeted
from rsspot.services.nodepools.taints import Taints


class TotalCPU(Model):
    """The size of a pool, in vCPUs."""

    total: Annotated[WholeNumber, between(1, 1_000_000), Column("VCPU")]
    """Number of vCPUs, a multiple of the smallest node size."""


class CPUPerNode(Model):
    """The size of one node, in vCPUs."""

    min: Annotated[WholeNumber | None, between(1, 1_000_000), NotAbove(("vcpuPerNode", "max"))] = None
    """Fewest vCPUs of a node."""
    max: Annotated[WholeNumber | None, between(1, 1_000_000)] = None
    """Most vCPUs of a node."""


def _as_text(value: object) -> object:
    """Amounts of memory are strings in the API."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Gigabytes = Annotated[str | None, BeforeValidator(_as_text)]


class AutopilotNodePoolSpec(Spec):
    """What an autopilot pool is to be: a number of vCPUs, and a budget for all of them."""

    cloud_space: Annotated[str, IMMUTABLE, RefersTo("CloudSpace", parent=True), CommandLine("cloudspace"), WIDE]
    """Name of the cloudspace whose nodes these are."""
    region: Annotated[str, IMMUTABLE, RefersTo("Region")]
    """Region of the cloudspace."""
    vcpu: TotalCPU
    """How many vCPUs all nodes have together."""
    vcpu_per_node: CPUPerNode | None = None
    """Bounds of the size of one node."""
    memory_per_vcpu: Annotated[
        str | None,
        DEFAULTED,
        ServiceDefault("any"),
        BeforeValidator(_as_text),
        one_of("any", "2", "4", "8"),
        Field(alias="memoryPerVCPU"),
    ] = None
    """Memory of a node in GB for each vCPU, or any."""
    budget_per_hour: Annotated[Offer, Column("BUDGET", whole=True)]
    """The most that all nodes may cost together, in dollars an hour."""
    allocation_strategy: Annotated[str | None, DEFAULTED, ServiceDefault("LowestPrice"), one_of("LowestPrice")] = None
    """How server classes are chosen."""
    custom_labels: Annotated[StringMap | None, NODE_LABELS, CommandLine("label")] = None
    """Kubernetes labels of every node."""
    custom_annotations: Annotated[StringMap | None, ANNOTATIONS, CommandLine("annotation")] = None
    """Kubernetes annotations of every node."""
    custom_taints: Taints = None
    """Kubernetes taints of every node."""


class Allocation(Model):
    """Servers of one class that the service bids for."""

    server_class: str | None = None
    """Class of the servers."""
    spot_node_pool: str | None = None
    """Spot pool that the service made for them."""
    memory_gb_per_node: Annotated[Gigabytes, Field(alias="memoryGBPerNode")] = None
    """Memory of one node in GB."""
    desired_nodes: int | None = None
    """Number of servers that the service bids for."""
    won_nodes: int | None = None
    """Number of servers won."""


class AutopilotNodePoolStatus(Status):
    """How much of a pool has been won."""

    phase: Annotated[str | None, WHOLE] = None
    """Where the pool is in its life."""
    target_vcpus: Annotated[int | None, Field(alias="targetVCPUs")] = None
    """Number of vCPUs asked for."""
    managed_vcpus: Annotated[int | None, Field(alias="managedVCPUs"), Column("MANAGED")] = None
    """Number of vCPUs won."""
    managed_memory_gb: Annotated[Gigabytes, Field(alias="managedMemoryGB")] = None
    """Memory won, in GB."""
    allocations: list[Allocation] | None = None
    """What the service bids for, by server class."""


class AutopilotNodePool(Resource):
    """Capacity in a cloudspace, for which the service bids on the cheapest classes."""

    spec: AutopilotNodePoolSpec
    status: AutopilotNodePoolStatus | None = None


def ready(pool: AutopilotNodePool) -> Readiness:
    """Ready when the requested number of vCPUs has been won."""
    status = pool.status or AutopilotNodePoolStatus()
    won, wanted = status.managed_vcpus or 0, pool.spec.vcpu.total
    note = f"won {won} of {wanted} vCPUs"
    if won >= wanted:
        return Readiness(Phase.READY, note)
    return Readiness(Phase.PARTIAL if won else Phase.PROGRESSING, note)


AUTOPILOT_NODE_POOL = Kind(
    AutopilotNodePool,
    plural="autopilotnodepools",
    short_names=("anp",),
    summary="Capacity that the service bids for automatically.",
    naming=Naming.UUID,
    ready=ready,
    cost=budgeted,
)
