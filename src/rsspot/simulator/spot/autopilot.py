"""Autopilots: keep spot pools of the cheapest suitable classes, for a number of vCPUs and an hourly budget.

The service's own implementation is not public: the names of phases, outcomes and events are invented.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rsspot.simulator.apiserver.objects import controlled_by, place
from rsspot.simulator.apiserver.schema import with_defaults
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.clock import rfc3339
from rsspot.simulator.spot.admission import fill_in
from rsspot.simulator.spot.autopilot_classes import Offer, allot, suits
from rsspot.simulator.spot.bid_rules import next_rung
from rsspot.simulator.spot.controllers import on_created, on_written
from rsspot.simulator.spot.pools import is_going

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld

STEER_EVERY = 60.0
COOLDOWN = 600.0
"""Seconds during which no more nodes of a lost class are requested."""
LONGEST_HISTORY = 20
COPIED = ("customLabels", "customAnnotations", "customTaints")
CHILDREN = "spotnodepools"


def autopilot(world: SpotWorld, body: Object, plural: str) -> None:
    """Reconcile now, and periodically for as long as the autopilot exists."""
    world.after(STEER_EVERY, "autopilot", place(plural, body))
    steer(world, body, plural)


def steer(world: SpotWorld, body: Object, plural: str) -> None:
    """Reconcile the child pools with the autopilot's spec, and update its status."""
    if not is_going(body):
        _Pilot(world, body).steer()


OBJECT_ACTIONS: dict[str, Callable[..., None]] = {"autopilot": autopilot, "steer": steer}


