"""Chance that repeats itself: numbers that follow from a seed and from nothing else."""

from __future__ import annotations

import hashlib


def draw(seed: int, *parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the seed and the parts."""
    text = "\x1f".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
