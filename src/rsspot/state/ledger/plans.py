"""The plan of a run as it is stored: compressed, within a bound, and with a checksum that tells of damage."""

from __future__ import annotations

import zlib

from rsspot.utils.reading import parse_json
from rsspot.utils.serialization import Document, canonical, without_surrogates

MOST_BYTES = 4 * 1024 * 1024
"""The most bytes that one run stores for its plan. 10,000 objects take about 600 kB, a seventeenth of their JSON."""
MOST_TEXT = 256 * 1024 * 1024
"""The most bytes of JSON that they may stand for."""
LEVEL = 1
"""More effort saves little: a plan repeats itself."""
MADE_BY = "madeBy"
"""The member beside the plan of a run that says who started it."""
CUT = "cut"
"""The member that a plan has in place of its changes, where they were too large to be kept: how large, in bytes."""
LONG = ("changes", "drifted", "pending", "undeclared", "notes")
"""What is left out then."""


def packed(plan: Document, *, most: int = MOST_BYTES) -> bytes:
    """A plan to be stored. One beyond `most` bytes is stored without its changes, and says so."""
    text = without_surrogates(canonical(plan)).encode()
    stored = zlib.compress(text, LEVEL)
    if len(stored) <= most and len(text) <= MOST_TEXT:
        return stored
    short = {name: value for name, value in plan.items() if name not in LONG}
    return zlib.compress(without_surrogates(canonical({**short, CUT: len(text)})).encode(), LEVEL)


def unpacked(stored: str | bytes, *, most: int = MOST_TEXT) -> Document:
    """A stored plan; earlier versions wrote it as text. Raises ValueError for what is not one, or is larger."""
    document = parse_json(_text(stored, most) if isinstance(stored, bytes) else stored)
    if not isinstance(document, dict):
        raise ValueError
    return document


def _text(stored: bytes, most: int) -> bytes:
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(stored, most)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not reader.eof:
        # Cut off, or larger than anything that is written.
        raise ValueError
    return text
