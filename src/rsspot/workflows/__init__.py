"""The sentences a user says, each as one function or class over the rooms below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsspot.workflows.registration import RegistrationCandidate, RegistrationWorkflow

__all__ = ["RegistrationCandidate", "RegistrationWorkflow"]


def __getattr__(name: str) -> Any:
    """Import on first use: the command line must not pay for workflows that it does not run."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rsspot.workflows import registration

    return getattr(registration, name)
