"""Values as the wire spells them: the one place where a price stops being a Decimal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rsspot.models.money import price_text


def wire_form(value: Any) -> Any:
    """The same value for JSON: prices as text, all the way down."""
    if isinstance(value, Decimal):
        return price_text(value)
    if isinstance(value, dict):
        return {key: wire_form(inner) for key, inner in value.items()}
    return [wire_form(item) for item in value] if isinstance(value, list) else value
