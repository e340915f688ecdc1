"""The kinds and SDK services, one package per domain. Packages are discovered; there is no list of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rsspot.utils.late_names import late_names

if TYPE_CHECKING:
    from rsspot.compatibility.groups import CloudSpaceGroup as CloudspacesService
    from rsspot.compatibility.groups import InventoryGroup as InventoryService
    from rsspot.compatibility.groups import PricingGroup as PricingService
    from rsspot.compatibility.groups import ServerClassGroup as ServerClassesService
    from rsspot.compatibility.organization_group import OrganizationGroup as OnDemandNodePoolsService
    from rsspot.compatibility.organization_group import OrganizationGroup as SpotNodePoolsService
    from rsspot.resources.collection import Collection as RegionsService
    from rsspot.services.organizations.api import Organizations as OrganizationsService

__all__ = [
    "CloudspacesService",
    "InventoryService",
    "OnDemandNodePoolsService",
    "OrganizationsService",
    "PricingService",
    "RegionsService",
    "ServerClassesService",
    "SpotNodePoolsService",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "CloudspacesService": "rsspot.compatibility.groups:CloudSpaceGroup",
            "InventoryService": "rsspot.compatibility.groups:InventoryGroup",
            "OnDemandNodePoolsService": "rsspot.compatibility.organization_group:OrganizationGroup",
            "OrganizationsService": "rsspot.services.organizations.api:Organizations",
            "PricingService": "rsspot.compatibility.groups:PricingGroup",
            "RegionsService": "rsspot.resources.collection:Collection",
            "ServerClassesService": "rsspot.compatibility.groups:ServerClassGroup",
            "SpotNodePoolsService": "rsspot.compatibility.organization_group:OrganizationGroup",
        },
    )


def folders() -> list[str]:
    """The names of the service packages, sorted. Imports none of them."""
    return sorted(
        entry.name
        for place in __path__
        for entry in os.scandir(place)
        if entry.is_dir() and os.path.exists(os.path.join(entry.path, "__init__.py"))  # noqa: PTH110, PTH118
    )
