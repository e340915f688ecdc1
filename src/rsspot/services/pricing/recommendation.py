"""What to rent for a number of nodes: the biggest servers, the best value, and a mix. Computes only; sends nothing.

The capacity of a server is its cores plus its memory in GB; a second-generation server counts a tenth more. Value is
capacity for a dollar. The mix weighs both equally, each from 0 for the worst class at hand to 1 for the best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from rsspot.models.bids import CURRENT, RULES
from rsspot.services.pricing.schemas import Quote
from rsspot.services.pricing.selection import cpu, family, generation_of, memory

HOURS = 730
"""Hours of a month."""
NEWER = Decimal("1.1")
"""How much more the capacity of a second-generation server counts."""
MARGINS = {"low": Decimal("1.35"), "med": Decimal("1.2"), "high": Decimal("1.05")}
"""Risk -> the bid as a multiple of the market price. The lower the risk of losing the servers, the higher the bid."""
POOLS = {"low": 3, "med": 2, "high": 1}
"""Risk -> the pools that a balanced mix is spread over."""
FAMILIES = ("gp", "ch", "mh")
"""The families of classes that are considered unless others are asked for."""
HALF = Decimal("0.5")


@dataclass(frozen=True)
class CostLimits:
    """What a whole cluster may cost, in dollars. None: no limit."""

    min_hour: float | None = None
    max_hour: float | None = None
    min_month: float | None = None
    max_month: float | None = None

    def allow(self, hourly: Decimal) -> bool:
        """Whether a cluster may cost this much an hour."""
        bounds = ((self.min_hour, self.max_hour, 1), (self.min_month, self.max_month, HOURS))
        low_enough = all(high is None or hourly * hours <= Decimal(str(high)) for _, high, hours in bounds)
        return low_enough and all(low is None or hourly * hours >= Decimal(str(low)) for low, _, hours in bounds)


@dataclass(frozen=True)
class Pool:
    """Servers of one class. hourly: dollars for one of them at the market price · bid: the suggested bid for one."""

    server_class: str
    family: str
    region: str
    generation: int | None
    nodes: int
    cpu: Decimal
    memory: Decimal
    hourly: Decimal
    bid: Decimal
    capacity: Decimal


@dataclass(frozen=True)
class Scenario:
    """One way to build the cluster. score: capacity, capacity for a dollar, or their mix, as the strategy says."""

    strategy: str
    score: Decimal
    pools: tuple[Pool, ...]

    @property
    def hourly(self) -> Decimal:
        """Dollars an hour for all servers, at market prices."""
        return sum((pool.hourly * pool.nodes for pool in self.pools), Decimal(0))


def scenarios(
    quotes: Sequence[Quote], *, nodes: int, risk: str = "med", balanced: bool = False, limits: CostLimits
) -> list[Scenario]:
    """Three ways to get this many nodes, without those whose cost is outside the limits; none without usable quotes.

    risk: a key of MARGINS · balanced: spread the third way over several pools
    """
    servers = [server for quote in quotes if (server := _server(quote, MARGINS[risk])) is not None]
    if not servers:
        return []
    mix = _mix_of(servers)
    count = min(nodes, len(servers), POOLS[risk]) if balanced else 1
    every = [
        _scenario("max_performance", _best(servers, _capacity, 1), nodes, _capacity, weight=nodes),
        _scenario("max_value", _best(servers, _value, 1), nodes, _value),
        _scenario("balanced", _best(servers, mix, count), nodes, mix),
    ]
    return [scenario for scenario in every if limits.allow(scenario.hourly)]


Measure = Callable[[Decimal, Decimal], Decimal]
"""How good servers are, from the capacity and the price of the average one."""


def _capacity(capacity: Decimal, hourly: Decimal) -> Decimal:
    return capacity


def _value(capacity: Decimal, hourly: Decimal) -> Decimal:
    return capacity / hourly


def _mix_of(servers: Sequence[Pool]) -> Measure:
    parts = [_between_worst_and_best(measure, servers) for measure in (_capacity, _value)]
    return lambda capacity, hourly: sum((HALF * part(capacity, hourly) for part in parts), Decimal(0))


def _between_worst_and_best(measure: Measure, servers: Sequence[Pool]) -> Measure:
    measured = [measure(pool.capacity, pool.hourly) for pool in servers]
    worst, best = min(measured), max(measured)
    if best == worst:
        return lambda capacity, hourly: Decimal(1)
    return lambda capacity, hourly: (measure(capacity, hourly) - worst) / (best - worst)


def _server(quote: Quote, margin: Decimal) -> Pool | None:
    """One server of a class that can be bid for; None if its price or size is unknown."""
    cores, gigabytes, hourly, generation = cpu(quote), memory(quote), quote.market, generation_of(quote.server_class)
    if generation is None or not cores or not gigabytes or not hourly:
        return None
    return Pool(
        server_class=quote.server_class,
        family=family(quote.server_class),
        region=quote.region,
        generation=generation,
        nodes=1,
        cpu=cores,
        memory=gigabytes,
        hourly=hourly,
        bid=RULES[CURRENT](max(hourly * margin, quote.minimum or Decimal(0))),
        capacity=(cores + gigabytes) * (NEWER if generation == 2 else 1),
    )


def _best(servers: Sequence[Pool], measure: Measure, count: int) -> list[Pool]:

    def rank(pool: Pool) -> tuple[Decimal, Decimal, str]:
        return -measure(pool.capacity, pool.hourly), pool.hourly, pool.server_class

    return sorted(servers, key=rank)[:count]


def _scenario(strategy: str, classes: Sequence[Pool], nodes: int, measure: Measure, *, weight: int = 1) -> Scenario:
    """The nodes spread evenly over these classes; the first ones get what is left over."""
    each, rest = divmod(nodes, len(classes))
    pools = [replace(pool, nodes=each + (index < rest)) for index, pool in enumerate(classes)]
    capacity = sum((pool.capacity * pool.nodes for pool in pools), Decimal(0))
    hourly = sum((pool.hourly * pool.nodes for pool in pools), Decimal(0))
    return Scenario(strategy, measure(capacity / nodes, hourly / nodes) * weight, tuple(pools))
