"""The CloudSpace kind: its fields, which are immutable, and its readiness."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rsspot.models.authoring import Truth, one_of, rule
from rsspot.models.costs import HA_CONTROL_PLANE, Cost, Rates
from rsspot.models.fields import (
    DEFAULTED,
    IMMUTABLE,
    SECRET,
    SERVER_OWNED,
    WHOLE,
    WIDE,
    Column,
    FilledIn,
    Needs,
    RefersTo,
    ServiceDefault,
    Version,
)
from rsspot.models.resource import Model, Resource, Spec, Status
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.resources.passing import without_passing
from rsspot.services.billing import fee_if
from rsspot.services.cloudspaces.versions import FULL_PATTERN, KNOWN, full_version
from rsspot.utils.serialization import Document


class CloudSpaceSpec(Spec):
    """What a cloudspace is to be: a region, a Kubernetes version, a network plugin."""

    region: Annotated[str, IMMUTABLE, RefersTo("Region"), WHOLE]
    """Region of the control plane and of every server."""
    kubernetes_version: Annotated[
        str,
        rule(full_version, pattern=FULL_PATTERN),
        Version(KNOWN),
        FilledIn(lambda _: KNOWN[-1]),
        Column("VERSION", whole=True),
    ] = ""
    """Kubernetes version as x.y.z. It can be raised and never lowered. By default the newest on record when the
    cloudspace is made.
    """
    cni: Annotated[str | None, IMMUTABLE, one_of("calico", "cilium", "byocni"), WIDE] = None
    """Network plugin of the cluster; byocni installs none."""
    ha_control_plane: Annotated[Truth | None, DEFAULTED, Needs(("type",), "hosted"), Field(alias="HAControlPlane")] = (
        None
    )
    """Whether the control plane is replicated. Needs type hosted."""
    type: Annotated[str | None, IMMUTABLE] = None
    """Type of the control plane, such as hosted."""
    deployment_type: Annotated[str | None, IMMUTABLE, one_of("gen1", "gen2"), ServiceDefault("gen2"), WIDE] = None
    """Generation of the platform that the cluster runs on."""
    cloud: Annotated[str | None, IMMUTABLE, ServiceDefault("default")] = None
    """Cloud that the cluster runs on; the service has one, called default."""
    webhook: Annotated[str | None, SECRET, Field(repr=False)] = None
    """URL that is called when servers are about to be reclaimed."""
    gpu_enabled: Annotated[Truth | None, WIDE] = None
    """Whether the cluster is prepared for servers with GPUs."""
    bid_requests: Annotated[list[str] | None, SERVER_OWNED] = None
    """Names of the spot pools of the cloudspace."""
    on_demand_requests: Annotated[list[str] | None, SERVER_OWNED] = None
    """Names of the on-demand pools of the cloudspace."""


class AssignedServer(Model):
    """A server assigned to the cloudspace."""

    ip: Annotated[str | None, Field(alias="IP")] = None
    """IP address of the server."""
    server_class_name: str | None = None
    """Class of the server."""
    server_name: str | None = None
    """Name of the server."""
    server_type: str | None = None
    """Whether the server was won at auction or is rented on demand."""
    state: str | None = None
    """State of the server."""


class CloudSpaceStatus(Status):
    """What became of a cloudspace."""

    phase: Annotated[str | None, WHOLE] = None
    """Where the cloudspace is in its life, such as Provisioning or Ready."""
    reason: Annotated[str | None, WIDE] = None
    """Why the cloudspace is in this phase."""
    health: Annotated[str | None, WIDE] = None
    """Health of the control plane."""
    api_server_endpoint: Annotated[str | None, Field(alias="APIServerEndpoint"), Column("API SERVER")] = None
    """Host of the Kubernetes API, without a scheme; empty until the control plane is up."""
    current_kubernetes_version: Annotated[str | None, Column("RUNNING", wide=True)] = None
    """Kubernetes version that is running."""
    first_ready_timestamp: str | None = None
    """When the cloudspace was ready for the first time."""
    assigned_servers: dict[str, AssignedServer] | None = None
    """Servers of the cloudspace by name."""
    conditions: list[dict[str, Any]] | None = None
    """Conditions as Kubernetes objects have them."""


class CloudSpace(Resource):
    """A Kubernetes cluster; its servers are won at auction or rented on demand."""

    spec: CloudSpaceSpec
    status: CloudSpaceStatus | None = None


def ready(cloudspace: CloudSpace) -> Readiness:
    """Ready once its API server has an endpoint. It needs no servers for that: node pools are created after it."""
    status = cloudspace.status or CloudSpaceStatus()
    running, wanted = status.current_kubernetes_version, cloudspace.spec.kubernetes_version
    if status.api_server_endpoint and running not in (None, "", wanted):
        return Readiness(Phase.PROGRESSING, f"upgrading from {running} to {wanted}")
    if status.api_server_endpoint:
        return Readiness(Phase.READY, status.api_server_endpoint)
    # The phase is briefly Error after every create, so Error does not mean that it has failed.
    seen = without_passing(status.phase, status.reason)
    return Readiness(Phase.PROGRESSING, " ".join(filter(None, seen)) or "accepted")


def cost(spec: Document, rates: Rates) -> Cost:
    """A control plane costs nothing unless it is replicated. Servers are those of the pools."""
    return fee_if(spec.get("HAControlPlane"), HA_CONTROL_PLANE, rates)


CLOUD_SPACE = Kind(
    CloudSpace,
    plural="cloudspaces",
    short_names=("cs",),
    summary="Kubernetes clusters on spot capacity.",
    ready=ready,
    cost=cost,
)
KINDS = (CLOUD_SPACE,)
