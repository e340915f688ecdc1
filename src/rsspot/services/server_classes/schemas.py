"""The ServerClass kind and its prices. Read-only for tenants."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from rsspot.models.fields import AVAILABILITY, COLUMN, WIDE, Column, RefersTo
from rsspot.models.money import Price, dollars
from rsspot.models.resource import Model, Resource, Spec, Status
from rsspot.resources.kind import READ_ONLY, Kind


def _absent(value: Any) -> Any:
    """None for an empty price: bare-metal classes have an empty string as their minimum bid."""
    return None if value in ("", "$") else value


MaybePrice = Annotated[Price | None, BeforeValidator(_absent)]


class ServerResources(Model):
    """cpu: a number of cores · memory, disk: such as "15GB", where GB means GiB · gpu: a count."""

    cpu: Annotated[str | None, COLUMN] = None
    memory: Annotated[str | None, COLUMN] = None
    disk: Annotated[str | None, WIDE] = None
    gpu: Annotated[str | None, WIDE] = None


class OnDemandPricing(Model):
    """cost: dollars per `interval`, a Go duration such as 1h."""

    cost: Annotated[MaybePrice, Column("ON DEMAND", wide=True)] = None
    interval: str | None = None


class ServerClassSpec(Spec):
    """min_bid_price_per_hour: the lowest bid accepted. None: the class accepts no bids."""

    region: Annotated[str, RefersTo("Region"), COLUMN]
    category: Annotated[str | None, COLUMN] = None
    display_name: Annotated[str | None, WIDE] = None
    availability: Annotated[str | None, AVAILABILITY, WIDE] = None
    min_bid_price_per_hour: Annotated[MaybePrice, Column("MINIMUM")] = None
    on_demand_pricing: OnDemandPricing | None = None
    resources: ServerResources = ServerResources()


class SpotPricing(Model):
    """The last auction's result. market_price_per_hour: the clearing price · hammer_price_per_hour: what is billed."""

    market_price_per_hour: Annotated[MaybePrice, Column("MARKET")] = None
    hammer_price_per_hour: Annotated[MaybePrice, Column("HAMMER", wide=True)] = None


class ServerClassStatus(Status):
    """available: free servers · capacity: all servers · reserved: servers in use."""

    available: Annotated[int | None, WIDE] = None
    capacity: Annotated[int | None, WIDE] = None
    reserved: int | None = None
    spot_pricing: SpotPricing | None = None


class _Summary(Resource):
    """The fields of a server class side by side, by the names of rsspot 0.3; prices as text with a dollar sign."""

    spec: ServerClassSpec
    status: ServerClassStatus | None = None

    @property
    def region(self) -> str:
        return self.spec.region

    @property
    def display_name(self) -> str | None:
        return self.spec.display_name

    @property
    def category(self) -> str | None:
        return self.spec.category

    @property
    def availability(self) -> str | None:
        return self.spec.availability

    @property
    def cpu(self) -> str | None:
        return self.spec.resources.cpu

    @property
    def memory(self) -> str | None:
        return self.spec.resources.memory

    @property
    def market_price_per_hour(self) -> str | None:
        pricing = self.status.spot_pricing if self.status else None
        return dollars(pricing.market_price_per_hour) if pricing else None

    @property
    def min_bid_price_per_hour(self) -> str | None:
        return dollars(self.spec.min_bid_price_per_hour)

    @property
    def on_demand_price_per_hour(self) -> str | None:
        return dollars(self.spec.on_demand_pricing.cost) if self.spec.on_demand_pricing else None


class ServerClass(_Summary):
    """A server size in one region."""

    spec: ServerClassSpec
    status: ServerClassStatus | None = None

    @property
    def minimum(self) -> Decimal | None:
        """The lowest bid accepted, in dollars per hour; None if the class accepts no bids."""
        return self.spec.min_bid_price_per_hour

    @property
    def market(self) -> Decimal | None:
        """The last auction's clearing price, in dollars per hour, or None."""
        pricing = self.status.spot_pricing if self.status else None
        return pricing.market_price_per_hour if pricing else None


SERVER_CLASS = Kind(
    ServerClass,
    plural="serverclasses",
    short_names=("sc",),
    summary="Server sizes and their prices.",
    namespaced=False,
    verbs=READ_ONLY,
)
KINDS = (SERVER_CLASS,)
