"""RegistrationWorkflow: make machines known to a cluster manager from a script of one's own. Asks no registrar.

The same ledger, states and names as a Registration manifest uses, so a script and an apply never do a machine twice:

    workflow = RegistrationWorkflow(client.ledger, organization=..., omni_cluster="prod")
    workflow.discover(groups)
    for record in workflow.claim():
        workflow.token_issued(record, token_id=...)
        ...
        workflow.registered(record)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import overload

from rsspot.compatibility.registration import RegistrationCandidate, RegistrationMarks
from rsspot.services.registrations.schemas import VM_REGISTRATION
from rsspot.services.vms.schemas import VMCloudSpace
from rsspot.state.ledger.registrations import (
    RegistrationLedger,
    RegistrationRecord,
    RegistrationStatus,
    worker_of_this_process,
)
from rsspot.state.store import StateStore

CLAIM_SECONDS = 900.0


class RegistrationWorkflow(RegistrationMarks):
    """The registrations of one cluster manager's cluster in one organization.

    organization: its namespace · worker: a name of your own, or this process; its claims keep other workers away
    A workflow that is made from a StateStore alone has the `mark_…` methods only, which take both from the candidate.
    """

    @overload
    def __init__(
        self,
        ledger: RegistrationLedger,
        *,
        organization: str,
        omni_cluster: str,
        worker: str | None = None,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None: ...

    @overload
    def __init__(self, state: StateStore, /) -> None: ...

    @overload
    def __init__(self, *, state: StateStore) -> None: ...

    def __init__(
        self,
        ledger: RegistrationLedger | StateStore | None = None,
        *,
        state: StateStore | None = None,
        organization: str | None = None,
        omni_cluster: str | None = None,
        worker: str | None = None,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        opened = ledger if state is None else state
        if not isinstance(opened, StateStore) and (opened is None or organization is None or omni_cluster is None):
            raise TypeError("a workflow needs a StateStore, or a ledger with organization= and omni_cluster=")
        self._ledger = opened.ledger if isinstance(opened, StateStore) else opened
        self._organization = organization or ""
        self._omni_cluster = omni_cluster or ""
        self._worker = worker or worker_of_this_process()
        self._claim_seconds = claim_seconds

    @staticmethod
    def registration_key(
        organization: str | None = None,
        vmcloudspace: str = "",
        vm_uid: str = "",
        *,
        org_id: str | None = None,
        vmpool: str | None = None,
        omni_cluster: str | None = None,
    ) -> str:
        """The one name of a machine's registration, the same for everybody who asks.

        org_id: another name of `organization` · vmpool, omni_cluster: no part of the name, as a machine has one of each
        """
        return VM_REGISTRATION.wire_name(organization or org_id or "", vm_uid, {"vmCloudSpace": vmcloudspace})

    def candidates(self, groups: Iterable[VMCloudSpace]) -> list[RegistrationCandidate]:
        """The machines of these groups that have an address and are not registered. Notes nothing."""
        machines = (machine for group in groups for machine in self._machines(group))
        return [
            each for each in machines if each.record is None or each.record.status is not RegistrationStatus.REGISTERED
        ]

    def discover(self, groups: Iterable[VMCloudSpace]) -> list[RegistrationRecord]:
        """Note the candidates; one that is known already keeps its status and all that was learned of it."""
        return [self._ledger.discover(self._noted(each)) for each in self.candidates(groups)]

    def claim(self, limit: int = 1) -> list[RegistrationRecord]:
        """Take machines that nobody else is at. However many workers ask at once, each machine goes to one.

        A worker that asks again gets its own again, and keeps them longer.
        """
        return self._ledger.claim_registrations(
            self._worker,
            ttl=self._claim_seconds,
            organization=self._organization,
            omni_cluster=self._omni_cluster,
            limit=limit,
        )

    def token_issued(
        self, record: RegistrationRecord, *, token_id: str, expires_at: str | None = None
    ) -> RegistrationRecord:
        """A token was made. token_id names it and is not the token itself; expires_at is RFC 3339.

        A machine that somebody began and left begins anew.
        """
        if record.status in (RegistrationStatus.TOKEN_ISSUED, RegistrationStatus.SUBMITTED):
            self._to(record, RegistrationStatus.FAILED, last_error="begun, and not brought to its end")
        elif record.status is RegistrationStatus.SKIPPED:
            self._to(record, RegistrationStatus.DISCOVERED)
        return self._to(record, RegistrationStatus.TOKEN_ISSUED, token_id=token_id, token_expires_at=expires_at)

    def submitted(self, record: RegistrationRecord) -> RegistrationRecord:
        """The machine was told to join."""
        return self._to(record, RegistrationStatus.SUBMITTED)

    def registered(self, record: RegistrationRecord) -> RegistrationRecord:
        """The cluster manager knows the machine. Ends the claim."""
        return self._ended(self._to(record, RegistrationStatus.REGISTERED))

    def failed(self, record: RegistrationRecord, error: str) -> RegistrationRecord:
        """It did not work; the machine may be claimed again. `error` must hold no secret. Ends the claim."""
        return self._ended(self._to(record, RegistrationStatus.FAILED, last_error=error))

    def skipped(self, record: RegistrationRecord) -> RegistrationRecord:
        """The machine is not to be registered. Ends the claim."""
        return self._ended(self._to(record, RegistrationStatus.SKIPPED))

    def _to(self, record: RegistrationRecord, status: RegistrationStatus, **learned: str | None) -> RegistrationRecord:
        """Raises StateError for an illegal move, and for a machine that another worker has claimed."""
        return self._ledger.advance(record.registration_key, status, worker=self._worker, **learned)

    def _ended(self, record: RegistrationRecord) -> RegistrationRecord:
        self._ledger.release_registration(record.registration_key, self._worker)
        return self._ledger.registration(record.registration_key) or record

    def _machines(self, group: VMCloudSpace) -> Iterable[RegistrationCandidate]:
        servers = (group.status and group.status.assigned_servers) or {}
        for uid, server in sorted(servers.items()):
            if server.ip_address:
                key = self.registration_key(self._organization, group.name, uid)
                yield RegistrationCandidate(
                    registration_key=key,
                    vm_uid=uid,
                    vm_name=server.display_name or uid,
                    ip_address=server.ip_address,
                    vmcloudspace=group.name,
                    vmpool=server.node_pool_name,
                    record=self._ledger.registration(key),
                    org_id=self._organization,
                    omni_cluster=self._omni_cluster,
                )

    def _noted(self, machine: RegistrationCandidate) -> RegistrationRecord:
        return RegistrationRecord(
            registration_key=machine.registration_key,
            vm_uid=machine.vm_uid,
            org_id=self._organization,
            vmcloudspace=machine.vmcloudspace,
            omni_cluster=self._omni_cluster,
            vmpool=machine.vmpool,
            vm_name=machine.vm_name,
            payload={"ipAddress": machine.ip_address},
        )
