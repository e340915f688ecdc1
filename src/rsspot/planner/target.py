"""Target: a manifest with its wire name, found among the live objects. Says what belongs together, not what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rsspot.errors import Origin
from rsspot.models.fields import IMMUTABLE
from rsspot.planner.diff import SPEC, field_at, live_value, managed, same
from rsspot.planner.ownership import Owners
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document


@dataclass(frozen=True)
class Wanted:
    """One object that should exist. body holds what its author wrote."""

    kind: Kind[Any]
    name: str
    body: Document
    origin: Origin | None = None
    origins: Mapping[tuple[str, ...], Origin] | None = None

    @property
    def spec(self) -> Document:
        spec: Document = self.body[SPEC]
        return spec

    @property
    def address(self) -> str:
        return self.kind.address(self.name, self.spec)

    @property
    def parent(self) -> str | None:
        """Address of the object it lives in."""
        return self.kind.parent_address(self.spec)

    def where(self, *path: str) -> Origin | None:
        """Where a field of it was written."""
        parts = tuple(path)
        while parts and self.origins and parts not in self.origins:
            parts = parts[:-1]
        return (self.origins or {}).get(parts, self.origin)


@dataclass(frozen=True)
class Match:
    """A wanted object and what lives of it.

    leftovers: predecessors that an earlier replacement left behind. Their names are ones that we made up, or that the
    ledger has on record for this address.
    copies: others that say they are this object. Somebody made them, with our label and the author's name in them; they
    are treated as what no manifest declares.
    certain: whether `live` is known to be the object by its name or by the ledger, and not by what it says of itself.
    """

    wanted: Wanted
    live: Document | None
    leftovers: tuple[Document, ...] = ()
    copies: tuple[Document, ...] = ()
    certain: bool = True


def match(
    wanted: Wanted,
    candidates: Mapping[str, Document],
    by_address: Mapping[str, list[Document]],
    organization: str,
    owners: Owners,
) -> Match:
    """Find a wanted object among the live ones.

    Its name decides: the one we make up for it, the ones we make up for its replacements, and the names that the
    ledger has for its address. What only claims to be it (a label and an annotation can be copied with the rest of an
    object) is taken where nothing better lives, the oldest first. Ours go before somebody else's.
    """
    kind = wanted.kind
    found = {each["metadata"]["name"]: each for each in by_address.get(wanted.address, ())}
    for successor in (False, True):
        name = kind.wire_name(organization, wanted.name, wanted.spec, successor=successor)
        if name in candidates:
            found[name] = candidates[name]
    if not found:
        return Match(wanted, None)
    known = {name for name, live in found.items() if _is_known(wanted, live, organization, owners)}

    def rank(live: Document) -> tuple[bool, bool, int, str, str]:
        name, created = live["metadata"]["name"], str(live["metadata"].get("creationTimestamp") or "")
        differences = _differences(wanted, live) if name in known else 0
        return (not owners.is_ours(kind, live), name not in known, differences, created, name)

    first, *others = sorted(found.values(), key=rank)
    ours = [each for each in others if owners.is_ours(kind, each)]
    return Match(
        wanted,
        first,
        leftovers=tuple(each for each in ours if each["metadata"]["name"] in known),
        copies=tuple(each for each in ours if each["metadata"]["name"] not in known),
        certain=first["metadata"]["name"] in known,
    )


def _is_known(wanted: Wanted, live: Document, organization: str, owners: Owners) -> bool:
    """Whether an object has a name that we made up for this manifest, now or in an earlier version of it."""
    kind, name, spec = wanted.kind, live["metadata"]["name"], live.get(SPEC) or {}
    known = owners.knows(kind, live)
    if known is not None and known.address == wanted.address:
        return True
    # What the service filled in was not part of the name.
    written = {key: value for key, value in spec.items() if key in wanted.spec}
    return name == kind.wire_name(organization, wanted.name, wanted.spec) or any(
        name == kind.wire_name(organization, wanted.name, each, successor=True) for each in (wanted.spec, spec, written)
    )


def _differences(wanted: Wanted, live: Document) -> int:
    """How many final choices of a live object are not the wanted ones."""
    return sum(1 for _ in _final_differences(wanted, live))


def _final_differences(wanted: Wanted, live: Document) -> Iterator[tuple[str, ...]]:
    for path, after in managed(wanted.kind, wanted.body).items():
        field = field_at(wanted.kind, path)
        if field and field.has(IMMUTABLE) and not same(wanted.kind, path, live_value(wanted.kind, live, path), after):
            yield path
