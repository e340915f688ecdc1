"""Seals of a change: what lets a saved plan be applied only with the secrets that it was planned with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rsspot.planner.change import Change
from rsspot.planner.diff import path_key
from rsspot.utils.sealing import fits, seal
from rsspot.utils.serialization import at_path, canonical


def seals_of(change: Change) -> dict[str, str]:
    """A seal for each secret of a change, by its path."""
    return {path: seal(_text(value)) for path, value in _secrets(change).items()}


def same_secrets(change: Change, seals: Mapping[str, str]) -> bool:
    """Whether the secrets of a change are the ones that were sealed."""
    values = _secrets(change)
    return values.keys() == seals.keys() and all(fits(seals[path], _text(value)) for path, value in values.items())


def _secrets(change: Change) -> dict[str, Any]:
    values = {path: at_path(change.body, path) for path in change.secrets}
    values |= {edit.path: edit.after for edit in change.edits if edit.secret and edit.after is not None}
    return {path_key(path): value for path, value in sorted(values.items())}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value)
