"""Manifest: one object as its author wants it, in the wire's spelling. Made only by `parse`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rsspot.errors import Origin
from rsspot.manifests.source import Source
from rsspot.manifests.stack import Limits
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document


@dataclass(frozen=True)
class Manifest:
    """kind and name as written; body holds only what the author wrote: labels, annotations and spec."""

    kind: Kind[Any]
    name: str
    body: Document
    source: Source = field(repr=False, compare=False)

    @property
    def spec(self) -> Document:
        spec: Document = self.body["spec"]
        return spec

    @property
    def address(self) -> str:
        return self.kind.address(self.name, self.spec)

    def origin(self, *path: str | int) -> Origin:
        """Where a part of it was written."""
        return self.source.origin(path)


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
    """Whether a Stack document said whose manifests these are."""
