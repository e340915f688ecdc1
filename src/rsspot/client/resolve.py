"""Resolves a client's settings from the current context, the environment and the user's files."""

from __future__ import annotations

from typing import Any

from rsspot.client.overrides import chosen
from rsspot.config.loader import Resolved, resolve
from rsspot.state.preferences import remembered


def resolved_here(**arguments: Any) -> Resolved:
    """Resolve the settings. The arguments are those of `config.loader.resolve`."""
    return resolve(preferences=remembered, overrides=chosen(), **arguments)
