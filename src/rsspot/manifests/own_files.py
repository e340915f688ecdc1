"""Which files and variables hold credentials of ours, so that no manifest takes its values from there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from rsspot.settings import ALIASES, CONFIG_PATHS, has_home, home, user_home

CREDENTIALS = frozenset(variable for name in ("refresh_token", "access_token", "ledger") for variable in ALIASES[name])
CREDENTIALS |= {"RSSPOT_QUEUE_URL", "RSSPOT_NOTIFY_SECRET", "PGPASSWORD"}
"""The environment variables that hold our own credentials; those of the ledger and the queue may have a password."""
STATE, TOKENS = "state.db", "tokens"
"""The token cache is a folder beside the state."""
_OURS = re.compile(r"(RSSPOT|SPOT|RXTSPOT|RACKSPACE)_")
_CREDENTIAL_WORD = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PROXY|KEY")
_PATHS = (*CONFIG_PATHS, *ALIASES["refresh_token_file"])
"""The variables that name a file of ours, besides state.db."""
_KERNEL = ("dev", "proc", "sys")


def is_credential(variable: str) -> bool:
    """Whether an environment variable holds a credential that requests are sent with."""
    return variable.upper() in CREDENTIALS


def may_be_credential(variable: str) -> bool:
    """Whether a variable is named like a credential of this service, by us or by another of its programs."""
    name = variable.upper()
    return _OURS.match(name) is not None and _CREDENTIAL_WORD.search(name) is not None


def is_own_file(real: str, environ: Mapping[str, str]) -> bool:
    """Whether a path without links is a config file, the state or a cached token, of ours or of the official CLI."""
    path = Path(real)
    own = {os.path.realpath(each) for each in _own_files(environ)}
    return real in own or any(str(parent) in own for parent in path.parents)


def is_of_the_kernel(real: str) -> bool:
    """Whether a path without links leads to what the system makes up, such as the environment of a process."""
    return Path(real).parts[1:2] in [(name,) for name in _KERNEL]


def _own_files(environ: Mapping[str, str]) -> Iterator[Path]:
    # Imported only where a manifest names a file.
    from rsspot.config.files import LEGACY, NAMES

    yield from (Path(environ[name]) for name in _PATHS if environ.get(name))
    states = [Path(environ[name]) for name in ALIASES["state_path"] if environ.get(name)]
    if environ.get("XDG_CONFIG_HOME") or has_home(environ):
        yield from (home(environ) / name for name in NAMES)
        states.append(home(environ) / STATE)
    for state in states:
        yield from (state, state.parent / TOKENS)
    if has_home(environ):
        yield from (user_home(environ) / name for name in LEGACY)
