"""Reads a token that a user types, pipes or passes, and checks that it can be one. Never quotes it."""

from __future__ import annotations

import sys

from rsspot.errors import Cancelled, UsageError
from rsspot.utils.tokens import LONGEST_TOKEN, is_token, trimmed


def token_from(from_stdin: bool) -> str | None:
    """The refresh token, from standard input or from a prompt without echo; None if neither gives one."""
    if from_stdin:
        return checked_token(_piped(), "standard input")
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    import getpass

    try:
        typed = getpass.getpass("Refresh token (leave empty to keep the current one): ")
    except (KeyboardInterrupt, EOFError):
        raise Cancelled("cancelled; nothing was written") from None
    return checked_token(typed, "the prompt") if typed.strip() else None


def _piped() -> str:
    """What standard input has: one line of a terminal, or else all of it."""
    if sys.stdin is None:
        return ""
    return sys.stdin.readline() if sys.stdin.isatty() else sys.stdin.read(LONGEST_TOKEN)


def checked_token(given: str | None, source: str) -> str | None:
    """A token without the white space around it. Raises UsageError for text that cannot be one, and quotes nothing."""
    if given is None:
        return None
    token = trimmed(given)
    if not token:
        raise UsageError(f"no token on {source}" if source == "standard input" else f"the token of {source} is empty")
    if not is_token(token):
        raise UsageError(f"the text on {source} is not a valid token")
    return token
