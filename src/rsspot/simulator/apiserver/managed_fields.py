"""Field managers: keeps metadata.managedFields up to date on updates and applies, and finds conflicts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rsspot.simulator.apiserver.field_trees import holds, is_ordered, with_changes
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
"""The manager of fields that existed before managed fields were tracked."""


@dataclass(frozen=True)
class Manager:
    """A field manager and how it writes. operation: Apply or Update · subresource: "" or "status"."""

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
    """The fields that a manager manages, and since when. spelled: the same as FieldsV1, if known."""

    paths: Paths
    time: str
    spelled: dict[str, Any] | None = field(default=None, compare=False)


Claims = dict[Manager, Claim]
Entry = dict[str, Any]
"""One entry of managedFields."""


def claims_of(body: Object) -> Claims:
    """The managers of an object. Raises ValueError if managedFields has an invalid entry."""
    claims: Claims = {}
    for entry in body["metadata"].get("managedFields") or ():
        try:
            manager = _writer_of(entry)
            if manager.operation not in ("Apply", "Update") or entry.get("fieldsType") != "FieldsV1":
                raise ValueError("not an entry of managedFields")
            fields = entry.get("fieldsV1") or {}
            claims[manager] = Claim(paths_of(fields), str(entry.get("time", "")), fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an entry of managedFields: {error}") from None
    return claims


def entries_of(claims: Claims) -> list[Entry]:
    """The managedFields entries of the managers."""
    entries: list[Entry] = [
        {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.version,
            **({"time": claim.time} if claim.time else {}),
            "fieldsType": "FieldsV1",
            "fieldsV1": claim.spelled or tree(claim.paths),
            **({"subresource": manager.subresource} if manager.subresource else {}),
        }
        for manager, claim in claims.items()
        if claim.paths
    ]
    return sorted(entries, key=lambda entry: _rank(_writer_of(entry), entry))


def _rank(manager: Manager, entry: Entry) -> tuple[str, ...]:
    """Where an entry is among the others."""
    return (manager.operation, entry.get("time", ""), manager.name, manager.version, manager.subresource)


def _writer_of(entry: Entry) -> Manager:
    return Manager(str(entry.get("manager", "")), entry["operation"], entry["apiVersion"], entry.get("subresource", ""))


def manager_of(query_name: str, user_agent: str) -> str:
    """The name of a manager: the fieldManager of the query, or else the first part of the user agent."""
    name = query_name or user_agent.split("/", maxsplit=1)[0]
    return "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME] or "unknown"


def updated(schema: Schema, live: Object | None, body: Object, manager: Manager, time: str) -> Object:
    """An updated object with new managedFields. The writer becomes the manager of every field it changed."""
    entries = body["metadata"].get("managedFields")
    if live is not None and entries and entries is live["metadata"].get("managedFields"):
        # As they are stored: valid, and changed without reading what stays.
        differences = _compared(whole(schema), live, body, manager.subresource)
        return _with_entries(body, _followed(entries, differences, manager, time))
    claims = _claims_before(live, body)
    if claims is None or (live is not None and not claims):
        return _with_claims(body, {})
    schema = whole(schema)
    differences = _compared(schema, live, body, manager.subresource)
    before = claims.get(manager, Claim(frozenset(), time))
    claims = _transferred(claims, manager, differences)
    paths = (before.paths - differences.removed) | differences.written
    claims[manager] = before if paths == before.paths else Claim(paths, time)
    return _with_claims(body, claims)


def _followed(entries: list[Entry], differences: Differences, manager: Manager, time: str) -> list[Entry]:
    """The entries after a write. Entries whose fields stay the same are left as they are."""
    written, taken = differences.written, differences.written | differences.removed
    after: list[Entry] = []
    is_known = False
    for entry in entries:
        if manager == _writer_of(entry):
            is_known = True
            added = [path for path in written if not holds(entry["fieldsV1"], path)]
            after.append(_changed(entry, added, differences.removed, time))
        else:
            after.append(_changed(entry, (), taken, entry.get("time", "")))
    if not is_known:
        after += entries_of({manager: Claim(frozenset(written), time)})
    return sorted((entry for entry in after if entry["fieldsV1"]), key=lambda entry: _rank(_writer_of(entry), entry))


def _changed(entry: Entry, added: Iterable[Path], removed: Iterable[Path], time: str) -> Entry:
    """An entry with some fields and without others; the same one if it has these and lacks those already."""
    fields = entry["fieldsV1"]
    added, gone = list(added), [path for path in removed if holds(fields, path)]
    if not added and not gone:
        return entry
    if is_ordered(fields):
        fields = with_changes(fields, added, gone)
    else:
        fields = tree((paths_of(fields) - frozenset(gone)) | frozenset(added))
    return {**entry, **({"time": time} if time else {}), "fieldsV1": fields}


def applied(
    schema: Schema, live: Object | None, config: Object, manager: Manager, time: str, *, force: bool
) -> tuple[Object, bool]:
    """Apply a configuration. Returns the object and whether it changed. Raises Refusal for conflicts."""
    schema = whole(schema)
    base: Object = live or {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {}}
    claims = claims_of(base)
    if live is not None and not claims:
        existing = frozenset(nodes(schema, {key: value for key, value in live.items() if key != "status"}))
        claims[Manager(BEFORE, "Update", manager.version)] = Claim(existing, time)
    previous = claims.get(manager, Claim(frozenset(), time))
    claims[manager] = Claim(frozenset(_writable(claimed(schema, config), manager.subresource)), time)
    kept = frozenset().union(*(claim.paths for claim in claims.values()))
    body = without(schema, merged(schema, base, config), previous.paths - kept, kept)
    differences = _compared(schema, base, body, manager.subresource)
    if not force:
        _refuse_conflicts(claims, manager, differences.written)
    own = claims[manager]
    claims = _transferred(claims, manager, differences)
    unchanged = not differences.written and not differences.removed and own.paths == previous.paths
    claims[manager] = previous if unchanged else own
    return _with_claims(body, claims), not unchanged


def _compared(schema: Schema, live: Object | None, body: Object, subresource: str) -> Differences:
    differences = Differences.between(schema, live or {}, body)
    return Differences(_writable(differences.written, subresource), _writable(differences.removed, subresource))


def _writable(paths: Iterable[Path], subresource: str) -> set[Path]:
    """The fields that a write can change: only status on the status subresource, everything else otherwise."""
    prefix = "f:status"
    return {path for path in paths if (path[0] == prefix) == (subresource == "status")}


def _transferred(claims: Claims, manager: Manager, differences: Differences) -> Claims:
    """Take the fields that a manager wrote or removed away from all other managers."""
    taken = differences.written | differences.removed
    return {
        other: claim if other == manager or not claim.paths & taken else Claim(claim.paths - taken, claim.time)
        for other, claim in claims.items()
    }


def _claims_before(live: Object | None, body: Object) -> Claims | None:
    """The managers in a body, or else the live ones. Returns None if the body resets managedFields."""
    given = body["metadata"].get("managedFields")
    if live is None:
        return {}
    if given == [{}]:
        return None
    try:
        return claims_of(body) or claims_of(live)
    except ValueError:
        return claims_of(live)


def _with_claims(body: Object, claims: Claims) -> Object:
    return _with_entries(body, entries_of(claims))


def _with_entries(body: Object, entries: list[Entry]) -> Object:
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": {**metadata, "managedFields": entries} if entries else metadata}


def _refuse_conflicts(claims: Claims, manager: Manager, written: set[Path]) -> None:
    conflicts = {
        other: claim.paths & written for other, claim in claims.items() if other != manager and claim.paths & written
    }
    if not conflicts:
        return
    count = sum(map(len, conflicts.values()))
    text = "\n".join(
        _conflict_text(other, sorted(paths))
        for other, paths in sorted(conflicts.items(), key=lambda pair: pair[0].name)
    )
    causes = tuple(
        Cause("FieldManagerConflict", spelled(path), f"conflict with {other}")
        for other, paths in sorted(conflicts.items(), key=lambda pair: pair[0].name)
        for path in sorted(paths)
    )
    raise Refusal(409, "Conflict", f"Apply failed with {count} conflict{'s' * (count > 1)}: {text}", causes=causes)


def _conflict_text(other: Manager, paths: Iterable[Path]) -> str:
    fields = [spelled(path) for path in paths]
    if len(fields) == 1:
        return f"conflict with {other}: {fields[0]}"
    return f"conflicts with {other}:\n" + "\n".join(f"- {field}" for field in fields)
