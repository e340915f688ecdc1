"""Reads the parameters of queries: numbers, versions and the options of lists and watches."""

from __future__ import annotations

from collections.abc import Iterator

from rsspot.simulator.apiserver.decoding import INT64
from rsspot.simulator.apiserver.messages import Cause, Refusal, Request, invalid

MOST = 1 << 31
"""The upper bound for numbers in queries."""
INVALID_VERSION = "invalid resource version: "
MATCHES = ("Exact", "NotOlderThan", "")
_MATCH = "resourceVersionMatch"
_CONTINUED = f"{_MATCH} is forbidden when continue is provided"


def forbidden(field: str, problem: str) -> Cause:
    """The cause for a value that is not allowed."""
    return Cause("FieldValueForbidden", field, f"Forbidden: {problem}")


def unsupported(field: str, value: str, supported: tuple[str, ...]) -> Cause:
    """The cause for a value that is not one of the supported values."""
    listed = ", ".join(f'"{choice}"' for choice in supported)
    return Cause("FieldValueNotSupported", field, f'Unsupported value: "{value}": supported values: {listed}')


def unsigned_problem(text: str) -> str:
    """What is wrong with a decimal number of 64 bits; "" for nothing."""
    return _number_problem("ParseUint", text, text, 2 * INT64)


def is_version(text: str) -> bool:
    """Whether a text is the version of a stored object."""
    return not unsigned_problem(text) and int(text) > 0


def number_asked(request: Request, name: str) -> int:
    """An integer parameter of a query; 0 if it is missing or negative."""
    text = request.query.get(name)
    if text is None:
        return 0
    digits = text[1:] if text[:1] in ("+", "-") else text
    if problem := _number_problem("ParseInt", text, digits, INT64):
        raise Refusal(400, "BadRequest", problem)
    return min(max(int(text), 0), MOST)


def _number_problem(function: str, text: str, digits: str, bound: int) -> str:
    if not (digits.isascii() and digits.isdigit()):
        return f'strconv.{function}: parsing "{text}": invalid syntax'
    if len(digits.lstrip("0")) > len(str(bound)) or int(digits) >= bound:
        return f'strconv.{function}: parsing "{text}": value out of range'
    return ""


def version_asked(request: Request, status: int, about: str) -> int:
    """The resourceVersion in a query; 0 if there is none."""
    version = request.query.get("resourceVersion", "")
    problem = unsigned_problem(version) if version else ""
    if problem:
        text = f'{about}resourceVersion: Invalid value: "{version}": {problem}'
        raise Refusal(status, "BadRequest" if status == 400 else "", text)
    return min(int(version or 0), INT64 - 1)


def check_list_options(request: Request) -> None:
    """Refuse options that a list cannot have."""
    for name in ("limit", "timeoutSeconds"):
        number_asked(request, name)
    _refuse(_list_problems(request.query))


def check_watch_options(request: Request) -> None:
    """Refuse options that a watch cannot have."""
    for name in ("limit", "timeoutSeconds"):
        number_asked(request, name)
    _refuse(_watch_problems(request.query))


def _refuse(problems: Iterator[Cause]) -> None:
    if causes := list(problems):
        raise invalid("meta.k8s.io", "ListOptions", "", causes)


def _list_problems(query: dict[str, str]) -> Iterator[Cause]:
    match, version = query.get(_MATCH, ""), query.get("resourceVersion", "")
    if match:
        if not version:
            yield forbidden(_MATCH, f"{_MATCH} is forbidden unless resourceVersion is provided")
        if query.get("continue"):
            yield forbidden(_MATCH, _CONTINUED)
        if match not in MATCHES:
            yield unsupported(_MATCH, match, MATCHES)
        if match == "Exact" and version == "0":
            yield forbidden(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"')
    if "sendInitialEvents" in query:
        yield forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")


def _watch_problems(query: dict[str, str]) -> Iterator[Cause]:
    match, initial = query.get(_MATCH, ""), "sendInitialEvents" in query
    if initial and match != "NotOlderThan":
        yield forbidden(_MATCH, f"sendInitialEvents requires setting {_MATCH} to NotOlderThan")
    if match and not initial:
        yield forbidden(_MATCH, f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided")
    if match and match != "NotOlderThan":
        yield unsupported(_MATCH, match, ("NotOlderThan",))
    if query.get("continue"):
        yield forbidden(_MATCH, _CONTINUED)
