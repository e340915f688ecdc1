"""Expand: create everything that a deferred change stands for, once its group is ready and can be read.

The group                 what the step does
not ready in time         failed, saying how far it got
ready                     create each member; a member that fails fails the step and not its siblings; then look again,
                          until no further member is seen: what was read at first may have been out of date

A few members are created at a time. They live in the ledger and are claimed there, so that two runs never register one
machine twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rsspot.applier.step import Result, StepRun
from rsspot.applier.wait import until_ready
from rsspot.concurrency import together
from rsspot.errors import AuthError, Cancelled, Locked, RsspotError, StateError
from rsspot.planner.body import expansion
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Phase
from rsspot.state.ledger.protocol import StepState
from rsspot.utils.serialization import Document

FATAL = (AuthError, StateError, Cancelled, Locked)
"""What ends a run rather than a step."""


async def expand(step: StepRun) -> Result:
    """See the table above."""
    context, source = step.context, step.kind
    assert source.parent and source.expands_to and step.change.body
    group_kind = context.kinds[source.parent.kind]
    name = source.parent_name(step.change.body["spec"])
    assert name is not None
    readiness = await until_ready(step.lookout, group_kind, name, context.clock, context.patience, step.tell_waiting)
    if readiness.phase is not Phase.READY:
        return await step.close(Result(StepState.FAILED, f"{step.change.parent}: {readiness.note}"))
    members = context.documents(context.kinds[source.expands_to], permit=step.permit)
    seen: set[str] = set()
    failures: list[RsspotError] = []
    async with step.attempt() as attempt:
        while True:
            group = await context.documents(group_kind).get(name)
            bodies = expansion(step.change, group, context.kinds, context.organization, context.stack)
            if not (further := [each for each in bodies if each["metadata"]["name"] not in seen]):
                break
            seen |= {each["metadata"]["name"] for each in further}
            failures += await _create_all(members, further, step.permit, context.parallel)
        attempt.error = failures[0] if failures else None
    detail = f"{len(seen) - len(failures)} of {len(seen)}"
    if failures:
        return await step.close(Result(StepState.FAILED, f"{detail}: {failures[0].message}"))
    return await step.close(Result(StepState.DONE, detail))


async def _create_all(
    members: Documents, bodies: list[Document], permit: Callable[[], None], most: int
) -> list[RsspotError]:
    """Create the members, `most` at a time; gives what went wrong.

    Raises what ends a run: then no further one is begun, and those under way have ended.
    """
    turns, failures, fatal = asyncio.Semaphore(most), list[RsspotError](), list[RsspotError]()

    async def create(body: Document) -> None:
        async with turns:
            if fatal:
                return
            try:
                permit()
                await members.create(body)
            except FATAL as error:
                fatal.append(error)
            except RsspotError as error:
                failures.append(error)

    await together(create(body) for body in bodies)
    if fatal:
        raise fatal[0]
    return failures
