"""Prompts on the terminal. Without a terminal they fail at once."""

from __future__ import annotations

import signal
import sys

import typer

from rsspot.cli.signals import wait_for_input
from rsspot.errors import Cancelled, PlanRefused, Problem
from rsspot.utils.streams import output_usable

YES = typer.Option(False, "--yes", "-y", help="Do not prompt for confirmation.")
"""The option of every command that asks."""


def confirm(wanted: str) -> None:
    """Return only if exactly this text is typed. Raises Cancelled otherwise, PlanRefused without a terminal."""
    if sys.stdin is None or not sys.stdin.isatty() or not output_usable():
        raise PlanRefused([Problem("cannot prompt for approval without a terminal", hint="add --yes to approve")])
    # The handler of a running event loop only records Ctrl-C, and readline would go on waiting.
    previous_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        print(f"\nType {wanted!r} to continue: ", end="", flush=True)
        wait_for_input(sys.stdin)
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        print()
        answer = ""
    except UnicodeDecodeError:
        answer = ""
    finally:
        signal.signal(signal.SIGINT, previous_handler)
    if answer.strip() != wanted:
        raise Cancelled("not confirmed; nothing was changed")
