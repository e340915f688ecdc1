"""Events in the shape that rsspot 0.3 printed them (`--format released`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rsspot.utils.clock import stamp

if TYPE_CHECKING:
    from rsspot.services.events.api import OrganizationEvent


def listing(events: Sequence[OrganizationEvent]) -> dict[str, Any]:
    """Some events, and whose they are, as the first one says."""
    about = (
        {"org_id": events[0].organization, "cloudspace_id": events[0].cloudspace, "type": events[0].type}
        if events
        else {}
    )
    return {**about, "events": [[stamp(event.at) if event.at else None, event.message] for event in events]}
