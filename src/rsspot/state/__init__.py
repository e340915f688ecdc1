"""Everything stored in state.db: evidence of past actions, never the truth. Its names are those of rsspot 0.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.utils.late_names import late_names

if TYPE_CHECKING:
    from rsspot.compatibility.config_files import default_state_path
    from rsspot.compatibility.state_store import KeyedStateStore as StateStore

__all__ = [
    "StateStore",
    "default_state_path",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "StateStore": "rsspot.compatibility.state_store:KeyedStateStore",
            "default_state_path": "rsspot.compatibility.config_files:default_state_path",
        },
    )
