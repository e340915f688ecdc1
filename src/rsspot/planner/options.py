"""PlanOptions: what the author of a run allows a plan to do. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rsspot.errors import Origin
from rsspot.manifests.spending import MOST_LOST
from rsspot.models.costs import Measure


@dataclass(frozen=True)
class SpendingLimit:
    """The most that the whole stack may cost. amount: dollars in so many hours · name: how its author calls it."""

    amount: Decimal
    hours: int
    of: Measure
    name: str
    origin: Origin | None = None


@dataclass(frozen=True)
class Extra:
    """What is billed by the month for an object and is no object itself. fee: its name in `Rates.fees`."""

    address: str
    fee: str
    count: int
    origin: Origin | None = None


@dataclass(frozen=True)
class PlanOptions:
    """prune: delete what no manifest declares · adopt: take over objects without a stack · destroy: delete the stack.

    most_deletes: a count · most_delete_percent: of what the stack owns
    allow_incomplete: kinds to plan without, by name, if their list cannot be read
    unread: documents that were passed over and may declare something
    target, exclude: globs over the addresses of the objects that the plan is about, and that it is not
    history: keep the past prices of what is bid on, for a report that draws them
    spending: all of these limits hold · warn_above: the share of lost hours from which on a bid is warned of
    """

    prune: bool = False
    adopt: bool = False
    destroy: bool = False
    most_deletes: int | None = None
    most_delete_percent: int | None = None
    allow_incomplete: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    history: bool = False
    spending: tuple[SpendingLimit, ...] = ()
    warn_above: Decimal = MOST_LOST
    extras: tuple[Extra, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether the plan is about some objects only."""
        return bool(self.target or self.exclude)
