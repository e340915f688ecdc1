"""The CloudSpace kind: its fields, which are immutable, and its readiness."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rsspot.models.authoring import Truth, one_of, rule
from rsspot.models.fields import (
    COLUMN,
    DEFAULTED,
    IMMUTABLE,
    SECRET,
    SERVER_OWNED,
    WIDE,
    Column,
    FilledIn,
    Needs,
    RefersTo,
    Version,
)
from rsspot.models.resource import Model, Resource, Spec, Status
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.resources.passing import without_passing
from rsspot.services.cloudspaces.versions import KNOWN, full_version


class CloudSpaceSpec(Spec):
    """webhook: a URL called when servers are reclaimed · kubernetes_version: x.y.z, can only be raised; by
    default the newest on record when the cloudspace is made.
    """

    region: Annotated[str, IMMUTABLE, RefersTo("Region"), COLUMN]
    kubernetes_version: Annotated[
        str, rule(full_version), Version(KNOWN), FilledIn(lambda _: KNOWN[-1]), Column("VERSION")
    ] = ""
    cni: Annotated[str | None, IMMUTABLE, one_of("calico", "cilium", "byocni"), WIDE] = None
    ha_control_plane: Annotated[Truth | None, DEFAULTED, Needs(("type",), "hosted"), Field(alias="HAControlPlane")] = (
        None
    )
    type: Annotated[str | None, IMMUTABLE] = None
    deployment_type: Annotated[str | None, IMMUTABLE, one_of("gen1", "gen2"), WIDE] = None
    cloud: Annotated[str | None, IMMUTABLE] = None
    webhook: Annotated[str | None, SECRET, Field(repr=False)] = None
    gpu_enabled: Annotated[Truth | None, WIDE] = None
    bid_requests: Annotated[list[str] | None, SERVER_OWNED] = None
    on_demand_requests: Annotated[list[str] | None, SERVER_OWNED] = None


class AssignedServer(Model):
    """A server assigned to the cloudspace."""

    ip: Annotated[str | None, Field(alias="IP")] = None
    server_class_name: str | None = None
    server_name: str | None = None
    server_type: str | None = None
    state: str | None = None


class CloudSpaceStatus(Status):
    """api_server_endpoint: a host without a scheme, empty until the control plane is up."""

    phase: Annotated[str | None, COLUMN] = None
    reason: Annotated[str | None, WIDE] = None
    health: Annotated[str | None, WIDE] = None
    api_server_endpoint: Annotated[str | None, Field(alias="APIServerEndpoint"), Column("API SERVER")] = None
    current_kubernetes_version: Annotated[str | None, Column("RUNNING", wide=True)] = None
    first_ready_timestamp: str | None = None
    assigned_servers: dict[str, AssignedServer] | None = None
    conditions: list[dict[str, Any]] | None = None


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


CLOUD_SPACE = Kind(
    CloudSpace,
    plural="cloudspaces",
    short_names=("cs",),
    summary="Kubernetes clusters on spot capacity.",
    ready=ready,
)
KINDS = (CLOUD_SPACE,)
