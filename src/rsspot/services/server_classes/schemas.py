"""What a ServerClass is, and where its prices are. Read-only to tenants."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from rsspot.models.fields import COLUMN, RefersTo
from rsspot.models.money import Price
from rsspot.models.resource import Model, Resource, Spec, Status
from rsspot.resources.kind import READ_ONLY, Kind


def _absent(value: Any) -> Any:
    """Bare-metal classes have an empty string for a minimum."""
    return None if value in ("", "$") else value


MaybePrice = Annotated[Price | None, BeforeValidator(_absent)]


class ServerResources(Model):
    """cpu in cores; memory and disk such as "15GB", where GB means GiB; gpu as a count."""

    cpu: Annotated[str | None, COLUMN] = None
    memory: Annotated[str | None, COLUMN] = None
    disk: str | None = None
    gpu: str | None = None


class OnDemandPricing(Model):
    """Dollars for each `interval`, a Go duration such as 1h."""

    cost: MaybePrice = None
    interval: str | None = None


class ServerClassSpec(Spec):
    """min_bid_price_per_hour is the reserve: no bid under it is taken. None: the class takes no bids."""

    region: Annotated[str, RefersTo("Region"), COLUMN]
    category: Annotated[str | None, COLUMN] = None
    display_name: str | None = None
    availability: Annotated[str | None, COLUMN] = None
    min_bid_price_per_hour: Annotated[MaybePrice, COLUMN] = None
    on_demand_pricing: OnDemandPricing | None = None
    resources: ServerResources = ServerResources()


class SpotPricing(Model):
    """The auction's last result: the clearing price, and what is billed."""

    market_price_per_hour: Annotated[MaybePrice, COLUMN] = None
    hammer_price_per_hour: MaybePrice = None


class ServerClassStatus(Status):
    """Servers free, in all, and in use."""

    available: int | None = None
    capacity: int | None = None
    reserved: int | None = None
    spot_pricing: SpotPricing | None = None


class ServerClass(Resource):
    """A size of server in one region."""

    spec: ServerClassSpec
    status: ServerClassStatus | None = None

    @property
    def minimum(self) -> Decimal | None:
        """The reserve price per hour."""
        return self.spec.min_bid_price_per_hour

    @property
    def market(self) -> Decimal | None:
        """The clearing price per hour of the last auction."""
        pricing = self.status.spot_pricing if self.status else None
        return pricing.market_price_per_hour if pricing else None


SERVER_CLASS = Kind(
    ServerClass, plural="serverclasses", summary="Server sizes, with their market.", namespaced=False, verbs=READ_ONLY
)
KINDS = (SERVER_CLASS,)
