"""Ask a person on a terminal. Without a terminal the answer is no, at once."""

from __future__ import annotations

import signal
import sys

from rsspot.errors import Cancelled, PlanRefused, Problem


def confirm(wanted: str) -> None:
    """Go on only if exactly this is typed. Raises Cancelled for anything else, PlanRefused without a terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise PlanRefused([Problem("there is no terminal to ask on", hint="add --yes if this is approved")])
    print(f"\nType {wanted!r} to go ahead: ", end="", flush=True)
    # A running event loop only notes Ctrl-C, and would wait for the line all the same.
    noted = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        print()
        answer = ""
    finally:
        signal.signal(signal.SIGINT, noted)
    if answer.strip() != wanted:
        raise Cancelled("declined; nothing was changed")
