"""RegistrationLedger: the record of machine registrations. Defines records and a protocol, but no SQL and no rules."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from rsspot.models.refs import UUID, wire_uuid
from rsspot.utils.process import process_space


class RegistrationStatus(StrEnum):
    """How far the registration of a machine is."""

    DISCOVERED = "discovered"
    TOKEN_ISSUED = "token_issued"
    SUBMITTED = "submitted"
    REGISTERED = "registered"
    FAILED = "failed"
    SKIPPED = "skipped"


KEY_SPACE = "VMRegistration"
"""A part of every key. Changing it would forget all registrations."""


def registration_key(organization: str, vmcloudspace: str, vm_uid: str) -> str:
    """The key of a machine: the same for everybody who asks. organization: its namespace"""
    return vm_uid if UUID.fullmatch(vm_uid) else wire_uuid(organization, vmcloudspace, KEY_SPACE, vm_uid)


_serials = itertools.count(1)


def worker_of_this_process() -> str:
    """A new unique worker name. Claims made under it end when this process ends."""
    return f"{process_space()}#{os.getpid()}#{next(_serials)}"


@dataclass(frozen=True)
class RegistrationRecord:
    """A machine and the state of its registration. Times are RFC 3339 in UTC. The payload contains no secret."""

    registration_key: str
    vm_uid: str
    org_id: str
    vmcloudspace: str
    omni_cluster: str
    vmpool: str | None = None
    vm_name: str | None = None
    token_id: str | None = None
    token_expires_at: str | None = None
    status: RegistrationStatus = RegistrationStatus.DISCOVERED
    last_error: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    updated_at: str | None = None
    claimed_by: str | None = None
    """The worker that is registering the machine."""
    claimed_until: str | None = None


class RegistrationLedger(Protocol):
    """The record of all machine registrations."""

    def registration(self, key: str) -> RegistrationRecord | None:
        """The record of one machine, or None."""
        ...

    def registrations(self, organization: str | None = None) -> list[RegistrationRecord]:
        """All records, or those of one organization, sorted by cloudspace and name."""
        ...

    def registered(self, organization: str) -> list[RegistrationRecord]:
        """The records of an organization's registered machines."""
        ...

    def discover(self, record: RegistrationRecord) -> RegistrationRecord:
        """Add a machine and return its record. A known machine keeps its status and all its data.

        A machine that moved to another Omni cluster starts again, unless it is registered or claimed.
        """
        ...

    def advance(
        self,
        key: str,
        status: RegistrationStatus,
        *,
        token_id: str | None = None,
        token_expires_at: str | None = None,
        last_error: str | None = None,
        worker: str | None = None,
    ) -> RegistrationRecord:
        """Change the status of a machine. Arguments that are not given leave their values unchanged.

        Raises StateError for an illegal change, and for a machine that another worker has claimed.
        """
        ...

    def claim_registrations(
        self,
        worker: str,
        *,
        ttl: float,
        organization: str | None = None,
        omni_cluster: str | None = None,
        key: str | None = None,
        limit: int = 1,
    ) -> list[RegistrationRecord]:
        """Claim machines that are not registered yet and not claimed by another worker, for `ttl` seconds.

        Each machine goes to only one worker, even if many ask at once. A worker that asks again extends its own claims.
        """
        ...

    def release_registration(self, key: str, worker: str) -> None:
        """Release a worker's claim on a machine."""
        ...

    def learn(self, key: str, facts: Mapping[str, Any]) -> RegistrationRecord:
        """Store facts about a machine, by the names of the record's fields, and add the machine if it is new.

        What is not among them stays as it is, and the status as `rules.later` says. Claims are neither checked nor
        changed. One step, whoever else writes.
        """
        ...

    def note(self, key: str, payload: Mapping[str, Any]) -> RegistrationRecord:
        """Add values to the payload of a machine and leave all else as it is. One step, whoever else writes.

        Raises StateError for an unknown machine.
        """
        ...

    def put_registrations(self, records: Iterable[RegistrationRecord]) -> None:
        """Store these records unchecked, all or none. For copying between ledgers, not for changing a status."""
        ...

    def forget_registration(self, key: str) -> bool:
        """Delete a record. Returns False if there was none."""
        ...

    def retire(self, key: str) -> bool:
        """Mark a registered machine as skipped and keep its record. Returns False if it was not registered."""
        ...
