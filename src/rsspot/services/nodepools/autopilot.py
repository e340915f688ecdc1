"""The AutopilotNodePool kind: a number of vCPUs within an hourly budget. The service picks the server classes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from rsspot.models.authoring import WholeNumber, between, one_of
from rsspot.models.fields import COLUMN, DEFAULTED, IMMUTABLE, WIDE, Column, CommandLine, NotAbove, RefersTo
from rsspot.models.labels import ANNOTATIONS, NODE_LABELS
from rsspot.models.money import Offer
from rsspot.models.resource import Model, Resource, Spec, Status, StringMap
from rsspot.resources.kind import Kind, Naming, Phase, Readiness
from rsspot.services.nodepools.taints import Taints


class TotalCPU(Model):
    """total: a number of vCPUs, a multiple of the smallest node size."""

    total: Annotated[WholeNumber, between(1, 1_000_000), Column("VCPU")]


class CPUPerNode(Model):
    """The size of one node, in vCPUs."""

    min: Annotated[WholeNumber | None, between(1, 1_000_000), NotAbove(("vcpuPerNode", "max"))] = None
    max: Annotated[WholeNumber | None, between(1, 1_000_000)] = None


def _as_text(value: object) -> object:
    """Amounts of memory are strings in the API."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Gigabytes = Annotated[str | None, BeforeValidator(_as_text)]


class AutopilotNodePoolSpec(Spec):
    """budget_per_hour: the most that the whole pool may cost, in dollars · memory_per_vcpu: in GB, or `any`."""

    cloud_space: Annotated[str, IMMUTABLE, RefersTo("CloudSpace", parent=True), CommandLine("cloudspace"), WIDE]
    region: Annotated[str, IMMUTABLE, RefersTo("Region")]
    vcpu: TotalCPU
    vcpu_per_node: CPUPerNode | None = None
    memory_per_vcpu: Annotated[
        str | None,
        DEFAULTED,
        BeforeValidator(_as_text),
        one_of("any", "2", "4", "8"),
        Field(alias="memoryPerVCPU"),
    ] = None
    budget_per_hour: Annotated[Offer, Column("BUDGET")]
    allocation_strategy: Annotated[str | None, DEFAULTED, one_of("LowestPrice")] = None
    custom_labels: Annotated[StringMap | None, NODE_LABELS, CommandLine("label")] = None
    custom_annotations: Annotated[StringMap | None, ANNOTATIONS, CommandLine("annotation")] = None
    custom_taints: Taints = None


class Allocation(Model):
    """Servers of one class that the service bids for. spot_node_pool: the pool it created for them."""

    server_class: str | None = None
    spot_node_pool: str | None = None
    memory_gb_per_node: Annotated[Gigabytes, Field(alias="memoryGBPerNode")] = None
    desired_nodes: int | None = None
    won_nodes: int | None = None


class AutopilotNodePoolStatus(Status):
    """managed_vcpus: how many of target_vcpus have been won."""

    phase: Annotated[str | None, COLUMN] = None
    target_vcpus: Annotated[int | None, Field(alias="targetVCPUs")] = None
    managed_vcpus: Annotated[int | None, Field(alias="managedVCPUs"), Column("MANAGED")] = None
    managed_memory_gb: Annotated[Gigabytes, Field(alias="managedMemoryGB")] = None
    allocations: list[Allocation] | None = None


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
)
