"""The values of variables: as Stacks declare them, then those of files and options, each checked. Expands nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsspot.errors import Origin, Problem
from rsspot.manifests.declarations import Declaration, as_declared, is_declaration
from rsspot.manifests.files import ManifestFile, text_of
from rsspot.manifests.places import Place
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import Source, parse_text
from rsspot.manifests.validation import as_model
from rsspot.utils.text import did_you_mean

OPTION = "--var"


@dataclass(frozen=True)
class GivenValue:
    """A value from outside the manifests. origin: where in a file; None for an option, which gives text"""

    value: Any
    origin: Origin | None = None

    def problem(self, name: str, clause: str, hint: str | None = None, *, declared: Origin | None = None) -> Problem:
        """What is wrong with it. declared: where the variable is, for a value that is in no file itself"""
        where = f"{OPTION} {name}" if self.origin is None else f"variable {name!r}"
        place = self.origin or declared
        return Problem(f"{where}: {clause}", place, hint, quotable=False, rule=ManifestRule.VARIABLE)


@dataclass(frozen=True)
class Declared:
    """A variable as a Stack declares it. value: the declaration without its references, or the default alone"""

    value: Any
    source: Source
    path: Place


def keeps_rules(declared: Declared, other: Declared) -> bool:
    """Whether another Stack's value of a variable is judged by the rules with which the variable is declared."""
    return is_declaration(declared.value) and not is_declaration(other.value)


def given_values(files: Iterable[Path], options: Mapping[str, Any]) -> tuple[dict[str, GivenValue], list[Problem]]:
    """The values of variable files, of which a later one wins, and of options, which win over files."""
    given: dict[str, GivenValue] = {}
    problems: list[Problem] = []
    for file in files:
        for source in _documents(file, problems):
            given |= {name: GivenValue(value, source.origin((name,))) for name, value in source.value.items()}
    given |= {name: GivenValue(value) for name, value in options.items()}
    return given, problems


def _documents(file: Path, problems: list[Problem]) -> list[Source]:
    """The one mapping that a variable file holds; none if it is empty or wrong."""
    try:
        sources, wrong = parse_text(text_of(ManifestFile(file, named=True)), str(file))
    except ValueError as error:
        sources, wrong = [], [Problem(str(error), Origin(str(file)), rule=ManifestRule.VARIABLE)]
    problems += wrong
    if len(sources) > 1 or not all(isinstance(source.value, dict) for source in sources):
        message = "a variable file holds one mapping of names to values"
        problems.append(Problem(message, sources[-1].origin(), quotable=False, rule=ManifestRule.VARIABLE))
        return []
    return sources


def settle(
    declared: Mapping[str, Declared], given: Mapping[str, GivenValue]
) -> tuple[dict[str, Any], dict[str, list[Problem]]]:
    """The value of each variable that has one, and what is wrong with others, by their names."""
    values = {name: value.value for name, value in given.items() if name not in declared}
    wrong: dict[str, list[Problem]] = {}
    for name, variable in declared.items():
        if not is_declaration(variable.value):
            values[name] = given[name].value if name in given else variable.value
            continue
        problems: list[Problem] = []
        value = _of_declaration(name, variable, given.get(name), problems)
        if problems:
            wrong[name] = problems
        else:
            values |= value
    return values, wrong


def _of_declaration(name: str, variable: Declared, given: GivenValue | None, problems: list[Problem]) -> dict[str, Any]:
    """The value of a declared variable by its name; empty if it has none."""
    declaration = as_model(Declaration, variable.value, variable.source, variable.path, problems)
    if declaration is None:
        return {}
    problems += _contradictions(name, declaration, variable)
    if given is not None:
        try:
            return {name: as_declared(declaration, given.value, text=given.origin is None)}
        except ValueError as error:
            declared = variable.source.origin(variable.path)
            problems.append(given.problem(name, str(error), declared=declared))
    elif declaration.required and not problems:
        origin = variable.source.origin(variable.path)
        hint = declaration.description or f"give {OPTION} {name}=VALUE, or a file with {OPTION}-file"
        problems.append(
            Problem(f"the variable {name!r} is required and has no value", origin, hint, rule=ManifestRule.VARIABLE)
        )
    return {name: declaration.default} if "default" in variable.value else {}


def _contradictions(name: str, declaration: Declaration, variable: Declared) -> Iterator[Problem]:
    """What in a declaration fits no value, or no other part of it."""

    def problem(clause: str, *below: str | int) -> Problem:
        origin = variable.source.origin((*variable.path, *below))
        return Problem(f"variable {name!r}: {clause}", origin, quotable=False, rule=ManifestRule.VARIABLE)

    any_value = declaration.model_copy(update={"allowed": None})
    for index, value in enumerate(declaration.allowed or ()):
        try:
            as_declared(any_value, [value] if declaration.type == "list" else value, text=False)
        except ValueError as error:
            yield problem(f"allowed value {index + 1} {error}", "allowed", index)
    if "default" not in variable.value:
        return
    if declaration.required:
        yield problem("a required variable has no default", "default")
    try:
        as_declared(declaration, declaration.default, text=False)
    except ValueError as error:
        yield problem(f"the default {error}", "default")


def unknown(given: Mapping[str, GivenValue], known: Sequence[str]) -> Iterator[Problem]:
    """Each value for a variable that no manifest declares or uses: it is mistyped, or meant for other manifests."""
    for name, value in given.items():
        if name not in known:
            where = OPTION if value.origin is None else "variable file"
            hint = did_you_mean(name, known) or f"variables: {', '.join(sorted(known)) or 'none'}"
            message = f"{where}: no manifest declares or uses a variable {name!r}"
            yield Problem(message, value.origin, hint, quotable=False, rule=ManifestRule.VARIABLE)
