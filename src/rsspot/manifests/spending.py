"""What a Stack says about money: how much it may cost, which risk of a bid is worth a word, and what else is billed."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import model_validator

from rsspot.models.authoring import WholeNumber, between, one_of, rule
from rsspot.models.costs import Measure
from rsspot.models.money import Price
from rsspot.models.percent import Percent, parse_percent
from rsspot.models.resource import Model

WARN_ABOVE = "10%"
"""Share of the recorded hours. Measured over four weeks of the simulator's market: of the bids that rsspot suggests for
its 93 classes none loses more, unless the price of the moment is unusually low; a twentieth would warn of 12 of them.
"""
MOST_LOST = parse_percent(WARN_ABOVE)


MOST_DOLLARS = 1_000_000_000


def _check_amount(amount: Decimal) -> None:
    if amount <= 0:
        raise ValueError("must be more than 0")
    if amount >= MOST_DOLLARS:
        raise ValueError(f"must be less than {MOST_DOLLARS}")


Amount = Annotated[Price, rule(_check_amount, exclusiveMinimum=0, exclusiveMaximum=MOST_DOLLARS)]
"""Dollars."""


class Budget(Model):
    """How much everything in the stack may cost together."""

    per_hour: Amount | None = None
    """Most dollars an hour, with what is billed by the month."""
    per_month: Amount | None = None
    """Most dollars in a month of 730 hours."""
    of: Annotated[str, one_of(Measure.CEILING.value, Measure.EXPECTED.value)] = Measure.CEILING.value
    """What is held to it: the ceiling, which is every server at its bid, or what is expected."""

    @model_validator(mode="after")
    def _names_an_amount(self) -> Self:
        if self.per_hour is None and self.per_month is None:
            raise ValueError("must name perHour or perMonth")
        return self


class Risk(Model):
    """Which risk of losing servers a plan warns of."""

    warn_above: Percent = WARN_ABOVE
    """Share of the hours of the last four weeks in which the price rose above the bid."""

    @property
    def most(self) -> Decimal:
        """The share that is not yet warned of."""
        return parse_percent(self.warn_above)


class Extras(Model):
    """What is billed for a cloudspace and is no object of the API."""

    load_balancers: Annotated[WholeNumber, between(0, 1000)] = 0
    """Number of load balancers that its workloads ask for."""
