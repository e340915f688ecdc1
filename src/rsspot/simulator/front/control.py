"""Control endpoints of the simulator itself: clock, faults, prices and web page.

Accepts commands as JSON only, so that no form of another website can send them; `sites` keeps those out as well.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from rsspot.errors import UsageError
from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.apiserver.tables import AGE, found_at
from rsspot.simulator.clock import MovableClock, rfc3339
from rsspot.simulator.front.request_log import RequestLog
from rsspot.simulator.quantities import price_of
from rsspot.simulator.spot.auctioneer import PRICE, rate_of
from rsspot.simulator.spot.pools import BIDS

ROOT = "simulator"
SHOWN = 3 * 86400.0
"""How far back, in seconds, the page shows prices."""
MOST_CHARTS = 10
"""Charts beyond this number are shown only for classes with bids."""
MOST_ROWS = 200
"""Objects of each kind that the page shows."""
LONGEST_ADVANCE = 3650 * 86400.0
"""Seconds. A clock that leaves the range of dates would be broken for good."""
Order = Callable[[dict[str, Any]], dict[str, Any]]


class Control:
    """Answers requests to the simulator itself. `None` means that the request is for the service."""

    def __init__(self, api: Api, request_log: RequestLog) -> None:
        self.api, self.request_log = api, request_log
        self._orders: dict[str, Order] = {
            "advance": self._advance,
            "faults": self._add_fault,
            "price": self._set_price,
        }
        self._questions: dict[str, Callable[[], dict[str, Any]]] = {
            "": self._status,
            "clock": self._clock,
            "faults": self._faults,
            "objects": self._objects,
            "prices": self._prices,
        }

    def answer(self, request: Request) -> Response | None:
        """Answer a request if it is for the simulator itself."""
        parts = [part for part in request.path.split("/") if part]
        if parts and parts[0] != ROOT:
            return None
        if not parts:
            return _page() if request.method in ("GET", "HEAD") else Response.of_text(405, "GET")
        name = "/".join(parts[1:])
        if request.method == "GET" and name == "live":
            return Response(200, content_type="text/event-stream", stream=self._live(request))
        if request.method == "GET" and name in self._questions:
            with self.api.world.lock:
                return Response.of_json(200, self._questions[name]())
        if request.method == "DELETE" and name == "faults":
            self.api.faults.clear()
            return Response.of_json(200, self._faults())
        if request.method == "POST" and name in self._orders:
            return self._ordered(request, self._orders[name])
        return Response.of_text(404, f"nothing at /{'/'.join(parts)}")

    def _ordered(self, request: Request, order: Order) -> Response:
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            return Response.of_text(415, "the content type must be application/json")
        try:
            given = json.loads(request.body)
            if not isinstance(given, dict):
                raise ValueError("not an object")
            return Response.of_json(200, order(given))
        except UsageError as error:
            message = error.message if error.hint is None else f"{error.message} ({error.hint})"
            return Response.of_json(400, {"error": message})
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return Response.of_json(400, {"error": f"invalid request: {error!r}"})

    def _status(self) -> dict[str, Any]:
        """The clock, and how much there is of everything."""
        world = self.api.world
        counts = {plural: world.store.count(plural, None) for plural in world.definitions}
        objects = {"version": world.store.version(), "counts": counts}
        return {"clock": self._clock(), "objects": objects, "timers": world.store.timers()}

    def _clock(self) -> dict[str, Any]:
        """The clock. reached: how many times real time the world gets done, if it cannot keep up"""
        clock, pace = self.api.world.clock, self.api.pace
        about = {"now": rfc3339(clock.time()), "seconds": clock.time(), "scale": getattr(clock, "scale", 0.0)}
        return about | {"waits": pace.is_behind, "waited": round(pace.waited, 3), "reached": pace.scale}

    def _advance(self, given: dict[str, Any]) -> dict[str, Any]:
        seconds, clock = float(given["seconds"]), self.api.world.clock
        if not 0 <= seconds < float("inf"):
            raise ValueError("seconds must be a finite number that is not negative")
        if seconds > LONGEST_ADVANCE:
            raise UsageError("a clock can be advanced by ten years at most")
        if not isinstance(clock, MovableClock):
            raise UsageError("this clock cannot be advanced")
        clock.advance(seconds)
        self.api.catch_up()
        return self._clock()

    def _faults(self) -> dict[str, Any]:
        return {"faults": [str(each) for each in self.api.faults.script]}

    def _add_fault(self, given: dict[str, Any]) -> dict[str, Any]:
        self.api.faults.say(str(given["fault"]))
        return self._faults()

    def _set_price(self, given: dict[str, Any]) -> dict[str, Any]:
        name, price = str(given["class"]), given.get("price")
        if name not in self.api.world.prices:
            raise UsageError(f"unknown server class {name!r}")
        self.api.set_price(name, None if price is None else price_of(str(price)))
        return {"class": name, "price": price}

    def _objects(self) -> dict[str, Any]:
        """The objects of every kind as a table."""
        world = self.api.world
        tables = []
        for definition in world.definitions.values():
            columns = [each for each in definition.columns or (AGE,) if each["type"] != "date"]
            texts = world.store.texts(definition.plural, None, limit=MOST_ROWS)
            bodies = [world.store.parse(text) for _, text in texts]
            rows = [
                {
                    "name": body["metadata"]["name"],
                    "namespace": body["metadata"].get("namespace", ""),
                    "version": body["metadata"]["resourceVersion"],
                    "going": bool(body["metadata"].get("deletionTimestamp")),
                    "cells": ["".join(map(str, found_at(body, each["jsonPath"])[:1])) for each in columns],
                }
                for body in bodies
            ]
            about = {"kind": definition.kind, "plural": definition.plural, "columns": [c["name"] for c in columns]}
            tables.append({**about, "count": world.store.count(definition.plural, None), "rows": rows})
        return {"version": world.store.version(), "now": rfc3339(world.now), "tables": tables}

    def _prices(self) -> dict[str, Any]:
        """Prices as steps of (seconds since 1970, price): classes with bids, and some that changed recently."""
        world, since = self.api.world, self.api.world.now - SHOWN
        bids: dict[str, list[float]] = {}
        for bid in world.store.terms_of(BIDS):
            wanted, _, price = bid.partition("/")
            bids.setdefault(wanted, []).append(float(price))
        series = []
        for name in world.prices:
            ticks = world.store.ticks(PRICE + name, since)
            if not ticks and name not in bids:
                continue
            server_class = world.store.get("serverclasses", "", name) or {}
            market = server_class["status"]["spotPricing"]["marketPricePerHour"]
            start = max(since, float(world.store.fact("born", "0")))
            steps = [[start, float(rate_of(world, name, start))]] if not ticks or ticks[0][0] > start else []
            steps += [[max(time, start), float(value)] for time, value in ticks]
            series.append({"class": name, "market": market, "bids": sorted(set(bids.get(name, []))), "steps": steps})
        series.sort(key=lambda each: not each["bids"])
        shown = [each for index, each in enumerate(series) if each["bids"] or index < MOST_CHARTS]
        return {"now": world.now, "since": since, "series": shown}

    def _live(self, request: Request) -> Iterator[bytes]:
        """Stream server-sent events: new requests, and notice of any change."""
        after, sent = request.query.get("after", ""), -1
        # Request numbers of another server process do not apply here.
        known = request.query.get("of") == self.request_log.name and after.isascii() and after.isdigit()
        last = int(after) if known else 0
        while True:
            entries, version = self.request_log.since(last), self.api.turn
            if entries or version != sent:
                last, sent = (entries[-1]["id"] if entries else last), version
                event = {"requests": entries, "turn": version, "of": self.request_log.name, **self._clock()}
                yield f"data: {json.dumps(event)}\n\n".encode()
            yield b""


@cache
def _page() -> Response:
    """The page, with a policy that allows only its own inline script and style."""
    html = (files("rsspot.simulator.front") / "page.html").read_text(encoding="utf-8")
    allowed = {tag: _digest(html, tag) for tag in ("script", "style")}
    policy = (
        f"default-src 'none'; connect-src 'self'; script-src '{allowed['script']}'; style-src '{allowed['style']}'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; img-src data:"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(200, html.encode(), "text/html; charset=utf-8", headers)


def _digest(html: str, tag: str) -> str:
    match = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    text = match[1] if match else ""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
