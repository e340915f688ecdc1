"""Findings as commands of a GitHub workflow, which shows each beside its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rsspot.errors import Problem
from rsspot.reports.places import relative

DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY = {**DATA, **str.maketrans({":": "%3A", ",": "%2C"})}
"""What has a meaning of its own in a command, and what is written instead."""


class GithubReport:
    """One line of `::error …` for each finding; nothing if there is none."""

    commands: ClassVar[bool] = True

    def findings(self, problems: Sequence[Problem]) -> str:
        return "\n".join(map(_command, problems))


def _command(problem: Problem) -> str:
    properties = ",".join(f"{name}={value.translate(PROPERTY)}" for name, value in _properties(problem))
    message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    return f"::error {properties}::{message.translate(DATA)}"


def _properties(problem: Problem) -> Iterator[tuple[str, str]]:
    if (file := relative(problem.origin)) is not None and problem.origin is not None:
        yield "file", file
        yield "line", str(problem.origin.line)
        yield "col", str(problem.origin.column)
    yield "title", problem.rule
