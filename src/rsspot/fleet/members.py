"""Which stacks a fleet has: by a fleet file, or by a folder whose folders each hold a stack. Sends nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from rsspot.errors import ManifestError, Origin, Problem
from rsspot.models.authoring import AUTHORING, WholeNumber, between
from rsspot.models.findings import findings
from rsspot.models.resource import AuthoredMetadata, Model
from rsspot.utils.reading import read_text, reason

PARALLEL = 4
"""Stacks at a time, unless the fleet or the caller says otherwise."""
SUFFIXES = (".yaml", ".yml")
_STACK = re.compile(r"^kind:\s*['\"]?Stack['\"]?\s*(#.*)?$", re.MULTILINE)


class FleetStack(Model):
    """One stack of a fleet."""

    name: str | None = None
    """How the stack is called in this fleet; the last part of its first path unless given."""
    paths: Annotated[list[str], Field(min_length=1)]
    """Its manifests, relative to the fleet file."""
    profile: str | None = None
    """Profile of the config file; the one that its Stack names unless given."""
    organization: str | None = None
    """Name or ID of the organization; the one that its Stack names unless given."""
    variables: dict[str, Any] = Field(default_factory=dict)
    """Values of variables, as --var gives them."""
    variable_files: list[str] = Field(default_factory=list)
    """Files with values of variables, relative to the fleet file."""


class FleetSpec(Model):
    """The stacks, and how many are worked on at a time."""

    stacks: list[FleetStack] = Field(default_factory=list)
    """Stacks one by one."""
    folders: list[str] = Field(default_factory=list)
    """Globs of folders, relative to the fleet file, that each hold a stack."""
    parallelism: Annotated[WholeNumber, between(1, 64)] = PARALLEL
    """Stacks at a time."""


class FleetDocument(Model):
    """A fleet file."""

    api_version: Literal["rsspot.dev/v1"]
    kind: Literal["Fleet"]
    metadata: AuthoredMetadata
    spec: FleetSpec = Field(default_factory=FleetSpec)


@dataclass(frozen=True)
class Member:
    """A stack of a fleet. name: unique within it"""

    name: str
    paths: tuple[Path, ...]
    profile: str | None = None
    organization: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    variable_files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Fleet:
    """name: of the fleet · members: in the order of their names"""

    name: str
    members: tuple[Member, ...]
    parallelism: int = PARALLEL


def read_fleet(path: Path) -> Fleet:
    """The fleet of a file, or of a folder whose folders each hold a stack. Raises ManifestError."""
    fleet = _of_folder(path) if path.is_dir() else _of_file(path)
    if not fleet.members:
        raise _refused(path, "there is no stack in this fleet", "each stack is a folder with a Stack document")
    if twice := [name for name, count in Counter(each.name for each in fleet.members).items() if count > 1]:
        raise _refused(path, f"two stacks are called {twice[0]!r}", "give one of them another `name`")
    return fleet


def chosen(fleet: Fleet, names: Sequence[str]) -> tuple[Member, ...]:
    """The members of these names, or all without any. Raises ManifestError for a name that there is not."""
    known = {each.name: each for each in fleet.members}
    for name in names:
        if name not in known:
            raise _refused(Path(fleet.name), f"there is no stack {name!r}", f"its stacks are {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names)) if names else fleet.members


def _of_folder(folder: Path) -> Fleet:
    members = [Member(each.name, (each,)) for each in sorted(folder.iterdir()) if _holds_a_stack(each)]
    return Fleet(folder.resolve().name, tuple(members))


def _of_file(file: Path) -> Fleet:
    try:
        document = FleetDocument.model_validate(yaml.safe_load(read_text(file)), context=AUTHORING)
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(file, f"cannot be read: {reason(error)}", None) from None
    except yaml.YAMLError as error:
        raise _refused(file, f"is no YAML: {str(error).splitlines()[0]}", None) from None
    except ValidationError as error:
        told = [f"{'.'.join(map(str, each.path)) or 'the document'} {each.clause}" for each in findings(error)]
        raise ManifestError([Problem(each, Origin(str(file))) for each in told], hint="see docs/fleet.md") from None
    members = [*_listed(document.spec, file.parent), *_in_folders(document.spec, file.parent)]
    members.sort(key=lambda each: each.name)
    return Fleet(document.metadata.name, tuple(members), document.spec.parallelism)


def _listed(spec: FleetSpec, base: Path) -> Iterator[Member]:
    for each in spec.stacks:
        paths = tuple(base / path for path in each.paths)
        files = tuple(base / path for path in each.variable_files)
        name = each.name or paths[0].resolve().name
        yield Member(name, paths, each.profile, each.organization, each.variables, files)


def _in_folders(spec: FleetSpec, base: Path) -> Iterator[Member]:
    listed = {(base / path).resolve() for each in spec.stacks for path in each.paths}
    for glob in spec.folders:
        for folder in sorted(base.glob(glob)):
            if folder.resolve() not in listed and _holds_a_stack(folder):
                yield Member(folder.name, (folder,))


def _holds_a_stack(folder: Path) -> bool:
    """Whether a folder has a Stack document in a file of its own. Mistakes in it are told when it is loaded."""
    if not folder.is_dir() or folder.name.startswith("."):
        return False
    files = (each for each in sorted(folder.iterdir()) if each.suffix in SUFFIXES and each.is_file())
    return any(_STACK.search(_text(each)) for each in files)


def _text(file: Path) -> str:
    try:
        return read_text(file)
    except (OSError, ValueError):
        return ""


def _refused(path: Path, message: str, hint: str | None) -> ManifestError:
    return ManifestError([Problem(f"{path}: {message}", hint=hint)])
