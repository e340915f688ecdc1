"""adopt, detach and move: plans that hand live objects over, and change nothing else about them. Prints nothing.

    plan = await plan_adopt(client, ledger, ["cloudspace/edge", "edge/*"], "production")
    async for event in apply_plan(client, ledger, plan):
        ...

Objects are called by their address, by the last parts of it, or by a glob over either. A move is planned and recorded
in the stack that gives the objects away. The other one knows them by their label from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import Snapshot
from rsspot.errors import PlanRefused, Problem, UsageError, not_found
from rsspot.planner.case import Rule
from rsspot.planner.change import Change
from rsspot.planner.decisions import adopt, detach
from rsspot.planner.draft import PlanContext
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.ownership import Owners, label_of
from rsspot.planner.plan import Plan
from rsspot.planner.selection import closest_ending, matches
from rsspot.resources.kind import Kind, is_controlled
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.serialization import Document
from rsspot.workflows.known import on_record, read_live, scope_id, worth_a_look

MOVE = "move"
"""The command of a run that gave objects to another stack."""


@dataclass(frozen=True)
class _Found:
    """A live object that was asked for. stack: whose it is, by its label"""

    kind: Kind[Any]
    live: Document
    address: str
    stack: str | None


async def plan_adopt(client: AsyncSpotClient, ledger: Ledger, names: Sequence[str], stack: str) -> Plan:
    """The plan that makes objects without a stack objects of `stack`.

    Raises NotFound for a name that means nothing, and PlanRefused for what another stack or a controller has.
    """
    context = _context(client, ledger, await _all_live(client, ledger), stack)
    found = _called(names, context)
    problems = [problem for each in found if (problem := _not_adoptable(each, stack))]
    if problems:
        raise PlanRefused(problems, hint="nothing was sent")
    changes = [adopt(each.kind, each.live, context) for each in found if each.stack is None]
    return _plan(client, context, "adopt", changes, unchanged=len(found) - len(changes))


def _not_adoptable(found: _Found, stack: str) -> Problem | None:
    """Why an object cannot become one of a stack; None when it can."""
    if found.stack not in (None, stack):
        message, hint = f"belongs to the stack {found.stack!r}", "`rsspot move` gives it to another stack"
    elif is_controlled(found.live):
        message, hint = "was made by a controller of the service", "leave it to the controller"
    else:
        return None
    return Problem(f"{found.address} {message}", hint=hint, rule=Rule.OWNERSHIP)


async def plan_detach(client: AsyncSpotClient, ledger: Ledger, names: Sequence[str], stack: str | None = None) -> Plan:
    """The plan that takes objects out of their stack and leaves them as they are.

    stack: the stack, if objects of several are called by these names
    Raises NotFound for a name that means no object of a stack, and UsageError for objects of several stacks.
    """
    return await _plan_release(client, ledger, names, stack, to=None)


async def plan_move(
    client: AsyncSpotClient, ledger: Ledger, names: Sequence[str], to: str, stack: str | None = None
) -> Plan:
    """The plan that gives objects of one stack to the stack `to`. Raises as `plan_detach` does."""
    return await _plan_release(client, ledger, names, stack, to=to)


async def _plan_release(
    client: AsyncSpotClient, ledger: Ledger, names: Sequence[str], stack: str | None, *, to: str | None
) -> Plan:
    snapshot = await _all_live(client, ledger)
    context = _context(client, ledger, snapshot, stack or "")
    found = _called(names, context)
    owners = {each.stack for each in found if each.stack is not None and stack in (None, each.stack)}
    if not owners:
        whose = f"the stack {stack!r}" if stack else "a stack"
        raise not_found(f"no object of {whose} is called {' or '.join(names)}")
    if len(owners) > 1:
        listed = ", ".join(sorted(owners))
        raise UsageError(f"these are objects of {len(owners)} stacks: {listed}", hint="choose one with --stack")
    (owner,) = owners
    for name in names:
        if not any(each.stack == owner for each in _called([name], context)):
            raise not_found(
                f"no object of the stack {owner!r} is called {name!r}", hint="leave it out, or adopt it first"
            )
    if to == owner:
        raise UsageError(f"these objects belong to the stack {to!r} already")
    context = _context(client, ledger, snapshot, owner)
    reason = "leaves the stack" if to is None else f"moves to the stack {to!r}"
    ours = [each for each in found if each.stack == owner]
    changes = [detach(each.kind, each.live, reason, context, to=to) for each in ours]
    return _plan(client, context, "detach" if to is None else MOVE, changes, unchanged=0)


async def _all_live(client: AsyncSpotClient, ledger: Ledger) -> Snapshot:
    """Everything that may belong to a stack. Raises PlanRefused if a part of it cannot be read."""
    known = kinds()
    snapshot = await read_live(client, ledger, [kind for kind in known.values() if worth_a_look(kind)])
    if snapshot.incomplete:
        unread = [
            Problem(f"the live {known[name].plural} could not be read: {why}", rule=Rule.INCOMPLETE_READ)
            for name, why in snapshot.incomplete.items()
        ]
        raise PlanRefused(unread, hint="try again when the service answers")
    return snapshot


def _context(client: AsyncSpotClient, ledger: Ledger, snapshot: Snapshot, stack: str) -> PlanContext:
    """What lives, and what the ledger has on record of a stack."""
    owned = on_record(ledger, scope_id(client.base_url, snapshot.organization, stack)) if stack else {}
    state = LiveState(snapshot.organization, snapshot.live, {}, owned)
    return PlanContext(state, kinds(), Owners(stack, state), PlanOptions())


def _called(names: Iterable[str], context: PlanContext) -> list[_Found]:
    """The live objects that these names or globs mean, by address. Raises NotFound for a name that means none."""
    everything = sorted(_everything(context), key=lambda each: each.address)
    found: dict[str, _Found] = {}
    for name in names:
        meant = [each for each in everything if matches(name, each.address) or name == each.live["metadata"]["name"]]
        if not meant:
            hint = closest_ending(name, [each.address for each in everything])
            hint = hint or "`rsspot TYPE list` shows what there is"
            raise not_found(f"no live object is called {name!r}", hint=hint)
        found |= {f"{each.kind.name} {each.live['metadata']['name']}": each for each in meant}
    return list(found.values())


def _everything(context: PlanContext) -> Iterator[_Found]:
    for name, objects in context.state.live.items():
        kind = context.kinds[name]
        for live in objects.values():
            if not live["metadata"].get("deletionTimestamp"):
                yield _Found(kind, live, context.owners.address(kind, live), label_of(live))


def _plan(
    client: AsyncSpotClient, context: PlanContext, command: str, changes: Iterable[Change], *, unchanged: int
) -> Plan:
    organization, stack = context.organization, context.owners.stack
    return Plan(
        scope=scope_id(client.base_url, organization, stack),
        organization=organization,
        stack=stack,
        command=command,
        changes=tuple(sorted(changes, key=lambda change: change.address)),
        unchanged=unchanged,
    )
