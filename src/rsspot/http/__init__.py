"""The HTTP layer: sends a Call and returns a document or raises the matching error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.utils.late_names import late_names

if TYPE_CHECKING:
    from rsspot.http.transport import SpotTransport

__all__ = [
    "SpotTransport",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "SpotTransport": "rsspot.http.transport:SpotTransport",
        },
    )
