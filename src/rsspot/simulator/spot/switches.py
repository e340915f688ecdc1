"""Switches for behavior that the public record leaves open. The most likely behavior is the default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from rsspot.errors import UsageError

BID_RULES = ("ladder", "2026-05", "2026-01", "2024")
PRICES = ("walk", "recorded")


@dataclass(frozen=True)
class Rules:
    """The switches of a world."""

    bids: str = "ladder"
    """Which bids are accepted: `ladder` since July 2026; `2026-05`, `2026-01` and `2024` are earlier rules."""
    prices: str = "walk"
    """How prices change: a seeded `walk` around the recorded prices, or a repetition of the `recorded` weeks."""
    labels: bool = True
    """Whether the service labels pools with their cloudspace."""
    zero_desired: bool = True
    """Whether a pool may be updated to zero servers."""
    revalidate: bool = False
    """Whether any update of a pool validates its unchanged bid against the current market price."""
    cni_change: bool = False
    """Whether a cloudspace may change its network plugin."""
    ha_change: bool = False
    """Whether a cloudspace may change to or from a highly available control plane."""
    noise: bool = True
    """Whether controllers bump an object's version in the first seconds after a write."""
    notice: float = 360.0
    """Seconds between losing a server and its removal."""


def rules_of(given: Iterable[str], rules: Rules | None = None) -> Rules:
    """Apply switches, each given as NAME=VALUE. Raises UsageError."""
    rules = rules or Rules()
    known = {switch.name: type(getattr(rules, switch.name)) for switch in fields(Rules)}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or name not in known:
            raise UsageError(f"unknown rule {text!r}", hint=f"use NAME=VALUE, where NAME is one of {', '.join(known)}")
        rules = replace(rules, **{name: _value(name, known[name], value)})
    return rules


def _value(name: str, kind: type, text: str) -> Any:
    choices = {"bids": BID_RULES, "prices": PRICES}.get(name)
    if choices:
        if text not in choices:
            raise UsageError(f"invalid value {text!r} for the rule {name}", hint=f"use one of {', '.join(choices)}")
        return text
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(f"invalid value {text!r} for the rule {name}", hint="use true or false")
        return text.lower() == "true"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"invalid value {text!r} for the rule {name}", hint="use a number of seconds")
    return seconds
