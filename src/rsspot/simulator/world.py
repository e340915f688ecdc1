"""World: the store, the clock and everything that happens without a request. Requests arrive through `api`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from threading import Condition, RLock
from typing import Any

from rsspot.simulator.accounts.builtin import NAMESPACE, namespace_of
from rsspot.simulator.accounts.identity import LIFETIME, Identity
from rsspot.simulator.accounts.people import Person, Tenant, accounts_of, default_organization
from rsspot.simulator.apiserver.crds import Definition, shipped
from rsspot.simulator.apiserver.managed_fields import Manager
from rsspot.simulator.apiserver.objects import COLLECT, Objects
from rsspot.simulator.apiserver.store import Object, Rows, Store
from rsspot.simulator.clock import ManualClock, SimulatorClock, rfc3339
from rsspot.simulator.faults import Faults
from rsspot.simulator.spot import autopilot, autoscaler, controllers
from rsspot.simulator.spot.auctioneer import AUCTION, AUCTION_EVERY, REST, Auctioneer, Stop
from rsspot.simulator.spot.catalog import seeds
from rsspot.simulator.spot.pools import terms_of
from rsspot.simulator.spot.protocol import Notice
from rsspot.simulator.spot.service import Spot
from rsspot.simulator.spot.switches import Rules

ACTIONS = {**controllers.OBJECT_ACTIONS, **autopilot.OBJECT_ACTIONS, "autoscale": autoscaler.autoscale}
CONTROLLER = "spot-controller"
"""Field manager of the fields that the service itself writes."""
MOST_BEGINNINGS = 8
_beginnings: dict[tuple[int, float], bytes] = {}
"""(seed, start time) -> image of a new world's store. A cache, because most tests create their own world."""
_provided: dict[int, tuple[float, Rows]] = {}
"""Seed -> the time of a beginning, and what the store had then. Other beginnings are copies of it, at other times."""


