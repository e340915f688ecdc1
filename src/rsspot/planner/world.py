"""World: everything that planning looks at besides the manifests, as it was read. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rsspot.models.refs import Ref
from rsspot.utils import Document


@dataclass(frozen=True)
class World:
    """What was read.

    applied: per object, its fields as last applied; claimed: objects an earlier run meant to create.
    """

    organization: str
    live: Mapping[str, Mapping[str, Document]]
    incomplete: Mapping[str, str] = field(default_factory=dict)
    owned: Mapping[Ref, Any] = field(default_factory=dict)
    claimed: frozenset[Ref] = frozenset()
