"""Who manages which fields: metadata.managedFields through updates and applies, and the conflicts between managers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rsspot.simulator.apiserver.fields import (
    Differences,
    Path,
    Paths,
    Schema,
    claimed,
    merged,
    nodes,
    paths_of,
    spelled,
    tree,
    whole,
    without,
)
from rsspot.simulator.apiserver.messages import Cause, Refusal
from rsspot.simulator.apiserver.store import Object

LONGEST_NAME = 128
BEFORE = "before-first-apply"
"""Who manages what was there before anybody's fields were tracked."""


@dataclass(frozen=True)
class Manager:
    """Who writes, and how. operation: Apply or Update · subresource: "" or "status"."""

    name: str
    operation: str
    version: str
    subresource: str = ""

    def __str__(self) -> str:
        within = f' with subresource "{self.subresource}"' if self.subresource else ""
        using = f" using {self.version}" if self.operation == "Update" else ""
        return f'"{self.name}"{within}{using}'


@dataclass(frozen=True)
class Claim:
    """The fields that a manager manages, and since when. spelled: as FieldsV1, where that is known."""

    paths: Paths
    time: str
    spelled: dict[str, Any] | None = field(default=None, compare=False)


Claims = dict[Manager, Claim]


def claims_of(body: Object) -> Claims:
    """The managers of an object. Raises ValueError for entries that cannot be read."""
    found: Claims = {}
    for entry in body["metadata"].get("managedFields") or ():
        try:
            operation, version = entry["operation"], entry["apiVersion"]
            manager = Manager(str(entry.get("manager", "")), operation, version, entry.get("subresource", ""))
            if operation not in ("Apply", "Update") or entry.get("fieldsType") != "FieldsV1":
                raise ValueError("not an entry of managedFields")
            fields = entry.get("fieldsV1") or {}
            found[manager] = Claim(paths_of(fields), str(entry.get("time", "")), fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an entry of managedFields: {error}") from None
    return found


def entries_of(claims: Claims) -> list[dict[str, Any]]:
    """Managers as managedFields lists them."""

    def rank(pair: tuple[Manager, Claim]) -> tuple[str, ...]:
        manager, claim = pair
        return (manager.operation, claim.time, manager.name, manager.version, manager.subresource)

    return [
        {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.version,
            "time": claim.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": claim.spelled or tree(claim.paths),
            **({"subresource": manager.subresource} if manager.subresource else {}),
        }
        for manager, claim in sorted(claims.items(), key=rank)
        if claim.paths
    ]


def manager_of(query_name: str, user_agent: str) -> str:
    """A manager's name: as the request says, or what its user agent begins with."""
    name = query_name or user_agent.split("/", maxsplit=1)[0]
    return "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME] or "unknown"


def updated(schema: Schema, live: Object | None, body: Object, manager: Manager, time: str) -> Object:
    """An object that somebody has written, with its managers: whoever changes a field manages it."""
    claims = _given(live, body)
    if claims is None or (live is not None and not claims):
        return _with(body, {})
    schema = whole(schema)
    differences = _compared(schema, live, body, manager.subresource)
    before = claims.get(manager, Claim(frozenset(), time))
    claims = _changed_hands(claims, manager, differences)
    paths = (before.paths - differences.removed) | differences.written
    claims[manager] = before if paths == before.paths else Claim(paths, time)
    return _with(body, claims)


def applied(
    schema: Schema, live: Object | None, config: Object, manager: Manager, time: str, *, force: bool
) -> tuple[Object, bool]:
    """The object that an applied configuration leads to, and whether it differs. Raises Refusal with the conflicts."""
    schema = whole(schema)
    base: Object = live or {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {}}
    claims = claims_of(base)
    if live is not None and not claims:
        there = frozenset(nodes(schema, {key: value for key, value in live.items() if key != "status"}))
        claims[Manager(BEFORE, "Update", manager.version)] = Claim(there, time)
    last = claims.get(manager, Claim(frozenset(), time))
    claims[manager] = Claim(frozenset(_own_part(claimed(schema, config), manager.subresource)), time)
    kept = frozenset().union(*(claim.paths for claim in claims.values()))
    body = without(schema, merged(schema, base, config), last.paths - kept, kept)
    differences = _compared(schema, base, body, manager.subresource)
    if not force:
        _refuse_conflicts(claims, manager, differences.written)
    mine = claims[manager]
    claims = _changed_hands(claims, manager, differences)
    same = not differences.written and not differences.removed and mine.paths == last.paths
    claims[manager] = last if same else mine
    return _with(body, claims), not same


def _compared(schema: Schema, live: Object | None, body: Object, subresource: str) -> Differences:
    found = Differences.between(schema, live or {}, body)
    return Differences(_own_part(found.written, subresource), _own_part(found.removed, subresource))


def _own_part(paths: Iterable[Path], subresource: str) -> set[Path]:
    """Through the status only the status is written, and not through anything else."""
    own = "f:status"
    return {path for path in paths if (path[0] == own) == (subresource == "status")}


def _changed_hands(claims: Claims, manager: Manager, differences: Differences) -> Claims:
    """What somebody writes or removes is nobody else's any more."""
    taken = differences.written | differences.removed
    return {
        other: claim if other == manager or not claim.paths & taken else Claim(claim.paths - taken, claim.time)
        for other, claim in claims.items()
    }


def _given(live: Object | None, body: Object) -> Claims | None:
    """The managers that a body brings, or else the live ones; None when it asks for them to be forgotten."""
    given = body["metadata"].get("managedFields")
    if live is None:
        return {}
    if given == [{}]:
        return None
    try:
        return claims_of(body) or claims_of(live)
    except ValueError:
        return claims_of(live)


def _with(body: Object, claims: Claims) -> Object:
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    entries = entries_of(claims)
    return {**body, "metadata": {**metadata, "managedFields": entries} if entries else metadata}


def _refuse_conflicts(claims: Claims, manager: Manager, written: set[Path]) -> None:
    found = {
        other: claim.paths & written for other, claim in claims.items() if other != manager and claim.paths & written
    }
    if not found:
        return
    count = sum(map(len, found.values()))
    told = "\n".join(
        _told(other, sorted(paths)) for other, paths in sorted(found.items(), key=lambda pair: pair[0].name)
    )
    causes = tuple(
        Cause("FieldManagerConflict", spelled(path), f"conflict with {other}")
        for other, paths in sorted(found.items(), key=lambda pair: pair[0].name)
        for path in sorted(paths)
    )
    raise Refusal(409, "Conflict", f"Apply failed with {count} conflict{'s' * (count > 1)}: {told}", causes=causes)


def _told(other: Manager, paths: Iterable[Path]) -> str:
    said = [spelled(path) for path in paths]
    if len(said) == 1:
        return f"conflict with {other}: {said[0]}"
    return f"conflicts with {other}:\n" + "\n".join(f"- {each}" for each in said)
