"""Prices in the shapes that rsspot 0.3 printed: numbers as floats, and prices as texts with a dollar sign."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rsspot.services.pricing.recommendation import HOURS, MARGINS, NEWER, CostLimits, Pool, Scenario
from rsspot.services.pricing.schemas import Quote
from rsspot.services.pricing.selection import Wanted, family, generation_of


def details(quote: Quote) -> dict[str, Any]:
    """The price of one server class."""
    return {
        "server_class_name": quote.server_class,
        "display_name": quote.display_name,
        "category": quote.category,
        "region": quote.region,
        "market_price": None if quote.market is None else f"${quote.market:.6f}",
        "cpu": quote.cpu,
        "memory": quote.memory,
    }


def quote(quote: Quote, nodes: int) -> dict[str, Any]:
    """One row of the price list."""
    hourly = None if quote.market is None else float(quote.market)
    monthly = None if hourly is None else hourly * HOURS
    return {
        **details(quote),
        "class": family(quote.server_class),
        "gen": generation_of(quote.server_class),
        "hourly_per_node": hourly,
        "monthly_per_node": monthly,
        "hourly_for_nodes": None if hourly is None else hourly * nodes,
        "monthly_for_nodes": None if monthly is None else monthly * nodes,
    }


def recommendation(
    scenarios: Sequence[Scenario], nodes: int, wanted: Wanted, risk: str, balanced: bool, limits: CostLimits
) -> dict[str, Any]:
    """What `pricing build` recommends."""
    return {
        "requested": {
            "nodes": nodes,
            "gen": wanted.generation,
            "risk": risk,
            "balanced": balanced,
            "regions": list(wanted.regions),
            "classes": list(wanted.classes),
            "min_hour": limits.min_hour,
            "max_hour": limits.max_hour,
            "min_month": limits.min_month,
            "max_month": limits.max_month,
        },
        "assumptions": {
            "month_hours": HOURS,
            "cpu_weight": 1.0,
            "memory_weight": 1.0,
            "gen2_multiplier": float(NEWER),
            "risk_bid_multiplier": float(MARGINS[risk]),
        },
        "scenarios": [_scenario(scenario) for scenario in scenarios],
        "warning": None if scenarios else "No server class matches the filters and limits.",
    }


def _scenario(scenario: Scenario) -> dict[str, Any]:
    pools = scenario.pools
    return {
        "strategy": scenario.strategy,
        "status": "ok",
        "score": float(scenario.score),
        "total_hourly": float(scenario.hourly),
        "total_monthly": float(scenario.hourly * HOURS),
        "total_cpu": float(sum((pool.cpu * pool.nodes for pool in pools), Decimal(0))),
        "total_memory_gb": float(sum((pool.memory * pool.nodes for pool in pools), Decimal(0))),
        "pools": [_pool(pool) for pool in pools],
    }


def _pool(pool: Pool) -> dict[str, Any]:
    return {
        "server_class_name": pool.server_class,
        "class_prefix": pool.family,
        "region": pool.region,
        "generation": pool.generation,
        "nodes": pool.nodes,
        "cpu_per_node": float(pool.cpu),
        "memory_gb_per_node": float(pool.memory),
        "hourly_per_node": float(pool.hourly),
        "monthly_per_node": float(pool.hourly * HOURS),
        "hourly_total": float(pool.hourly * pool.nodes),
        "monthly_total": float(pool.hourly * pool.nodes * HOURS),
        "suggested_bid_per_node": float(pool.bid),
        "capacity_per_node": float(pool.capacity),
        "value_per_node": float(pool.capacity / pool.hourly),
    }
