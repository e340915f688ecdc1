"""How an autopilot chooses: which classes suit it, and how many nodes of each it wants. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

TOLERANCE = Decimal("0.1")
"""3.75 GB for two vCPUs count as 2 GB for each."""


@dataclass(frozen=True)
class Offer:
    """A server class as an autopilot sees it.

    market: its price · bid: what would be bid, or is already · available: how many more nodes may be asked for
    """

    name: str
    cpu: int
    memory: Decimal
    market: Decimal
    bid: Decimal
    available: int

    @property
    def rank(self) -> tuple[Decimal, int, str]:
        """Cheap classes first, by market price for each vCPU; of equals the smaller, which overshoots less."""
        return (self.market / self.cpu, self.cpu, self.name)


def suits(spec: dict[str, Any], cpu: int, memory: Decimal) -> bool:
    """Whether nodes of a size are what an autopilot asks for."""
    band = spec.get("vcpuPerNode") or {}
    if not band.get("min", 0) <= cpu <= band.get("max", cpu):
        return False
    wanted = spec.get("memoryPerVCPU", "any")
    return wanted == "any" or abs(memory / cpu / Decimal(wanted) - 1) <= TOLERANCE


def allot(offers: Iterable[Offer], held: dict[str, int], target: int, budget: Decimal) -> dict[str, int]:
    """Nodes by class: keeps what is held, gives up the dearest surplus and adds the cheapest that the budget allows."""
    ranked = sorted(offers, key=lambda offer: offer.rank)
    wanted = {offer.name: held.get(offer.name, 0) for offer in ranked}
    missing = target - sum(wanted[offer.name] * offer.cpu for offer in ranked)
    left = budget - sum((wanted[offer.name] * offer.bid for offer in ranked), Decimal(0))
    for offer in reversed(ranked):
        while wanted[offer.name] and (missing + offer.cpu <= 0 or left < 0):
            wanted[offer.name] -= 1
            missing, left = missing + offer.cpu, left + offer.bid
    for offer in ranked:
        nodes = min(-(-missing // offer.cpu), offer.available, int(left // offer.bid))
        if nodes > 0:
            wanted[offer.name] += nodes
            missing, left = missing - nodes * offer.cpu, left - nodes * offer.bid
    return wanted
