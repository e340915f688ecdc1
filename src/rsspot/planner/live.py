"""LiveState: everything a plan is made from besides the manifests, as it was read. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rsspot.models.costs import Rates
from rsspot.models.refs import Ref
from rsspot.utils.serialization import Document


class Owned(Protocol):
    """What the ledger has on record of one object of the stack."""

    @property
    def address(self) -> str: ...

    @property
    def uid(self) -> str | None: ...

    @property
    def applied(self) -> Mapping[str, Any]:
        """Its managed fields as last applied, by `path_key`."""
        ...


@dataclass(frozen=True)
class LiveState:
    """One reading of the organization and of the ledger.

    live: kind -> wire name -> object · incomplete: kind -> why its list could not be read
    owned: what the ledger has on record of the stack
    claimed: objects that creates of earlier runs, whose answers nobody has seen, may have made
    """

    organization: str
    live: Mapping[str, Mapping[str, Document]]
    incomplete: Mapping[str, str] = field(default_factory=dict)
    owned: Mapping[Ref, Owned] = field(default_factory=dict)
    claimed: frozenset[Ref] = frozenset()
    rates: Rates | None = None
    """Prices, where what the stack costs is to be worked out."""

    def of(self, kind: str) -> Mapping[str, Document]:
        """The live objects of a kind by wire name."""
        return self.live.get(kind, {})
