"""The sentences a user says, each as one function or class over the rooms below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.utils.late_names import late_names

if TYPE_CHECKING:
    from rsspot.compatibility.registration import RegistrationCandidate, RegistrationLedgerRecord
    from rsspot.state.ledger.registrations import RegistrationStatus
    from rsspot.workflows.registration import RegistrationWorkflow

__all__ = [
    "RegistrationCandidate",
    "RegistrationLedgerRecord",
    "RegistrationStatus",
    "RegistrationWorkflow",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "RegistrationCandidate": "rsspot.compatibility.registration:RegistrationCandidate",
            "RegistrationLedgerRecord": "rsspot.compatibility.registration:RegistrationLedgerRecord",
            "RegistrationStatus": "rsspot.state.ledger.registrations:RegistrationStatus",
            "RegistrationWorkflow": "rsspot.workflows.registration:RegistrationWorkflow",
        },
    )
