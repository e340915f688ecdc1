"""load(): files and folders to a set of manifests, and every problem on the way with its place. Sends nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from rsspot.errors import ManifestError, Origin, Problem
from rsspot.manifests.composition import composed
from rsspot.manifests.defaults import RegionOf
from rsspot.manifests.document import manifest_of
from rsspot.manifests.includes import Reading, read_all
from rsspot.manifests.manifest import Default, Manifest, ManifestSet
from rsspot.manifests.referenced_files import Files
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import Source
from rsspot.manifests.stack import Defaults, Stack
from rsspot.manifests.stacks import declared_names, read_stack, unused_variables
from rsspot.manifests.variable_values import given_values, unknown
from rsspot.manifests.variables import TOLD, Variables, expand
from rsspot.resources.kind import is_controlled
from rsspot.utils.process import collector_paused


@collector_paused()
def load(
    paths: Sequence[Path],
    *,
    variables: Mapping[str, Any] | None = None,
    variable_files: Sequence[Path] = (),
    environ: Mapping[str, str] | None = None,
    region: RegionOf = lambda _: None,
    strict: bool = False,
    everywhere: bool = False,
    may_be_empty: bool = False,
) -> ManifestSet:
    """Read manifests from files and directories. Raises ManifestError with every problem found.

    region: the region of new objects that name none; asked at most once, with the profile that the Stack names
    variables: as options give them: a text stands for a value of the declared type · variable_files: with further ones
    strict: whether a variable that no manifest declares or uses is a problem
    everywhere: whether any field may have the text of any file, for manifests whose plan was made before
    may_be_empty: whether a Stack alone will do
    """
    environ = os.environ if environ is None else environ
    reading = read_all(paths, environ)
    given, problems = given_values(variable_files, variables or {})
    lookup = Variables(environ=environ, files=Files(reading.folders, environ, everywhere))
    stack, values, wrong = read_stack(reading.stacks, reading.included_stacks, given, lookup)
    problems = reading.problems + problems + wrong
    composing: list[Problem] = []
    sources, foreign, plans = composed(reading.sources, values, composing)
    problems += composing
    reader = _Reader(values, stack.spec.defaults, cache(lambda: region(stack.spec.profile)), problems)
    manifests = [manifest for source in sources if (manifest := reader.read(source))]
    problems += _duplicates(manifests)
    known = sorted(values.used | declared_names((*reading.included_stacks, *reading.stacks)))
    if strict and not reading.problems and not composing:
        # Otherwise a document that uses it may be among those that are missing.
        problems += unknown(given, known)
    if not problems and not manifests and not may_be_empty:
        problems.append(_nothing_at(paths))
    if problems:
        raise _refused(problems)
    alone = _of_stack(stack, reading, known)
    return replace(
        alone,
        manifests=tuple(manifests),
        foreign=tuple(foreign),
        controlled=(*reader.controlled, *plans),
        unused=tuple(unused_variables(reading.stacks, values.used)),
    )


def _nothing_at(paths: Sequence[Path]) -> Problem:
    places = ", ".join(map(str, paths))
    return Problem("no manifests here except for a Stack", Origin(places), rule=ManifestRule.FILE)


def _refused(problems: Sequence[Problem]) -> ManifestError:
    """What is wrong with a document is wrong with each combination of its matrix, and told once."""
    told = [problem for problem in dict.fromkeys(problems) if problem.rule != TOLD]
    return ManifestError(told, hint="nothing was sent")


def _of_stack(stack: Stack, reading: Reading, variables: Sequence[str]) -> ManifestSet:
    """What the Stack and the files say of all manifests; still without any."""
    return ManifestSet(
        stack.name,
        manifests=(),
        files=tuple(map(str, reading.files)),
        limits=stack.spec.limits,
        organization=stack.spec.organization,
        profile=stack.spec.profile,
        named=bool(reading.stacks),
        hidden=tuple(map(str, dict.fromkeys(reading.hidden))),
        stack_spec=stack.spec,
        stack_origins=reading.stacks[0].marks if reading.stacks else {},
        declared=tuple(source.value for source in reading.stacks),
        variables=frozenset(variables),
    )


class _Reader:
    """Reads the documents of one run, one after another. controlled: notes on those that a controller manages"""

    def __init__(
        self, values: Variables, of_stack: Defaults, region: Callable[[], Default | None], problems: list[Problem]
    ) -> None:
        self._values, self._of_stack, self._region, self._problems = values, of_stack, region, problems
        self.controlled: list[str] = []

    def read(self, source: Source) -> Manifest | None:
        """The manifest that a document is once its references are filled in; None if it is none of ours."""
        if is_controlled(source.value):
            place = source.origin(("metadata", "name"))
            self.controlled.append(f"{place}: the service manages this object for another one")
            return None
        missing = expand(source, self._values)
        wrong: list[Problem] = []
        manifest = manifest_of(source, wrong, self._of_stack, self._region)
        # A missing variable is one problem, not also an invalid price or name.
        unfilled = {problem.origin for problem in missing}
        self._problems += missing + [problem for problem in wrong if problem.origin not in unfilled]
        return None if missing else manifest


def _duplicates(manifests: Sequence[Manifest]) -> Iterator[Problem]:
    first: dict[str, Manifest] = {}
    for manifest in manifests:
        earlier = first.setdefault(manifest.address, manifest)
        if earlier is not manifest:
            message = f"{manifest.address} is declared twice{_which(manifest)}"
            hint = f"first at {earlier.origin}{_which(earlier)}"
            yield Problem(message, manifest.origin, hint, ManifestRule.DUPLICATE)


def _which(manifest: Manifest) -> str:
    return f" ({manifest.combination})" if manifest.combination else ""
