"""Seals: enough of a secret to recognize it later, and too little to find it. Keeps nothing."""

from __future__ import annotations

import hashlib
import os
from functools import cache, lru_cache

COST = 2**15
"""The cost of one guess: 32 MiB of memory and about a tenth of a second."""
SCHEME = "scrypt"


def seal(text: str) -> str:
    """A slow hash with a random salt, which differs from process to process."""
    return f"{SCHEME}:{COST}:{_salt().hex()}:{_hash(text, _salt(), COST)}"


def is_seal(text: object) -> bool:
    """Whether this is a seal, and not the text that one was made of."""
    return isinstance(text, str) and text.startswith(f"{SCHEME}:{COST}:")


def fits(sealed: object, text: str) -> bool:
    """Whether a seal was made of this text. False for anything that is not a seal."""
    try:
        scheme, cost, salt, expected = str(sealed).split(":")
        # A forged seal must not cost more than ours.
        return scheme == SCHEME and int(cost) == COST and _hash(text, bytes.fromhex(salt), COST) == expected
    except ValueError:
        return False


@cache
def _salt() -> bytes:
    """One salt for a process, so that a secret which many objects share is hashed once."""
    return os.urandom(16)


@lru_cache(maxsize=256)
def _hash(text: str, salt: bytes, cost: int) -> str:
    memory = 129 * 8 * cost
    return hashlib.scrypt(text.encode("utf-8", "replace"), salt=salt, n=cost, r=8, p=1, maxmem=memory, dklen=24).hex()
