"""Answers API requests as the gateway and the API server behind it do: one request in, one response out.

Does not speak HTTP and opens no socket. `accounts` decides who may do what, `apiserver` handles the objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from threading import Event
from time import monotonic

from rsspot.simulator.accounts.authorization import narrowed
from rsspot.simulator.accounts.builtin import REVIEWS
from rsspot.simulator.accounts.identity import Denied
from rsspot.simulator.accounts.people import Caller
from rsspot.simulator.accounts.reviews import review
from rsspot.simulator.apiserver import discovery
from rsspot.simulator.apiserver.messages import Refusal, Request, Response
from rsspot.simulator.apiserver.negotiation import written
from rsspot.simulator.apiserver.parsing import is_rehearsal, parse_early
from rsspot.simulator.apiserver.resources import Nowhere, ResourceEndpoints, Target
from rsspot.simulator.apiserver.topics import Topics
from rsspot.simulator.clock import PausableClock
from rsspot.simulator.pace import Pace
from rsspot.simulator.spot import feeds
from rsspot.simulator.spot.events import events_endpoint
from rsspot.simulator.spot.kubeconfigs import kubeconfig_endpoint
from rsspot.simulator.world import World

_REVIEWS = {f"{each.root}/{each.plural}": each for each in REVIEWS}
LONGEST_WARNING = 4096
TURN = 0.005
"""Seconds between two ticks in a row, in which those who wait for the world's lock can take it."""
Endpoint = Callable[[Request], Response]


