"""Wait for the objects that manifests declare, changed or not, as an apply does for them. Sends only GETs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from rsspot.applier.context import ApplyContext
from rsspot.applier.events import Event, StepEnded, Waiting
from rsspot.applier.executor import wait_for
from rsspot.applier.lookout import Lookout
from rsspot.applier.options import ApplyOptions
from rsspot.applier.recap import Ended, recap_of
from rsspot.applier.step import Result
from rsspot.applier.wait import NOT_WAITED_FOR, until_gone
from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import take_snapshot
from rsspot.errors import ApiError, TransportError
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.planner.draft import Match, PlanContext
from rsspot.planner.live import LiveState
from rsspot.planner.matching import match_one
from rsspot.planner.options import PlanOptions
from rsspot.planner.ownership import Owners
from rsspot.resources.kind import Phase, Readiness
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import Ledger, StepState
from rsspot.workflows.known import on_record, scope_id
from rsspot.workflows.reconcile import run_context


async def await_declared(
    client: AsyncSpotClient, ledger: Ledger, manifests: ManifestSet, options: ApplyOptions, *, gone: bool = False
) -> AsyncGenerator[Event, None]:
    """Wait until every declared object is as far as the options say. The last event is a Recap, of no run.

    gone: wait until none of them is there any more · Raises ApiError, TransportError if the live state cannot be read.
    """
    matches = await _matches(client, ledger, manifests)
    context = run_context(client, ledger, manifests.organization or "", manifests.stack, options)
    waits = _Waits(context, gone)
    tasks = [asyncio.create_task(waits.one(match)) for match in matches]

    def stop() -> None:
        for task in tasks:
            task.cancel()

    # A task that is cancelled before it has begun has no result.
    await asyncio.sleep(0)
    options.stop.listen(stop)
    everything = asyncio.gather(*tasks)
    everything.add_done_callback(lambda _: waits.events.put_nowait(None))
    try:
        while (event := await waits.events.get()) is not None:
            yield event
        await everything
    finally:
        everything.cancel()
        await asyncio.gather(*tasks, waits.lookout.close(), return_exceptions=True)
    yield recap_of(Ended(0, (), {}, waits.results, None, options.stop))


async def _matches(client: AsyncSpotClient, ledger: Ledger, manifests: ManifestSet) -> Sequence[Match]:
    """The live object of each manifest that stands for one."""
    declared = [each for each in manifests.manifests if not each.kind.expand and "get" in each.kind.verbs]
    names = sorted({each.kind.name for each in declared})
    snapshot = await take_snapshot(client, [kinds()[name] for name in names])
    for name in names:
        if (failure := snapshot.incomplete.get(name)) is not None:
            raise TransportError(f"the {kinds()[name].plural} could not be read: {failure}", hint="try again")
    scope = scope_id(client.base_url, snapshot.organization, manifests.stack)
    state = LiveState(snapshot.organization, snapshot.live, {}, on_record(ledger, scope))
    context = PlanContext(state, kinds(), Owners(manifests.stack, state), PlanOptions())
    return [match_one(each, context) for each in declared]


@dataclass
class _Waits:
    """The waits of one command, which share their reads."""

    context: ApplyContext
    gone: bool
    results: list[Result] = field(default_factory=list)
    events: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.lookout = Lookout(self.context.documents, self.context.clock)

    async def one(self, match: Match) -> None:
        address = match.manifest.address
        try:
            seen, reached = await (self._until_gone(match) if self.gone else self._until_ready(match))
        except asyncio.CancelledError:
            if not self.context.patience.given_up():
                raise
            seen, reached = NOT_WAITED_FOR, False
        self.results.append(Result(StepState.SATISFIED, seen.note, seen, reached))
        self.events.put_nowait(StepEnded(address, "wait", StepState.SATISFIED, seen.phase.value, seen.note))

    async def _until_ready(self, match: Match) -> tuple[Readiness, bool]:
        if match.live is None:
            return Readiness(Phase.FAILED, "there is no such object"), False
        wanted = self.context.wait_for
        seen = await wait_for(
            self.context,
            self.lookout,
            match.manifest.kind,
            match.live["metadata"]["name"],
            lambda readiness: self._tell(match.manifest, readiness),
            wanted=wanted,
        )
        return seen, seen.phase.is_as_far_as(wanted)

    async def _until_gone(self, match: Match) -> tuple[Readiness, bool]:
        if match.live is None:
            return Readiness(Phase.READY, "gone"), True
        self._tell(match.manifest, Readiness(Phase.PROGRESSING, "still there"))
        about, patience = match.live["metadata"], self.context.patience
        try:
            went = await until_gone(
                self.lookout, match.manifest.kind, about["name"], about.get("uid"), self.context.clock, patience
            )
        except (ApiError, TransportError) as error:
            return Readiness(Phase.PROGRESSING, f"could not be looked at: {error.message}"), False
        if went:
            return Readiness(Phase.READY, "gone"), True
        return Readiness(Phase.TIMEOUT, f"still there after {patience.gone:g} s"), False

    def _tell(self, manifest: Manifest, seen: Readiness) -> None:
        self.events.put_nowait(Waiting(manifest.address, seen.phase.value, seen.note))
