"""RegistrationMarks: the statuses of registrations noted one by one, by `mark_…` methods. Asks no registrar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from rsspot.compatibility.state_store import row_of
from rsspot.models.resource import Page
from rsspot.services.registrations.schemas import VM_REGISTRATION
from rsspot.services.vms.schemas import VMCloudSpace
from rsspot.state.ledger.registrations import RegistrationLedger, RegistrationRecord, RegistrationStatus
from rsspot.state.ledger.rules import IN_ORDER
from rsspot.utils.clock import stamp


@dataclass(frozen=True)
class RegistrationCandidate:
    """A machine that was delivered and is not registered yet. record: what the ledger knows of it, if anything."""

    registration_key: str
    vm_uid: str
    vm_name: str
    vmcloudspace: str
    ip_address: str = ""
    vmpool: str | None = None
    record: RegistrationRecord | None = None
    org_id: str | None = None
    omni_cluster: str | None = None


@dataclass(frozen=True)
class RegistrationLedgerRecord:
    """What the ledger knows of a machine. token_expires_at: seconds since 1970."""

    registration_key: str
    vm_uid: str
    status: RegistrationStatus
    org_id: str | None = None
    vmcloudspace: str | None = None
    vmpool: str | None = None
    vm_name: str | None = None
    omni_cluster: str | None = None
    token_id: str | None = None
    token_expires_at: float | None = None
    last_error: str | None = None
    payload: dict[str, Any] | None = None


class RegistrationMarks:
    """The machines of VM cloudspaces, and marks for how far the registration of each is.

    A mark also makes those that come before it. Marking a machine again with what it is already changes nothing, and
    discovering it again never sets it back. Raises StateError where it could only be set back.
    """

    _ledger: RegistrationLedger

    def list_candidates(
        self,
        vmcloudspaces: Iterable[VMCloudSpace] | Page[VMCloudSpace],
        *,
        org_id: str | None = None,
        omni_cluster: str | None = None,
    ) -> list[RegistrationCandidate]:
        """All machines of these groups, whether registered or not."""
        groups = (vmcloudspaces.items or ()) if isinstance(vmcloudspaces, Page) else vmcloudspaces
        return [
            RegistrationCandidate(
                registration_key=VM_REGISTRATION.wire_name(org_id or "", uid, {"vmCloudSpace": group.name}),
                vm_uid=uid,
                vm_name=server.display_name or uid,
                vmcloudspace=group.name,
                ip_address=server.ip_address or "",
                vmpool=server.node_pool_name,
                org_id=org_id,
                omni_cluster=omni_cluster,
            )
            for group in groups
            for uid, server in sorted(((group.status and group.status.assigned_servers) or {}).items())
        ]

    def mark_discovered(self, candidate: RegistrationCandidate, *, payload: Mapping[str, Any] | None = None) -> None:
        """There is such a machine."""
        self._mark(candidate, RegistrationStatus.DISCOVERED, payload)

    def mark_token_issued(
        self,
        candidate: RegistrationCandidate,
        *,
        token_id: str,
        token_expires_at: float | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """A token was made. token_id names it and is not the token itself · token_expires_at: seconds since 1970."""
        expires_at = stamp(datetime.fromtimestamp(token_expires_at, UTC)) if token_expires_at is not None else None
        learned = {"token_id": token_id, "token_expires_at": expires_at}
        self._mark(candidate, RegistrationStatus.TOKEN_ISSUED, payload, **learned)

    def mark_submitted(self, candidate: RegistrationCandidate, *, payload: Mapping[str, Any] | None = None) -> None:
        """The machine was told to join."""
        self._mark(candidate, RegistrationStatus.SUBMITTED, payload)

    def mark_registered(self, candidate: RegistrationCandidate, *, payload: Mapping[str, Any] | None = None) -> None:
        """The cluster manager knows the machine."""
        self._mark(candidate, RegistrationStatus.REGISTERED, payload)

    def mark_failed(
        self, candidate: RegistrationCandidate, *, error: str, payload: Mapping[str, Any] | None = None
    ) -> None:
        """It did not work. `error` must hold no secret."""
        self._mark(candidate, RegistrationStatus.FAILED, payload, last_error=error)

    def mark_skipped(self, candidate: RegistrationCandidate, *, payload: Mapping[str, Any] | None = None) -> None:
        """The machine is not to be registered."""
        self._mark(candidate, RegistrationStatus.SKIPPED, payload)

    def get_record(self, registration_key: str) -> RegistrationLedgerRecord | None:
        """What the ledger knows of a machine, or None."""
        record = self._ledger.registration(registration_key)
        if record is None:
            return None
        row: dict[str, Any] = row_of(record) | {"status": record.status}
        return RegistrationLedgerRecord(**{each.name: row[each.name] for each in fields(RegistrationLedgerRecord)})

    def _mark(
        self,
        candidate: RegistrationCandidate,
        status: RegistrationStatus,
        payload: Mapping[str, Any] | None,
        **learned: str | None,
    ) -> None:
        record = self._ledger.discover(_record_of(candidate))
        for step in _steps(record.status, status):
            record = self._ledger.advance(record.registration_key, step, **(learned if step is status else {}))
        if payload:
            self._ledger.note(record.registration_key, payload)


def _steps(before: RegistrationStatus, status: RegistrationStatus) -> tuple[RegistrationStatus, ...]:
    """The statuses to go through, one after another."""
    if status in (before, RegistrationStatus.DISCOVERED):
        return ()
    if status not in IN_ORDER:
        return (status,)
    start = IN_ORDER.index(before) + 1 if before in IN_ORDER else int(before is RegistrationStatus.FAILED)
    return IN_ORDER[start : IN_ORDER.index(status) + 1] or (status,)


def _record_of(candidate: RegistrationCandidate) -> RegistrationRecord:
    return RegistrationRecord(
        registration_key=candidate.registration_key,
        vm_uid=candidate.vm_uid,
        org_id=candidate.org_id or "",
        vmcloudspace=candidate.vmcloudspace,
        omni_cluster=candidate.omni_cluster or "",
        vmpool=candidate.vmpool,
        vm_name=candidate.vm_name,
    )
