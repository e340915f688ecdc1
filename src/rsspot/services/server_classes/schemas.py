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
    """The size of one server."""

    cpu: Annotated[str | None, COLUMN] = None
    """Number of cores."""
    memory: Annotated[str | None, COLUMN] = None
    """Memory such as 15GB, where GB means GiB."""
    disk: Annotated[str | None, WIDE] = None
    """Disk such as 40GB, where GB means GiB."""
    gpu: Annotated[str | None, WIDE] = None
    """Number of GPUs."""


class OnDemandPricing(Model):
    """The price without an auction."""

    cost: Annotated[MaybePrice, Column("ON DEMAND", wide=True)] = None
    """Dollars for each interval."""
    interval: str | None = None
    """What the cost is for, as a Go duration such as 1h."""


class ServerClassSpec(Spec):
    """What servers of a class are, and what they cost at least."""

    region: Annotated[str, RefersTo("Region"), COLUMN]
    """Region of the servers."""
    category: Annotated[str | None, COLUMN] = None
    """Category such as General Purpose."""
    display_name: Annotated[str | None, WIDE] = None
    """Name for people."""
    availability: Annotated[str | None, AVAILABILITY, WIDE] = None
    """Whether new servers can be had: available or deprecated."""
    min_bid_price_per_hour: Annotated[MaybePrice, Column("MINIMUM", whole=True)] = None
    """The lowest bid accepted, in dollars an hour. A class without one accepts no bids."""
    on_demand_pricing: OnDemandPricing | None = None
    """Price without an auction."""
    resources: ServerResources = ServerResources()
    """Size of one server."""


class SpotPricing(Model):
    """The last auction's result."""

    market_price_per_hour: Annotated[MaybePrice, Column("MARKET", whole=True)] = None
    """Clearing price of the last auction, in dollars an hour."""
    hammer_price_per_hour: Annotated[MaybePrice, Column("HAMMER", wide=True)] = None
    """What winners are billed, in dollars an hour."""


class ServerClassStatus(Status):
    """How many servers of a class there are, and what they cost now."""

    available: Annotated[int | None, WIDE] = None
    """Number of free servers."""
    capacity: Annotated[int | None, WIDE] = None
    """Number of all servers."""
    reserved: int | None = None
    """Number of servers in use."""
    spot_pricing: SpotPricing | None = None
    """Result of the last auction."""


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
