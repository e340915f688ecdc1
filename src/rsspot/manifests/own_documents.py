"""The documents that are about manifests and are no objects of the service: Stack and Overlay."""

from __future__ import annotations

from rsspot.manifests.overlay import Overlay
from rsspot.manifests.source import Source
from rsspot.manifests.stack import Stack
from rsspot.models.resource import Model

DOCUMENTS: dict[str, type[Model]] = {model.__name__: model for model in (Stack, Overlay)}
"""Name -> model. All are of the group that is ours."""


def is_a(model: type[Model], source: Source) -> bool:
    """Whether a source is meant to be a document of this model."""
    return isinstance(source.value, dict) and source.value.get("kind") == model.__name__
