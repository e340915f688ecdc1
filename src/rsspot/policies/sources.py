"""policies_of(): the policies that a Stack names, from itself and from the files and folders that it names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rsspot.errors import ManifestError, Origin, Origins, Problem, nearest
from rsspot.manifests.files import ManifestFile, text_of
from rsspot.manifests.manifest import ManifestSet
from rsspot.manifests.own_files import is_of_the_kernel, is_own_file
from rsspot.manifests.policies import LONGEST_EXPRESSION, PolicyEntry, PolicyFile, PolicySeverity
from rsspot.manifests.source import read_sources
from rsspot.manifests.validation import as_model
from rsspot.planner.policy import Policy

RULE = "policy"
MOST_POLICIES = 200
MOST_NESTED = 8
"""Files that name files."""
SUFFIXES = (".yaml", ".yml")
TESTS = (".test.yaml", ".test.yml")
"""What the names of files with tests end in."""


def policies_of(manifests: ManifestSet) -> tuple[Policy, ...]:
    """The policies of a Stack, in its order. Raises ManifestError for files that cannot be read or understood."""
    entries = manifests.stack_spec.policies
    if not entries:
        return ()
    origin = manifests.where_in_stack("policies")
    reading = _Reading()
    reading.take(entries, origin.file if origin else "", manifests.stack_origins, ("spec", "policies"), 0)
    return reading.result()


def policies_at(paths: Sequence[Path]) -> tuple[Policy, ...]:
    """The policies of files and folders. Raises ManifestError."""
    reading = _Reading()
    for path in paths:
        reading.take_list(path, None, 0)
    return reading.result()


@dataclass
class _Reading:
    """What was read, and what is wrong with it."""

    policies: list[Policy] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def result(self) -> tuple[Policy, ...]:
        """The policies. Raises ManifestError."""
        self.problems += self._twins()
        if len(self.policies) > MOST_POLICIES:
            self.problems.append(Problem(f"more than {MOST_POLICIES} policies", self.policies[-1].origin, rule=RULE))
        if self.problems:
            raise ManifestError(self.problems, hint="nothing was sent")
        return tuple(self.policies)

    def _twins(self) -> Iterator[Problem]:
        first: dict[str, Policy] = {}
        for each in self.policies:
            if first.setdefault(each.name, each) is not each:
                yield Problem(
                    f"a second policy {each.name!r}", each.origin, f"the first is at {first[each.name].origin}", RULE
                )

    def take(
        self,
        entries: Sequence[PolicyEntry],
        file: str,
        origins: Origins,
        above: tuple[str | int, ...],
        depth: int,
    ) -> None:
        """Add what a list of a file says. above: the path of the list in it"""
        folder = Path(file).parent
        for index, entry in enumerate(entries):
            member = "expression" if entry.expression is not None else "folder" if entry.folder else "file"
            origin = nearest(origins, (*above, index, member), None) or Origin(file)
            if entry.is_list:
                self.take_list(folder / str(entry.folder or entry.file), origin, depth + 1)
                continue
            expression: str | None = entry.expression
            if entry.file is not None:
                origin = Origin(str(_shown(folder / entry.file)))
                place = nearest(origins, (*above, index, member), None)
                expression = self._text(folder / entry.file, place)
            if expression is not None:
                severity = PolicySeverity(entry.severity)
                self.policies.append(Policy(str(entry.name), severity, str(entry.message), expression, origin))

    def take_list(self, path: Path, origin: Origin | None, depth: int) -> None:
        """Add the policies of a file, or of all files of a folder. origin: where it was named"""
        if depth > MOST_NESTED:
            self.problems.append(
                Problem(f"policies in more than {MOST_NESTED} files inside of files", origin, rule=RULE)
            )
            return
        if not path.is_dir():
            self._take_file(path, origin, depth)
            return
        inside = sorted(each for each in path.rglob("*") if each.name.endswith(SUFFIXES) and is_no_test(each))
        inside = [each for each in inside if not any(part.startswith(".") for part in each.relative_to(path).parts)]
        if not inside:
            self.problems.append(Problem(f"{_shown(path)} has no file with policies", origin, "name it *.yaml", RULE))
        for each in inside:
            self._take_file(each, origin, depth)

    def _take_file(self, path: Path, origin: Origin | None, depth: int) -> None:
        if not path.name.endswith(SUFFIXES):
            hint = "policies are in *.yaml, and the expression of one of them may be in a *.cel"
            self.problems.append(Problem(f"{_shown(path)}: is no file with policies", origin, hint, RULE))
            return
        if (wrong := _unusable(path)) is not None:
            self.problems.append(Problem(f"{_shown(path)}: {wrong}", origin, rule=RULE))
            return
        sources, problems = read_sources([ManifestFile(_shown(path), named=True)])
        self.problems += problems
        for source in sources:
            read = as_model(PolicyFile, source.value, source, (), self.problems)
            if read is not None:
                self.take(read.policies, source.file, source.marks, ("policies",), depth)

    def _text(self, path: Path, origin: Origin | None) -> str | None:
        """The expression in a file; None if it cannot be read."""
        try:
            if wrong := _unusable(path):
                raise ValueError(wrong)
            text = text_of(ManifestFile(path, named=True)).strip()
            if not 0 < len(text) <= LONGEST_EXPRESSION:
                raise ValueError(f"must hold an expression of at most {LONGEST_EXPRESSION} characters")
        except ValueError as error:
            self.problems.append(Problem(f"{_shown(path)}: {error}", origin, rule=RULE))
            return None
        return text


def is_no_test(path: Path) -> bool:
    """Whether a file holds no tests of policies."""
    return not path.name.endswith(TESTS)


def _unusable(path: Path) -> str | None:
    """Why a file is not read, as a clause: it is none, or it may hold a credential of ours."""
    real = os.path.realpath(path)
    if is_of_the_kernel(real) or is_own_file(real, os.environ):
        return "is no file with policies"
    return None if path.is_file() else "there is no such file"


def _shown(path: Path) -> Path:
    """A path without steps back, as people would write it."""
    return Path(os.path.normpath(path))
