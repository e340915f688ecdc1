"""Percent: a share that people write with a percent sign, `5%`, so that nobody takes 0.05 for five."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")


def parse_percent(value: Any) -> Any:
    """`5%` as 0.05. Raises ValueError."""
    if isinstance(value, Decimal):
        return value
    found = _PERCENT.fullmatch(str(value).strip())
    if found is None or Decimal(found[1]) > 100:
        raise ValueError("must be a percentage from 0% to 100%, such as 5%")
    return Decimal(found[1]) / 100


def percent_text(share: Decimal) -> str:
    """A share as people write it, to a tenth of a percent."""
    return f"{(share * 100).quantize(Decimal('0.1')).normalize():f} %"


Percent = Annotated[
    Decimal,
    BeforeValidator(parse_percent),
    PlainSerializer(lambda share: f"{share * 100:f}%", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^{_PERCENT.pattern}$"}),
]
"""A share of one, written as `5%`."""
