"""SpotWorld: what the service's own rules may use of the world they live in. The world itself stands above them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from rsspot.simulator.accounts.identity import Identity
from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.managed_fields import Manager
from rsspot.simulator.apiserver.objects import Objects
from rsspot.simulator.apiserver.store import Object, Store
from rsspot.simulator.spot.switches import Rules


@dataclass(frozen=True)
class Notice:
    """One POST that the service would make to a webhook."""

    url: str
    body: dict[str, Any]


class SpotWorld(Protocol):
    """Objects, time and accounts, and the ways in which the service acts on them."""

    store: Store
    objects: Objects
    rules: Rules
    identity: Identity
    notices: list[Notice]
    definitions: dict[str, Definition]
    organizations: list[Tenant]
    seed: int

    @property
    def now(self) -> float:
        """The current moment, in seconds since 1970."""
        ...

    @property
    def prices(self) -> Mapping[str, Decimal]:
        """The recorded price of each class."""
        ...

    @property
    def server_classes(self) -> Mapping[str, dict[str, Any]]:
        """The spec of each class."""
        ...

    def after(self, seconds: float, action: str, payload: dict[str, Any]) -> None:
        """Have a controller act later."""
        ...

    def organization_of(self, body: Object) -> Tenant | None:
        """The organization that an object belongs to."""
        ...

    def manager(self, definition: Definition, subresource: str = "", by: str = ...) -> Manager:
        """The service itself, as a manager of fields."""
        ...

    def write(self, plural: str, body: Object, changes: Object, subresource: str = "", by: str = ...) -> None:
        """Have the service change top-level fields of an object, which is brought up to date."""
        ...

    def set_status(self, plural: str, body: Object, **status: Any) -> None:
        """Write some fields of a status, if any of them differs."""
        ...

    def doom(self, plural: str, body: Object) -> Object:
        """Ask for an object's deletion."""
        ...
