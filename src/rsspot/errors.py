"""Every error rsspot raises, in one tree. Made only at the borders: wire, files, guards, ledger.

RsspotError                         hint: what to do next; exit_code: what the CLI ends with
├── UsageError (ValueError)         3   invalid command line
├── ConfigError (ValueError)        3   a profile, file or variable that cannot be used
├── ManifestError (ValueError)      3   every problem of a manifest set, each with file:line:column
├── AuthError (PermissionError)     4   no token, or one the service refuses
├── TransportError (ConnectionError) 1  nothing readable came back, and nothing was changed
│   ├── RequestTimeout (TimeoutError)
│   └── OutcomeUnknown              11  a write went out and no answer came: settle it by reading
├── ApiError                        1   the service answered with a failure
│   ├── Forbidden (PermissionError) · NotFound (LookupError) · AlreadyExists · Conflict · Gone
│   └── Invalid (ValueError) · TooManyRequests · ServerError
├── UnexpectedShape (ValueError)    1   an answer that is not what the service documents; `.readable` is the rest
├── NotReady (TimeoutError)         9   what was waited for did not come, and how far it got
├── PlanRefused                     5   a guard said no, and says the way out
├── StalePlan                       6   the world moved since the plan was approved
├── Cancelled                       8   a signal, or a "no"
├── Locked                          10  another apply of this stack is running
└── StateError                      1   the ledger cannot be read or written

A run that ends with 7 (part of it done) or 9 (its deadline passed) raises nothing: its recap says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class RsspotError(Exception):
    """Base of all. `str(error)` is one sentence; `hint` is what to do next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(cls: type[RsspotError], args: tuple[object, ...], state: dict[str, object]) -> RsspotError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(RsspotError, ValueError):
    """An invalid command line."""

    exit_code = 3


class ConfigError(RsspotError, ValueError):
    """A profile, file or environment variable that cannot be used."""

    exit_code = 3


@dataclass(frozen=True)
class Origin:
    """Where something was written: 1-based line and column of a file."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Origins = Mapping[tuple[str | int, ...], Origin]
"""Path inside a document -> where it was written."""


def nearest(origins: Origins, path: Iterable[str | int], otherwise: Origin | None) -> Origin | None:
    """Where a path was written, or the closest thing above it that was."""
    parts = tuple(path)
    while parts and parts not in origins:
        parts = parts[:-1]
    return origins.get(parts, otherwise)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it was written, and how to put it right."""

    message: str
    origin: Origin | None = None
    hint: str | None = None
    rule: str = "manifest"
    quotable: bool = True
    """Whether the rest of the line may be shown; what is not understood may be a secret."""

    def __str__(self) -> str:
        where = f"{self.origin}: " if self.origin else ""
        return f"{where}{self.message}"


class _Problems(RsspotError):
    """A failure that is a list of problems."""

    def __init__(self, problems: Sequence[Problem], *, hint: str | None = None) -> None:
        super().__init__("\n".join(str(problem) for problem in problems), hint=hint)
        self.problems = tuple(problems)


class ManifestError(_Problems, ValueError):
    """Every problem found in a set of manifests, not only the first."""

    exit_code = 3


class PlanRefused(_Problems):
    """A guard refused the plan; nothing was sent."""

    exit_code = 5


class AuthError(RsspotError, PermissionError):
    """No credential, or one that the service refuses."""

    exit_code = 4


class TransportError(RsspotError, ConnectionError):
    """No readable answer, and it is certain that nothing was changed."""


class RequestTimeout(TransportError, TimeoutError):
    """A read took too long."""


class OutcomeUnknown(TransportError):
    """A write went out and no clear answer came back. Never sent again blindly.

    retry_after: seconds that the service asked to be left alone for, or None
    """

    exit_code = 11

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ApiError(RsspotError):
    """The service answered with a failure.

    status: HTTP status · reason: Kubernetes reason, or "" · causes: {field: message}
    request_id: the service's id of this request, or None · retry_after: seconds, or None
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str = "",
        causes: dict[str, str] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.reason = reason
        self.causes = causes or {}
        self.request_id = request_id
        self.retry_after = retry_after


class Forbidden(ApiError, PermissionError):
    """403: not yours, or refused by an admission rule."""


class NotFound(ApiError, LookupError):
    """404: no such object."""


class AlreadyExists(ApiError):
    """409 on create: the name is taken."""


class Conflict(ApiError):
    """409 on write: the object moved since it was read."""


class Gone(ApiError):
    """410: a page token or watch version is too old."""


class Invalid(ApiError, ValueError):
    """400 or 422: the service does not accept the body; `causes` names the fields."""


class TooManyRequests(ApiError):
    """429: not executed; `retry_after` says when to try again."""


class ServerError(ApiError):
    """5xx on a read. On a write it is OutcomeUnknown instead."""


class UnexpectedShape(RsspotError, ValueError):
    """The service's answer is not what it documents. readable: the objects of a list that were as they should be."""

    def __init__(self, message: str, readable: Sequence[object] = ()) -> None:
        super().__init__(message, hint="`documents` of the same group gives objects as they came")
        self.readable = tuple(readable)


class NotReady(RsspotError, TimeoutError):
    """What was waited for did not come in time, or cannot come any more."""

    exit_code = 9


class StalePlan(RsspotError):
    """The world moved since the plan was made."""

    exit_code = 6


class Cancelled(RsspotError):
    """Stopped by a signal or by a "no"."""

    exit_code = 8


class Locked(RsspotError):
    """Another apply of the same stack holds the lease."""

    exit_code = 10


class StateError(RsspotError):
    """state.db cannot be read or written, or a newer rsspot wrote it."""
