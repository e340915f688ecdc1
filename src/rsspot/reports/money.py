"""What a plan costs, as lines for a terminal or a log. Renders; decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rsspot.models.costs import MONTH, Cost, Measure
from rsspot.models.money import price_text
from rsspot.planner.money import Shift, StackCost
from rsspot.planner.plan import Plan
from rsspot.utils.text import padded, printable

CENT = Decimal("0.01")
NOTHING = Cost()
UNKNOWN = "unknown"


def money_lines(plan: Plan, *, every_object: bool = False) -> Iterator[str]:
    """What each cloudspace costs before and after, its objects that change or all of them, and what the stack costs."""
    cost = plan.cost
    if cost is None:
        return
    for warning in cost.warnings:
        yield f"Note: {printable(warning)}"
    rows = [*_rows(cost, {change.address for change in plan.changes}, every_object=every_object)]
    if rows:
        yield f"Cost in USD, expected: per hour, per month of {MONTH} hours"
        names = max(len(name) for name, _, _ in rows)
        hours = max(len(hourly) for _, hourly, _ in rows)
        for name, hourly, monthly in rows:
            yield f"  {padded(name, names)}  {padded(hourly, hours)}  {monthly}"
    for reason in _unknown(cost.shift):
        yield f"Cost unknown: {printable(reason)}"
    yield cost_line(cost.shift)


def cost_line(shift: Shift) -> str:
    """What the stack costs before and after, in one line."""
    after = shift.after or NOTHING
    floor, ceiling = (amount_text(after.per_hour(measure)) for measure in (Measure.FLOOR, Measure.CEILING))
    fixed = after.fixed_per_month
    billed = f", of which {amount_text(fixed)} fixed" if fixed != 0 else ""
    return f"Cost: {_hourly(shift)} USD/h (floor {floor}, ceiling {ceiling}), {_monthly(shift)} USD/month{billed}"


def _rows(cost: StackCost, changed: set[str], *, every_object: bool) -> Iterator[tuple[str, str, str]]:
    for group in cost.groups:
        shown = [each for each in group.objects if every_object or each.address in changed]
        if not shown and not group.shift.moves:
            continue
        yield printable(group.address), _hourly(group.shift), _monthly(group.shift)
        for each in shown:
            if each.address != group.address:
                yield f"  {printable(each.address)}", _hourly(each.shift), _monthly(each.shift)


def hourly_sides(shift: Shift, measure: Measure = Measure.EXPECTED) -> tuple[str, str]:
    """What is billed by the hour before and after, as text."""
    return amount_text((shift.before or NOTHING).per_hour(measure)), amount_text(
        (shift.after or NOTHING).per_hour(measure)
    )


def monthly_sides(shift: Shift) -> tuple[str, str]:
    """What is expected for a month before and after, as text."""
    return _month(shift.before), _month(shift.after)


def _month(cost: Cost | None) -> str:
    amount = (cost or NOTHING).per_month(Measure.EXPECTED)
    return amount_text(None if amount is None else amount.quantize(CENT))


def _hourly(shift: Shift) -> str:
    return _arrow(*hourly_sides(shift))


def _monthly(shift: Shift) -> str:
    return _arrow(*monthly_sides(shift))


def _arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} -> {after}"


def amount_text(amount: Decimal | None) -> str:
    """An amount in dollars, or that it is not known."""
    return UNKNOWN if amount is None else price_text(amount)


def _unknown(shift: Shift) -> Iterator[str]:
    """Why amounts of the stack are unknown, each reason once."""
    yield from dict.fromkeys(reason for side in (shift.before, shift.after) if side for reason in side.unknown)
