"""Ask a person on a terminal. Without a terminal the answer is no, at once."""

from __future__ import annotations

import sys

from rsspot.errors import Cancelled, PlanRefused, Problem


def confirm(wanted: str) -> None:
    """Go on only if exactly this is typed. Raises Cancelled for anything else, PlanRefused without a terminal."""
    if not sys.stdin.isatty():
        raise PlanRefused([Problem("there is no terminal to ask on", hint="add --yes if this is approved")])
    print(f"\nType {wanted!r} to go ahead: ", end="", flush=True)
    if sys.stdin.readline().strip() != wanted:
        raise Cancelled("declined; nothing was changed")
