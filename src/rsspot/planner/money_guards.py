"""Guards about money: the stack costs no more than it may. A limit on a cost that is not known is a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, Decimal

from rsspot.errors import Problem
from rsspot.models.costs import MONTH, Cost
from rsspot.models.money import price_text
from rsspot.planner.case import Case, Rule
from rsspot.planner.options import SpendingLimit
from rsspot.utils.text import did_you_mean

MOST_REASONS = 3
"""So many reasons for an unknown cost are told; the rest have the same cause as a rule."""


def spending(case: Case) -> Iterator[Problem]:
    """What the stack costs after the apply is within every limit; a cost that is not known is within none."""
    for limit in case.context.options.spending:
        if case.context.state.rates is None:
            yield _problem(limit, "what the stack costs is not known: no prices were read")
            continue
        after = case.draft.cost.shift.after if case.draft.cost else None
        cost = after or Cost()
        monthly = cost.per_month(limit.of)
        if monthly is None:
            yield _problem(limit, f"the {limit.of.value} cost of the stack is not known: {_reasons(cost)}")
        elif monthly * limit.hours > limit.amount * MONTH:
            yield _problem(limit, f"the stack would cost {_figures(limit, monthly)}")


def _problem(limit: SpendingLimit, message: str) -> Problem:
    amount = f"{price_text(limit.amount)} USD {_unit(limit)}"
    hint = f"ask for less, or raise {limit.name}, which is {amount}"
    return Problem(message, limit.origin, hint, Rule.BUDGET)


def _figures(limit: SpendingLimit, monthly: Decimal) -> str:
    """What is held to the limit, and how much of it is too much: in its unit, and rounded up, so that it is never 0."""
    step = Decimal("0.001") if limit.hours == 1 else Decimal("0.01")
    total = monthly * limit.hours / MONTH
    cost, excess = (each.quantize(step, ROUND_CEILING) for each in (total, total - limit.amount))
    return f"{price_text(cost)} USD {_unit(limit)} ({limit.of.value}), {price_text(excess)} more than allowed"


def _unit(limit: SpendingLimit) -> str:
    return "an hour" if limit.hours == 1 else f"in a month of {limit.hours} hours"


def _reasons(cost: Cost) -> str:
    more = len(cost.unknown) - MOST_REASONS
    return "; ".join(cost.unknown[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")


def extras(case: Case) -> Iterator[Problem]:
    """What is billed for an object is billed for an object of the stack."""
    groups = case.draft.cost.groups if case.draft.cost else ()
    known = {each.address for group in groups for each in group.objects} | {m.manifest.address for m in case.matches}
    for extra in case.context.options.extras:
        if case.context.state.rates is not None and extra.address not in known:
            message = f"there is no object {extra.address!r} in this stack"
            hint = did_you_mean(extra.address, known) or "name it as the plan does, such as cloudspace/edge"
            yield Problem(message, extra.origin, hint, Rule.BUDGET)


MONEY_GUARDS: tuple[Callable[[Case], Iterator[Problem]], ...] = (spending, extras)
"""Guards of this file, in the order in which they are asked."""
