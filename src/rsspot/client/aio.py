"""AsyncSpotClient: one identity, one pool of connections, and the services on them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Self

from rsspot.auth.bearer import Bearer
from rsspot.client.scope import OrganizationScope
from rsspot.config.load import Resolved, resolve
from rsspot.http.session import Session
from rsspot.services.cloudspaces.api import CloudSpaces
from rsspot.services.cloudspaces.schemas import CLOUD_SPACE
from rsspot.services.collection import Collection
from rsspot.services.documents import Context, Documents
from rsspot.services.inventory.api import Inventory
from rsspot.services.kind import Kind
from rsspot.services.nodepools.schemas import ON_DEMAND_NODE_POOL, SPOT_NODE_POOL, OnDemandNodePool, SpotNodePool
from rsspot.services.organizations.api import Organizations
from rsspot.services.regions.schemas import REGION, Region
from rsspot.services.registry import collection_class, documents_class
from rsspot.services.server_classes.schemas import SERVER_CLASS, ServerClass
from rsspot.services.vms.schemas import VM_CLOUD_SPACE, VM_POOL, VMCloudSpace, VMPool
from rsspot.state.ledger import Ledger
from rsspot.state.sqlite import open_ledger
from rsspot.utils import Clock, SystemClock
from rsspot.wire import httpx


class AsyncSpotClient:
    """Rackspace Spot for asyncio. Use as `async with`, or call `aclose()`.

    Arguments win over RSSPOT_* variables, which win over the config file.
    transport: another way to the service, such as the simulator's; clock: the time that retries and waits go by;
    token_folder: where tokens are kept between runs, None for nowhere.
    Raises AuthError when there is no refresh token.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        organization: str | None = None,
        refresh_token: str | None = None,
        base_url: str | None = None,
        oauth_url: str | None = None,
        client_id: str | None = None,
        config_path: Path | None = None,
        state_path: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        token_folder: Path | None = None,
        resolved: Resolved | None = None,
    ) -> None:
        self.config = resolved or resolve(
            profile=profile,
            config_path=config_path,
            organization=organization,
            refresh_token=refresh_token,
            base_url=base_url,
            oauth_url=oauth_url,
            client_id=client_id,
            state_path=str(state_path) if state_path else None,
        )
        self.clock = clock or SystemClock()
        self.base_url = self.config.require("base_url")
        self._bearer = Bearer(
            self.config.require("refresh_token"),
            base_url=self.base_url,
            oauth_url=self.config.require("oauth_url"),
            client_id=self.config.require("client_id"),
            clock=self.clock,
            cache_folder=token_folder,
        )
        self.session = Session(self.base_url, self._bearer, self.clock, transport)
        self.scope = OrganizationScope(self.config.get("organization"), self._bearer, self.organizations)
        self._context = Context(self.session, self.scope, lambda: self.ledger)

    @cached_property
    def organizations(self) -> Organizations:
        return Organizations(self.session)

    @cached_property
    def regions(self) -> Collection[Region]:
        return self.collection(REGION)

    @cached_property
    def server_classes(self) -> Collection[ServerClass]:
        return self.collection(SERVER_CLASS)

    @cached_property
    def cloudspaces(self) -> CloudSpaces:
        return CloudSpaces(self.documents(CLOUD_SPACE), CLOUD_SPACE)

    @cached_property
    def spot_nodepools(self) -> Collection[SpotNodePool]:
        return self.collection(SPOT_NODE_POOL)

    @cached_property
    def ondemand_nodepools(self) -> Collection[OnDemandNodePool]:
        return self.collection(ON_DEMAND_NODE_POOL)

    @cached_property
    def vm_cloudspaces(self) -> Collection[VMCloudSpace]:
        return self.collection(VM_CLOUD_SPACE)

    @cached_property
    def vm_pools(self) -> Collection[VMPool]:
        return self.collection(VM_POOL)

    @cached_property
    def inventory(self) -> Inventory:
        return Inventory(self.documents(CLOUD_SPACE), self.documents(VM_CLOUD_SPACE))

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of this configuration; opening it for the first time makes its file."""
        return open_ledger(self.config.state_path)

    def collection(self, kind: Kind[Any]) -> Collection[Any]:
        """The typed verbs of any kind."""
        return collection_class(kind)(self.documents(kind), kind)

    def documents(self, kind: Kind[Any]) -> Documents:
        """The verbs of any kind on plain JSON objects."""
        return documents_class(kind)(self._context, kind)

    async def aclose(self) -> None:
        """Let go of connections and files."""
        await self.session.aclose()
        self.close_ledger()

    def close_ledger(self) -> None:
        """Let go of the ledger, if it was opened."""
        if "ledger" in self.__dict__:
            self.ledger.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
