"""The VMCloudSpace, VMPool and VMSSHKey kinds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rsspot.models.authoring import WholeNumber, between, one_of, rule
from rsspot.models.fields import (
    COLUMN,
    IMMUTABLE,
    SECRET,
    SERVER_OWNED,
    TRIMMED,
    WIDE,
    Column,
    CommandLine,
    RefersTo,
)
from rsspot.models.money import Offer
from rsspot.models.resource import Model, Resource, Spec, Status
from rsspot.resources.kind import Kind, Naming, Phase, Readiness
from rsspot.resources.passing import without_passing
from rsspot.services.auction import BID, auction_readiness
from rsspot.services.vms.encoding import check_base64, check_public_key, in_base64


class SSHKeyRef(Model):
    """The SSH key for logging in to the machines."""

    name: Annotated[str, RefersTo("VMSSHKey", may_be_missing=True)]
    namespace: str | None = None


class VMCloudSpaceSpec(Spec):
    """webhook: a URL called when machines are reclaimed."""

    region: Annotated[str, IMMUTABLE, RefersTo("Region"), COLUMN]
    vm_ssh_key_ref: Annotated[SSHKeyRef, Field(alias="vmSshKeyRef"), IMMUTABLE]
    webhook: Annotated[str | None, SECRET, Field(repr=False)] = None
    bid_requests: Annotated[list[str] | None, SERVER_OWNED] = None


class AssignedVM(Model):
    """A delivered machine. server_name: its identity, stable for its lifetime."""

    ip_address: str | None = None
    display_name: str | None = None
    server_class_name: str | None = None
    server_name: str | None = None
    node_pool_name: str | None = None
    state: str | None = None


class WonBid(Model):
    """The machines that one pool has won."""

    won_count: int = 0


class VMCloudSpaceStatus(Status):
    """assigned_servers: machine identity -> machine."""

    phase: Annotated[str | None, COLUMN] = None
    reason: str | None = None
    bids: dict[str, WonBid] | None = None
    assigned_servers: dict[str, AssignedVM] | None = None


class VMCloudSpace(Resource):
    """A group of virtual machines in one region."""

    spec: VMCloudSpaceSpec
    status: VMCloudSpaceStatus | None = None


class VMPoolSpec(Spec):
    """bid_price: the most to pay for one machine, in dollars per hour · vm_user_data: base64-encoded cloud-init."""

    vm_cloud_space: Annotated[
        str,
        Field(alias="vmCloudSpace"),
        IMMUTABLE,
        RefersTo("VMCloudSpace", parent=True),
        CommandLine("vmcloudspace"),
        WIDE,
    ]
    server_class: Annotated[str, IMMUTABLE, RefersTo("ServerClass"), COLUMN]
    desired: Annotated[WholeNumber, between(1, 10_000), CommandLine("desired", default=1), COLUMN]
    bid_price: Annotated[Offer, BID, COLUMN]
    pool_type: Annotated[str | None, IMMUTABLE, one_of("spot")] = None
    vm_image: Annotated[str | None, IMMUTABLE, WIDE] = None
    vm_user_data: Annotated[
        str | None,
        IMMUTABLE,
        SECRET,
        TRIMMED,
        rule(check_base64),
        CommandLine("vm-user-data", read=in_base64, file_option="vm-user-data-from-script"),
        Field(repr=False),
    ] = None


class VMPoolStatus(Status):
    """won_count: machines won; they may not be delivered yet."""

    bid_status: Annotated[str | None, Column("STATUS")] = None
    won_count: Annotated[int | None, Column("WON")] = None


class VMPool(Resource):
    """Machines of one class and image, won at auction."""

    spec: VMPoolSpec
    status: VMPoolStatus | None = None


class VMSSHKeySpec(Spec):
    """public_key: in OpenSSH's one-line format. A key cannot be changed, only replaced."""

    public_key: Annotated[str, IMMUTABLE, TRIMMED, rule(check_public_key)]
    description: Annotated[str | None, IMMUTABLE, COLUMN] = None


class VMSSHKeyStatus(Status):
    """fingerprint: as `ssh-keygen -l` prints it."""

    fingerprint: Annotated[str | None, COLUMN] = None
    validated: Annotated[bool | None, COLUMN] = None


class VMSSHKey(Resource):
    """An SSH public key for logging in to virtual machines."""

    spec: VMSSHKeySpec
    status: VMSSHKeyStatus | None = None


def group_ready(group: VMCloudSpace) -> Readiness:
    """Ready when the group's phase is Ready and all machines that it won are delivered."""
    status = group.status or VMCloudSpaceStatus()
    won = sum(bid.won_count for bid in (status.bids or {}).values())
    delivered = sum(1 for vm in (status.assigned_servers or {}).values() if vm.ip_address)
    if status.phase != "Ready":
        seen = without_passing(status.phase, status.reason)
        return Readiness(Phase.PROGRESSING, " ".join(filter(None, seen)) or "accepted")
    phase = Phase.READY if delivered >= won else Phase.PROGRESSING
    return Readiness(phase, f"delivered {delivered} of {won}")


def pool_ready(pool: VMPool) -> Readiness:
    """Ready when all desired machines are won."""
    status = pool.status or VMPoolStatus()
    return auction_readiness(status.won_count or 0, pool.spec.desired, status.bid_status)


VM_CLOUD_SPACE = Kind(
    VMCloudSpace,
    plural="vmcloudspaces",
    short_names=("vmcs",),
    summary="Groups of plain virtual machines.",
    ready=group_ready,
)
VM_POOL = Kind(
    VMPool,
    plural="vmpools",
    short_names=("vmp",),
    summary="Virtual machines won at auction.",
    naming=Naming.UUID,
    ready=pool_ready,
)
VM_SSH_KEY = Kind(
    VMSSHKey,
    plural="vmsshkeys",
    short_names=("vmkey", "sshkeys"),
    summary="SSH public keys for logging in to virtual machines.",
    verbs=frozenset({"list", "get", "create", "delete"}),
)
KINDS = (VM_SSH_KEY, VM_CLOUD_SPACE, VM_POOL)
