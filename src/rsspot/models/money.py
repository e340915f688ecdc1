"""Price: dollars per hour as an exact decimal. "$0.030", 0.03 and "0.03" are the same price. No other units."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

MOST = 1000
"""Offers must be lower. No server costs this much, so a higher bid is a typing error."""


def parse_price(value: Any) -> Any:
    """A number or string, with or without `$`, as a Decimal. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("must be a number such as 0.03")
    try:
        price = Decimal(str(value).strip().removeprefix("$"))
    except InvalidOperation:
        raise ValueError("must be a number such as 0.03") from None
    if not price.is_finite() or price < 0:
        raise ValueError("must not be negative")
    return price


def price_text(price: Decimal) -> str:
    """A price as written on the wire: no `$`, no exponent, no trailing zeros."""
    text = format(price, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _checked_offer(price: Decimal) -> Decimal:
    # Most bids have few digits. Only for the others is it worth removing trailing zeros first.
    if int(price.as_tuple().exponent) < -3 and int(price.normalize().as_tuple().exponent) < -3:
        raise ValueError("must have at most three decimal places")
    if price >= MOST:
        raise ValueError(f"must be less than {MOST} dollars an hour")
    return price


_SCHEMA = WithJsonSchema({"type": ["string", "number"], "pattern": r"^\$?\d+(\.\d+)?$"})

Price = Annotated[
    Decimal, BeforeValidator(parse_price), PlainSerializer(price_text, return_type=str, when_used="json"), _SCHEMA
]
"""Dollars per hour, as reported by the service."""

Offer = Annotated[
    Decimal,
    BeforeValidator(lambda value: _checked_offer(parse_price(value))),
    PlainSerializer(price_text, return_type=str, when_used="json"),
    _SCHEMA,
]
"""Dollars per hour, as bid by the user: at most three decimal places, and less than MOST."""
