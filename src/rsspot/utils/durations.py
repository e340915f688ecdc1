"""Lengths of time as people type them: `90s`, `12h`, `30d`, `1h30m`."""

from __future__ import annotations

import re

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
EXAMPLES = "write it like 90s, 10m, 12h, 30d, 8w or 1h30m"
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhdw])")


def seconds_of(text: str) -> float:
    """How many seconds a text means. Raises ValueError for anything but a length of time."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a valid duration")
    return float(sum(float(number) * UNITS[unit] for number, unit in parts))