class _Pilot:
    """One reconciliation of one autopilot."""

    def __init__(self, world: SpotWorld, body: Object) -> None:
        status = body.get("status") or {}
        self.world, self.body, self.spec = world, body, body["spec"]
        self.states: dict[str, dict[str, str]] = {s["serverClass"]: s for s in status.get("classStates", ())}
        self.history: list[dict[str, Any]] = list(status.get("allocationsHistory", ()))
        self.won_before = {each["spotNodePool"]: each["wonNodes"] for each in status.get("allocations", ())}
        living = (child for child in controlled_by(world.store, CHILDREN, body) if not is_going(child))
        self.children = {child["spec"]["serverClass"]: child for child in living}

    def steer(self) -> None:
        held = {name: self._held(name, child) for name, child in self.children.items()}
        offers = {offer.name: offer for offer in self._offers()}
        budget = Decimal(self.spec["budgetPerHour"])
        wanted = allot(offers.values(), held, self.spec["vcpu"]["total"], budget)
        for name in sorted(wanted | held):
            self._bring(name, wanted.get(name, 0), offers.get(name))
        self._report()

    def _held(self, name: str, child: Object) -> int:
        """How many nodes of a child to keep requesting: after a lost auction, only those it still has."""
        desired, won = child["spec"]["desired"], _won(child)
        if won < desired and (child.get("status") or {}).get("bidStatus") in ("Lost", "Pending"):
            self._outcome(name, "Lost", cooldownUntil=rfc3339(self.world.now + COOLDOWN))
            self._record("Lost", child, "the auction gave fewer servers than were asked for")
            return won
        if won > self.won_before.get(child["metadata"]["name"], 0):
            self._outcome(name, "Won")
            self._record("Won", child, "the auction was won")
        return int(desired)

    def _outcome(self, name: str, outcome: str, **rest: str) -> None:
        attempted = self.states.get(name, {}).get("lastAttemptTime", rfc3339(self.world.now))
        self.states[name] = {"serverClass": name, "lastOutcome": outcome, "lastAttemptTime": attempted, **rest}

    def _record(self, event: str, child: Object, reason: str) -> None:
        spec = child["spec"]
        about = {"time": rfc3339(self.world.now), "serverClass": spec["serverClass"], "event": event, "reason": reason}
        nodes = {"desiredNodes": spec["desired"], "wonNodes": _won(child), "bidPricePerHour": spec["bidPrice"]}
        self.history.append({**about, "spotNodePool": child["metadata"]["name"], **nodes})

    def _offers(self) -> list[Offer]:
        classes = (self.world.store.get("serverclasses", "", name) for name in self._suitable())
        return [self._offer(each) for each in classes if each is not None]

    def _suitable(self) -> list[str]:
        return [
            name
            for name, spec in self.world.server_classes.items()
            if spec["region"] == self.spec["region"]
            and spec["availability"] == "available"
            and suits(self.spec, int(spec["resources"]["cpu"]), _memory(spec))
        ]

    def _offer(self, server_class: Object) -> Offer:
        name, spec = server_class["metadata"]["name"], server_class["spec"]
        market = Decimal(server_class["status"]["spotPricing"]["marketPricePerHour"])
        child = self.children.get(name)
        floor = max(market, Decimal(spec["minBidPricePerHour"]))
        bid = Decimal(child["spec"]["bidPrice"]) if child else next_rung(floor)
        resting = self.states.get(name, {}).get("cooldownUntil", "") > rfc3339(self.world.now)
        available = 0 if resting or bid < market else server_class["status"]["available"]
        return Offer(name, int(spec["resources"]["cpu"]), _memory(spec), market, bid, available)

    def _bring(self, name: str, nodes: int, offer: Offer | None) -> None:
        """Create, update or delete the child pool of a class."""
        child = self.children.get(name)
        if child is None and nodes and offer:
            self.children[name] = self._made(offer, nodes)
        elif child is not None and nodes:
            self._change(child, nodes)
        elif child is not None:
            self._record("Deleted", child, "no node of this class is wanted any more")
            del self.children[name]
            self.world.doom(CHILDREN, child)

    def _made(self, offer: Offer, nodes: int) -> Object:
        definition, world = self.world.definitions[CHILDREN], self.world
        uid, namespace = self.body["metadata"]["uid"], self.body["metadata"]["namespace"]
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{world.seed}/autopilot/{uid}/{offer.name}/{world.store.serial()}"))
        spec = {"serverClass": offer.name, "cloudSpace": self.spec["cloudSpace"], "bidPrice": str(offer.bid)}
        frame = {"apiVersion": definition.api_version, "kind": definition.kind}
        metadata: dict[str, Any] = {"name": name, "namespace": namespace}
        child = {**frame, "metadata": metadata, "spec": {**spec, "desired": nodes, **self._copied()}}
        child = with_defaults(definition.schema, child)
        fill_in(world.definitions, world.store, world.rules, CHILDREN, child)
        child["metadata"]["ownerReferences"] = [self._reference()]
        child = world.objects.born(definition, child, world.manager(definition))
        on_created(world, CHILDREN, child)
        self.states.pop(offer.name, None)
        self._outcome(offer.name, "Pending")
        self._record("Created", child, "lowest price for each vCPU")
        return child

    def _copied(self) -> dict[str, Any]:
        return {field: self.spec[field] for field in COPIED}

    def _reference(self) -> dict[str, Any]:
        owner = self.body["metadata"]
        reference = {"apiVersion": self.body["apiVersion"], "kind": self.body["kind"], "name": owner["name"]}
        return {**reference, "uid": owner["uid"], "controller": True, "blockOwnerDeletion": True}

    def _change(self, child: Object, nodes: int) -> None:
        spec = {**child["spec"], "desired": nodes, **self._copied()}
        if spec == child["spec"]:
            return
        scaled = nodes != child["spec"]["desired"]
        self.world.write(CHILDREN, child, {"spec": spec})
        on_written(self.world, CHILDREN, child)
        if scaled:
            self._record("Scaled", child, "another number of vCPUs is wanted")

    def _report(self) -> None:
        allocations = [self._allocation(name, child) for name, child in sorted(self.children.items())]
        target = self.spec["vcpu"]["total"]
        managed = sum(each["wonNodes"] * each["vcpuPerNode"] for each in allocations)
        self.world.set_status(
            "autopilotnodepools",
            self.body,
            phase="Ready" if managed >= target else "Provisioning",
            targetVCPUs=target,
            managedVCPUs=managed,
            managedMemoryGB=_text(sum(each["wonNodes"] * Decimal(each["memoryGBPerNode"]) for each in allocations)),
            allocations=allocations,
            classStates=[state for _, state in sorted(self.states.items())],
            allocationsHistory=self.history[-LONGEST_HISTORY:],
        )

    def _allocation(self, name: str, child: Object) -> dict[str, Any]:
        server_class = self.world.store.get("serverclasses", "", name) or {}
        spec = self.world.server_classes[name]
        return {
            "serverClass": name,
            "spotNodePool": child["metadata"]["name"],
            "marketPricePerHour": server_class["status"]["spotPricing"]["marketPricePerHour"],
            "bidPricePerHour": child["spec"]["bidPrice"],
            "vcpuPerNode": int(spec["resources"]["cpu"]),
            "memoryGBPerNode": _text(_memory(spec)),
            "desiredNodes": child["spec"]["desired"],
            "wonNodes": _won(child),
        }


def _won(child: Object) -> int:
    return int((child.get("status") or {}).get("wonCount", 0))


def _memory(spec: dict[str, Any]) -> Decimal:
    return Decimal(spec["resources"]["memory"].removesuffix("GB"))


def _text(amount: Decimal | int) -> str:
    """A number of gigabytes in the API's form: a string without trailing zeros."""
    return f"{Decimal(amount).normalize():f}"