class World:
    """One simulated service.

    path: the file to keep it in, None for memory · clock: its time · wall: the time that tokens expire by
    rules: the switches for behavior that the public record leaves open
    organizations, people: all the accounts; left out, the default ones
    definitions: the kinds it serves besides the shipped ones
    rotate: whether each refresh token works only once · lifetime: of tokens, in seconds
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        clock: SimulatorClock,
        seed: int = 1,
        wall: Callable[[], float] | None = None,
        organizations: Sequence[Tenant] = (),
        people: Sequence[Person] = (),
        definitions: Sequence[Definition] = (),
        rules: Rules | None = None,
        rotate: bool = False,
        lifetime: int = LIFETIME,
    ) -> None:
        self.store = Store(path, terms_of)
        self.clock = clock
        self.lock = RLock()
        self.changed = Condition(self.lock)
        """Notified of every change, whatever changes."""
        self.rules = rules or Rules()
        self.faults = Faults(seed=seed)
        self.notices: list[Notice] = []
        """Webhook notices to be sent; the sender removes them."""
        self.organizations = list(organizations) or [default_organization()]
        accounts = accounts_of(self.organizations, people)
        self.definitions = {each.plural: each for each in (*shipped(), NAMESPACE, *definitions)}
        self.auctioneer = Auctioneer(self)
        usual = path is None and not definitions and isinstance(clock, ManualClock)
        beginning = (seed, clock.time()) if usual else None
        if beginning in _beginnings:
            self.store.load(_beginnings[beginning])
        with self.store.transaction():
            self.seed = int(self.store.fact("seed", str(seed)))
            self.objects = Objects(self.store, self.definitions, Spot(self), self.seed)
            self.objects.now = clock.time()
            if not self.store.fact("born", ""):
                self._begin()
        if beginning and beginning not in _beginnings and len(_beginnings) < MOST_BEGINNINGS:
            _beginnings[beginning] = self.store.image()
        with self.store.transaction():
            self._add_namespaces()
        now = wall or clock.time
        self.identity = Identity(self.seed, accounts, now, self.store, self.lock, lifetime=lifetime, rotate=rotate)

    @property
    def now(self) -> float:
        """The current moment, in seconds since 1970."""
        return self.objects.now

    @property
    def prices(self) -> dict[str, Decimal]:
        """The recorded price of each class."""
        return _recorded_prices()

    @property
    def server_classes(self) -> dict[str, dict[str, Any]]:
        """The spec of each class; it never changes."""
        return _recorded_classes()

    @property
    def any_stuck(self) -> bool:
        """Whether a fault keeps some statuses from changing."""
        return self.faults.any_stuck

    def _begin(self) -> None:
        """Create what the service's operators provide, and schedule the first auction."""
        if self.seed in _provided:
            self.store.add_rows(_moved(*_provided[self.seed], self.now))
        else:
            self._provide()
            if len(_provided) < MOST_BEGINNINGS:
                _provided[self.seed] = self.now, self.store.rows()
        self.store.set_fact("seed", str(self.seed))
        self.store.set_fact("born", str(self.now))
        self.after(AUCTION_EVERY, AUCTION, {})

    def _provide(self) -> None:
        for plural, body, status in seeds():
            definition = self.definitions[plural]
            provided = self.objects.born(definition, body, self.manager(definition))
            if status:
                self.set_status(plural, provided, **status)

    def _add_namespaces(self) -> None:
        """Create the namespaces of organizations that are new to this world."""
        for organization in self.organizations:
            if self.store.get(NAMESPACE.plural, "", organization.namespace) is None:
                self.store.put(NAMESPACE.plural, namespace_of(organization, self.now))

    def advance(self, stop: Stop = lambda: False) -> bool:
        """Run what is due by now, in order, and return whether that was everything. Call inside a transaction.

        stop: asked after each action and each award. If this ends early, the world's time is that of the last one.
        """
        until = max(self.clock.time(), float(self.store.fact("now", "0")))
        while timer := self.store.next_timer(until):
            self.objects.now, action, payload = timer
            self._act(action, payload, stop)
            if stop():
                self.store.set_fact("now", str(self.objects.now))
                return False
        self.objects.now = until
        self.store.set_fact("now", str(until))
        return True

    def is_due(self) -> bool:
        """Whether any timer is due by now."""
        due = self.store.next_due()
        return due is not None and due <= self.clock.time()

    def _act(self, action: str, payload: dict[str, Any], stop: Stop) -> None:
        if action in (AUCTION, REST):
            self.auctioneer.act(action, payload, stop)
            return
        plural, namespace, name, uid = (payload.pop(key) for key in ("plural", "namespace", "name", "uid"))
        body = self.store.get(plural, namespace, name)
        if body is None or body["metadata"]["uid"] != uid:
            return
        if action == COLLECT:
            self.objects.collect(plural, body)
        else:
            ACTIONS[action](self, body, plural, **payload)

    def after(self, seconds: float, action: str, payload: dict[str, Any]) -> None:
        """Schedule an action of a controller."""
        self.store.set_timer(self.now + seconds, action, payload)

    def organization_of(self, body: Object) -> Tenant | None:
        """The organization that an object belongs to."""
        namespace = body["metadata"].get("namespace")
        return next((each for each in self.organizations if each.namespace == namespace), None)

    def manager(self, definition: Definition, subresource: str = "", by: str = CONTROLLER) -> Manager:
        """The service as a field manager."""
        return Manager(by, "Update", definition.api_version, subresource)

    def write(self, plural: str, body: Object, changes: Object, subresource: str = "", by: str = CONTROLLER) -> None:
        """Change top-level fields of an object as the service, and update `body` to match."""
        definition = self.definitions[plural]
        manager = self.manager(definition, subresource, by)
        stored = self.objects.changed(definition, {**body, **changes}, body, manager)
        if stored is not body:
            body.update(stored)

    def set_status(self, plural: str, body: Object, **status: Any) -> None:
        """Write fields of a status, if any of them differs."""
        before = body.get("status") or {}
        if self.faults.is_stuck(plural, body["metadata"]["name"]):
            return
        if any(before.get(key) != value for key, value in status.items()):
            self.write(plural, body, {"status": {**before, **status}}, "status")

    def doom(self, plural: str, body: Object) -> Object:
        """Request an object's deletion."""
        return self.objects.doom(self.definitions[plural], body)

    def close(self) -> None:
        self.store.close()


def _moved(before: float, rows: Rows, now: float) -> Rows:
    """Rows of a beginning, as they are at another time. It is the only time in them."""
    old, new = rfc3339(before), rfc3339(now)

    def moved(value: Any) -> Any:
        return value.replace(old, new) if isinstance(value, str) else value

    return {name: [tuple(map(moved, row)) for row in several] for name, several in rows.items()}


@cache
def _recorded_prices() -> dict[str, Decimal]:
    return {
        body["metadata"]["name"]: Decimal(status["spotPricing"]["marketPricePerHour"])
        for plural, body, status in seeds()
        if plural == "serverclasses"
    }


@cache
def _recorded_classes() -> dict[str, dict[str, Any]]:
    return {body["metadata"]["name"]: body["spec"] for plural, body, _ in seeds() if plural == "serverclasses"}


def last_moment(path: Path) -> float | None:
    """The last time, by its own clock, that a stored world was active; None if the file does not exist."""
    if not path.exists():
        return None
    store = Store(path)
    moment = store.fact("now", "") or store.fact("born", "")
    store.close()
    return float(moment) if moment else None
