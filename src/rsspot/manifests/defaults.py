"""What a manifest gets from the settings where its author wrote nothing: the region of new objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rsspot.manifests.manifest import Default
from rsspot.manifests.source import Source
from rsspot.resources.field import Path
from rsspot.resources.kind import Kind

RegionOf = Callable[[str | None], Default | None]
"""The default region, by the name of the profile that the Stack names."""


def defaults_of(kind: Kind[Any], source: Source, region: Callable[[], Default | None]) -> dict[Path, Default]:
    """The region of the settings, for an object that has to name one and does not."""
    spec = source.value.get("spec")
    missing = [path for path in kind.regions if isinstance(spec, dict) and path[0] not in spec]
    default = region() if missing else None
    return dict.fromkeys(missing, default) if default else {}
