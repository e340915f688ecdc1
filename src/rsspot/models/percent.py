"""Percent: a share that people write with a percent sign, `5%`, so that nobody takes 0.05 for five."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from rsspot.models.authoring import rule

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")


def parse_percent(text: str) -> Decimal:
    """`5%` as 0.05. Raises ValueError."""
    found = _PERCENT.fullmatch(text.strip())
    if found is None or Decimal(found[1]) > 100:
        raise ValueError("must be a percentage from 0% to 100%, such as 5%")
    return Decimal(found[1]) / 100


def percent_text(share: Decimal) -> str:
    """A share as people read it, to a tenth of a percent."""
    return f"{(share * 100).quantize(Decimal('0.1')).normalize():f} %"


def _as_text(value: Any) -> Any:
    """A number without a sign, which is refused by its own rule and not for its type."""
    return str(value) if isinstance(value, int | float) else value


Percent = Annotated[str, BeforeValidator(_as_text), rule(parse_percent, pattern=f"^{_PERCENT.pattern}$")]
"""A share of one, written as `5%`."""
