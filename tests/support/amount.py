"""How much of the random tests to run: a slice in `make test`, all of it in `make chaos`."""

from __future__ import annotations

import os

FULL = os.environ.get("RSSPOT_CHAOS") == "full"
SMALL = os.environ.get("RSSPOT_CHAOS") == "small"
"""What runs once more elsewhere, such as with another ledger, has fewer seeds."""


def amount(slice_of_it: int, full: int) -> int:
    """How many seeds or examples."""
    return full if FULL else slice_of_it
