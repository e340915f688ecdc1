"""What an Overlay document says: which manifests it changes, and how. Applies nothing."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rsspot.models.authoring import one_of
from rsspot.models.resource import AuthoredMetadata, Model


class OverlayTarget(Model):
    """The manifests that an overlay changes: those whose kind and name both match."""

    kind: str | None = None
    """Kind, or a pattern such as *NodePool. By default every kind."""
    name: str | None = None
    """Name, or a pattern such as edge-*; edge/workers is a pool with its cloudspace. By default every name."""


class PatchOperation(Model):
    """One operation of a JSON patch (RFC 6902)."""

    op: Annotated[str, one_of("add", "remove", "replace", "move", "copy", "test")]
    """What is done."""
    path: str
    """Where, as a JSON pointer such as /spec/desired."""
    from_: Annotated[str | None, Field(alias="from")] = None
    """Where the value of move and copy is."""
    value: Any = None
    """The value of add, replace and test."""


class OverlaySpec(Model):
    """Either merge or patch, and what it is applied to."""

    target: OverlayTarget
    """The manifests that are changed."""
    merge: dict[str, Any] | None = None
    """A merge patch (RFC 7386): its values replace those of the manifest; null removes a field from the manifest."""
    patch: list[PatchOperation] | None = None
    """A JSON patch (RFC 6902): operations that are carried out in order, all or none."""


class Overlay(Model):
    """A change of manifests that are declared elsewhere, such as for one environment."""

    api_version: str
    """Group and version of the kind."""
    kind: str
    """The kind."""
    metadata: AuthoredMetadata
    """Name of the overlay."""
    spec: OverlaySpec
    """What is changed, and how."""
