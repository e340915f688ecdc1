"""A server with precomputed responses, so that the client is what is measured. Prints its port, runs until stopped."""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import SplitResult, parse_qs, urlsplit

PAGE = 500


def written_fields(when: str) -> list[dict[str, object]]:
    """Who wrote which field of a pool, which the service keeps on every object: half of its text."""
    written = ("autoscaling", "bidPrice", "cloudSpace", "customLabels", "desired", "serverClass")
    fields = {
        "f:metadata": {
            "f:annotations": {".": {}, "f:rsspot.dev/name": {}},
            "f:labels": {"f:ngpc.rxt.io/cloudspace": {}},
        },
        "f:spec": {".": {}, **{f"f:{name}": {} for name in written}},
    }
    entry = {"apiVersion": "ngpc.rxt.io/v1", "fieldsType": "FieldsV1", "operation": "Update"}
    status = {"f:status": {".": {}, "f:bidStatus": {}, "f:wonCount": {}}}
    return [
        {**entry, "manager": "rsspot", "time": when, "fieldsV1": fields},
        {**entry, "manager": "manager", "time": when, "fieldsV1": status, "subresource": "status"},
    ]


def pool(number: int) -> dict[str, object]:
    """A spot node pool as the service lists it."""
    when = f"2026-11-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    owner = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "name": "edge", "blockOwnerDeletion": True}
    return {
        "apiVersion": "ngpc.rxt.io/v1",
        "kind": "SpotNodePool",
        "metadata": {
            "name": f"00000000-0000-5000-8000-{number:012d}",
            "namespace": "org-bench",
            "uid": f"10000000-0000-5000-8000-{number:012d}",
            "resourceVersion": str(77_000_000 + number),
            "generation": 1,
            "creationTimestamp": when,
            "labels": {"ngpc.rxt.io/cloudspace": "edge"},
            "annotations": {"rsspot.dev/name": f"pool-{number}"},
            "finalizers": ["spotnodepool.ngpc.rxt.io/finalizer"],
            "managedFields": written_fields(when),
            "ownerReferences": [{**owner, "uid": "20000000-0000-5000-8000-000000000000"}],
        },
        "spec": {
            "serverClass": "gp.vs1.large-dfw",
            "cloudSpace": "edge",
            "desired": 3,
            "bidPrice": f"0.{number % 97:02}",
            "autoscaling": {"enabled": False},
            "customLabels": {"workload": "general"},
            "customAnnotations": {},
            "customTaints": [],
        },
        "status": {"bidStatus": "Fulfilled", "wonCount": 3},
    }


def answers(pools: int) -> dict[str, bytes]:
    """All responses: a region, a pool, and the pages of the list of pools by their start."""
    region = {
        "apiVersion": "ngpc.rxt.io/v1",
        "kind": "Region",
        "metadata": {"name": "us-east-iad-1"},
        "spec": {"country": "USA"},
    }
    responses = {"region": response(region), "pool": response(pool(0))}
    for start in range(0, pools, PAGE):
        end = start + PAGE
        metadata = {"resourceVersion": "78000000", "continue": str(end) if end < pools else ""}
        items = [pool(n) for n in range(start, min(end, pools))]
        responses[str(start)] = response({"metadata": metadata, "items": items})
    return responses


def response(document: object) -> bytes:
    """A complete HTTP response."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Connection(asyncio.Protocol):
    """Answers the GETs on one connection, in order."""

    def __init__(self, known: dict[str, bytes]) -> None:
        self._known = known
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while b"\r\n\r\n" in self._waiting:
            head, _, self._waiting = self._waiting.partition(b"\r\n\r\n")
            self._transport.write(self.answer(urlsplit(head.split(b" ", 2)[1].decode())))

    def answer(self, target: SplitResult) -> bytes:
        """The whole response to a GET."""
        return self._known[key_of(target)]


def key_of(target: SplitResult) -> str:
    """Which response answers a request."""
    if "/regions/" in target.path:
        return "region"
    if "/spotnodepools/" in target.path:
        return "pool"
    return parse_qs(target.query).get("continue", ["0"])[0]


async def main() -> None:
    """Serve until stopped."""
    known = answers(int(sys.argv[1]))
    server = await asyncio.get_running_loop().create_server(lambda: Connection(known), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
