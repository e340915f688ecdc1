"""The work on one stack of a fleet, and on all of them side by side. Prints nothing.

A stack that fails is told in its result, and holds no other one up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, replace

from rsspot.controller.reconciler import Reconciler, RoundOptions
from rsspot.controller.rounds import DesiredState, Round, RoundOutcome
from rsspot.controller.stop import Stop
from rsspot.errors import AuthError, ConfigError, ManifestError, RsspotError, UsageError
from rsspot.fleet.members import Member
from rsspot.fleet.shared_clients import SharedClients
from rsspot.manifests.defaults import RegionOf
from rsspot.manifests.manifest import ManifestSet
from rsspot.manifests.parse import load
from rsspot.state.ledger.protocol import Ledger, RunRecord
from rsspot.utils.clock import SystemClock


@dataclass(frozen=True)
class StackResult:
    """What became of one stack. last_run: the newest run of the stack that its ledger knows"""

    member: Member
    round: Round
    last_run: RunRecord | None = None

    @property
    def may_mend_itself(self) -> bool:
        """Whether it failed by what another attempt may not meet: an outage, not a mistake of somebody."""
        failed = self.round.outcome is RoundOutcome.FAILED
        return failed and not isinstance(self.round.error, ManifestError | UsageError | ConfigError | AuthError)


def failed(member: Member, error: RsspotError) -> StackResult:
    """What became of a stack that could not even be planned."""
    now = SystemClock().now()
    return StackResult(member, Round(1, "", now, RoundOutcome.FAILED, error=error, reason=error.message))


class FleetWork:
    """Plans and applies stacks. ledger: opens that of a stack; each has its own, as a runner of it alone would

    region: the region of new objects that name none, by profile
    """

    def __init__(
        self,
        clients: SharedClients,
        ledger: Callable[[ManifestSet], Ledger],
        options: RoundOptions,
        *,
        region: RegionOf = lambda _: None,
        stop: Stop | None = None,
    ) -> None:
        self._clients, self._open, self._options = clients, ledger, options
        self._region = region
        self.stop = stop or Stop()

    async def plan_all(self, members: Sequence[Member], parallelism: int) -> AsyncGenerator[StackResult, None]:
        """Plan stacks side by side, by one list a kind of each account."""
        with self._clients.planning():
            async with aclosing(side_by_side(members, self.plan, parallelism, self.stop)) as results:
                async for each in results:
                    yield each

    async def apply_all(self, shown: Sequence[StackResult], parallelism: int) -> AsyncGenerator[StackResult, None]:
        """Apply the plans of stacks that somebody has seen, side by side."""
        rounds = {each.member.name: each.round for each in shown}

        async def apply(member: Member) -> StackResult:
            return await self.apply(member, rounds[member.name])

        members = [each.member for each in shown]
        async with aclosing(side_by_side(members, apply, parallelism, self.stop)) as results:
            async for each in results:
                yield each

    async def plan(self, member: Member) -> StackResult:
        """Plan a stack."""
        return await self.do(member, replace(self._options, apply=False))

    async def apply(self, member: Member, shown: Round | None = None) -> StackResult:
        """Plan and apply a stack. shown: the round whose plan was approved; no other one is applied"""
        return await self.do(member, replace(self._options, apply=True), shown)

    async def do(self, member: Member, options: RoundOptions, shown: Round | None = None) -> StackResult:
        """Do a round for a stack, with options of its own. shown: as in `apply`"""
        try:
            declared = (shown and shown.declared) or DesiredState(self._load(member))
            manifests = declared.manifests
            client = self._clients.client(
                member.profile or manifests.profile, member.organization or manifests.organization
            )
            with closing(self._open(manifests)) as ledger:
                reconciler = Reconciler(client, options, stop=self.stop)
                if shown is not None:
                    ended = await reconciler.apply_shown(ledger, shown)
                else:
                    ended = await reconciler.round(ledger, _giving(declared), stack=manifests.stack)
                scope = ended.plan.scope if ended.plan else None
                runs = ledger.runs(scope, limit=1) if scope else []
        except RsspotError as error:
            return failed(member, error)
        return StackResult(member, ended, runs[0] if runs else None)

    def _load(self, member: Member) -> ManifestSet:
        return load(
            member.paths,
            variables=member.variables,
            variable_files=member.variable_files,
            region=self._region,
            strict=True,
        )


def _giving(declared: DesiredState) -> Callable[[], Awaitable[DesiredState]]:
    async def read() -> DesiredState:
        return declared

    return read


async def side_by_side(
    members: Sequence[Member], work: Callable[[Member], Awaitable[StackResult]], parallelism: int, stop: Stop
) -> AsyncGenerator[StackResult, None]:
    """Each result as it comes. Once a stop is asked for, no further stack begins."""
    turns = asyncio.Semaphore(parallelism)

    async def one(member: Member) -> StackResult | None:
        async with turns:
            return None if stop.asked else await work(member)

    tasks = [asyncio.ensure_future(one(member)) for member in members]
    try:
        for each in asyncio.as_completed(tasks):
            result = await each
            if result is not None:
                yield result
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
