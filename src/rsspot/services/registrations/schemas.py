"""The Registration kind, and the VMRegistration that it expands to for each machine of its VM cloudspace."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from pydantic import Field

from rsspot.constants import LOCAL_API_VERSION, STACK_LABEL
from rsspot.models.absence import Absence
from rsspot.models.fields import COLUMN, IMMUTABLE, WIDE, WRITE_ONLY, Column, RefersTo
from rsspot.models.resource import Resource, Spec, Status
from rsspot.resources.kind import Kind, Naming
from rsspot.services.registrations.registrar import Registrar, RegistrationRetry
from rsspot.utils.serialization import Document, at_path

NOT_KEPT = "the ledger does not keep it"


class RegistrationSpec(Spec):
    """Which machines to register, with what, and how."""

    vm_cloud_space: Annotated[str, Field(alias="vmCloudSpace"), RefersTo("VMCloudSpace", parent=True), COLUMN]
    """Name of the VM cloudspace whose machines are registered."""
    omni_cluster: Annotated[str, COLUMN]
    """Name of the cluster that they are registered with."""
    registrar: Registrar
    """What registers them: a program, a webhook or a Python function."""
    retry: RegistrationRetry = RegistrationRetry()
    """How often a machine is tried before it is left to people."""


class Registration(Resource):
    """The intent to register all machines of a VM cloudspace, including later ones."""

    api_version: str = LOCAL_API_VERSION
    spec: RegistrationSpec


class VMRegistrationSpec(Spec):
    """One machine and the cluster that it is registered with."""

    vm_cloud_space: Annotated[str, Field(alias="vmCloudSpace"), IMMUTABLE, RefersTo("VMCloudSpace", parent=True), WIDE]
    """Name of the VM cloudspace of the machine."""
    vm_uid: Annotated[str, IMMUTABLE]
    """Identity of the machine."""
    vm_name: Annotated[str | None, WRITE_ONLY, COLUMN] = None
    """Name of the machine for people."""
    vm_pool: Annotated[str | None, WRITE_ONLY] = None
    """Pool that won the machine."""
    ip_address: Annotated[str | None, WRITE_ONLY, WIDE] = None
    """IP address of the machine."""
    omni_cluster: Annotated[str, IMMUTABLE, COLUMN]
    """Name of the cluster that the machine is registered with."""
    registrar: Annotated[Registrar | None, WRITE_ONLY] = None
    """What registers the machine."""
    retry: Annotated[RegistrationRetry | None, WRITE_ONLY] = None
    """How often the machine is tried before it is left to people."""


class VMRegistrationStatus(Status):
    """How far a registration is."""

    state: Annotated[str | None, COLUMN] = None
    """How far the registration is: discovered, token_issued, submitted, registered, failed or skipped."""
    updated_at: Annotated[str | None, Column("UPDATED")] = None
    """When the state changed last."""
    absence: str | None = None
    """What earlier applies say about the machine being missing: none, brief, long or gone."""


class VMRegistration(Resource):
    """One registered machine. Stored in the registration ledger, not in the service."""

    api_version: str = LOCAL_API_VERSION
    spec: VMRegistrationSpec
    status: VMRegistrationStatus | None = None


def machines(registration: Document, group: Document) -> list[Document]:
    """One VMRegistration for each machine of the group that has an IP address."""
    spec = registration["spec"]
    servers = at_path(group, ("status", "assignedServers")) or {}
    return [
        {
            "apiVersion": LOCAL_API_VERSION,
            "kind": "VMRegistration",
            "metadata": {"name": uid},
            "spec": {
                "vmCloudSpace": spec["vmCloudSpace"],
                "vmUid": uid,
                "vmName": server.get("displayName") or uid,
                "vmPool": server.get("nodePoolName"),
                "ipAddress": server.get("ipAddress"),
                "omniCluster": spec["omniCluster"],
                "registrar": spec["registrar"],
                **({"retry": spec["retry"]} if spec.get("retry") else {}),
            },
        }
        for uid, server in sorted(servers.items())
        if server.get("ipAddress")
    ]


def missed(machine: Document) -> Absence:
    """What earlier applies say about a registered machine being missing."""
    return Absence(at_path(machine, ("status", "absence")) or Absence.NONE)


def registrations(machines: list[Document]) -> list[Document]:
    """The Registrations that stand for registered machines: one for each cluster of a VM cloudspace in a stack.

    Which program registered a machine is on record since rsspot 0.4. The name is ours: nothing is derived from it.
    """
    found: dict[tuple[str, str, str], Document] = {}
    for machine in machines:
        spec, labels = machine["spec"], machine["metadata"].get("labels") or {}
        key = (labels.get(STACK_LABEL) or "", spec["vmCloudSpace"], spec["omniCluster"])
        wanted = {"vmCloudSpace": spec["vmCloudSpace"], "omniCluster": spec["omniCluster"]}
        program = {"registrar": _whole(spec["registrar"])} if spec.get("registrar") else {}
        # The program of any machine will do: all of a group had one Registration.
        earlier = found.get(key, {}).get("spec", {})
        found[key] = {"metadata": {"labels": labels}, "spec": {**wanted, **earlier, **program}}
    groups = Counter(group for _, group, _ in found)
    return [
        {
            "apiVersion": LOCAL_API_VERSION,
            "kind": "Registration",
            **each,
            "metadata": {**each["metadata"], "name": group if groups[group] == 1 else f"{group}-{cluster}"},
        }
        for (_, group, cluster), each in sorted(found.items())
    ]


def _whole(registrar: Document) -> Document:
    """A registrar as the ledger has it, with something where its secret was, for a variable to stand for."""
    webhook = registrar.get("webhook")
    return {**registrar, "webhook": {"secret": NOT_KEPT, **webhook}} if webhook else registrar


VM_REGISTRATION = Kind(
    VMRegistration,
    plural="vmregistrations",
    summary="Virtual machines registered with a cluster manager.",
    naming=Naming.UUID,
    api_version=LOCAL_API_VERSION,
    verbs=frozenset({"list", "get", "create", "delete"}),
    local=True,
    authored=False,
    absence=missed,
    words={"create": "register", "delete": "retire"},
)
REGISTRATION = Kind(
    Registration,
    plural="registrations",
    summary="Registers machines as they appear.",
    api_version=LOCAL_API_VERSION,
    verbs=frozenset(),
    local=True,
    expand=machines,
    gather=registrations,
    expands_to="VMRegistration",
)
KINDS = (VM_REGISTRATION, REGISTRATION)
