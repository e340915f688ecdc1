"""Manifest: one object as its author wants it, in the wire's spelling. Made by `parse`, or by expanding another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rsspot.errors import Origin, Origins, nearest
from rsspot.manifests.lifecycle import Lifecycle
from rsspot.manifests.stack import Limits, StackSpec
from rsspot.resources.field import Path
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document


@dataclass(frozen=True)
class Default:
    """A value for a field that its author left out. source: where it comes from, as a noun: `region of the profile`."""

    value: Any
    source: str


@dataclass(frozen=True)
class Manifest:
    """kind and name as written; body holds only what the author wrote: labels, annotations and spec.

    Prices in the spec are Decimals; they become text when a body is made for the wire.
    """

    kind: Kind[Any]
    name: str
    body: Document
    origin: Origin | None = None
    """Where its name was written."""
    namespace: str | None = None
    """The namespace that its author wrote; it must be the organization's."""
    origins: Origins = field(default_factory=dict, repr=False, compare=False)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    defaults: Mapping[Path, Default] = field(default_factory=dict)
    """Fields of the spec that a new object gets from the settings. One that exists keeps what it has."""
    combination: str = ""
    """Which combination of a matrix it is, as a clause."""

    @property
    def spec(self) -> Document:
        spec: Document = self.body["spec"]
        return spec

    @property
    def names(self) -> tuple[str, ...]:
        """What the object is called, and then what it was called before."""
        previous = self.lifecycle.previous_name
        return (self.name, previous) if previous else (self.name,)

    @cached_property
    def address(self) -> str:
        """How people call the object: `spotnodepool/edge/workers`."""
        return self.kind.address(self.name, self.spec)

    @cached_property
    def parent(self) -> str | None:
        """The address of the object it lives in."""
        return self.kind.parent_address(self.spec)

    def where(self, *path: str) -> Origin | None:
        """Where a field was written, or the closest thing above it."""
        return nearest(self.origins, path, self.origin)


@dataclass(frozen=True)
class ManifestSet:
    """Everything one run was given."""

    stack: str
    manifests: tuple[Manifest, ...]
    files: tuple[str, ...]
    limits: Limits = field(default_factory=Limits)
    organization: str | None = None
    profile: str | None = None
    named: bool = False
    """Whether a Stack document named the stack."""
    foreign: tuple[str, ...] = ()
    """What was found in a folder and passed over because another tool reads it."""
    hidden: tuple[str, ...] = ()
    """Files that were passed over in a folder because their names begin with a dot."""
    declared: tuple[Document, ...] = ()
    """The Stack document as it was written, if there is one."""
    controlled: tuple[str, ...] = ()
    """Objects that the service made for others and manages itself, as a list of live objects has them."""
    variables: frozenset[str] = frozenset()
    """The names of variables that the Stack declares or that a manifest asks for."""
    unused: tuple[str, ...] = ()
    """A clause about each variable that the Stack declares and that nothing asks for."""

    stack_spec: StackSpec = field(default_factory=StackSpec)
    """All that the Stack says."""
    stack_origins: Origins = field(default_factory=dict, repr=False, compare=False)
    """Where each part of the Stack was written."""

    def where_in_stack(self, *path: str) -> Origin | None:
        """Where a part of the Stack's spec was written, or the closest thing above it."""
        return nearest(self.stack_origins, ("spec", *path), None)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found in folders and not read, and what is declared and not used, each as a clause."""
        hidden = (f"{each} is hidden" for each in self.hidden)
        passed_over = (f"{each}: passed over" for each in (*self.foreign, *self.controlled, *hidden))
        return (*passed_over, *self.unused)
