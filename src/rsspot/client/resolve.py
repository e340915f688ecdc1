"""The settings of a client that is made here and now: of this context, this environment, this user's files."""

from __future__ import annotations

from typing import Any

from rsspot.client.overrides import chosen
from rsspot.config.loader import Resolved, resolve
from rsspot.state.preferences import remembered


def resolved_here(**arguments: Any) -> Resolved:
    """See `config.load.resolve` for the arguments."""
    return resolve(preferences=remembered, overrides=chosen(), **arguments)
