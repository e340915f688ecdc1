"""A plan that was saved to a file: read it, check that it still holds, put its secrets back, apply it. Prints nothing.

    plan = await prepare_saved_plan(client, read_plan(Path("plan.json")), manifests)
    async for event in apply_plan(client, ledger, plan):
        ...

What its changes may do is judged in saved_plan_guards.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rsspot.applier.events import RunOutcome
from rsspot.applier.settle import Found, judge
from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import Snapshot, take_snapshot
from rsspot.errors import StalePlan, UsageError
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.planner.change import Action, Change
from rsspot.planner.codec import load_plan
from rsspot.planner.decisions import image_of
from rsspot.planner.masking import with_value
from rsspot.planner.options import SpendingLimit
from rsspot.planner.order import Verb
from rsspot.planner.plan import DRIFT, Plan
from rsspot.planner.sealing import same_secrets
from rsspot.planner.signing import is_signed_by
from rsspot.resources.documents import Documents
from rsspot.resources.registry import kinds
from rsspot.state.ledger.plans import CUT
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.reading import parse_json, read_text
from rsspot.utils.serialization import Document, at_path
from rsspot.utils.text import did_you_mean
from rsspot.workflows.known import scope_id
from rsspot.workflows.policies import judged_by_manifests, judged_by_record
from rsspot.workflows.programs import check_programs
from rsspot.workflows.reconcile import require_applyable
from rsspot.workflows.saved_plan_guards import check_allowed


async def prepare_saved_plan(
    client: AsyncSpotClient,
    plan: Plan,
    manifests: ManifestSet | None,
    ledger: Ledger | None = None,
    *,
    spending: tuple[SpendingLimit, ...] = (),
) -> Plan:
    """The saved plan, ready to be applied: its secrets put back, and every change judged again.

    Anybody can write a plan file and work out its digest, so the file is not believed: what it would do has to be what
    its manifests say, and what the guards allow for objects that are this stack's.

    manifests: those the plan was made from; needed only if it holds secrets (`needs_manifests`).
    ledger: where the stack's objects are on record; by default the client's.
    spending: limits besides the budget of the Stack, which is held to the prices of now, not those of the plan.
    Raises UsageError for a plan of another account or without its manifests, StalePlan for one that no longer holds,
    PlanRefused for one that may not be applied.
    """
    if plan.command == DRIFT:
        raise UsageError("a report of drift is no plan to apply", hint="make a plan: rsspot plan … --out plan.json")
    check_kinds(plan)
    if needs_manifests(plan):
        if manifests is None:
            raise UsageError("the saved plan holds secrets, and they are only in the manifests", hint="give those too")
        plan = with_secrets(plan, manifests)
    check_programs(plan)
    live = await touched_by(client, plan)
    plan = check_fresh(client, plan, live)
    ledger = ledger or client.ledger
    cost = await check_allowed(client, ledger, plan, manifests, live, spending)
    # The digest does not cover what the file says of costs, and prices have moved since.
    plan = replace(plan, cost=cost)
    plan = judged_by_manifests(plan, manifests) if manifests is not None else judged_by_record(plan, ledger)
    require_applyable(plan)
    return plan


def read_plan(path: Path, *, key: str | None = None) -> Plan:
    """A saved plan. key: the plan must have been signed with it.

    Raises UsageError when the file is not a plan, and StalePlan when it is not signed with the key.
    """
    try:
        document = parse_json(read_text(path))
        if key and not (isinstance(document, dict) and is_signed_by(document, key)):
            raise StalePlan(
                f"{path} is not signed with this plan key", hint="plan with the same key, or review it again"
            )
        return load_plan(document)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path} is not a saved plan") from None


def plan_to_resume(ledger: Ledger, stack: str | None = None) -> Plan | None:
    """The plan of the last run, of a stack if one is named; None if that run came to a good end, or there is none.

    Its secrets are not in the ledger, so it is prepared like any saved plan.
    """
    runs = ledger.runs(stack=stack, limit=1)
    if not runs or runs[0].outcome == RunOutcome.OK:
        return None
    document = ledger.plan(runs[0].id)
    if CUT in document:
        message = f"run {runs[0].id} was too large for its plan to be kept"
        raise UsageError(message, hint="plan and apply its manifests again: what is done already stays as it is")
    return load_plan(document, sealed=False)


def check_kinds(plan: Plan) -> None:
    """Raises UsageError for a change of a kind that this rsspot does not know, or that its kind cannot have."""
    for index, change in enumerate(plan.changes):
        kind = kinds().get(change.ref.kind)
        if kind is None:
            hint = did_you_mean(change.ref.kind, kinds()) or "make a new plan with this version of rsspot"
            raise UsageError(f"the saved plan: changes[{index}].kind: no kind {change.ref.kind!r}", hint=hint)
        if change.deferred and not kind.expand:
            message = f"the saved plan: changes[{index}].deferred: {kind.name} stands for no other objects"
            raise UsageError(message, hint="make a new plan")


async def touched_by(client: AsyncSpotClient, plan: Plan) -> Snapshot:
    """What lives of the kinds that a plan touches."""
    touched = [kinds()[name] for name in sorted({change.ref.kind for change in plan.changes})]
    return await take_snapshot(client, [kind for kind in touched if "list" in kind.verbs])


def check_fresh(client: AsyncSpotClient, plan: Plan, snapshot: Snapshot) -> Plan:
    """The plan, if every change of it may still be made. snapshot: the kinds that it touches

    Raises StalePlan, naming every change that no longer holds, before anything is sent.
    """
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
    # The digest does not cover images, and what the ledger keeps must be what was there.
    return replace(plan, changes=tuple(_with_image(change, snapshot) for change in plan.changes))


def _with_image(change: Change, snapshot: Snapshot) -> Change:
    live = snapshot.of(change.ref.kind).get(change.base.name) if change.base else None
    image = image_of(kinds()[change.ref.kind], live) if live and change.destructive else None
    return replace(change, image=image)


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
    sources = [manifest for manifest in manifests.manifests if manifest.kind.expand]
    return replace(plan, changes=tuple(_with_secrets(change, by_address, sources) for change in plan.changes))


def _stands_for(source: Manifest, change: Change) -> bool:
    """Whether a change is about what a manifest stands for: its members have the secrets at the same places."""
    return change.parent == source.parent and change.ref.kind in (source.kind.name, source.kind.expands_to)


def _with_secrets(change: Change, by_address: dict[str, Manifest], sources: list[Manifest]) -> Change:
    if not change.secrets and not any(edit.secret for edit in change.edits):
        return change
    manifest = by_address.get(change.address) or next((each for each in sources if _stands_for(each, change)), None)
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
