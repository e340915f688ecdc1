"""Tables and single records as plain lines: a terminal's width, colors and ages are arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rsspot.utils.short_uuids import with_short_uuids
from rsspot.utils.text import columns, padded, printable, shortened

GAP = "  "
LEAST = 8
"""How narrow a column may get before others are left out instead."""
MORE = "…"
"""The heading that stands for the columns left out."""
AHEAD = "in "
"""What stands before the time until a moment."""
BOLD = "1"
WORD_COLORS = {
    "32": ("active", "available", "done", "fulfilled", "healthy", "ok", "ready", "registered", "running", "won"),
    "33": ("deleting", "deploying", "joining", "partial", "pending", "progressing", "provisioning", "upgrading"),
    "31": ("error", "failed", "lost", "outbid", "refused", "unavailable"),
}
TO_COME = frozenset({"EXPIRES", "UNTIL"})
"""Words in the headings of times that may be still to come. Every other time has passed, whatever the clocks say."""
COLOR_OF = {word: color for color, words in WORD_COLORS.items() for word in words}
"""The colors of words that say how far something is."""
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})|_")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Look:
    """How tables look. width: of the terminal; None for lines of any length · now: the time that ages are counted from;
    None prints times as they are.
    """

    width: int | None = None
    color: bool = False
    now: datetime | None = None


PLAIN = Look()


def as_table(
    value: object, look: Look = PLAIN, titles: Mapping[str, str] | None = None, whole: Sequence[str] = ()
) -> str:
    """Format a list of mappings as rows, a mapping as one field per line, and anything else with `str`.

    titles: key -> heading, where the heading is not made of the words of the key
    whole: the keys of the columns that matter most, in order: they are shortened last, and left out last
    """
    if isinstance(value, Mapping):
        return _fields(value, look, titles or {})
    if isinstance(value, list) and all(isinstance(row, Mapping) for row in value):
        return _rows(value, look, titles or {}, whole) if value else ""
    return str(value)


def cell(value: Any, now: datetime | None = None, title: str = "") -> str:
    """One value of a table, on one line. title: the heading that it stands under"""
    if value is None:
        return "-"
    if isinstance(value, str | Decimal):
        text = str(value)
        return _time(text, now, title) if now and _TIME.fullmatch(text) else printable(text)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return printable(json.dumps(value, ensure_ascii=False, default=str))


def _time(text: str, now: datetime, title: str) -> str:
    """A time as seen from now. One that has passed is new if the clock here is behind."""
    shown = age(text, now)
    to_come = TO_COME.intersection(title.upper().split())
    return duration(timedelta()) if shown.startswith(AHEAD) and not to_come else shown


def age(text: str, now: datetime) -> str:
    """How long ago a time was, as kubectl says it: `45s`, `5h12m`, `3d`. `in 5h` for one that is still to come."""
    try:
        passed = now - datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return printable(text)
    return duration(passed) if passed >= timedelta() else f"{AHEAD}{duration(-passed)}"


def duration(length: timedelta) -> str:
    """A length of time with the precision that matters at its size."""
    seconds = int(length.total_seconds())
    minutes, hours, days, years = seconds // 60, seconds // 3600, seconds // 86400, seconds // 31_536_000
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if years < 2:
        return f"{days}d"
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _two(large: int, unit: str, small: int, smaller_unit: str) -> str:
    return f"{large}{unit}{small}{smaller_unit}" if small else f"{large}{unit}"


def heading(key: str) -> str:
    """The words of a key such as `serverClass`, `server_class` or `spec.serverClass`: `SERVER CLASS`."""
    return printable(" ".join(_WORDS.split(key.rpartition(".")[2])).upper())


def fitted(widths: Sequence[int], most: int, whole: int = 1) -> list[int]:
    """Widths that fit a line, of columns in the order of their importance.

    The widest column gives way first, but the `whole` first ones last, the very first down to half a line; the last
    columns are left out when the others have nothing left to give.
    """
    kept = list(widths)
    least = [width if index < whole else min(width, LEAST) for index, width in enumerate(widths)]
    least[0] = min(widths[0], most // 2)
    while len(kept) > 1 and _line(least[: len(kept)], widths) > most:
        kept.pop()
    while _line(kept, widths) > most and max(kept) > 1:
        *_, widest = max((index >= whole and width > LEAST, width, index) for index, width in enumerate(kept))
        kept[widest] -= 1
    return kept


def _line(kept: Sequence[int], widths: Sequence[int]) -> int:
    """The length of a line with these columns, and the mark for those left out."""
    return sum(kept) + len(GAP) * (len(kept) - 1) + (len(GAP + MORE) if len(kept) < len(widths) else 0)


def _rows(rows: Sequence[Mapping[str, Any]], look: Look, titles: Mapping[str, str], whole: Sequence[str]) -> str:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    # By columns: most repeat a few values, and one look tells that a whole column is ASCII.
    texts = [_column([row.get(key) for row in rows], titles.get(key) or heading(key), look.now) for key in keys]
    widths = list(map(_width, texts))
    if look.width and _line(widths, widths) > look.width:
        texts = _with_short_uuids(texts)
        widths = _kept(list(map(_width, texts)), look.width, [keys.index(key) for key in whole if key in keys])
    head, *lines = zip(*(_padded(text, width) for text, width in zip(texts, widths, strict=True) if width), strict=True)
    first = _joined(head) + (GAP + MORE if 0 in widths else "")
    joined = _joined_in_color if look.color else _joined
    return "\n".join([_painted(BOLD, first) if look.color else first, *map(joined, lines)])


def _column(values: Iterable[Any], title: str, now: datetime | None) -> list[str]:
    """The texts of a column below its heading; each text among the values is looked at once."""
    known: dict[str, str] = {}
    texts = [title]
    for value in values:
        shown = known.get(value) if isinstance(value, str) else cell(value, now, title)
        if shown is None:
            shown = known[value] = cell(value, now, title)
        texts.append(shown)
    return texts


def _with_short_uuids(texts: Sequence[Sequence[str]]) -> list[list[str]]:
    """The columns with the UUIDs in them cut, but not those in headings."""
    head, *lines = zip(*texts, strict=True)
    return list(map(list, zip(head, *with_short_uuids(lines), strict=True)))


def _width(column: Sequence[str]) -> int:
    """The columns of a terminal that the longest text of a column of a table fills."""
    return max(map(len if "".join(column).isascii() else columns, column))


def _padded(column: Sequence[str], width: int) -> list[str]:
    if "".join(column).isascii() and max(map(len, column)) <= width:
        return [text.ljust(width) for text in column]
    return [padded(shortened(text, width, "…"), width) for text in column]


def _kept(widths: Sequence[int], most: int, whole: Sequence[int]) -> list[int]:
    """Widths that fit a line; 0 for the columns left out. whole: those that matter most, in order"""
    order = list(dict.fromkeys([*whole, *range(len(widths))]))
    kept = fitted([widths[index] for index in order], most, max(1, len(whole)))
    by_index = dict(zip(order, kept, strict=False))
    return [by_index.get(index, 0) for index in range(len(widths))]


def _joined(parts: Sequence[str]) -> str:
    # Spaces at the end would be copied with the line.
    return GAP.join(parts).rstrip()


def _joined_in_color(parts: Sequence[str]) -> str:
    *before, last = parts
    return GAP.join(map(_in_color, (*before, last.rstrip()))).rstrip()


def _in_color(part: str) -> str:
    color = COLOR_OF.get(part.strip().lower())
    return _painted(color, part) if color else part


def _painted(color: str, text: str) -> str:
    return f"\x1b[{color}m{text}\x1b[0m"


def _fields(fields: Mapping[str, Any], look: Look, titles: Mapping[str, str]) -> str:
    named = [(titles.get(key, heading(str(key))).lower(), value) for key, value in fields.items()]
    width = max((columns(name) for name, _ in named), default=0)
    shown = [(padded(name, width), cell(value, look.now, name)) for name, value in named]
    return "\n".join(f"{name}{GAP}{_in_color(text) if look.color else text}" for name, text in shown)
