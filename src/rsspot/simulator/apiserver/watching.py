"""Watches: streams of changes since a version, or of the existing objects and then every change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Refusal, Request, Response
from rsspot.simulator.apiserver.negotiation import Negotiated, wanted
from rsspot.simulator.apiserver.objects import Objects
from rsspot.simulator.apiserver.queries import check_watch_options, number_asked, version_asked
from rsspot.simulator.apiserver.selectors import Predicate, only_name, predicate
from rsspot.simulator.apiserver.store import Object, Revision, TooOld
from rsspot.simulator.apiserver.tables import metadata_of, table
from rsspot.simulator.apiserver.topics import Bell, Topics

LONGEST = 1800.0
"""The maximum duration of a watch in seconds. A caller can ask for less."""
BOOKMARK_EVERY = 60.0
"""Seconds between bookmarks, if the caller asks for bookmarks."""
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass
class _Watch:
    """One watch. first: the events that it begins with · name: of the only object it covers, "" for all"""

    definition: Definition
    namespace: str | None
    since: int
    keep: Predicate | None
    negotiated: Negotiated
    included: str
    bookmarks: bool
    deadline: float
    first: list[bytes]
    name: str
    headed: bool = True
    bell: Bell | None = None
    heard: tuple[int, int] = (-1, -1)
    """The turn of the bell, and the state of the file for other processes, at the last look into the log."""

    def wait(self, seconds: float) -> None:
        """Wait for a change that concerns this watch."""
        if self.bell:
            self.bell.wait(self.heard[0], seconds)


class Watcher:
    """Answers watch requests.

    look: a context that runs due timers and in which the store can be read · topics: who is to be woken by what
    elapsed: the seconds that watches last by
    """

    def __init__(
        self,
        objects: Objects,
        look: Callable[[], AbstractContextManager[object]],
        topics: Topics,
        elapsed: Callable[[], float],
    ) -> None:
        self.objects, self.store, self._elapsed = objects, objects.store, elapsed
        self._look, self._topics = look, topics

    def watch(self, request: Request, definition: Definition, namespace: str | None) -> Response:
        """The response with a stream of events, one JSON object per line."""
        check_watch_options(request)
        wanted(request)
        negotiated = wanted(request, streamed=True)
        since = version_asked(request, 500, "")
        initial = _initial_events(request)
        seconds = float(number_asked(request, "timeoutSeconds") or LONGEST)
        bookmarks = request.flag("allowWatchBookmarks")
        watch = _Watch(
            definition,
            namespace,
            since,
            predicate(request, definition),
            negotiated,
            request.query.get("includeObject", ""),
            bookmarks,
            self._elapsed() + min(seconds, LONGEST),
            [],
            only_name(request),
        )
        if not since or initial:
            watch.since = self.store.version()
        if initial or (not since and initial is None):
            bodies = self.store.objects(definition.plural, namespace)
            kept = [body for body in bodies if watch.keep is None or watch.keep(body)]
            watch.first = [self._event(watch, "ADDED", body) for body in kept]
            if initial and bookmarks:
                watch.first.append(self._bookmark(watch, {INITIAL_EVENTS_END: "true"}))
        return Response(200, stream=self._listening(watch), wait=watch.wait)

    def _listening(self, watch: _Watch) -> Iterator[bytes]:
        with self._topics.listening((watch.definition.plural, watch.namespace, watch.name or None)) as watch.bell:
            yield from self._stream(watch)

    def _stream(self, watch: _Watch) -> Iterator[bytes]:
        yield from watch.first
        watch.first = []
        last_bookmark = self._elapsed()
        while True:
            try:
                events, newest = self._news(watch)
            except TooOld:
                yield _error(watch.since, self.store.oldest_change())
                return
            yield from events
            watch.since = newest
            now = self._elapsed()
            if watch.bookmarks and now - last_bookmark >= BOOKMARK_EVERY:
                last_bookmark = now
                yield self._bookmark(watch)
            if now >= watch.deadline:
                return
            if not events:
                yield b""

    def _news(self, watch: _Watch) -> tuple[list[bytes], int]:
        """The events since the last poll, and the version of the newest one."""
        assert watch.bell is not None
        with self._look():
            newest, before = self.store.version(), watch.heard
            watch.heard = (watch.bell.turn, self.store.elsewhere())
            if newest == watch.since or watch.heard == before:
                return [], max(newest, watch.since)
            changes = self.store.changes(watch.definition.plural, watch.namespace, watch.since, watch.name)
        events = (self._event_for(watch, change) for change in changes if change.version <= newest)
        return [event for event in events if event], max(newest, watch.since)

    def _event_for(self, watch: _Watch, change: Revision) -> bytes | None:
        """The event for a change. An object that starts or stops matching the selectors is ADDED or DELETED."""
        kind, body = change.type, change.body
        if watch.keep is None and not watch.negotiated.shape:
            return f'{{"type": "{kind}", "object": {body}}}\n'.encode()
        after, before = self.store.parse(body), self.store.parse(change.previous) if change.previous else None
        if watch.keep is not None:
            matches = kind != "DELETED" and watch.keep(after)
            matched = before is not None and watch.keep(before)
            if not matches and not matched:
                return None
            kind = "DELETED" if not matches else "MODIFIED" if matched else "ADDED"
            if kind == "DELETED" and before is not None:
                # The event has the object as it last matched, with the version of the change.
                version = after["metadata"]["resourceVersion"]
                after = {**before, "metadata": {**before["metadata"], "resourceVersion": version}}
        return self._event(watch, kind, after)

    def _event(self, watch: _Watch, kind: str, body: Object) -> bytes:
        shape, version = watch.negotiated.shape, watch.negotiated.version
        if shape == "Table":
            metadata = {"resourceVersion": body["metadata"]["resourceVersion"]}
            options: dict[str, Any] = {"included": watch.included, "version": version, "headed": watch.headed}
            body = table(watch.definition, [body], metadata, self.objects.now, **options)
            watch.headed = False
        elif shape:
            body = metadata_of(body, version)
        return json.dumps({"type": kind, "object": body}).encode() + b"\n"

    def _bookmark(self, watch: _Watch, annotations: dict[str, str] | None = None) -> bytes:
        """A bookmark: every change up to this version has been sent."""
        metadata = {"resourceVersion": str(watch.since), **({"annotations": annotations} if annotations else {})}
        frame = {"apiVersion": watch.definition.api_version, "kind": watch.definition.kind}
        return json.dumps({"type": "BOOKMARK", "object": {**frame, "metadata": metadata}}).encode() + b"\n"


def _initial_events(request: Request) -> bool | None:
    """Whether sendInitialEvents is set; None if the query does not have it."""
    return request.flag("sendInitialEvents") if "sendInitialEvents" in request.query else None


def _error(since: int, oldest: int) -> bytes:
    """The last event of a watch that starts at an expired version."""
    status = Refusal(410, "Expired", f"too old resource version: {since} ({oldest})").document()
    return json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
