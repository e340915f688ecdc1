"""The simulator as an httpx transport: no socket, no server. The one place of the simulator that speaks httpx."""

from __future__ import annotations

from rsspot.simulator.api import Api
from rsspot.simulator.faults import Faults
from rsspot.simulator.messages import Request, Response
from rsspot.wire import httpx


class InProcessTransport(httpx.AsyncBaseTransport):
    """Carries requests to an Api in the same process. `carried` lists them as (method, path)."""

    def __init__(self, api: Api, faults: Faults | None = None) -> None:
        self._api = api
        self._faults = faults or Faults()
        self.carried: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = Request.of(
            request.method, request.url.raw_path.decode("ascii"), dict(request.headers.items()), await request.aread()
        )
        self.carried.append((asked.method, asked.path))
        fault = self._faults.hit(asked)
        if fault is None:
            return _carried(self._api.handle(asked))
        if fault.what == "status":
            return _carried(fault.answer())
        if fault.what == "reset-after":
            self._api.handle(asked)
        raise httpx.ReadError("connection reset by a scripted fault", request=request)


def _carried(answer: Response) -> httpx.Response:
    headers = {"Content-Type": answer.content_type, **answer.headers}
    return httpx.Response(answer.status, headers=headers, content=answer.body)
