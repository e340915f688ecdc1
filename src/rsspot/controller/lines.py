"""A round as a line: for people, or as `rsspot.round/1`, one JSON object for a log. Prints nothing."""

from __future__ import annotations

from rsspot.controller.rounds import ROUND_FORMAT, Round, RoundOutcome
from rsspot.planner.change import Action
from rsspot.utils.clock import exact_stamp, stamp
from rsspot.utils.serialization import Document
from rsspot.utils.text import printable

MOST_NAMED = 5
"""Addresses in a line for people."""
MOST_LISTED = 100
"""Changes in a line for programs."""


def round_line(ended: Round) -> str:
    """A round in one line for people."""
    parts = [stamp(ended.began), ended.stack or "-", f"round {ended.number}:", ended.outcome.value]
    told = "; ".join(filter(None, [_difference(ended), ended.reason, _staleness(ended)]))
    return printable(" ".join(parts) + (f": {told}" if told else ""))


def _difference(ended: Round) -> str:
    """What differs or differed, in numbers and names."""
    if ended.plan is None or ended.plan.empty:
        return ""
    counts = ended.recap.counts if ended.recap else {f"to {each}": ended.plan.summary[each] for each in Action}
    counted = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    drift = f", {len(ended.drifted)} drifted" if ended.drifted else ""
    addresses = [change.address for change in ended.plan.changes]
    more = f" and {len(addresses) - MOST_NAMED} more" if len(addresses) > MOST_NAMED else ""
    return f"{counted}{drift}: {', '.join(addresses[:MOST_NAMED])}{more}"


def _staleness(ended: Round) -> str:
    if ended.declared is None or not ended.declared.stale:
        return ""
    return f"still at commit {ended.declared.revision[:12]}: {ended.declared.stale}"


def round_document(ended: Round) -> Document:
    """A round as a JSON object. Values of fields are not in it, so no secret is."""
    declared, plan = ended.declared, ended.plan
    document: Document = {
        "schema": ROUND_FORMAT,
        "time": exact_stamp(ended.began),
        "stack": ended.stack,
        "round": ended.number,
        "outcome": ended.outcome.value,
        "reason": ended.reason or None,
        "hint": ended.error.hint if ended.error else None,
        "seconds": round(ended.seconds, 3),
        "nextIn": round(ended.wait, 3),
        "revision": (declared.revision or None) if declared else None,
        "stale": (declared.stale or None) if declared else None,
    }
    if plan is not None:
        changes = plan.changes
        document["organization"] = plan.organization
        document["summary"] = plan.summary
        document["changes"] = [
            {"address": each.address, "action": each.action.value, "drift": each.drift}
            for each in changes[:MOST_LISTED]
        ]
        document["changesLeftOut"] = max(0, len(changes) - MOST_LISTED)
        document["refusals"] = [{"rule": each.rule, "message": each.message} for each in plan.refusals]
    if ended.recap is not None:
        recap = ended.recap
        document["run"] = {"number": recap.run, "outcome": recap.outcome.value, "counts": recap.counts}
    return document


def is_news(before: Round | None, ended: Round) -> bool:
    """Whether a round tells something that the one before did not: a run, or another outcome or difference."""
    if ended.outcome in (RoundOutcome.APPLIED, RoundOutcome.FAILED) or before is None:
        return True
    return (before.outcome, before.reason, _difference(before)) != (ended.outcome, ended.reason, _difference(ended))
