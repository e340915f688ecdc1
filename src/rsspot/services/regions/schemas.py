"""The Region kind. Read-only for tenants."""

from __future__ import annotations

from typing import Annotated

from rsspot.models.fields import COLUMN, Column
from rsspot.models.resource import Model, Resource, Spec
from rsspot.resources.kind import READ_ONLY, Kind


class Provider(Model):
    """The infrastructure provider of a region."""

    provider_type: Annotated[str | None, Column("PROVIDER", wide=True)] = None
    """Type of the infrastructure."""
    provider_region_name: str | None = None
    """Name of the region there."""


class RegionSpec(Spec):
    """Where a region is."""

    country: Annotated[str | None, COLUMN] = None
    """Country as an ISO 3166-1 alpha-3 code."""
    description: Annotated[str | None, COLUMN] = None
    """Name for people."""
    generation: Annotated[str | None, COLUMN] = None
    """Generation of the platform: v1 or v2."""
    provider: Provider | None = None
    """Infrastructure of the region."""


class Region(Resource):
    """A region where cloudspaces can run."""

    spec: RegionSpec

    @property
    def description(self) -> str | None:
        """Where it is."""
        return self.spec.description


REGION = Kind(
    Region,
    plural="regions",
    summary="Regions where cloudspaces can run.",
    namespaced=False,
    verbs=READ_ONLY,
)
KINDS = (REGION,)
