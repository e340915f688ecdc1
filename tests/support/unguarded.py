"""The simulator as a bare API server, like the one that recordings are made with."""

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World
from support.conversation import NAMESPACE, answer
from support.no_service import NoService

LOOK_AGAIN = 0.25
"""Seconds between two polls of a watch."""


class Unguarded(Api):
    """An API server without the Spot service: no admission, no controllers, and every caller is allowed everything."""

    def __init__(self):
        world = World(clock=ManualClock(), organizations=[Tenant(NAMESPACE, NAMESPACE, "token")])
        world.objects.service = NoService()
        self.timer = ManualClock()
        super().__init__(world, elapsed=self.timer.monotonic)
        self.bearer = world.identity.id_token(world.organizations[0])

    def _guarded(self, caller, target):
        return target

    def ask(self, method, target, headers, body):
        """Send a request; returns the answer in the form of the recordings."""
        response = self.handle(Request.of(method, target, {**headers, "Authorization": f"Bearer {self.bearer}"}, body))
        streamed = b"" if response.stream is None else b"".join(self._watched(response.stream))
        lower = {name.lower(): value for name, value in response.headers.items()}
        return answer(response.status, {**lower, "content-type": response.content_type}, response.body + streamed)

    def _watched(self, stream):
        """Everything that a watch sends. While there is nothing new, its time goes by."""
        for chunk in stream:
            if not chunk:
                self.timer.advance(LOOK_AGAIN)
            yield chunk
