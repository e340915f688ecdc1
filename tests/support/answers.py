"""Answers of its own that a test gives in the place of the service, also to requests that the service carried out."""

from __future__ import annotations

from collections.abc import Callable

from rsspot.wire import httpx
from support.scenes import Act


def status(code: int) -> httpx.Response:
    return httpx.Response(code, json={"kind": "Status", "code": code, "message": "no"})


def answering(method: str, plural: str, answer: Callable[[], httpx.Response | None], *, executed: bool) -> Act:
    """Gives answers of its own to some requests, also to those that the service carried out."""

    async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if request.method != method or f"/{plural}" not in request.url.path:
            return None
        said = answer()
        if said is not None and executed:
            await inner.handle_async_request(request)
        return said

    return act


def once(response: httpx.Response) -> Callable[[], httpx.Response | None]:
    """This answer to the first request, and the usual ones after that."""
    answers = [response]
    return lambda: answers.pop() if answers else None
