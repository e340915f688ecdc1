"""Plan: a bound on what an apply may do, with one digest of the whole, and its JSON form.

Secrets never enter the JSON.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rsspot.constants import VERSION
from rsspot.errors import Origin, Problem, UsageError
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Base, Change, Edit, Path
from rsspot.planner.diff import path_key
from rsspot.utils.serialization import Document, at_path, digest

FORMAT = "rsspot.plan/1"
MASK = "(secret #{})"
UNSEALED = ("digest", "createdAt")
"""What the digest is not about."""


@dataclass(frozen=True)
class Leftover:
    """An object of the stack that no manifest declares and that this plan leaves alone."""

    address: str
    ref: Ref


@dataclass(frozen=True)
class Plan:
    """changes: in order of address. An apply does these, some of these, or none; never anything else."""

    scope: str
    organization: str
    stack: str
    command: str
    changes: tuple[Change, ...]
    unchanged: int = 0
    undeclared: tuple[Leftover, ...] = ()
    incomplete: Mapping[str, str] = field(default_factory=dict)
    """Kind -> why it could not be read; nothing of that kind is deleted."""
    refusals: tuple[Problem, ...] = ()
    """What guards object to. A plan with refusals cannot be applied."""
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    profile: str | None = None
    """The profile that the Stack named."""

    @property
    def empty(self) -> bool:
        return not self.changes

    @property
    def complete(self) -> bool:
        return not self.incomplete

    @property
    def summary(self) -> dict[str, int]:
        """How many objects each action is for; every action is a key."""
        counts = Counter(change.action for change in self.changes)
        return {action.value: counts[action] for action in Action} | {
            "drift": sum(change.drift for change in self.changes),
            "unchanged": self.unchanged,
        }

    def of(self, address: str) -> Change:
        """The change of an address; KeyError when there is none."""
        return next(change for change in self.changes if change.address == address)

    def to_json(self) -> Document:
        """The plan as `rsspot.plan/1`, sealed by `digest`."""
        masks = Masks()
        document: Document = {
            "schema": FORMAT,
            "tool": {"version": VERSION},
            "scope": {"id": self.scope, "organization": self.organization, "stack": self.stack},
            "command": self.command,
            "complete": self.complete,
            "applyable": not self.refusals,
            "incompleteReasons": dict(self.incomplete),
            "inputs": {"files": list(self.files), "profile": self.profile},
            "summary": self.summary,
            "changes": [_change_json(change, masks) for change in self.changes],
            "undeclared": [leftover.address for leftover in self.undeclared],
            "refusals": [problem_json(problem) for problem in self.refusals],
            "notes": list(self.notes),
        }
        return document | {"digest": digest(document)}

    @classmethod
    def from_json(cls, document: Document) -> Plan:
        """Read a saved plan. Raises UsageError when it is not one, or was changed since it was sealed."""
        if not isinstance(document, dict) or document.get("schema") != FORMAT:
            raise UsageError(f"not a saved plan: its schema is not {FORMAT!r}")
        sealed = {key: value for key, value in document.items() if key not in UNSEALED}
        if document.get("digest") != digest(sealed):
            raise UsageError("the saved plan was changed after it was made: its digest does not match")
        return cls(
            scope=document["scope"]["id"],
            organization=document["scope"]["organization"],
            stack=document["scope"]["stack"],
            command=document["command"],
            changes=tuple(_change_from(change) for change in document["changes"]),
            unchanged=document["summary"]["unchanged"],
            incomplete=document["incompleteReasons"],
            refusals=tuple(
                Problem(each["message"], _origin_from(each["source"]), each["hint"], each["rule"])
                for each in document["refusals"]
            ),
            notes=tuple(document["notes"]),
            files=tuple(document["inputs"]["files"]),
            profile=document["inputs"]["profile"],
        )


class Masks:
    """Numbers for secrets, so that equal ones can be told from different ones."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mask(self, value: Any) -> str | None:
        """`(secret #1)` for a value; None for none."""
        if value is None:
            return None
        return MASK.format(self._numbers.setdefault(str(value), len(self._numbers) + 1))


