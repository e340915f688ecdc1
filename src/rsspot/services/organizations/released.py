"""Organizations in the shape that rsspot 0.3 printed them (`--format released`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsspot.services.organizations.schemas import Organization


def page(organizations: Sequence[Organization]) -> dict[str, Any]:
    """All organizations, as a page."""
    count = len(organizations)
    numbers = {"start": 0, "limit": max(count, 50), "length": count, "total": count, "next": ""}
    return {"organizations": [details(each) for each in organizations], **numbers}


def details(organization: Organization) -> dict[str, Any]:
    """One organization."""
    return {
        "name": organization.name,
        "id": organization.id,
        "display_name": organization.display_name,
        "metadata": {"namespace": organization.namespace},
    }
