"""The catalog: the service's regions and server classes as of 2026-08-17, from catalog.csv.

Names, sizes, regions, market prices and the 0.01 minimum are as recorded. All capacities, and on-demand prices except
that of gp.vs1.medium, are synthetic: there is no public record of them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

REGIONS = (
    ("us-east-iad-1", "v1", "iad", "USA", "US East, Ashburn, VA"),
    ("us-central-dfw-1", "v1", "dfw", "USA", "US Central, Dallas Fort Worth, TX"),
    ("us-central-ord-1", "v1", "ord", "USA", "US Central, Chicago, IL"),
    ("uk-lon-1", "v1", "lon", "GBR", "United Kingdom, London"),
    ("hkg-hkg-1", "v1", "hkg", "HKG", "Hong Kong, Hong Kong"),
    ("aus-syd-1", "v1", "syd", "AUS", "Sydney, Australia"),
    ("us-west-sjc-1", "v2", "sjc", "USA", "US West, San Jose, CA"),
    ("us-central-dfw-2", "v2", "dfw2", "USA", "US Central, Dallas Fort Worth, TX"),
)
"""Name, generation, suffix of the region's classes, country, description."""

MINIMUM = "0.01"
ON_DEMAND_PER_CPU = 0.0095
CAPACITY = 120
SCARCE_CAPACITY = 8


def seeds() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(plural, object, status) of everything the service's operators provide."""
    for name, generation, suffix, country, description in REGIONS:
        spec = {
            "country": country,
            "description": description,
            "generation": generation,
            "provider": {"providerType": "ospc", "providerRegionName": suffix.upper()},
        }
        yield "regions", _object("Region", name, spec), {}
    with (files("rsspot.simulator.spot") / "catalog.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            for name, _, suffix, _, _ in REGIONS:
                if row[suffix]:
                    yield "serverclasses", _server_class(row, name, suffix), _market(row, row[suffix])


def _server_class(row: dict[str, str], region: str, suffix: str) -> dict[str, Any]:
    resources = {"cpu": row["cpu"], "memory": row["memory"]} | ({"disk": row["disk"]} if row["disk"] else {})
    if row["category"] == "GPU":
        resources["gpu"] = "1"
    spec = {
        "region": region,
        "category": row["category"],
        "displayName": row["display"],
        "flavorType": "BM" if row["category"] == "Bare Metal" else "VM",
        "availability": "deprecated" if row["category"] == "Bare Metal" else "available",
        "minBidPricePerHour": "" if row["category"] == "Bare Metal" else MINIMUM,
        "onDemandPricing": {"cost": f"{int(row['cpu']) * ON_DEMAND_PER_CPU:.3f}", "interval": "1h"},
        "provider": {"providerFlavorID": row["base"], "providerType": "ospc"},
        "resources": resources,
    }
    return _object("ServerClass", f"{row['base']}-{suffix}", spec)


def _market(row: dict[str, str], price: str) -> dict[str, Any]:
    capacity = SCARCE_CAPACITY if row["category"] in ("GPU", "Bare Metal") else CAPACITY
    return {
        "available": capacity,
        "capacity": capacity,
        "reserved": 0,
        "spotPricing": {
            "marketPricePerHour": f"{float(price):.6f}",
            "hammerPricePerHour": f"{max(float(price), 0.01):.6f}",
        },
    }


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "ngpc.rxt.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
