"""Which bid to make for a risk, and which other classes would do for less. Counts recorded hours; guesses nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from rsspot.models.bids import CURRENT, RULES
from rsspot.models.costs import ClassPrices
from rsspot.services.pricing.schemas import Quote, quote
from rsspot.services.pricing.selection import cpu, memory
from rsspot.utils.serialization import Document, at_path

MOST_OTHERS = 3
"""So many other classes are proposed."""


@dataclass(frozen=True)
class ClassOffer:
    """A server class as something to choose. region_group: the country of its region."""

    quote: Quote
    gpus: Decimal
    available: bool
    region_group: str | None = None

    @property
    def name(self) -> str:
        return self.quote.server_class


@dataclass(frozen=True)
class Advice:
    """The lowest valid bid for a risk, and the numbers it comes from, in dollars an hour for one server.

    hours: how many were looked at · lost: in how many of them the market rose above the bid
    usual: what winners paid in the middle hour, the most that is expected · why_none: why there is no bid
    """

    server_class: str
    region: str
    bid: Decimal | None
    hours: int
    lost: int | None
    market: Decimal | None
    p50: Decimal | None
    p80: Decimal | None
    usual: Decimal | None
    why_none: str | None = None


def advice(of: Quote, prices: ClassPrices, risk: Decimal) -> Advice:
    """The bid for a class. risk: the share of the recorded hours that it may lose."""
    bid, why = _bid(of, prices, risk)
    return Advice(
        of.server_class,
        of.region,
        bid,
        hours=len(prices.recorded),
        lost=None if bid is None else prices.hours_lost(bid),
        market=of.market,
        p50=prices.percentile(50),
        p80=prices.percentile(80),
        usual=prices.usual,
        why_none=why,
    )


def _bid(of: Quote, prices: ClassPrices, risk: Decimal) -> tuple[Decimal | None, str | None]:
    """The lowest bid that the service takes and that loses no more than the risk; or why there is none."""
    if of.minimum is None:
        return None, "the class takes no bids: it has no minimum price"
    needed = prices.bid_for(risk)
    if needed is None:
        return None, prices.unrecorded
    return RULES[CURRENT](max(needed, of.minimum, of.market or of.minimum)), None


def offers(classes: Iterable[Document], regions: Iterable[Document] = ()) -> dict[str, ClassOffer]:
    """Server classes by name. regions: to tell which are in the same country"""
    countries = {each["metadata"]["name"]: at_path(each, ("spec", "country")) for each in regions}
    return {
        each["metadata"]["name"]: ClassOffer(
            found := quote(each),
            _number(at_path(each, ("spec", "resources", "gpu"))),
            at_path(each, ("spec", "availability")) == "available",
            countries.get(found.region),
        )
        for each in classes
    }


def _number(text: object) -> Decimal:
    return Decimal(str(text)) if str(text).isdecimal() else Decimal(0)


def equal_or_better(than: ClassOffer, every: Iterable[ClassOffer]) -> Iterator[ClassOffer]:
    """Other classes on offer in the same region, or in its group, with at least as many cores, memory and GPUs."""
    for each in every:
        here = each.quote.region == than.quote.region
        near = each.region_group is not None and each.region_group == than.region_group
        if each.name != than.name and each.available and (here or near) and _is_at_least(each, than):
            yield each


def _is_at_least(one: ClassOffer, other: ClassOffer) -> bool:
    pairs = ((cpu(one.quote), cpu(other.quote)), (memory(one.quote), memory(other.quote)), (one.gpus, other.gpus))
    return all(mine is not None and theirs is not None and mine >= theirs for mine, theirs in pairs)


def cheaper(than: Advice, others: Iterable[Advice]) -> tuple[Advice, ...]:
    """Those of others that are expected to cost less, the cheapest first."""
    if than.usual is None:
        return ()
    less = [each for each in others if each.bid is not None and each.usual is not None and each.usual < than.usual]
    return tuple(sorted(less, key=lambda each: (each.usual, each.bid, each.server_class))[:MOST_OTHERS])
