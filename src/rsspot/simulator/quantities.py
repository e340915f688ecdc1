"""Quantities as people write them in commands and faults: prices and seconds. Raises UsageError for any other text."""

from __future__ import annotations

import re
from decimal import Decimal

from rsspot.errors import UsageError

_PRICE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?|\.[0-9]{1,9}")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def price_of(text: str) -> Decimal:
    """A price in dollars per hour."""
    if not _PRICE.fullmatch(text):
        raise UsageError(f"{text!r} is not a price", hint="write it in dollars per hour, such as 0.25")
    return Decimal(text)


def seconds_of(text: str) -> float:
    """A number of seconds."""
    if not _SECONDS.fullmatch(text):
        raise UsageError(f"{text!r} is not a number of seconds", hint="write it like 2 or 0.5")
    return float(text)
