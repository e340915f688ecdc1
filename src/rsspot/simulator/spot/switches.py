"""What the service does where the public record leaves a doubt: the likeliest by default, the rest at a switch."""

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
    """Which bids are taken: `ladder` since July 2026, `2026-05`, `2026-01` or `2024` for how it was before."""
    prices: str = "walk"
    """How markets move: a seeded `walk` about the recorded prices, or the `recorded` weeks over and over."""
    labels: bool = True
    """Whether the service labels pools with their cloudspace."""
    zero_desired: bool = True
    """Whether a pool may be updated to no servers at all."""
    revalidate: bool = False
    """Whether any change of a pool has its old bid judged by the market of the day."""
    cni_change: bool = False
    """Whether a cloudspace may change its network plugin."""
    ha_change: bool = False
    """Whether a cloudspace may change to or from a control plane of its own."""
    noise: bool = True
    """Whether controllers bump an object's version in the first seconds after a write."""
    notice: float = 360.0
    """Seconds between losing a server and its removal."""


def rules_of(given: Iterable[str], rules: Rules | None = None) -> Rules:
    """Rules with some of them switched, each given as NAME=VALUE. Raises UsageError."""
    rules = rules or Rules()
    known = {each.name: type(getattr(rules, each.name)) for each in fields(Rules)}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or name not in known:
            raise UsageError(f"no rule {text!r}", hint=f"NAME=VALUE, with one of {', '.join(known)}")
        rules = replace(rules, **{name: _value(name, known[name], value)})
    return rules


def _value(name: str, kind: type, text: str) -> Any:
    choices = {"bids": BID_RULES, "prices": PRICES}.get(name)
    if choices:
        if text not in choices:
            raise UsageError(f"the rule {name} cannot be {text!r}", hint=f"one of {', '.join(choices)}")
        return text
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(f"the rule {name} cannot be {text!r}", hint="true or false")
        return text.lower() == "true"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"the rule {name} cannot be {text!r}", hint="a number of seconds")
    return seconds
