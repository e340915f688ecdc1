"""How an autopilot chooses server classes, and how many nodes of each. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

TOLERANCE = Decimal("0.1")
"""Relative: 3.75 GB for two vCPUs count as 2 GB for each."""


@dataclass(frozen=True)
class Offer:
    """A server class as an autopilot sees it.

    market: market price · bid: the current bid, or the one to make · available: how many more nodes can be requested
    """

    name: str
    cpu: int
    memory: Decimal
    market: Decimal
    bid: Decimal
    available: int

    @property
    def rank(self) -> tuple[Decimal, int, str]:
        """Sort key: market price per vCPU, then the smaller class, which overshoots the target less."""
        return (self.market / self.cpu, self.cpu, self.name)


def suits(spec: dict[str, Any], cpu: int, memory: Decimal) -> bool:
    """Whether nodes of this size meet an autopilot's spec. memory: in GB"""
    band = spec.get("vcpuPerNode") or {}
    if not band.get("min", 0) <= cpu <= band.get("max", cpu):
        return False
    wanted = spec.get("memoryPerVCPU", "any")
    return wanted == "any" or abs(memory / cpu / Decimal(wanted) - 1) <= TOLERANCE


def allot(offers: Iterable[Offer], held: dict[str, int], target: int, budget: Decimal) -> dict[str, int]:
    """Nodes by class: keeps held nodes, drops the most expensive surplus, adds the cheapest within the budget."""
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
