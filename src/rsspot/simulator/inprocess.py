"""The simulator as an httpx transport: no socket, no server. The one place of the simulator that speaks httpx."""

from __future__ import annotations

from rsspot.simulator.api import Api
from rsspot.simulator.messages import Request
from rsspot.wire import httpx


class InProcessTransport(httpx.AsyncBaseTransport):
    """Carries requests to an Api in the same process."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = Request.of(
            request.method, request.url.raw_path.decode("ascii"), dict(request.headers.items()), await request.aread()
        )
        answer = self._api.handle(asked)
        headers = {"Content-Type": answer.content_type, **answer.headers}
        return httpx.Response(answer.status, headers=headers, content=answer.body)

    async def aclose(self) -> None:
        self._api.world.close()
