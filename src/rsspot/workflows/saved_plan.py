"""A plan that was saved to a file: read it, check that it still holds, put its secrets back, apply it. Prints nothing.

plan = await prepare_saved_plan(client, read_plan(Path("plan.json")), manifests)
async for event in apply_plan(client, ledger, plan):
...
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from rsspot.applier.settle import Found, judge
from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import Snapshot, take_snapshot
from rsspot.errors import StalePlan, UsageError
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.planner.change import Action, Change
from rsspot.planner.codec import load_plan
from rsspot.planner.masking import with_value
from rsspot.planner.order import Verb
from rsspot.planner.plan import Plan
from rsspot.planner.sealing import same_secrets
from rsspot.resources.documents import Documents
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import Document, at_path
from rsspot.workflows.reconcile import scope_id


async def prepare_saved_plan(client: AsyncSpotClient, plan: Plan, manifests: ManifestSet | None) -> Plan:
    """The saved plan, ready to be applied: its secrets put back, and every change checked against the live state.

    manifests: those the plan was made from; needed only if it holds secrets (`needs_manifests`).
    Raises UsageError for a plan of another account or without its manifests, StalePlan for one that no longer holds.
    """
    if needs_manifests(plan):
        if manifests is None:
            raise UsageError("the saved plan holds secrets, and they are only in the manifests", hint="give those too")
        plan = with_secrets(plan, manifests)
    return await check_fresh(client, plan)


def read_plan(path: Path) -> Plan:
    """A saved plan. Raises UsageError when the file is not one."""
    try:
        return load_plan(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path} is not a saved plan") from None


async def check_fresh(client: AsyncSpotClient, plan: Plan) -> Plan:
    """The plan, if every change of it may still be made.

    Raises StalePlan, naming every change that no longer holds, before anything is sent.
    """
    known = kinds()
    touched = [
        known[name] for name in sorted({change.ref.kind for change in plan.changes}) if "list" in known[name].verbs
    ]
    snapshot = await take_snapshot(client, touched)
    here = scope_id(client.base_url, snapshot.organization, plan.stack)
    if here != plan.scope:
        raise UsageError(f"the plan is for {plan.scope}, and this is {here}")
    stale = [
        f"{change.address}: {why}"
        for change in plan.changes
        if (why := _staleness(change, client, snapshot)) is not None
    ]
    if stale:
        raise StalePlan("the saved plan no longer holds: " + "; ".join(stale), hint="make and review a new plan")
    return plan


def _staleness(change: Change, client: AsyncSpotClient, snapshot: Snapshot) -> str | None:
    """Why a change may no longer be made, or None."""
    if change.deferred:
        return None
    if change.ref.kind in snapshot.incomplete:
        return f"could not be read: {snapshot.incomplete[change.ref.kind]}"
    documents = client.documents(kinds()[change.ref.kind])
    live = snapshot.of(change.ref.kind)
    if change.action is Action.CREATE:
        verdict = judge(change, Verb.CREATE, documents, live.get(change.ref.name))
        return verdict.detail if verdict.found is Found.STALE else None
    assert change.base is not None
    if change.action is Action.DELETE:
        verdict = judge(change, Verb.DELETE, documents, live.get(change.base.name))
        return verdict.detail if verdict.found is Found.STALE else None
    if change.action is Action.REPLACE:
        done = judge(change, Verb.CREATE, documents, live.get(change.ref.name)).found is Found.DONE
        return None if done else _base_moved(change, documents, live.get(change.base.name))
    verdict = judge(change, Verb.PATCH, documents, live.get(change.base.name))
    return verdict.detail if verdict.found is Found.STALE else None


def _base_moved(change: Change, documents: Documents, live: Document | None) -> str | None:
    """Why the object that is to be replaced is no longer the one that was planned on, or None."""
    assert change.base is not None
    if live is None and not change.surge:
        # An earlier apply of this plan was stopped between the old object's end and the new one's beginning.
        return None
    if live is None or live["metadata"].get("uid") != change.base.uid:
        return "it was deleted since the plan was made"
    verdict = judge(change, Verb.DELETE, documents, live)
    return verdict.detail if verdict.found is Found.STALE else None


def needs_manifests(plan: Plan) -> bool:
    """Whether a saved plan holds places where a secret has to be put back."""
    return any(change.secrets or any(edit.secret for edit in change.edits) for change in plan.changes)


def with_secrets(plan: Plan, manifests: ManifestSet) -> Plan:
    """A saved plan with its secrets put back from the manifests.

    Raises UsageError for one that is no longer declared.
    """
    by_address = {manifest.address: manifest for manifest in manifests.manifests}
    return replace(plan, changes=tuple(_with_secrets(change, by_address) for change in plan.changes))


def _with_secrets(change: Change, by_address: dict[str, Manifest]) -> Change:
    if not change.secrets and not any(edit.secret for edit in change.edits):
        return change
    manifest = by_address.get(change.address)
    if manifest is None:
        raise UsageError(f"{change.address} holds a secret and is no longer in the manifests of the plan")
    body = change.body
    for path in change.secrets:
        assert body is not None
        body = with_value(body, path, at_path(manifest.body, path))
    changed = tuple(
        replace(edit, after=at_path(manifest.body, edit.path)) if edit.secret and edit.after is not None else edit
        for edit in change.edits
    )
    filled = replace(change, body=body, edits=changed)
    if not same_secrets(filled, change.seals):
        raise StalePlan(
            f"a secret of {change.address} is not the one that was planned with",
            hint="give it as it was (variables too), or make and review a new plan",
        )
    return filled
