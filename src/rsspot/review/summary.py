"""What a comment says for the next job: digest, commit and cost of its plan, in a line that nobody sees."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from rsspot.models.money import parse_price, price_text

_LINE = re.compile(r"<!-- rsspot:summary((?: [a-z-]+=[a-z0-9:.]+)*) -->\s*\Z")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class CommentSummary:
    """digest: of the plan · commit: that it was made for · per_month: what the stack costs after it, if known"""

    digest: str
    commit: str | None = None
    per_month: Decimal | None = None

    def line(self) -> str:
        """It as the last line of a comment."""
        month = UNKNOWN if self.per_month is None else price_text(self.per_month)
        values = {"digest": self.digest, "commit": self.commit or UNKNOWN, "per-month": month}
        return f"<!-- rsspot:summary {' '.join(f'{name}={value}' for name, value in values.items())} -->"


def summary_of(text: str) -> CommentSummary | None:
    """What the last line of a comment says; None for a comment without it."""
    found = _LINE.search(text)
    values = dict(pair.split("=", 1) for pair in found[1].split()) if found else {}
    if "digest" not in values:
        return None
    commit, month = values.get("commit", UNKNOWN), values.get("per-month", UNKNOWN)
    return CommentSummary(values["digest"], None if commit == UNKNOWN else commit, _amount(month))


def _amount(text: str) -> Decimal | None:
    try:
        amount: Decimal = parse_price(text)
        return amount
    except ValueError:
        return None
