"""The bid ladder against a list written out by hand, and what is said about a bid at each boundary."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from rsspot.models.bids import CURRENT, RULES, ladder_above, objection

RUNGS = [Decimal(f"0.{cents:02}") for cents in (1, 2, 3, 4, 6, 8, 10, 13, 16, 19, 22, 27, 32, 37, 42, 47, 52)]
"""As recorded from the service in July 2026, and 0.05 apart from there."""
MINIMUM, MARKET = Decimal("0.02"), Decimal("0.05")


@pytest.mark.parametrize("rung", RUNGS, ids=str)
def test_a_rung_is_its_own_next_rung(rung: Decimal) -> None:
    """What stands on the ladder stays where it is."""
    assert ladder_above(rung) == rung


@pytest.mark.parametrize(("lower", "upper"), list(pairwise(RUNGS)), ids=str)
def test_between_two_rungs_the_upper_one_is_next(lower: Decimal, upper: Decimal) -> None:
    """The smallest step above a rung, and the largest below the next, both lead to the next."""
    tick = Decimal("0.001")
    assert ladder_above(lower + tick) == upper
    assert ladder_above(upper - tick) == upper


@pytest.mark.parametrize("price", ["0", "0.001", "0.0099"])
def test_the_ladder_starts_at_a_cent(price: str) -> None:
    """Nothing under a cent is on offer."""
    assert ladder_above(Decimal(price)) == Decimal("0.01")


def test_an_expensive_class_has_rungs_too() -> None:
    """The ladder goes on in steps of five cents, however high."""
    assert ladder_above(Decimal("9.80")) == Decimal("9.82")


@pytest.mark.parametrize(
    ("price", "rung"),
    [("999.99", "1000.02"), ("1000.02", "1000.02"), ("123456789.01", "123456789.02"), ("1e15", "1000000000000000.02")],
)
def test_a_huge_price_has_its_rung_at_once(price: str, rung: str) -> None:
    """Nobody climbs there rung by rung."""
    assert ladder_above(Decimal(price)) == Decimal(rung)


@pytest.mark.parametrize(
    ("rules", "price", "expected"),
    [
        ("2024", "0.0111", "0.012"),
        ("2024", "0.012", "0.012"),
        ("2024", "1.2345", "1.235"),
        ("2026-01", "0.011", "0.015"),
        ("2026-01", "0.015", "0.015"),
        ("2026-01", "0.0151", "0.02"),
        ("2026-05", "0.0491", "0.05"),
        ("2026-05", "0.05", "0.05"),
        ("2026-05", "0.051", "0.06"),
        ("2026-05", "0.06", "0.06"),
        ("ladder", "0.05", "0.06"),
    ],
)
def test_every_rule_set_rounds_up(rules: str, price: str, expected: str) -> None:
    """Each rule set names the smallest bid it allows at or above a price."""
    assert RULES[rules](Decimal(price)) == Decimal(expected)


def test_every_rule_set_is_tried_above() -> None:
    """A new rule set comes with examples, and the one in force is among them."""
    assert set(RULES) == {"2024", "2026-01", "2026-05", "ladder"}
    assert CURRENT in RULES


@pytest.mark.parametrize(
    ("bid", "minimum", "market", "said"),
    [
        ("0.02", "0.02", None, None),
        ("0.02", "0.02", "0.02", None),
        ("0.02", "0.02", "0.001", None),
        ("0.01", "0.02", None, "under the class minimum of 0.02; the next valid bid is 0.02"),
        ("0.01", "0.02", "0.001", "under the class minimum of 0.02; the next valid bid is 0.02"),
        ("0.01", "0.02", "0.05", "under the market price of 0.05; the next valid bid is 0.06"),
        ("0.049", "0.02", "0.05", "under the market price of 0.05; the next valid bid is 0.06"),
        ("0.05", "0.02", "0.05", "not on the bid ladder; the next valid bid is 0.06"),
        ("0.06", "0.02", "0.05", None),
        ("0.07", "0.02", "0.05", "not on the bid ladder; the next valid bid is 0.08"),
        ("0.060", "0.02", "0.05", None),
    ],
)
def test_what_is_said_of_a_bid(bid: str, minimum: str, market: str | None, said: str | None) -> None:
    """Market first, then minimum, then the ladder, as the service checks them; each with the next valid bid."""
    found = objection(Decimal(bid), Decimal(minimum), Decimal(market) if market else None)
    assert found is None if said is None else (found or "").endswith(said)


def test_a_class_without_a_minimum_takes_no_bids() -> None:
    """Bare metal is rented, not auctioned."""
    assert "takes no bids" in (objection(Decimal("0.06"), None, MARKET) or "")


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("bid", ["0.001", "0.019", "0.021", "0.0501", "0.055", "0.3333"])
def test_the_bid_that_is_named_is_good(rules: str, bid: str) -> None:
    """Following the advice ends the argument."""
    said = objection(Decimal(bid), MINIMUM, MARKET, rules)
    if said is not None:
        advised = Decimal(said.rsplit(" ", 1)[1])
        assert objection(advised, MINIMUM, MARKET, rules) is None
        assert advised >= MARKET
