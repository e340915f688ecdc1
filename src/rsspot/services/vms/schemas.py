"""The VMCloudSpace, VMPool and VMSSHKey kinds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rsspot.models.authoring import WholeNumber, between, one_of, rule
from rsspot.models.fields import (
    ANY_FILE,
    COLUMN,
    IMMUTABLE,
    SECRET,
    SERVER_OWNED,
    TRIMMED,
    WHOLE,
    WIDE,
    Column,
    CommandLine,
    RefersTo,
    ServiceDefault,
)
from rsspot.models.money import Offer
from rsspot.models.resource import Model, Resource, Spec, Status
from rsspot.resources.kind import Kind, Naming, Phase, Readiness
from rsspot.resources.passing import without_passing
from rsspot.services.auction import BID, SERVERS, auction_readiness
from rsspot.services.billing import won_at_auction
from rsspot.services.vms.encoding import check_base64, check_public_key, in_base64


class SSHKeyRef(Model):
    """The SSH key for logging in to the machines."""

    name: Annotated[str, RefersTo("VMSSHKey", may_be_missing=True)]
    """Name of the VMSSHKey."""
    namespace: str | None = None
    """Namespace of the key, if it is another one."""


class VMCloudSpaceSpec(Spec):
    """What a VM cloudspace is to be: a region, and a key for logging in."""

    region: Annotated[str, IMMUTABLE, RefersTo("Region"), WHOLE]
    """Region of every machine."""
    vm_ssh_key_ref: Annotated[SSHKeyRef, Field(alias="vmSshKeyRef"), IMMUTABLE]
    """SSH key for logging in to the machines."""
    webhook: Annotated[str | None, SECRET, Field(repr=False)] = None
    """URL that is called when machines are about to be reclaimed."""
    bid_requests: Annotated[list[str] | None, SERVER_OWNED] = None
    """Names of the pools of the VM cloudspace."""


class AssignedVM(Model):
    """A delivered machine."""

    ip_address: str | None = None
    """IP address of the machine."""
    display_name: str | None = None
    """Name of the machine for people."""
    server_class_name: str | None = None
    """Class of the machine."""
    server_name: str | None = None
    """Identity of the machine, stable for its lifetime."""
    node_pool_name: str | None = None
    """Pool that won the machine."""
    state: str | None = None
    """State of the machine."""


class WonBid(Model):
    """The machines that one pool has won."""

    won_count: int = 0
    """Number of machines won."""


class VMCloudSpaceStatus(Status):
    """What became of a VM cloudspace."""

    phase: Annotated[str | None, WHOLE] = None
    """Where the VM cloudspace is in its life."""
    reason: str | None = None
    """Why the group is in this phase."""
    bids: dict[str, WonBid] | None = None
    """What each pool has won."""
    assigned_servers: dict[str, AssignedVM] | None = None
    """Machines by their identity."""


class VMCloudSpace(Resource):
    """A group of virtual machines in one region."""

    spec: VMCloudSpaceSpec
    status: VMCloudSpaceStatus | None = None


class VMPoolSpec(Spec):
    """What a pool of machines is to be: a number of machines of one class, and a bid for each."""

    vm_cloud_space: Annotated[
        str,
        Field(alias="vmCloudSpace"),
        IMMUTABLE,
        RefersTo("VMCloudSpace", parent=True),
        CommandLine("vmcloudspace"),
        WIDE,
    ]
    """Name of the VM cloudspace that the machines belong to."""
    server_class: Annotated[str, IMMUTABLE, RefersTo("ServerClass"), WHOLE]
    """Server class of every machine, in the region of the VM cloudspace. See `rsspot serverclasses list`."""
    desired: Annotated[WholeNumber, between(1, 10_000), SERVERS, CommandLine("desired", default=1), COLUMN]
    """Number of machines."""
    bid_price: Annotated[Offer, BID, WHOLE]
    """The most to pay for one machine, in dollars an hour: on the bid ladder, and at or above the minimum of the
    class and its market price. The market price is what is billed.
    """
    pool_type: Annotated[str | None, IMMUTABLE, one_of("spot"), ServiceDefault("spot")] = None
    """How machines are bought; the service offers spot."""
    vm_image: Annotated[str | None, IMMUTABLE, WIDE] = None
    """Operating system image of every machine, such as ubuntu24.04."""
    vm_user_data: Annotated[
        str | None,
        IMMUTABLE,
        SECRET,
        TRIMMED,
        rule(check_base64),
        CommandLine("vm-user-data", read=in_base64, file_option="vm-user-data-from-script"),
        Field(repr=False),
    ] = None
    """Cloud-init configuration of every machine, base64-encoded."""


class VMPoolStatus(Status):
    """What the auctions gave a pool."""

    bid_status: Annotated[str | None, Column("STATUS", whole=True)] = None
    """Result of the last auction, such as Fulfilled or Lost."""
    won_count: Annotated[int | None, Column("WON")] = None
    """Machines won; they may not be delivered yet."""


class VMPool(Resource):
    """Machines of one class and image, won at auction."""

    spec: VMPoolSpec
    status: VMPoolStatus | None = None


class VMSSHKeySpec(Spec):
    """What a key is."""

    public_key: Annotated[str, IMMUTABLE, TRIMMED, ANY_FILE, rule(check_public_key)]
    """The public key in OpenSSH's format of one line. A key cannot be changed, only replaced."""
    description: Annotated[str | None, IMMUTABLE, COLUMN] = None
    """What the key is for."""


class VMSSHKeyStatus(Status):
    """What the service found out about a key."""

    fingerprint: Annotated[str | None, COLUMN] = None
    """Fingerprint as `ssh-keygen -l` prints it."""
    validated: Annotated[bool | None, COLUMN] = None
    """Whether the service has accepted the key."""


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
    cost=won_at_auction,
)
VM_SSH_KEY = Kind(
    VMSSHKey,
    plural="vmsshkeys",
    short_names=("vmkey", "vmsk", "sshkeys"),
    summary="SSH public keys for logging in to virtual machines.",
    verbs=frozenset({"list", "get", "create", "delete"}),
)
KINDS = (VM_SSH_KEY, VM_CLOUD_SPACE, VM_POOL)
