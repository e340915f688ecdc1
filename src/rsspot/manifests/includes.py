"""Every document of a run: of the files that paths name, and of those that a Stack in them includes.

Included documents come first, what they include themselves before them, so that the including file has the last word.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rsspot.errors import Origin, Problem
from rsspot.manifests.files import STANDARD_INPUT, ManifestFile, find_files
from rsspot.manifests.own_documents import is_a
from rsspot.manifests.own_files import is_of_the_kernel, is_own_file
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import MOST_DOCUMENTS, Source, read_sources
from rsspot.manifests.stack import Stack

MOST_NESTED = 32
"""Includes inside of includes."""


@dataclass
class Reading:
    """What was read. folders: file -> the folders that it may take texts from"""

    sources: list[Source] = field(default_factory=list)
    stacks: list[Source] = field(default_factory=list)
    """The Stacks in the files that the paths name."""
    included_stacks: list[Source] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    folders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass
class _File:
    """A file that was read, once. real: its path without links"""

    path: Path
    real: str
    sources: list[Source]


def read_all(paths: Sequence[Path], environ: Mapping[str, str]) -> Reading:
    """Everything that the files at these paths hold and include."""
    return _Reader(environ).read(paths)


def folder_of(path: Path) -> str:
    """The folder that a path stands for: itself, or the one that the file is in; without links."""
    here = Path() if path == STANDARD_INPUT else path
    return os.path.realpath(here if here.is_dir() else here.parent)


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._files: dict[str, _File] = {}
        self._included: dict[str, _File] = {}
        self._documents = 0
        self._result = Reading()

    def read(self, paths: Sequence[Path]) -> Reading:
        result = self._result
        found, problems = find_files(paths, result.hidden)
        result.problems += problems
        folders = tuple(dict.fromkeys(folder_of(path) for path in paths))
        named = [self._read(file, folders) for file in found]
        for file in named:
            if file.real not in self._included:
                self._include(file, (file,))
        rest = [file for file in named if file.real not in self._included]
        for file in (*self._included.values(), *rest):
            result.sources += file.sources
            result.files.append(file.path)
        result.included_stacks += [each for file in self._included.values() for each in _stacks(file)]
        result.stacks += [each for file in rest for each in _stacks(file)]
        return result

    def _read(self, found: ManifestFile, folders: tuple[str, ...]) -> _File:
        sources: list[Source] = []
        if self._documents <= MOST_DOCUMENTS:
            sources, problems = read_sources([found])
            self._result.problems += problems
            self._documents += len(sources)
            if self._documents > MOST_DOCUMENTS >= len(sources):
                self._result.problems.append(
                    Problem(f"more than {MOST_DOCUMENTS} documents", Origin(str(found.path)), rule=ManifestRule.INCLUDE)
                )
        self._result.folders.setdefault(str(found.path), folders)
        file = _File(found.path, _real(found.path), sources)
        self._files.setdefault(file.real, file)
        return file

    def _include(self, file: _File, chain: tuple[_File, ...]) -> None:
        """Take in what the Stacks of a file include. chain: the files that led here, itself the last"""
        for entry, origin in _entries(file, self._result.problems):
            for found, folder in self._find(entry, origin, file):
                self._take(found, folder, origin, chain)

    def _take(self, found: ManifestFile, folder: str, origin: Origin, chain: tuple[_File, ...]) -> None:
        real = _real(found.path)
        if real in (each.real for each in chain):
            names = " -> ".join(map(str, (*(each.path for each in chain), found.path)))
            problem = Problem(
                f"an include leads back to its own file: {names}", origin, _WAY_OUT, rule=ManifestRule.INCLUDE
            )
            self._result.problems.append(problem)
        elif real in self._included:
            return
        elif is_of_the_kernel(real) or is_own_file(real, self._environ) or not found.path.is_file():
            self._result.problems.append(
                Problem(f"{found.path} is not a file with manifests", origin, rule=ManifestRule.INCLUDE)
            )
        elif len(chain) > MOST_NESTED:
            self._result.problems.append(
                Problem(f"includes are nested deeper than {MOST_NESTED} levels", origin, rule=ManifestRule.INCLUDE)
            )
        else:
            file = self._files.get(real) or self._read(found, (folder,))
            self._include(file, (*chain, file))
            self._included[real] = file

    def _find(self, entry: str, origin: Origin, file: _File) -> Iterator[tuple[ManifestFile, str]]:
        """The files that an entry stands for. What is wrong with the path itself is told at the entry."""
        path = _shortened(Path(file.path).parent / entry)
        if path == STANDARD_INPUT:
            self._result.problems.append(
                Problem("standard input cannot be included", origin, rule=ManifestRule.INCLUDE)
            )
            return
        found, problems = find_files([path], self._result.hidden)
        for problem in problems:
            is_path = problem.origin is not None and problem.origin.file == str(path)
            said = replace(problem, message=f"{path}: {problem.message}", origin=origin) if is_path else problem
            self._result.problems.append(said)
        for each in found:
            yield each, folder_of(path)


_WAY_OUT = "include the files that are meant, or a folder that this file is not in"


def _entries(file: _File, problems: list[Problem]) -> Iterator[tuple[str, Origin]]:
    """The paths that a file includes. A list that is none is told of when the Stack is validated."""
    for source in _stacks(file):
        spec = source.value.get("spec")
        entries = spec.get("include") if isinstance(spec, dict) else None
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            origin = source.origin(("spec", "include", index))
            if isinstance(entry, str) and ("${" in entry or "\0" in entry or not entry):
                problems.append(Problem("an include is a path, without references", origin, rule=ManifestRule.INCLUDE))
            elif isinstance(entry, str):
                yield entry, origin


def _stacks(file: _File) -> list[Source]:
    return [source for source in file.sources if is_a(Stack, source)]


def _real(path: Path) -> str:
    return str(path) if path == STANDARD_INPUT else os.path.realpath(path)


def _shortened(path: Path) -> Path:
    """A path without `..`, unless that would be another one because of a link."""
    short = Path(os.path.normpath(path))
    return short if os.path.realpath(short) == os.path.realpath(path) else path
