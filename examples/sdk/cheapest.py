"""Print the cheapest class of each region that takes a bid now, by price for each core.

Uses RSSPOT_* or a profile. Without an account: rsspot simulator run -- python examples/sdk/cheapest.py
"""

from __future__ import annotations

from decimal import Decimal

from rsspot import SpotClient
from rsspot.services.server_classes.schemas import ServerClass


def price_of_a_core(each: ServerClass) -> Decimal:
    """Dollars for an hour of one core, at what would be paid: the market, or the minimum above it."""
    price = max(each.market or Decimal(0), each.minimum or Decimal(0))
    return price / Decimal(each.spec.resources.cpu or "1")


def main() -> None:
    with SpotClient() as client:
        on_offer = [each for each in client.server_classes.list() if each.spec.availability == "available"]
        for region in client.regions.list():
            classes = [each for each in on_offer if each.spec.region == region.name and each.minimum]
            best = min(classes, key=price_of_a_core)
            print(f"{region.name:<18} {best.name:<22} {price_of_a_core(best):.5f} dollars for each core and hour")


if __name__ == "__main__":
    main()