class _DryRun(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


class Api:
    """Answers requests to one world.

    longest_tick: seconds after which `tick` leaves the rest to the next one; None: it runs everything
    elapsed: what ticks and watches are timed by; real time, whatever the clock of the world does
    """

    def __init__(
        self, world: World, *, longest_tick: float | None = None, elapsed: Callable[[], float] = monotonic
    ) -> None:
        self.world = world
        self._pausable = world.clock if isinstance(world.clock, PausableClock) else None
        self.stopping = Event()
        """Ends a tick after the action in progress. Set when the process is about to end."""
        self._longest_tick, self._elapsed = longest_tick, elapsed
        self.faults = world.faults
        self._topics = Topics(world.lock)
        self._resources = ResourceEndpoints(world.objects, self._look, self._topics, elapsed)
        self.pace = Pace(elapsed, world.clock.time)
        self._rested = 0.0
        """When others have had their turn since the last tick that ended early."""
        self._open = _open_endpoints(world)
        self.turn = 0
        """The number of changes so far."""

    def handle(self, request: Request, behind: int = 0) -> Response:
        """Answer a request. Never raises. behind: number of latest writes that a read does not see yet"""
        parse_early(request)
        with self.world.lock:
            try:
                self._keep_time()
                with self.world.store.transaction(reads=request.method in ("GET", "HEAD")):
                    response = self._answer(request, behind)
                    if is_rehearsal(request):
                        raise _DryRun(response)
                if self.world.store.touched:
                    self._notify()
            except _DryRun as rehearsal:
                response = rehearsal.response
            except (Denied, Nowhere) as plain:
                return plain.response
            except Refusal as refusal:
                response = refusal.response()
            except Exception as defect:
                response = Refusal(500, "InternalError", f"Internal error occurred: {defect!r}").response()
        return written(request, _warned(response))

    def tick(self) -> bool:
        """Run what is due, in its own transaction: a refused request must not roll it back.

        Returns whether everything due has run. Until then, the clock waits; otherwise a world that cannot keep up with
        its clock would have more to do after each tick than before.
        """
        with self.world.lock:
            if self.world.is_due():
                deadline = None if self._longest_tick is None else self._elapsed() + self._longest_tick
                with self._transaction():
                    finished = self.world.advance(lambda: self._ends_early(deadline))
                self._notify()
            else:
                finished = True
                self.world.objects.now = max(self.world.objects.now, self.world.clock.time())
            if self._pausable is not None:
                (self._pausable.resume if finished else self._pausable.pause)()
            self.pace.note(finished)
            self._rested = self._elapsed() + TURN
        return finished

    def _keep_time(self) -> None:
        """Run what is due, or leave it to the next tick if one has just ended early: nobody pays for all the others."""
        if not self.pace.is_behind or self._elapsed() >= self._rested:
            self.tick()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction with auctions in it. The auctioneer forgets them if they are rolled back."""
        try:
            with self.world.store.transaction():
                yield
        except BaseException:
            self.world.auctioneer.forget()
            raise

    def _ends_early(self, deadline: float | None) -> bool:
        return self.stopping.is_set() or (deadline is not None and self._elapsed() > deadline)

    def catch_up(self) -> None:
        """Run everything that is due, and let other requests have a turn in between."""
        while not self.tick() and not self.stopping.wait(TURN):
            pass

    def wait(self, turn: int, seconds: float) -> None:
        """Wait until something changes after `turn`, for `seconds` at most."""
        with self.world.changed:
            self.world.changed.wait_for(lambda: self.turn != turn, seconds)

    def _notify(self) -> None:
        self.turn += 1
        self.world.changed.notify_all()
        self._topics.tell(self.world.store.touched)
        self.world.store.touched.clear()

    @contextmanager
    def _look(self) -> Iterator[None]:
        """Hold the lock to read the store after running everything that is due."""
        with self.world.lock:
            self._keep_time()
            if self.world.store.touched:
                # Written without a request.
                self._notify()
            yield

    def set_price(self, server_class: str, price: Decimal | None) -> None:
        """Fix the going rate of a class from now on; None lets its market move again."""
        with self.world.lock:
            with self._transaction():
                self.world.auctioneer.set_price(server_class, price)
            self._notify()

    def _answer(self, request: Request, behind: int) -> Response:
        parts = [part for part in request.path.split("/") if part]
        if methods := self._open.get("/".join(parts)):
            return _of_method(methods, request)
        if len(parts) == 2 and parts[0] == "history":
            return feeds.history_feed(self.world, parts[1])
        caller = self.world.identity.caller(request)
        if parts == ["apis", "auth.ngpc.rxt.io", "v1", "organizations"]:
            return self.world.identity.organizations_endpoint(caller)
        if parts == ["apis", "metrics.ngpc.rxt.io", "v1", "events", "organizations"]:
            return events_endpoint(self.world, caller.organization, request)
        served = self.world.definitions.values()
        if definition := _REVIEWS.get(f"/{'/'.join(parts)}"):
            return review(request, caller, definition, served)
        described = discovery.answer(request, [*served, *REVIEWS])
        if described is not None:
            return described
        return self._resources.answer(request, lambda target: self._guarded(caller, target), behind)

    def _guarded(self, caller: Caller, target: Target) -> Target:
        """Authorize a request, and reduce it to what the caller may see."""
        return narrowed(caller, target)


def _warned(response: Response) -> Response:
    """Add a response's warnings as a header, dropping those that do not fit or cannot be printed."""
    printable = [warning for warning in response.warnings if warning.isprintable()]
    quoted = (warning.replace("\\", "\\\\").replace('"', '\\"') for warning in printable)
    values = [f'299 - "{warning}"' for warning in quoted]
    while sum(map(len, values)) > LONGEST_WARNING:
        values.pop()
    return replace(response, headers={**response.headers, "Warning": ", ".join(values)}) if values else response


def _open_endpoints(world: World) -> dict[str, dict[str, Endpoint]]:
    """Endpoints without gateway authentication: path -> method -> endpoint. Some check a token themselves."""
    identity = world.identity
    alive: dict[str, Endpoint] = {"GET": lambda _: Response.of_text(200, "ok")}
    return {
        "healthz": alive,
        "readyz": alive,
        "livez": alive,
        "version": {"GET": lambda _: Response.of_json(200, discovery.VERSION)},
        "oauth/token": {"POST": identity.token_endpoint},
        "oauth/device/code": {"POST": identity.device.start_endpoint},
        "activate": {"GET": identity.device.page_endpoint, "POST": identity.device.page_endpoint},
        "userinfo": {"GET": identity.userinfo_endpoint},
        ".well-known/openid-configuration": {"GET": identity.configuration_endpoint},
        ".well-known/jwks.json": {"GET": identity.keys_endpoint},
        "apis/auth.ngpc.rxt.io/v1/generate-kubeconfig": {"POST": lambda request: kubeconfig_endpoint(world, request)},
        "percentiles.json": {"GET": lambda _: feeds.percentiles_feed(world)},
        "comparable_prices.json": {"GET": lambda _: feeds.comparables_feed(world)},
    }


def _of_method(methods: dict[str, Endpoint], request: Request) -> Response:
    """Answer by method. HEAD is answered as GET; the transport omits the body."""
    endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
    if endpoint is None:
        raise Refusal(405, "MethodNotAllowed", f"this path accepts {' or '.join(methods)}")
    return endpoint(request)