def operations(change: Change) -> list[Document]:
    """A change's edits as an RFC 6902 patch that tests what it was planned on."""
    found: list[Document] = []
    for edit in change.edits:
        pointer = "/" + path_key(edit.path)
        if edit.before is None:
            found.append({"op": "add", "path": pointer, "value": edit.after})
            continue
        found.append({"op": "test", "path": pointer, "value": edit.before})
        removal = {"op": "remove", "path": pointer}
        found.append(removal if edit.after is None else {"op": "replace", "path": pointer, "value": edit.after})
    return found


def masked(change: Change, masks: Masks) -> Change:
    """The same change with every secret replaced by its number."""
    hidden = tuple(
        replace(edit, before=masks.mask(edit.before), after=masks.mask(edit.after)) if edit.secret else edit
        for edit in change.edits
    )
    return replace(change, edits=hidden, body=_masked_body(change, masks))


def _masked_body(change: Change, masks: Masks) -> Document | None:
    body = change.body
    for path in change.secrets:
        if body is not None and at_path(body, path) is not None:
            body = with_value(body, path, masks.mask(at_path(body, path)))
    return body


def with_value(document: Document, path: Path, value: Any) -> Document:
    """A copy of a document with another value at a path."""
    key, *rest = path
    inner = with_value(document[key], tuple(rest), value) if rest else value
    return document | {key: inner}


def seals_of(change: Change) -> dict[str, str]:
    """A seal for each secret of a change, by its path: enough to know the same secret again, not to find it."""
    values = {path: at_path(change.body, path) for path in change.secrets}
    values |= {edit.path: edit.after for edit in change.edits if edit.secret and edit.after is not None}
    return {path_key(path): seal(change.address, path, value) for path, value in sorted(values.items())}


def seal(address: str, path: Path, value: Any) -> str:
    """A slow hash, salted with the place, so that guessing is dear and a plan of the same things stays the same."""
    salt = f"{address}/{path_key(path)}".encode()
    return "scrypt:" + hashlib.scrypt(str(value).encode(), salt=salt, n=2**12, r=8, p=1, dklen=24).hex()


def problem_json(problem: Problem) -> Document:
    """A problem as JSON."""
    return {
        "rule": problem.rule,
        "message": problem.message,
        "source": _origin_json(problem.origin),
        "hint": problem.hint,
    }


def _change_json(change: Change, masks: Masks) -> Document:
    hidden = masked(change, masks)
    return {
        "address": change.address,
        "kind": change.ref.kind,
        "name": change.ref.name,
        "action": change.action.value,
        "reason": change.reason,
        "source": _origin_json(change.origin),
        "parent": change.parent,
        "surge": change.surge,
        "deferred": change.deferred,
        "takes": change.takes,
        "gives": change.gives,
        "drift": change.drift,
        "diff": [
            {
                "path": list(edit.path),
                "before": edit.before,
                "after": edit.after,
                "drift": edit.drift,
                "secret": edit.secret,
                "forcesReplacement": edit.forces_replacement,
            }
            for edit in hidden.edits
        ],
        "patch": operations(hidden),
        "body": hidden.body,
        "secrets": [list(path) for path in change.secrets],
        "seals": dict(change.seals) or seals_of(change),
        "base": change.base
        and {
            "name": change.base.name,
            "uid": change.base.uid,
            "paths": [list(path) for path in change.base.paths],
            "managedDigest": change.base.digest,
            "owner": change.base.owner,
        },
    }


def _change_from(document: Document) -> Change:
    base = document["base"]
    return Change(
        address=document["address"],
        action=Action(document["action"]),
        ref=Ref(document["kind"], document["name"]),
        reason=document["reason"],
        origin=_origin_from(document["source"]),
        parent=document["parent"],
        edits=tuple(
            Edit(
                tuple(edit["path"]),
                edit["before"],
                edit["after"],
                edit["drift"],
                edit["secret"],
                edit["forcesReplacement"],
            )
            for edit in document["diff"]
        ),
        body=document["body"],
        base=base
        and Base(base["name"], base["uid"], tuple(map(tuple, base["paths"])), base["managedDigest"], base["owner"]),
        surge=document["surge"],
        deferred=document["deferred"],
        takes=document["takes"],
        gives=document["gives"],
        secrets=tuple(map(tuple, document["secrets"])),
        seals=document["seals"],
    )


def _origin_json(origin: Origin | None) -> Document | None:
    return {"file": origin.file, "line": origin.line, "column": origin.column} if origin else None


def _origin_from(document: Document | None) -> Origin | None:
    return Origin(**document) if document else None
