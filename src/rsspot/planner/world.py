"""LiveState: everything that planning looks at besides the manifests, as it was read. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rsspot.models.refs import Ref
from rsspot.utils.serialization import Document


@dataclass(frozen=True)
class LiveState:
    """What was read.

    owned: what the ledger has on record of each object of the stack
    claimed: objects that creates of earlier runs, whose answers nobody has seen, may have made
    """

    organization: str
    live: Mapping[str, Mapping[str, Document]]
    incomplete: Mapping[str, str] = field(default_factory=dict)
    owned: Mapping[Ref, Any] = field(default_factory=dict)
    claimed: frozenset[Ref] = frozenset()
