"""UUIDs in the cells of a table, cut to as many characters as tell them apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
LEAST = 8
"""How many characters are left at least: the part before the first hyphen."""
CUT = "…"


def with_short_uuids(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells with every UUID in them cut: `archive/f7a55b6a…`. Different ones stay different."""
    found = {uuid for row in rows for text in row for uuid in UUID.findall(text)}
    length = next(length for length in range(LEAST, 37) if len({uuid[:length] for uuid in found}) == len(found))
    return [[UUID.sub(lambda uuid: _cut(uuid[0], length), text) for text in row] for row in rows]


def _cut(uuid: str, length: int) -> str:
    return uuid if length >= len(uuid) - len(CUT) else uuid[:length] + CUT
