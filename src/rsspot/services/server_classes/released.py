"""A server class in the shape that rsspot 0.3 printed: one level, and prices with a dollar sign."""

from __future__ import annotations

from typing import Any

from rsspot.utils.serialization import Document, at_path


def server_class(document: Document) -> dict[str, Any]:
    """What identifies the class, its prices and its size."""
    spec = document.get("spec") or {}
    return {
        "name": document["metadata"]["name"],
        "display_name": spec.get("displayName"),
        "category": spec.get("category"),
        "region": spec.get("region"),
        "availability": spec.get("availability"),
        "market_price_per_hour": _price(at_path(document, ("status", "spotPricing", "marketPricePerHour"))),
        "min_bid_price_per_hour": _price(spec.get("minBidPricePerHour")),
        "on_demand_price_per_hour": _price(at_path(spec, ("onDemandPricing", "cost"))),
        "cpu": at_path(spec, ("resources", "cpu")),
        "memory": at_path(spec, ("resources", "memory")),
    }


def _price(value: Any) -> str | None:
    return f"${str(value).removeprefix('$')}" if value not in (None, "", "$") else None


SHAPES = {"ServerClass": server_class}
