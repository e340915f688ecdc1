"""Passing messages: what controllers of the service leave in a status and heal by themselves. Progress, not errors.

Controllers write with optimistic locking: the one that loses reads again and repeats its write within moments. What it
lost with stays in `status.reason` until then, beside the phase `Error`. This is the one place that decides which
messages these are; objects printed as JSON or YAML keep what the service wrote.
"""

from __future__ import annotations

import re

from rsspot.utils.serialization import Document, at_path

WORKING = "Provisioning"
"""The phase that people see instead: the one before and after, on the service."""
_PASSING = re.compile(
    r"the object has been modified"
    r"|operation cannot be fulfilled"
    r"|please apply your changes to the latest version"
    r"|storageerror: invalid object"
    r"|precondition failed: (?:uid|resourceversion) in precondition"
    r"|etcdserver: (?:leader changed|request timed out|too many requests)",
    re.IGNORECASE,
)


def is_passing(message: str | None) -> bool:
    """Whether a message is about a conflict that the service resolves by itself."""
    return bool(message and _PASSING.search(message))


def without_passing(phase: str | None, reason: str | None) -> tuple[str | None, str | None]:
    """A phase and a reason for people: those of an object that is being worked on, if the reason is a passing one."""
    if not is_passing(reason):
        return phase, reason
    return WORKING if phase == "Error" else phase, None


def for_people(document: Document) -> Document:
    """An object with the phase and the reason that people are to see."""
    status = at_path(document, ("status",))
    if not isinstance(status, dict) or not is_passing(_text(status.get("reason"))):
        return document
    phase, reason = without_passing(_text(status.get("phase")), _text(status.get("reason")))
    return {**document, "status": {**status, "phase": phase, "reason": reason}}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
