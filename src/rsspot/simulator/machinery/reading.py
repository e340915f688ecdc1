"""Reads: lists in pages, watches, and objects as a client wants to see them. Changes nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from rsspot.simulator.machinery.crds import Definition
from rsspot.simulator.machinery.messages import Refusal, Request, Response
from rsspot.simulator.machinery.selectors import Predicate, fields_match, labels_match
from rsspot.simulator.machinery.store import Object
from rsspot.simulator.machinery.tables import ACCEPTED, table
from rsspot.simulator.world import World

PAGE_LIFETIME = 300.0
"""Seconds that a page token is good for."""
WATCH_POLL = 0.1
LONGEST_WATCH = 1800.0


class Reader:
    """Answers reads about one world. `tick` lets due things happen while a watch waits."""

    def __init__(self, world: World, tick: Callable[[], None]) -> None:
        self.world = world
        self.tick = tick

    def list(self, request: Request, definition: Definition, namespace: str) -> Response:
        after, keep = _page_start(request, self.world.clock.time()), predicate(request)
        limit = int(request.query.get("limit") or 0)
        # A filtered list is paged after filtering, so it is read whole.
        bodies = self.world.store.objects(definition.plural, namespace, after, -1 if keep or not limit else limit)
        if keep:
            bodies = [body for body in bodies if keep(body)]
        shown = bodies[:limit] if limit else bodies
        metadata: dict[str, Any] = {"resourceVersion": str(self.world.store.version())}
        if limit and shown:
            last = (shown[-1]["metadata"].get("namespace", ""), shown[-1]["metadata"]["name"])
            left = len(bodies) - len(shown) if keep else self.world.store.count(definition.plural, namespace, last)
            if left:
                metadata |= {"continue": _page_token(last, self.world.clock.time()), "remainingItemCount": left}
        if ACCEPTED in request.headers.get("accept", ""):
            return Response.of_json(200, table(definition, shown, metadata, self.world.now))
        frame = {"apiVersion": definition.api_version, "kind": f"{definition.kind}List", "metadata": metadata}
        return Response.of_json(200, {**frame, "items": shown})

    def watch(self, request: Request, definition: Definition, namespace: str) -> Response:
        start = request.query.get("resourceVersion", "")
        since = int(start) if start.isdigit() and start != "0" else 0
        if since and since < self.world.store.oldest_change():
            raise Refusal(410, "Expired", f"too old resource version: {since}")
        bodies = self.world.store.objects(definition.plural, namespace)
        keep = predicate(request) or (lambda body: True)
        as_table = ACCEPTED in request.headers.get("accept", "")
        first = [] if since else [("ADDED", body) for body in bodies if keep(body)]
        since = since or self.world.store.version()
        deadline = time.monotonic() + _seconds(request.query.get("timeoutSeconds"), LONGEST_WATCH)

        def stream() -> Iterator[bytes]:
            yield from (self._event(kind, definition, body, as_table) for kind, body in first)
            yield from self._events(definition, namespace, since, keep, as_table, deadline)

        return Response(200, stream=stream())

    def _events(
        self,
        definition: Definition,
        namespace: str,
        since: int,
        keep: Predicate,
        as_table: bool,
        deadline: float,
    ) -> Iterator[bytes]:
        """What happens from now on. An object that starts or stops matching is ADDED or DELETED for this watcher."""
        while time.monotonic() < deadline:
            with self.world.lock:
                self.tick()
                happened = self.world.store.changes(definition.plural, namespace, since)
            for kind, body, before in happened:
                since = int(body["metadata"]["resourceVersion"])
                matches, matched = kind != "DELETED" and keep(body), before is not None and keep(before)
                if matches or matched:
                    told = "DELETED" if not matches else "MODIFIED" if matched else "ADDED"
                    yield self._event(told, definition, body, as_table)
            if not happened:
                yield b""

    def _event(self, kind: str, definition: Definition, body: Object, as_table: bool) -> bytes:
        shown = table(definition, [body], {}, self.world.now) if as_table else body
        return json.dumps({"type": kind, "object": shown}).encode() + b"\n"


def predicate(request: Request) -> Predicate | None:
    """What a request's selectors keep; None when it has none."""
    labels, fields = request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    tests = ([labels_match(labels)] if labels else []) + ([fields_match(fields)] if fields else [])
    return (lambda body: all(test(body) for test in tests)) if tests else None


def _seconds(text: str | None, most: float) -> float:
    if not text:
        return most
    try:
        return min(float(text), most)
    except ValueError:
        raise Refusal(400, "BadRequest", f"timeoutSeconds: not a number: {text!r}") from None


def _page_token(last: tuple[str, str], now: float) -> str:
    return base64.urlsafe_b64encode(json.dumps([*last, now]).encode()).decode()


def _page_start(request: Request, now: float) -> tuple[str, str]:
    token = request.query.get("continue", "")
    if not token:
        return ("", "")
    try:
        namespace, name, made = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError):
        raise Refusal(400, "BadRequest", "continue key is not valid") from None
    if now - made > PAGE_LIFETIME:
        said = "The provided continue parameter is too old to display a consistent list result."
        raise Refusal(410, "Expired", said)
    return (namespace, name)


def shown(world: World, request: Request, definition: Definition, body: Object, status: int = 200) -> Response:
    """An object, as the Table that kubectl prints if that was asked for."""
    if ACCEPTED in request.headers.get("accept", "") and request.method == "GET":
        return Response.of_json(status, table(definition, [body], {}, world.now))
    return Response.of_json(status, body)
