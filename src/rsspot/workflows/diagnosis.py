"""Diagnosis: what one check of `doctor` found, and a way out. The checks themselves are beside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rsspot.errors import RsspotError


class Severity(StrEnum):
    """How bad it is. Only FAIL keeps commands from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Diagnosis:
    """what: the thing that was looked at, in a word or two · hint: what to do about it; None if nothing is wrong"""

    severity: Severity
    what: str
    detail: str
    hint: str | None = None


def ok(what: str, detail: str) -> Diagnosis:
    """Nothing is wrong."""
    return Diagnosis(Severity.OK, what, detail)


def warn(what: str, detail: str, hint: str) -> Diagnosis:
    """Commands work, but something is not as it should be."""
    return Diagnosis(Severity.WARN, what, detail, hint)


def fail(what: str, problem: str | RsspotError, hint: str) -> Diagnosis:
    """Commands do not work. The hint of an error comes before the general one."""
    if isinstance(problem, RsspotError):
        return Diagnosis(Severity.FAIL, what, problem.message, problem.hint or hint)
    return Diagnosis(Severity.FAIL, what, problem, hint)
