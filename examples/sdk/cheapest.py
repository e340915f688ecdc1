"""Print the cheapest server class per core in each region, among those that currently accept bids.

Uses RSSPOT_* or a profile. Without an account: rsspot simulator run -- python examples/sdk/cheapest.py
"""

from __future__ import annotations

from decimal import Decimal

from rsspot import SpotClient
from rsspot.services.server_classes.schemas import ServerClass


def price_of_a_core(server_class: ServerClass) -> Decimal:
    """Dollars per core and hour, at the market price or the minimum bid, whichever is higher."""
    price = max(server_class.market or Decimal(0), server_class.minimum or Decimal(0))
    return price / Decimal(server_class.spec.resources.cpu or "1")


def main() -> None:
    with SpotClient() as client:
        available = [size for size in client.server_classes.list() if size.spec.availability == "available"]
        for region in client.regions.list():
            classes = [size for size in available if size.spec.region == region.name and size.minimum]
            best = min(classes, key=price_of_a_core)
            print(f"{region.name:<18} {best.name:<22} {price_of_a_core(best):.5f} dollars per core and hour")


if __name__ == "__main__":
    main()
