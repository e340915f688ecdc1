"""Interrupted: a transaction of which nothing is left, and which can be made again. Knows no database."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from rsspot.errors import StateError

T = TypeVar("T")
TRIES = 8
LONGEST_PAUSE = 0.05
"""Seconds: long enough for whoever was in the way, and short enough to hold up an event loop."""


class Interrupted(StateError):
    """The server took a transaction back, or went away before it was committed. Nothing of it is on record."""


def persistently(work: Callable[[], T]) -> T:
    """Do what writes to a ledger, and once more whenever it was interrupted. Raises the last Interrupted."""
    for _ in range(TRIES - 1):
        try:
            return work()
        except Interrupted:
            time.sleep(random.uniform(0, LONGEST_PAUSE))
    return work()
