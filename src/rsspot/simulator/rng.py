"""Reproducible pseudo-random numbers, derived from a seed and a key only."""

from __future__ import annotations

import hashlib


def draw(seed: int, *parts: object) -> float:
    """A number in [0, 1), determined by the seed and the parts alone."""
    text = "\x1f".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
