"""Tests of policies: what a file says of them, and whether what came out is what it expects. Plans nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rsspot.errors import ManifestError, Origin, Problem
from rsspot.manifests.files import ManifestFile
from rsspot.manifests.source import read_sources
from rsspot.manifests.validation import as_model
from rsspot.models.authoring import rule
from rsspot.models.refs import Ref
from rsspot.models.resource import Model
from rsspot.planner.change import Action, Change
from rsspot.planner.plan import Plan
from rsspot.planner.policy import Policy, PolicyResult
from rsspot.policies.evaluation import evaluate
from rsspot.policies.sources import RULE, TESTS, policies_at
from rsspot.policies.variables import ROOMS, variables_of
from rsspot.utils.serialization import Document

GONE = (Action.DELETE.value, Action.REPLACE.value)


def _check_expected(expected: Mapping[str, Any]) -> None:
    for name, word in expected.items():
        if word not in ("violated", "failed") and not isinstance(word, list):
            raise ValueError(f"{name}: must be violated, failed, or a list of addresses")


def _check_changes(changes: list[dict[str, Any]]) -> None:
    for each in changes:
        if each.get("action", Action.UPDATE) not in [*Action]:
            raise ValueError(f"action: must be one of {', '.join(Action)}")
        if not all(isinstance(each.get(key, ""), str) for key in ("address", "kind", "name")):
            raise ValueError("address, kind and name must be texts")
        if not all(isinstance(each.get(side) or {}, dict) for side in ("old", "new")):
            raise ValueError("old and new must be mappings")


class PolicyCase(Model):
    """One test: what is planned, and which policies do not hold for it. All others have to."""

    name: str
    """What the test is called."""
    stack: str = "test"
    """The stack that `changes` are of."""
    changes: Annotated[list[dict[str, Any]] | None, rule(_check_changes)] = None
    """Changes as expressions see them. What is left out is empty."""
    money: dict[str, Any] = Field(default_factory=dict)
    """What is to differ from a stack that costs nothing."""
    plan: str | None = None
    """A file that `plan --report json=` wrote, relative to this file."""
    manifests: list[str] | None = None
    """Manifests that are planned on a simulator of their own, relative to this file."""
    applied: list[str] = Field(default_factory=list)
    """Manifests that are applied there before."""
    variables: dict[str, Any] = Field(default_factory=dict)
    """Values of the variables of both."""
    command: Literal["plan", "prune", "destroy"] = "plan"
    """What is planned: with or without pruning, or the end of the stack."""
    expect: Annotated[dict[str, Any], rule(_check_expected)] = Field(default_factory=dict)
    """Name of a policy -> violated, failed, or the addresses of the changes for which it does not hold."""

    @model_validator(mode="after")
    def _has_one_subject(self) -> Self:
        if sum(each is not None for each in (self.changes, self.plan, self.manifests)) != 1:
            raise ValueError("must have one of changes, plan and manifests")
        return self


class PolicyTests(Model):
    """A file with tests. policies: files and folders with policies; else those of the Stack, or all of this folder"""

    policies: list[str] | None = None
    tests: list[PolicyCase]


@dataclass(frozen=True)
class CaseOutcome:
    """What came of one test. faults: what is not as expected, each as a clause; none if it passed"""

    file: Path
    name: str
    origin: Origin
    faults: tuple[str, ...]


@dataclass(frozen=True)
class FoundCase:
    """A test where it was found. policies: those that its file names; None for those of the Stack"""

    file: Path
    case: PolicyCase
    origin: Origin
    policies: tuple[Policy, ...] | None

    def path(self, name: str) -> Path:
        """A path that is written in the file."""
        return self.file.parent / name

    def judged_by(self, own: Sequence[Policy] = ()) -> tuple[Policy, ...]:
        """The policies that it is about. own: those of the Stack of its manifests"""
        if self.policies is not None:
            return self.policies
        return tuple(own) or policies_at([self.file.parent])

    def outcome(self, results: Sequence[PolicyResult]) -> CaseOutcome:
        """The test with what is not as expected."""
        return CaseOutcome(self.file, self.case.name, self.origin, tuple(_faults(self.case.expect, results)))


def found_cases(paths: Sequence[Path]) -> list[FoundCase]:
    """The tests of files, and of all files in folders. Raises ManifestError for what cannot be understood."""
    problems: list[Problem] = []
    cases = [each for path in paths for file in _files(path, problems) for each in _cases(file, problems)]
    if problems:
        raise ManifestError(problems)
    return cases


def results_of_changes(found: FoundCase) -> tuple[PolicyResult, ...]:
    """What comes of the policies for changes as a test has them."""
    case = found.case
    empty = variables_of(Plan("tests", "org-tests", case.stack, "apply", ()))
    written = [_whole_change(each) for each in case.changes or ()]
    changes = [Change(each["address"], Action(each["action"]), Ref(each["kind"], each["name"]), "") for each in written]
    variables = {**empty, "changes": written, "money": _merged(empty["money"], case.money)}
    return evaluate(found.judged_by(), variables, changes)


def _files(path: Path, problems: list[Problem]) -> list[Path]:
    if path.is_file():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.name.endswith(TESTS))
    if not found:
        problems.append(Problem("no tests of policies here", Origin(str(path)), f"name them *{TESTS[0]}", RULE))
    return found


def _cases(file: Path, problems: list[Problem]) -> Iterator[FoundCase]:
    sources, wrong = read_sources([ManifestFile(file, named=True)])
    problems += wrong
    for source in sources:
        read = as_model(PolicyTests, source.value, source, (), problems)
        if read is None:
            continue
        named = read.policies
        policies = policies_at([file.parent / each for each in named]) if named is not None else None
        for index, case in enumerate(read.tests):
            yield FoundCase(file, case, source.origin(("tests", index, "name")), policies)


def _whole_change(written: Document) -> Document:
    """A change as expressions see it, from what a test says of it."""
    action = str(written.get("action", Action.UPDATE.value))
    usual: Document = {
        "address": "",
        "kind": "",
        "name": "",
        "reason": "",
        "parent": None,
        "diff": [],
        "patch": [],
        "body": None,
    }
    usual |= {"drift": False, "surge": False, "deferred": False, "action": action, "destructive": action in GONE}
    rooms = {side: {**{room: {} for room in ROOMS}, **(written.get(side) or {})} for side in ("old", "new")}
    return {**usual, **written, **rooms}


def _merged(usual: Document, other: Mapping[str, Any]) -> Document:
    """A document with some values replaced, at any depth."""
    merged = dict(usual)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(usual.get(key), dict)
        merged[key] = _merged(usual[key], value) if both else value
    return merged


def _faults(expected: Mapping[str, Any], results: Sequence[PolicyResult]) -> Iterator[str]:
    known = {each.policy.name for each in results}
    for name in expected:
        if name not in known:
            yield f"there is no policy {name!r}"
    for result in results:
        name, word = result.policy.name, expected.get(result.policy.name)
        if result.failure is not None and word != "failed":
            yield f"{name} cannot be evaluated: {result.failure}"
        elif result.failure is None and word == "failed":
            yield f"{name} can be evaluated"
        elif result.failure is None:
            yield from _difference(name, word, result)


def _difference(name: str, word: Any, result: PolicyResult) -> Iterator[str]:
    addresses = sorted(each.address for each in result.violations if each.address)
    if not word and not result.holds:
        about = f" for {', '.join(addresses)}" if addresses else ""
        yield f"{name} does not hold{about}"
    elif word and result.holds:
        yield f"{name} holds"
    elif isinstance(word, list) and sorted(word) != addresses:
        yield f"{name} does not hold for {', '.join(addresses) or 'the plan as a whole'}"
