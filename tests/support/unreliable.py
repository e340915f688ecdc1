"""A way to the service on which a share of the requests goes wrong, in every way there is, as a seed says."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

from rsspot.simulator.faults import fault_of
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.skewed_clock import SkewedClock
from support.witness import is_mutation

PAGE = "<html><body><h1>Please log in to the network</h1></body></html>"
SCRIPTED = (
    "429",
    "429 retry-after 3",
    "500",
    "502",
    "503",
    "503 retry-after 2",
    "reset-before",
    "reset-after",
    "truncate 40",
)
"""Faults that the simulator knows; it carries them out itself."""
FAULTS_OF_READS = (*SCRIPTED, "stale 3", "html", "timeout before")
FAULTS_OF_WRITES = (*SCRIPTED, "409", "html", "html after", "timeout before", "timeout after", "lost after")
LOST = 30.0
"""Seconds after which a request without an answer is given up."""
SET = 0.3
"""Share of the failing mutations before which somebody sets the clock of the client."""
STEPS = (-600.0, -30.0, 30.0, 600.0)
"""Seconds by which it is set."""
MOST_TURNS = 3
"""Turns of the event loop that a request may take longer than another: their order differs from seed to seed."""


class Unreliable(httpx.AsyncBaseTransport):
    """What becomes of a request depends on the seed, on the request, and on how many there were like it before.

    inner: what leads to the simulator · share: of the requests that go wrong; nothing else goes wrong without them
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, spot: SimulatedSpot, clock: SkewedClock, seed: object, share: float
    ) -> None:
        self._inner, self._spot, self._clock = inner, spot, clock
        self._seed, self.share = seed, share
        self._like_it: Counter[tuple[str, str]] = Counter()
        self.requests = 0
        self.faults: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        like_it = (request.method, request.url.path)
        self._like_it[like_it] += 1
        self.requests += 1
        chance = Random(f"{self._seed} {like_it} {self._like_it[like_it]}")
        for _ in range(chance.randrange(MOST_TURNS)):
            await asyncio.sleep(0)
        if chance.random() >= self.share:
            return await self._inner.handle_async_request(request)
        if is_mutation(request) and chance.random() < SET:
            self._clock.set_by(chance.choice(STEPS))
        fault = chance.choice(FAULTS_OF_WRITES if is_mutation(request) else FAULTS_OF_READS)
        self.faults[fault] += 1
        return await self._failed(request, fault)

    async def _failed(self, request: httpx.Request, fault: str) -> httpx.Response:
        what, _, when = fault.partition(" ")
        if what not in ("html", "lost", "timeout"):
            self._spot.faults.script[:] = [fault_of(fault)]
            return await self._inner.handle_async_request(request)
        if when == "after":
            await self._inner.handle_async_request(request)
        if what == "timeout":
            await self._clock.sleep(LOST)
            raise httpx.ReadTimeout("no answer in time", request=request)
        return httpx.Response(200 if what == "html" else 502, html=PAGE, request=request)
