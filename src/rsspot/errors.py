"""All errors that rsspot raises. They are created only where rsspot meets the wire, files, guards or the ledger.

RsspotError                         hint: what to do next; exit_code: exit code of the CLI
├── UsageError (ValueError)         3   invalid command line
├── ConfigError (ValueError)        3   a profile, file or variable that cannot be used
│   └── InvalidConfig               3   several problems of a config file or of settings
├── ManifestError (ValueError)      3   all problems of a set of manifests, each with file:line:column
├── AuthError (PermissionError)     4   no token, or one that the service refuses
├── RequestError                    1   a request failed: one of the two below
│   ├── TransportError (ConnectionError) 1  no readable response, and nothing was changed
│   │   ├── RequestTimeout (TimeoutError)
│   │   └── OutcomeUnknown          11  a write was sent and its outcome is unknown: settle it by reading
│   └── ApiError                    1   the service responded with an error status
│       ├── Forbidden (PermissionError) · NotFound (LookupError) · AlreadyExists · Conflict · Gone
│       └── Invalid (ValueError) · TooManyRequests · ServerError
├── UnexpectedShape (ValueError)    1   a response that does not match the API; `.readable` has the valid objects
├── NotReady (TimeoutError)         9   an object was not ready, or not gone, in time
├── PlanRefused                     5   a guard refused the plan; the hint is the way out
├── StalePlan                       6   objects changed after the plan was made
├── NotificationFailed              1   a program that was to be told of something failed or took too long
├── Cancelled                       8   stopped by a signal or by the user
├── Locked                          10  another apply of the same stack is running
└── StateError                      1   state.db cannot be read or written

No error is raised for a run that ends with 7 (partly done) or 9 (deadline passed): its Recap in
applier/events.py has the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar


class RsspotError(Exception):
    """Base class of all errors. `str(error)` is the message; `hint` is what to do next."""

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
    """A place in a file. Line and column start at 1."""

    file: str
    line: int = 1
    column: int = 1
    patched_by: tuple[Origin, ...] = field(default=(), compare=False)
    """Of an object: the overlays that changed it after it was written here."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place} (patched by {', '.join(map(str, self.patched_by))})" if self.patched_by else place


Origins = Mapping[tuple[str | int, ...], Origin]
"""Path in a document -> where it was written."""


def nearest(origins: Origins, path: Iterable[str | int], otherwise: Origin | None) -> Origin | None:
    """Where a path was written, or else its closest ancestor. `otherwise` if neither is known."""
    parts = tuple(path)
    while parts and parts not in origins:
        parts = parts[:-1]
    return origins.get(parts, otherwise)


@dataclass(frozen=True)
class Problem:
    """One problem, where it was written, and how to fix it."""

    message: str
    origin: Origin | None = None
    hint: str | None = None
    rule: str = "manifest"
    quotable: bool = True
    """Whether the source line may be shown. Text that could not be parsed may be a secret."""

    def __str__(self) -> str:
        where = f"{self.origin}: " if self.origin else ""
        return f"{where}{self.message}"


class _Problems(RsspotError):
    """An error that lists several problems."""

    def __init__(self, problems: Sequence[Problem], *, hint: str | None = None) -> None:
        super().__init__("\n".join(str(problem) for problem in problems), hint=hint)
        self.problems = tuple(problems)


class InvalidConfig(_Problems, ConfigError):
    """Several problems of a config file, or of settings from several sources."""


class ManifestError(_Problems, ValueError):
    """All problems found in a set of manifests, not only the first."""

    exit_code = 3


class PlanRefused(_Problems):
    """One or more guards refused the plan. Nothing was sent."""

    exit_code = 5


class AuthError(RsspotError, PermissionError):
    """No token, or one that the service refuses."""

    exit_code = 4


class RequestError(RsspotError):
    """A request failed: there was no readable response, or the service responded with an error status."""


class TransportError(RequestError, ConnectionError):
    """No readable response, and certainly nothing was changed."""


class RequestTimeout(TransportError, TimeoutError):
    """A read took too long."""


class OutcomeUnknown(TransportError):
    """A write was sent and it is unknown whether it was executed. It is never simply sent again.

    retry_after: how many seconds the service asked to wait, or None
    """

    exit_code = 11

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ApiError(RequestError):
    """The service responded with an error status.

    status: HTTP status · reason: Kubernetes reason, or "" · causes: {field: message}
    request_id: the service's ID of the request, or None · retry_after: seconds, or None
    method: that of the request which was answered so; None if the answer was of another status, such as a list
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
        method: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.method = method
        self.status = status
        self.reason = reason
        self.causes = causes or {}
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def status_code(self) -> int:
        """`status`, by its name in rsspot 0.3."""
        return self.status

    @property
    def body(self) -> str:
        """What the service said, by its name in rsspot 0.3: the message, not the bytes of the response."""
        return self.message


class Forbidden(ApiError, PermissionError):
    """403: not allowed, or refused by an admission rule."""


class NotFound(ApiError, LookupError):
    """404: no such object."""


def not_found(message: str, *, hint: str | None = None) -> NotFound:
    """The error for a name that nothing has, where that came out without asking the service for it."""
    return NotFound(message, status=404, reason="NotFound", hint=hint)


class AlreadyExists(ApiError):
    """409 on create: the name is already taken."""


class Conflict(ApiError):
    """409 on write: the object changed since it was read."""


class Gone(ApiError):
    """410: a page token or resource version is too old."""


class Invalid(ApiError, ValueError):
    """400 or 422: the service rejected the request; `causes` names the fields."""


class TooManyRequests(ApiError):
    """429: the request was not executed; `retry_after` says when to try again."""


class ServerError(ApiError):
    """5xx on a read. On a write, OutcomeUnknown is raised instead."""


class UnexpectedShape(RsspotError, ValueError):
    """A response that does not match the API. readable: the valid objects of a list."""

    def __init__(self, message: str, readable: Sequence[object] = ()) -> None:
        super().__init__(message, hint="programs get the objects unvalidated from `documents` of the same group")
        self.readable = tuple(readable)


class NotReady(RsspotError, TimeoutError):
    """An object was not ready, or not gone, in time. Also raised early if it can never become ready."""

    exit_code = 9


class StalePlan(RsspotError):
    """Objects changed after the plan was made."""

    exit_code = 6


class NotificationFailed(RsspotError):
    """A program that was to be told of something could not be run, failed or took too long."""


class Cancelled(RsspotError):
    """Stopped by a signal, or by the user at a prompt."""

    exit_code = 8


class Locked(RsspotError):
    """Another apply of the same stack holds the lease."""

    exit_code = 10


class StateError(RsspotError):
    """state.db cannot be read or written, or a newer rsspot wrote it."""


RSSpotError = RsspotError
APIError = ApiError
"""The spelling of rsspot 0.3."""
