"""Label and field selectors as predicates over objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rsspot.simulator.machinery.messages import Refusal

Predicate = Callable[[dict[str, Any]], bool]
_SET = re.compile(r"\s*([^\s,!()]+)\s+(in|notin)\s+\(([^)]*)\)\s*")
_EQUAL = re.compile(r"\s*([^\s,!=()]+)\s*(==|=|!=)\s*([^\s,()]*)\s*")
_EXISTS = re.compile(r"\s*(!?)\s*([^\s,!=()]+)\s*")


def labels_match(selector: str) -> Predicate:
    """Equality, inequality, set and existence requirements, all of which must hold."""
    requirements = []
    rest = selector
    while rest.strip():
        for pattern, make in ((_SET, _of_set), (_EQUAL, _of_equality), (_EXISTS, _of_existence)):
            matched = pattern.match(rest)
            if matched and (matched.end() == len(rest) or rest[matched.end()] == ","):
                requirements.append(make(*matched.groups()))
                rest = rest[matched.end() + 1 :]
                break
        else:
            raise Refusal(400, "BadRequest", f"unable to parse requirement: {rest!r}")
    return lambda body: all(holds(body["metadata"].get("labels") or {}) for holds in requirements)


def fields_match(selector: str) -> Predicate:
    """metadata.name and metadata.namespace, by equality."""
    requirements = []
    for part in filter(None, selector.split(",")):
        matched = re.fullmatch(r"(metadata\.(?:name|namespace))(==|=|!=)(.*)", part)
        if not matched:
            raise Refusal(400, "BadRequest", f"field label not supported: {part.split('=')[0]}")
        requirements.append((matched[1].split(".")[1], matched[2] != "!=", matched[3]))
    return lambda body: all((body["metadata"].get(key, "") == value) == equal for key, equal, value in requirements)


def _of_set(key: str, word: str, values: str) -> Predicate:
    members = {value.strip() for value in values.split(",")}
    return lambda labels: (labels.get(key) in members) == (word == "in")


def _of_equality(key: str, sign: str, value: str) -> Predicate:
    return lambda labels: (labels.get(key) == value) == (sign != "!=")


def _of_existence(negated: str, key: str) -> Predicate:
    return lambda labels: (key in labels) == (not negated)
