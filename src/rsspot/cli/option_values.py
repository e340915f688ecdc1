"""Values of options that are more than a text: lengths of time and command lines. Raise UsageError with the option."""

from __future__ import annotations

import shlex

from rsspot.errors import UsageError
from rsspot.utils.durations import EXAMPLES, seconds_of


def duration_of(option: str, text: str) -> float:
    """A length of time in seconds."""
    try:
        return seconds_of(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", hint=EXAMPLES) from None


def command_of(option: str, text: str | None) -> list[str]:
    """A program and its arguments, as a shell would divide them; nothing if the option is not given."""
    if text is None:
        return []
    try:
        command = shlex.split(text)
    except ValueError:
        raise UsageError(f"{option}: a quotation mark is not closed") from None
    if not command:
        raise UsageError(f"{option} names no program")
    return command
