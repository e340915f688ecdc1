"""RegistrationLedger: how far the registration of each machine is, as records and a protocol. No SQL, no rules."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class RegistrationStatus(StrEnum):
    """How far a machine got."""

    DISCOVERED = "discovered"
    TOKEN_ISSUED = "token_issued"
    SUBMITTED = "submitted"
    REGISTERED = "registered"
    FAILED = "failed"
    SKIPPED = "skipped"


_serials = itertools.count(1)


def worker_of_this_process() -> str:
    """A name of its own, each time, to claim machines by; its claims end with this process."""
    return f"{socket.gethostname()}#{os.getpid()}#{next(_serials)}"


@dataclass(frozen=True)
class RegistrationRecord:
    """One row: a machine and what is known of its registration. Times are RFC 3339 in UTC; payload holds no secret."""

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
    """The worker that is at it."""
    claimed_until: str | None = None


class RegistrationLedger(Protocol):
    """Where registrations are remembered."""

    def registration(self, key: str) -> RegistrationRecord | None:
        """One machine's record."""
        ...

    def registrations(self, organization: str | None = None) -> list[RegistrationRecord]:
        """Every record, oldest name first."""
        ...

    def registered(self, organization: str) -> list[RegistrationRecord]:
        """The machines that are registered."""
        ...

    def discover(self, record: RegistrationRecord) -> RegistrationRecord:
        """Note a machine; one that is known already keeps its status and all that was learned of it."""
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
        """Move a machine on. What is not given stays as it was.

        Raises StateError for an illegal move, and for a machine that another worker has claimed.
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
        """Take machines that are not registered yet and that nobody else is at, for `ttl` seconds.

        However many workers ask at once, each machine goes to one. A worker that asks again prolongs its own claims.
        """
        ...

    def release_registration(self, key: str, worker: str) -> None:
        """Give a machine back."""
        ...

    def put_registrations(self, records: Iterable[RegistrationRecord]) -> None:
        """Keep these records as they are, all or none: for moving them between ledgers, not for moving a machine on."""
        ...

    def forget_registration(self, key: str) -> bool:
        """Remove a record; False when there was none."""
        ...

    def retire(self, key: str) -> bool:
        """Set a registered machine aside as skipped, keeping its record; False if it was not registered."""
        ...
