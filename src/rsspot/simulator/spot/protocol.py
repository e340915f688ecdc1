"""SpotWorld: the part of the world that the service's code may use. The world depends on that code, not vice versa."""

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
    """One POST to a webhook."""

    url: str
    body: dict[str, Any]


class SpotWorld(Protocol):
    """Objects, time and accounts, and the operations of the service on them."""

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

    @property
    def any_stuck(self) -> bool:
        """Whether a fault keeps some statuses from changing."""
        ...

    def after(self, seconds: float, action: str, payload: dict[str, Any]) -> None:
        """Schedule an action of a controller."""
        ...

    def organization_of(self, body: Object) -> Tenant | None:
        """The organization that an object belongs to."""
        ...

    def manager(self, definition: Definition, subresource: str = "", by: str = ...) -> Manager:
        """The service as a field manager."""
        ...

    def write(self, plural: str, body: Object, changes: Object, subresource: str = "", by: str = ...) -> None:
        """Change top-level fields of an object as the service, and update `body` to match."""
        ...

    def set_status(self, plural: str, body: Object, **status: Any) -> None:
        """Write fields of a status, if any of them differs."""
        ...

    def doom(self, plural: str, body: Object) -> Object:
        """Request an object's deletion."""
        ...
