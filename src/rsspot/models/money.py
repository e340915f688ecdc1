"""Price: dollars per hour as an exact decimal. "$0.030", 0.03 and "0.03" are the same price. No other units."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from rsspot.models.authoring import rule

MOST = 1000
"""Offers must be lower. No server costs this much, so a higher bid is a typing error."""

_NUMBER = re.compile(r"\+?([0-9]{1,12}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][-+]?[0-9]{1,2})?")
"""Decimal takes more: digits of every script, underscores, and exponents with which one number fills the memory."""


PRICE_TEXT = rf"^\s*\$?{_NUMBER.pattern}\s*$"
"""The texts that are taken for prices."""


def parse_price(value: Any) -> Any:
    """A number or string, with or without `$`, as a Decimal. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("must be a number such as 0.03")
    return _parsed(str(value))


@lru_cache(maxsize=4096)
def _parsed(written: str) -> Decimal:
    text = written.strip().removeprefix("$")
    if not _NUMBER.fullmatch(text):
        raise ValueError(
            "must not be negative"
            if text[:1] == "-" and _NUMBER.fullmatch(text[1:])
            else "must be a number such as 0.03"
        )
    return _decimal(text)


@lru_cache(maxsize=4096)
def _decimal(text: str) -> Decimal:
    """Most prices of a list are the same few. They share one object, which takes twice the memory of its text."""
    return Decimal(text)


def price_text(price: Decimal) -> str:
    """A price as written on the wire: no `$`, no exponent, no trailing zeros."""
    text = format(price, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def dollars(price: Decimal | None) -> str | None:
    """A price as text with a dollar sign; None for none."""
    return None if price is None else f"${price_text(price)}"


def _check_offer(price: Decimal) -> None:
    # Most bids have few digits. Only for the others is it worth removing trailing zeros first.
    if int(price.as_tuple().exponent) < -3 and int(price.normalize().as_tuple().exponent) < -3:
        raise ValueError("must have at most three decimal places")
    if price >= MOST:
        raise ValueError(f"must be less than {MOST} dollars an hour")


_SCHEMA = WithJsonSchema({"type": ["string", "number"], "pattern": r"^\$?\d+(\.\d+)?$"})

Price = Annotated[
    Decimal, BeforeValidator(parse_price), PlainSerializer(price_text, return_type=str, when_used="json"), _SCHEMA
]
"""Dollars per hour, as reported by the service."""

Offer = Annotated[
    Decimal,
    BeforeValidator(parse_price),
    rule(_check_offer),
    PlainSerializer(price_text, return_type=str, when_used="json"),
    _SCHEMA,
]
"""Dollars per hour, as bid by the user: at most three decimal places, and less than MOST."""
