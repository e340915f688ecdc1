"""notify(): tells a program of a report, as JSON on its standard input. Prints nothing itself."""

from __future__ import annotations

import os
from pathlib import Path

from rsspot.errors import NotificationFailed
from rsspot.manifests.own_files import is_credential
from rsspot.utils.children import run_program
from rsspot.utils.output import as_json_line
from rsspot.utils.serialization import Document

HINT = "run it yourself with what `-o json` prints as its standard input"


def notify(command: list[str], report: Document, *, timeout: float) -> None:
    """Run a program with a report that holds no secrets, and without the credentials of this process.

    command: the program and its arguments · timeout: seconds. What it prints is passed on.
    Raises NotificationFailed, which names the program alone: its arguments may be secret.
    """
    name = Path(command[0]).name
    environ = {key: value for key, value in os.environ.items() if not is_credential(key)}
    told = as_json_line(report).encode() + b"\n"
    try:
        ended = run_program(command, told, timeout=timeout, environ=environ)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise NotificationFailed(f"the notification {name!r} cannot be run: {why}", hint=HINT) from None
    if ended.code is None:
        hint = "make it faster, or give it longer with --notify-timeout"
        raise NotificationFailed(f"the notification {name!r} did not end within {timeout:g} s", hint=hint)
    if ended.code:
        raise NotificationFailed(f"the notification {name!r} failed ({ended.code})", hint=HINT)
