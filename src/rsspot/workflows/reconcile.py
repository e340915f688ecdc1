"""plan, apply and destroy: reads, plans, checks and runs. Prints nothing; destroy is apply of nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rsspot.applier.context import ApplyContext, Patience
from rsspot.applier.events import Event
from rsspot.applier.lease import hold
from rsspot.applier.recover import recover
from rsspot.applier.run import PARALLEL, CancelToken, run_steps
from rsspot.applier.settle import Found, judge
from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import Snapshot, take_snapshot
from rsspot.errors import PlanRefused, StalePlan, UsageError
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.manifests.stack import DEFAULT_STACK
from rsspot.planner.build import build
from rsspot.planner.change import Action, Change
from rsspot.planner.guards import PlanOptions
from rsspot.planner.order import Verb, order
from rsspot.planner.plan import Plan, seals_of, with_value
from rsspot.planner.target import Wanted
from rsspot.planner.world import LiveState
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.serialization import Document, at_path


@dataclass(frozen=True)
class ApplyOptions:
    """How to apply. wait: ready, accepted or none · times in seconds."""

    wait: str = "ready"
    wait_timeout: float = 1200.0
    parallel: int = PARALLEL
    deadline: float | None = None
    """When to stop starting changes; kept by whoever runs the loop."""
    stop: CancelToken = field(default_factory=CancelToken)


async def make_plan(
    client: AsyncSpotClient,
    ledger: Ledger,
    manifests: ManifestSet | None,
    *,
    options: PlanOptions | None = None,
    stack: str | None = None,
    command: str = "apply",
) -> Plan:
    """Read the world and plan. Sends only GETs and writes nothing. Refusals are in the plan, not raised."""
    options = options or PlanOptions()
    known = kinds()
    name = stack if stack is not None else manifests.stack if manifests else DEFAULT_STACK
    wanted = [wanted_from(each) for each in manifests.manifests] if manifests else []
    if manifests and (options.most_deletes, options.most_delete_percent) == (None, None):
        limits = manifests.limits
        options = replace(options, most_deletes=limits.deletes, most_delete_percent=limits.delete_percent)
    snapshot = await take_snapshot(client, _needed(wanted, known, everything=options.prune))
    scope = scope_id(client.base_url, snapshot.organization, name)
    world = _world(snapshot, ledger, scope)
    files = manifests.files if manifests else ()
    made = build(wanted, world, known, stack=name, scope=scope, command=command, options=options, files=files)
    return replace(made, profile=manifests.profile if manifests else None)


def wanted_from(manifest: Manifest) -> Wanted:
    """A manifest as the planner takes it."""
    marks = {tuple(map(str, path)): origin for path, origin in manifest.source.marks.items()}
    return Wanted(manifest.kind, manifest.name, manifest.body, manifest.origin("metadata", "name"), marks)


def scope_id(base_url: str, organization: str, stack: str) -> str:
    """What a ledger files a stack under: the same name on another account is another stack."""
    host = base_url.split("://", 1)[-1].rstrip("/")
    return f"{host}/{organization}/{stack}"


def _needed(wanted: Iterable[Wanted], known: dict[str, Kind[Any]], *, everything: bool) -> list[Kind[Any]]:
    """The kinds whose lists a plan looks at."""
    names = {each.kind.name for each in wanted} | {each.kind.expands_to for each in wanted}
    names |= {to.kind for name in tuple(names) if name for _, to in known[name].references}
    if everything:
        names |= {kind.name for kind in known.values() if kind.manageable}
    # What lives in a declared object may go down with it, so it has to be seen.
    names |= {kind.name for kind in known.values() if kind.parent and kind.parent[1] in names and not kind.local}
    return [kind for name, kind in sorted(known.items()) if name in names and "list" in kind.verbs]


def _world(snapshot: Snapshot, ledger: Ledger, scope: str) -> LiveState:
    claimed = frozenset(
        left.step.ref for left in ledger.open_steps(scope) if left.step.verb == Verb.CREATE and left.may_have_arrived
    )
    return LiveState(snapshot.organization, snapshot.live, snapshot.incomplete, ledger.owned(scope), claimed)


def require_applyable(plan: Plan) -> None:
    """Raise PlanRefused with every objection of the guards."""
    if plan.refusals:
        raise PlanRefused(plan.refusals, hint="nothing was sent")


async def apply_plan(
    client: AsyncSpotClient, ledger: Ledger, plan: Plan, manner: ApplyOptions | None = None
) -> AsyncGenerator[Event, None]:
    """Make a plan so. The last event is the Recap. Raises PlanRefused, Locked, AuthError, StateError."""
    manner = manner or ApplyOptions()
    require_applyable(plan)
    tools = apply_context(client, ledger, plan, manner)
    async with hold(ledger, plan.scope) as held:
        async with aclosing(recover(tools, plan.scope)) as found:
            async for settled in found:
                yield settled
        steps = order(plan.changes)
        async with aclosing(run_steps(plan, steps, tools, held, manner.stop, manner.parallel)) as events:
            async for event in events:
                yield event


def apply_context(client: AsyncSpotClient, ledger: Ledger, plan: Plan, manner: ApplyOptions) -> ApplyContext:
    """What a run of a plan works with."""
    return ApplyContext(
        ledger=ledger,
        clock=client.clock,
        documents=client.documents,
        kinds=kinds(),
        organization=plan.organization,
        stack=plan.stack,
        wait=manner.wait,
        patience=Patience(manner.wait_timeout, manner.wait_timeout, lambda: manner.stop.asked),
    )


def read_plan(path: Path) -> Plan:
    """A saved plan. Raises UsageError when the file is not one."""
    try:
        return Plan.from_json(json.loads(path.read_text(encoding="utf-8")))
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
    if seals_of(filled) != dict(change.seals):
        raise StalePlan(
            f"a secret of {change.address} is not the one that was planned with",
            hint="give it as it was (variables too), or make and review a new plan",
        )
    return filled
