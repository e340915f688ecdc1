"""Reasons: why the plan changes a field of one object, or does not, by the same rules as the plan. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rsspot.constants import IGNORE_ANNOTATION
from rsspot.manifests.manifest import Manifest
from rsspot.models.fields import IMMUTABLE
from rsspot.planner.attribution import author_of
from rsspot.planner.change import Path
from rsspot.planner.diff import leaves, live_value, passed_over, path_key, same, was_applied
from rsspot.planner.wire_form import wire_form
from rsspot.resources.secrecy import secret_paths
from rsspot.utils.sealing import is_seal
from rsspot.utils.secrets import MASK
from rsspot.utils.serialization import Document, at_path


@dataclass(frozen=True)
class FieldReason:
    """One declared field that is not simply as declared: its three values, secrets masked, and what the plan does.

    changes: whether the plan changes it · by, since: the program that wrote it last, and when, if the service tells
    """

    path: Path
    applied: Any
    live: Any
    declared: Any
    changes: bool
    reason: str
    by: str | None = None
    since: str | None = None


def field_reasons(manifest: Manifest, live: Document, applied: Mapping[str, Any] | None) -> Iterator[FieldReason]:
    """Every declared field that differs from the live object, or that a rule keeps from being compared.

    applied: the fields of the object as last applied, by the ledger; None where it knows nothing
    """
    kind = manifest.kind
    hidden = {*secret_paths(kind, manifest.body), *secret_paths(kind, live)}
    for path, value in leaves(manifest.body):
        field, now, written = kind.field_at(path), live_value(kind, live, path), at_path(live, path)
        desired = field.canonical(value) if field else value
        rule = passed_over(field, manifest.body, live, value) if field else None
        if rule is None and manifest.lifecycle.ignores(path):
            rule = f"left to others by {IGNORE_ANNOTATION}"
        equal = same(kind, path, now, desired)
        if equal and (rule is not None or wire_form(value) == written):
            continue
        last, secret = (applied or {}).get(path_key(path)), path in hidden
        changed = last is not None and not was_applied(last, now, secret)
        author = author_of(live, path) if changed else None
        who = f"{author.manager} at {author.time}" if author else "somebody else"
        reason = rule or ("means the same" if equal else _why(last, desired, who if changed else None, secret))
        if rule is None and not equal and field and field.has(IMMUTABLE):
            reason += "; cannot be changed in place"
        yield FieldReason(
            path=path,
            applied=_shown(last, secret or is_seal(last)),
            live=_shown(written, secret),
            declared=_shown(value, secret),
            changes=rule is None and not equal,
            reason=reason,
            by=author.manager if author else None,
            since=author.time if author else None,
        )


def _why(last: Any, desired: Any, who: str | None, secret: bool) -> str:
    """Why a field that is compared differs. who: whoever changed it after it was applied"""
    if last is None:
        return "declared otherwise; this ledger never applied it"
    if was_applied(last, desired, secret):
        return f"changed by {who} since it was applied"
    return f"declared otherwise, and changed by {who} since it was applied" if who else "declared otherwise by now"


def _shown(value: Any, secret: bool) -> Any:
    return MASK if secret and value is not None else wire_form(value)
