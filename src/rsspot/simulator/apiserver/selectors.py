"""Parses label and field selectors into predicates over objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Refusal, Request

Predicate = Callable[[dict[str, Any]], bool]
_Requirement = Callable[[dict[str, str]], bool]
_TOKEN = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")
_OPERATORS = ("in", "notin", "=", "==", "!=", ">", "<")


def predicate(request: Request, definition: Definition) -> Predicate | None:
    """The predicate of the selectors in a request; None if it has none."""
    labels, fields = request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    tests = [labels_match(labels)] if labels.strip() else []
    tests += [fields_match(fields, definition.selectable)] if fields else []
    return (lambda body: all(test(body) for test in tests)) if tests else None


def labels_match(selector: str) -> Predicate:
    """The predicate of a label selector: equality, order, set and existence requirements, all of which must hold."""
    requirements = _Parser(selector).requirements()
    return lambda body: all(holds(body["metadata"].get("labels") or {}) for holds in requirements)


class _Parser:
    """Parses a label selector with the grammar and error messages of Kubernetes."""

    def __init__(self, selector: str) -> None:
        self._tokens = _TOKEN.findall(selector)
        if "".join(self._tokens) != re.sub(r"\s", "", selector):
            raise _unreadable(f"unable to parse requirement: {selector!r}")

    def requirements(self) -> list[_Requirement]:
        parsed = [self._requirement()]
        while self._tokens:
            token = self._tokens.pop(0)
            if token != ",":
                raise _unreadable(f"found '{token}', expected: ',' or 'end of string'")
            parsed.append(self._requirement())
        return parsed

    def _requirement(self) -> _Requirement:
        if self._peek() == "!":
            self._tokens.pop(0)
            key = self._key()
            return lambda labels: key not in labels
        key = self._key()
        if self._peek() in ("", ","):
            return lambda labels: key in labels
        operator = self._tokens.pop(0)
        if operator not in _OPERATORS:
            expected = "in, notin, =, ==, !=, gt, lt"
            raise _unreadable(f"unable to parse requirement: found '{operator}', expected: {expected}")
        if operator in ("in", "notin"):
            members = self._members()
            return lambda labels: (labels.get(key) in members) == (operator == "in")
        value = "" if self._peek() in ("", ",") else self._tokens.pop(0)
        if operator in (">", "<"):
            return _ordered(key, operator, value)
        return lambda labels: (labels.get(key) == value) == (operator != "!=")

    def _key(self) -> str:
        token = self._tokens.pop(0) if self._tokens else ""
        if not re.fullmatch(r"([a-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", token):
            raise _unreadable(
                f"unable to parse requirement: found '{token}', expected: !, identifier, or 'end of string'"
            )
        return token

    def _members(self) -> set[str]:
        if not self._tokens or self._tokens.pop(0) != "(" or ")" not in self._tokens:
            raise _unreadable("unable to parse requirement: expected: '('")
        end = self._tokens.index(")")
        inner, self._tokens = self._tokens[:end], self._tokens[end + 1 :]
        return {token for token in inner if token != ","} | ({""} if "," in (inner[:1] + inner[-1:]) else set())

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""


def _ordered(key: str, operator: str, value: str) -> _Requirement:
    if not re.fullmatch(r"-?\d{1,18}", value):
        raise _unreadable(
            f'unable to parse requirement: values[0][{key}]: Invalid value: "{value}": must be an integer'
        )
    bound = int(value)

    def holds(labels: dict[str, str]) -> bool:
        text = labels.get(key, "")
        return bool(re.fullmatch(r"-?\d{1,18}", text)) and (int(text) > bound if operator == ">" else int(text) < bound)

    return holds


def only_name(request: Request) -> str:
    """The name of the only object that the field selector of a request can match; "" if it names none."""
    parts = (part.replace("==", "=").partition("=") for part in request.query.get("fieldSelector", "").split(","))
    return next((value for path, _, value in parts if path.strip() == "metadata.name"), "")


def fields_match(selector: str, selectable: tuple[str, ...] = ()) -> Predicate:
    """The predicate of a field selector: equality of metadata.name, metadata.namespace and selectable fields."""
    requirements = []
    for part in filter(None, selector.split(",")):
        match = re.fullmatch(r"([^=!]+?)(==|=|!=)(.*)", part)
        if not match:
            raise _unreadable(f"invalid selector: '{selector}'; can't understand '{part}'")
        path = match[1].strip()
        if path not in ("metadata.name", "metadata.namespace", *(field.strip(".") for field in selectable)):
            raise _unreadable(f"field label not supported: {path}")
        requirements.append((path.split("."), match[2] != "!=", match[3]))
    return lambda body: all((_text_at(body, path) == value) == equal for path, equal, value in requirements)


def _text_at(body: Any, path: list[str]) -> str:
    for key in path:
        body = body.get(key) if isinstance(body, dict) else None
    if isinstance(body, bool):
        return str(body).lower()
    return "" if body is None else str(body)


def _unreadable(message: str) -> Refusal:
    return Refusal(400, "BadRequest", message)
