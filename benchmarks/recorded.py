"""An organization with any number of pools, served from memory, so that a client of it is what is measured.

What a plan of a small stack reads is recorded from the simulator; of the pool in it, copies are made under the names
that manifests of a benchmark declare.

recorded.py POOLS records, prints its port, and serves until it is stopped. `GET /about` tells the paths that there are
and how many requests there were.
"""

from __future__ import annotations

import asyncio
import copy
import json
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs

from server import Connection
from stack import CLOUDSPACES, manifests

from rsspot.manifests.parse import load
from rsspot.resources.registry import kinds
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from rsspot.workflows.reconcile import apply_plan, make_plan

PAGE = 500


class Recorder(httpx.AsyncBaseTransport):
    """Passes requests on, and keeps the bodies of what GETs return, by their path."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.bodies: dict[str, Any] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        await response.aread()
        if request.method == "GET":
            self.bodies[request.url.path] = json.loads(response.content)
        return response


def record() -> dict[str, Any]:
    """What a plan of a stack of one pool reads, once it was applied and is ready: path -> body."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stack.yaml").write_text(manifests(1))
        spot, declared = SimulatedSpot(folder), load([folder / "stack.yaml"])

        async def apply() -> None:
            client = spot.client()
            async for _ in apply_plan(client, client.ledger, await make_plan(client, client.ledger, declared)):
                pass

        asyncio.run(apply())
        spot.transport = recorder = Recorder(spot.transport)
        client = spot.client()
        asyncio.run(make_plan(client, client.ledger, declared))
        spot.close()
        return recorder.bodies


def with_pools(recorded: dict[str, Any], pools: int) -> dict[str, Any]:
    """A recording whose one pool is there many times."""
    kind, bodies = kinds()["SpotNodePool"], dict(recorded)
    path = next(each for each in bodies if each.endswith(f"/{kind.plural}"))
    organization = path.split("/")[-2]
    (pattern,) = bodies[path]["items"]
    items = []
    for number in range(pools):
        pool = copy.deepcopy(pattern)
        pool["spec"]["cloudSpace"] = f"edge-{number % CLOUDSPACES}"
        name = f"pool-{number}"
        pool["metadata"] |= {
            "name": kind.wire_name(organization, name, pool["spec"]),
            "uid": f"10000000-0000-5000-8000-{number:012d}",
            "annotations": {**pool["metadata"]["annotations"], "rsspot.dev/name": name},
        }
        items.append(pool)
    bodies[path] = {**bodies[path], "items": items}
    return bodies


def responses(bodies: dict[str, Any]) -> dict[str, bytes]:
    """Complete HTTP responses: path, and for further pages path and token -> bytes."""
    found = {}
    for path, body in bodies.items():
        items = body.get("items") if isinstance(body, dict) else None
        if items is None or len(items) <= PAGE:
            found[path] = response(body)
            continue
        for start in range(0, len(items), PAGE):
            end = start + PAGE
            metadata = {**body["metadata"], "continue": str(end) if end < len(items) else ""}
            found[f"{path}?{start}" if start else path] = response(
                {**body, "metadata": metadata, "items": items[start:end]}
            )
    return found


def response(body: object) -> bytes:
    """A complete HTTP response."""
    content = json.dumps(body, separators=(",", ":")).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(content),
        content,
    )


NOT_FOUND = response({"kind": "Status", "code": 404}).replace(b"200 OK", b"404 Not Found", 1)


class CountedConnection(Connection):
    """The same for an organization. counter: numbers the requests of all connections"""

    def __init__(self, known: dict[str, bytes], counter: Iterator[int]) -> None:
        super().__init__(known)
        self._counter = counter

    def answer(self, target: SplitResult) -> bytes:
        number = next(self._counter)
        if target.path == "/about":
            return response({"requests": number, "paths": [path for path in self._known if "?" not in path]})
        token = parse_qs(target.query).get("continue")
        return self._known.get(f"{target.path}?{token[0]}" if token else target.path, NOT_FOUND)


async def serve(pools: int) -> None:
    """Serve until stopped."""
    known, counter = responses(with_pools(await asyncio.to_thread(record), pools)), count()
    server = await asyncio.get_running_loop().create_server(lambda: CountedConnection(known, counter), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
