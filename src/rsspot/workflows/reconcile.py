"""plan, apply and destroy, as functions that a script can call like the CLI does. Prints nothing.

    plan = await make_plan(client, ledger, load([Path("manifests")]))
    async for event in apply_plan(client, ledger, plan):
        ...

A destroy is an apply without manifests, which prunes everything that the stack owns. Applying a plan from a file is in
`saved_plan`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import Locked, ManifestError, PlanRefused, Problem, not_found
from rsspot.manifests.leaks import own_credentials
from rsspot.manifests.lifecycle import OnRemove
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.manifests.stack import DEFAULT_STACK
from rsspot.planner.case import Rule
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.order import Verb, order
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.planner.protection import LIFT
from rsspot.planner.refresh import drifted
from rsspot.resources.kind import Kind, Phase
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.process import collector_paused
from rsspot.utils.text import did_you_mean
from rsspot.workflows.known import known_stacks, on_record, read_live, scope_id, worth_a_look
from rsspot.workflows.policies import judged_by_manifests, judged_by_record
from rsspot.workflows.prices import read_rates, with_money
from rsspot.workflows.programs import programs_of, unusable_programs

if TYPE_CHECKING:
    # Imported where they are used: a plan needs no applier.
    from rsspot.applier.context import ApplyContext
    from rsspot.applier.events import Event
    from rsspot.applier.options import ApplyOptions
    from rsspot.utils.clock import Clock


async def make_plan(
    client: AsyncSpotClient,
    ledger: Ledger,
    manifests: ManifestSet | None,
    *,
    options: PlanOptions | None = None,
    stack: str | None = None,
    command: str = "apply",
    priced: bool = True,
) -> Plan:
    """Read the live state and plan. Sends only GETs and writes nothing. Refusals are in the plan, not raised.

    The policies of the Stack judge it: each is in the plan with what came of it.

    stack: the stack, where it is not the one that the manifests name · priced: whether to say what it costs
    """
    with collector_paused():
        plan, _ = await read_and_plan(
            client, ledger, manifests, options=options, stack=stack, command=command, priced=priced
        )
        return await judged_by_manifests(plan, manifests)


async def read_and_plan(
    client: AsyncSpotClient,
    ledger: Ledger,
    manifests: ManifestSet | None,
    *,
    options: PlanOptions | None = None,
    stack: str | None = None,
    command: str = "apply",
    priced: bool = True,
) -> tuple[Plan, LiveState]:
    """What `make_plan` gives, before its policies judge it, and what it was made from."""
    known = kinds()
    name = stack if stack is not None else manifests.stack if manifests else DEFAULT_STACK
    declared = manifests.manifests if manifests else ()
    options = _with_limits(options or PlanOptions(), manifests)
    if manifests is not None:
        options = with_money(replace(options, unread=manifests.foreign), manifests)
    if problems := list(own_credentials(declared, client.credentials)):
        raise ManifestError(problems, hint="nothing was sent")
    needed = _kinds_to_list(declared, known, everything=options.prune)
    looked_at = [kind for kind in known.values() if kind in needed or worth_a_look(kind)]
    snapshot = await read_live(client, ledger, looked_at)
    unseen = [kind for kind in known.values() if kind.name in snapshot.incomplete and kind not in needed]
    incomplete = {name: why for name, why in snapshot.incomplete.items() if known[name] in needed}
    scope = scope_id(client.base_url, snapshot.organization, name)
    claimed = frozenset(_claimed(ledger, scope))
    state = LiveState(snapshot.organization, snapshot.live, incomplete, on_record(ledger, scope), claimed)
    if priced:
        state = replace(state, rates=await read_rates(client, snapshot, state, declared, name))
    files = manifests.files if manifests else ()
    plan = build(declared, state, known, stack=name, scope=scope, command=command, options=options, files=files)
    notes = [*plan.notes, *(manifests.notes if manifests else ())]
    notes += [
        f"the {each.plural} of this stack could not be looked for: {snapshot.incomplete[each.name]}" for each in unseen
    ]
    plan = replace(
        plan,
        profile=manifests.profile if manifests else None,
        ledger=manifests.stack_spec.ledger if manifests else None,
        lease=manifests.stack_spec.lease if manifests else None,
        notes=tuple(notes),
        programs=programs_of(plan.changes),
        refusals=(*plan.refusals, *unusable_programs(plan.changes)),
    )
    return plan, state


async def plan_refresh(client: AsyncSpotClient, ledger: Ledger, stack: str) -> Plan:
    """How the live objects of a stack differ from what was applied last, as a plan that changes nothing.

    Raises PlanRefused where a kind of the stack could not be read.
    """
    known = kinds()
    snapshot = await read_live(client, ledger, [kind for kind in known.values() if worth_a_look(kind)])
    scope = scope_id(client.base_url, snapshot.organization, stack)
    state = LiveState(snapshot.organization, snapshot.live, snapshot.incomplete, on_record(ledger, scope))
    unread = {ref.kind for ref in state.owned} & snapshot.incomplete.keys()
    if unread:
        clauses = (f"the live {known[name].plural} could not be read: {snapshot.incomplete[name]}" for name in unread)
        raise PlanRefused([Problem(each, rule=Rule.INCOMPLETE_READ) for each in sorted(clauses)], hint="try again")
    changes = drifted(state, known)
    unchanged = sum(not known[ref.kind].local for ref in state.owned) - len(changes)
    return Plan(scope, snapshot.organization, stack, "refresh", (), unchanged=unchanged, drifted=changes)


async def plan_destroy(
    client: AsyncSpotClient, ledger: Ledger, stack: str, manifests: ManifestSet | None = None
) -> Plan:
    """The plan that deletes everything a stack owns.

    manifests: what the stack declares, if at hand: objects of these names that are nobody's are not passed over
    Raises NotFound if there is no trace of such a stack.
    """
    options = PlanOptions(prune=True, destroy=True)
    plan = await make_plan(client, ledger, None, options=options, stack=stack, command="destroy")
    if manifests is not None:
        declared, _ = await read_and_plan(client, ledger, manifests, stack=stack, priced=False)
        unowned = [problem for problem in declared.refusals if problem.rule == Rule.OWNERSHIP]
        plan = replace(plan, refusals=(*plan.refusals, *unowned, *_declared_protected(plan, manifests)))
    if plan.empty and not plan.refusals and not ledger.runs(plan.scope):
        stacks = await known_stacks(client, ledger, plan.scope.removesuffix(stack))
        listed = f"stacks of this organization: {', '.join(stacks)}" if stacks else "this organization has no stacks"
        alike = f"{hint} " if (hint := did_you_mean(stack, stacks)) else ""
        raise not_found(
            f"there is no stack {stack!r}: no object carries its label, and this ledger knows no apply of it",
            hint=f"{alike}{listed}; check the name, the organization and the profile",
        )
    judged = judged_by_manifests(plan, manifests) if manifests is not None else judged_by_record(plan, ledger)
    return await judged


def _declared_protected(plan: Plan, manifests: ManifestSet) -> Iterator[Problem]:
    """Each object that a destroy would delete and that its manifest protects, applied or not."""
    refused = {problem.message.partition(" ")[0] for problem in plan.refusals if problem.rule == Rule.PROTECTION}
    protected = {each.address: each for each in manifests.manifests if each.lifecycle.on_remove is OnRemove.PROTECT}
    for change in plan.changes:
        manifest = protected.get(change.address)
        if manifest is not None and change.destructive and change.address not in refused:
            message = f"{change.address} is protected, and would be deleted: {change.reason}"
            yield Problem(message, manifest.origin, LIFT, Rule.PROTECTION)


def require_applyable(plan: Plan) -> None:
    """Raise PlanRefused with every objection of the guards."""
    if plan.refusals:
        raise PlanRefused(plan.refusals, hint="nothing was sent")


async def apply_plan(
    client: AsyncSpotClient, ledger: Ledger, plan: Plan, options: ApplyOptions | None = None
) -> AsyncGenerator[Event, None]:
    """Make a plan so. The last event is the Recap, also of a run that is cut short.

    Raises PlanRefused and Locked before anything is sent; AuthError, StateError and Locked after the Recap.
    """
    from rsspot.applier.lease import hold
    from rsspot.applier.options import ApplyOptions
    from rsspot.applier.recover import recover
    from rsspot.applier.run import run_steps
    from rsspot.workflows.live_locks import carried

    options = options or ApplyOptions()
    require_applyable(plan)
    context = apply_context(client, ledger, plan, options)
    with _deadline(options):
        async with hold(ledger, plan.scope, hooks=client.hooks) as held, carried(client, plan, held):
            async with aclosing(recover(context, plan.scope, held.lease)) as left_open:
                # A lease that was lost meanwhile ends the run below, with a recap.
                with suppress(Locked):
                    async for settled in left_open:
                        yield settled
            note_sightings(ledger, plan, client.clock)
            steps = order(plan.changes)
            async with aclosing(run_steps(plan, steps, context, held, options)) as events:
                async for event in events:
                    yield event


def note_sightings(ledger: Ledger, plan: Plan, clock: Clock) -> None:
    """Record what the plan has seen and missed: see `planner.absence`."""
    found, missing = [ref.name for ref in plan.found], [ref.name for ref in plan.missing]
    if found or missing:
        ledger.sighted(found=found, missing=missing, now=clock.now())


def apply_context(client: AsyncSpotClient, ledger: Ledger, plan: Plan, options: ApplyOptions) -> ApplyContext:
    """What a run of a plan works with."""
    return run_context(client, ledger, plan.organization, plan.stack, options)


def run_context(
    client: AsyncSpotClient, ledger: Ledger, organization: str, stack: str, options: ApplyOptions
) -> ApplyContext:
    """What works on the objects of a stack."""
    from rsspot.applier.context import ApplyContext, Patience
    from rsspot.utils.provenance import provenance

    timeout = options.wait_timeout
    return ApplyContext(
        ledger=ledger,
        clock=client.clock,
        documents=client.documents,
        kinds=kinds(),
        organization=organization,
        stack=stack,
        wait=options.wait,
        wait_for=Phase(options.wait_for),
        patience=Patience(timeout, timeout, options.step_timeout, lambda: options.stop.asked),
        made_by=provenance(os.environ),
        parallel=options.parallel,
    )


@contextmanager
def _deadline(options: ApplyOptions) -> Iterator[None]:
    """Ask for a stop when the time of the run is up."""
    if options.deadline is None:
        yield
        return
    from rsspot.applier.events import RunOutcome

    timer = asyncio.get_running_loop().call_later(options.deadline, options.stop.ask, RunOutcome.DEADLINE)
    try:
        yield
    finally:
        timer.cancel()


def _with_limits(options: PlanOptions, manifests: ManifestSet | None) -> PlanOptions:
    """The limits of the Stack, where the caller gave none."""
    if manifests is None or (options.most_deletes, options.most_delete_percent) != (None, None):
        return options
    limits = manifests.limits
    return replace(options, most_deletes=limits.deletes, most_delete_percent=limits.delete_percent)


def _kinds_to_list(declared: Sequence[Manifest], known: dict[str, Kind[Any]], *, everything: bool) -> list[Kind[Any]]:
    """The kinds that a plan has to see: what is declared, what that names, and what lives in it."""
    names = {manifest.kind.name for manifest in declared} | _expanded(declared)
    names |= {to.kind for name in tuple(names) for _, to in known[name].references}
    if everything:
        names |= {kind.name for kind in known.values() if kind.manageable}
    names |= {kind.name for kind in known.values() if kind.parent and kind.parent.kind in names and not kind.local}
    return [kind for name, kind in sorted(known.items()) if name in names and "list" in kind.verbs]


def _expanded(declared: Iterable[Manifest]) -> set[str]:
    return {manifest.kind.expands_to for manifest in declared if manifest.kind.expands_to}


def _claimed(ledger: Ledger, scope: str) -> Iterator[Any]:
    """The objects that creates of earlier runs may have made without an answer."""
    for left in ledger.open_steps(scope):
        if left.step.verb == Verb.CREATE and left.may_have_arrived:
            yield left.step.ref
