"""What a registrar says about a failure, as far as it may be kept: cut, and without secrets of the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from rsspot.utils.secrets import Secrets

LONGEST = 300
"""Characters that are kept, the last ones."""
HARMLESS = frozenset(
    {"PATH", "HOME", "PWD", "OLDPWD", "USER", "LOGNAME", "HOST", "HOSTNAME", "LANG", "LANGUAGE", "SHELL", "TERM", "TZ"}
)
"""Environment variables whose values may be shown; any other may hold a password that the registrar prints."""
SHORTEST_SECRET = 6


def complaint(text: str, secrets: Iterable[str] = ()) -> str:
    """The end of what was said, with the values masked that the registrar was given. secrets: further ones"""
    return Secrets([*from_environment(os.environ), *secrets]).mask(text.strip())[-LONGEST:]


def from_environment(environ: Mapping[str, str]) -> list[str]:
    """The values of the environment that may be secrets. A path is none."""
    return [
        value
        for name, value in environ.items()
        if name not in HARMLESS
        and not name.startswith(("LC_", "XDG_"))
        and len(value) >= SHORTEST_SECRET
        and not value.startswith("/")
    ]
