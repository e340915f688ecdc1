"""`matrix:` of a document: one document for each combination of its values, in a fixed order."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rsspot.errors import Problem
from rsspot.manifests.declarations import SCALARS
from rsspot.manifests.leaks import holds
from rsspot.manifests.places import Place
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import Source
from rsspot.manifests.variables import Variables, expanded

KEY, INCLUDE = "matrix", "include"
MOST_COMBINATIONS = 1000
MOST_VALUES = 1_000_000
"""Values in all documents that one matrix makes."""
_NAME = re.compile(r"[A-Za-z_][\w.-]*")
Combination = dict[str, Any]


def combinations(source: Source, variables: Variables, problems: list[Problem]) -> list[Source]:
    """A document for each combination; the document itself if it has no matrix, and none if that is wrong."""
    if not isinstance(source.value, dict) or KEY not in source.value:
        return [source]
    matrix, wrong, _ = expanded(source, (KEY,), variables)
    wrong = wrong or list(_mistakes(matrix, source))
    problems += wrong
    if wrong:
        return []
    document = {key: value for key, value in source.value.items() if key != KEY}
    found = list(_found(matrix))
    return [
        replace(source, value=document, matrix=values, combination=(index, len(found)))
        for index, values in enumerate(found, 1)
    ]


def clause_of(source: Source, secrets: Collection[str]) -> str:
    """Which combination a document is: `combination 2 of 4: zone=b, size=small`; empty if it is none.

    secrets: texts that no shown value may be, or be a part of
    """
    if source.combination is None:
        return ""
    index, number = source.combination
    shown = [
        f"{name}={value}"
        for name, value in source.matrix.items()
        if not any(holds(text, str(value)) for text in secrets)
    ]
    return f"combination {index} of {number}" + (f": {', '.join(shown)}" if shown else "")


def _found(matrix: Mapping[str, Any]) -> Iterator[Combination]:
    """The combinations of the lists, the first name changing slowest; then those that are written out."""
    lists = {name: values for name, values in matrix.items() if name != INCLUDE}
    if lists:
        yield from (dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values()))
    yield from (dict(values) for values in matrix.get(INCLUDE, ()))


def _mistakes(matrix: Any, source: Source) -> Iterator[Problem]:
    if not isinstance(matrix, dict):
        yield _problem(source, (), "a matrix is a mapping of names to lists")
        return
    found = [problem for name, values in matrix.items() for problem in _mistakes_of(name, values, source)]
    yield from found
    if found:
        return
    lists = [len(values) for name, values in matrix.items() if name != INCLUDE]
    number = (math.prod(lists) if lists else 0) + len(matrix.get(INCLUDE, ()))
    if number == 0:
        yield _problem(source, (), "the matrix has no combinations", "give it values, or leave the document out")
    elif number > MOST_COMBINATIONS:
        yield _problem(source, (), f"the matrix has more than {MOST_COMBINATIONS} combinations")
    elif number * sum(path[:1] != (KEY,) for path in source.marks) > MOST_VALUES:
        yield _problem(source, (), f"the matrix would make more than {MOST_VALUES} values")


def _mistakes_of(name: str, values: Any, source: Source) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        yield _problem(source, (name,), "a name in a matrix is letters, digits, dots, dashes and underscores")
    elif not isinstance(values, list):
        yield _problem(source, (name,), "must be a list")
    elif name == INCLUDE:
        for index, each in enumerate(values):
            yield from _mistakes_of_included(each, source, (name, index))
    else:
        for index, value in enumerate(values):
            if not isinstance(value, SCALARS):
                yield _problem(source, (name, index), "must be a string, a number, true or false")


def _mistakes_of_included(values: Any, source: Source, path: Place) -> Iterator[Problem]:
    if not isinstance(values, dict) or not values:
        yield _problem(source, path, "must be a mapping of names to values")
        return
    for name, value in values.items():
        if not _NAME.fullmatch(name) or not isinstance(value, SCALARS):
            yield _problem(source, (*path, name), "must be a name with a string, a number, true or false")


def _problem(source: Source, path: Place, clause: str, hint: str | None = None) -> Problem:
    where = ".".join(map(str, (KEY, *path)))
    return Problem(f"{where}: {clause}", source.origin((KEY, *path)), hint, quotable=False, rule=ManifestRule.MATRIX)
