"""Organizations as an SDK service: which ones there are. They cannot be changed from here."""

from __future__ import annotations

import builtins

from pydantic import ValidationError

from rsspot.constants import ORGANIZATIONS_PATH
from rsspot.errors import NotFound, UnexpectedShape
from rsspot.http.transport import Call, SpotTransport
from rsspot.resources.sync_twins import Blocking, blocking
from rsspot.services.organizations.schemas import Organization


class Organizations:
    """The organizations of the token's user."""

    def __init__(self, session: SpotTransport) -> None:
        self._session = session

    async def list(self) -> builtins.list[Organization]:
        """Every organization. Source: GET auth.ngpc.rxt.io/v1/organizations."""
        answer = await self._session.send(Call("GET", ORGANIZATIONS_PATH, fresh=False, private=False))
        try:
            return [Organization.model_validate(item) for item in answer.get("organizations") or []]
        except ValidationError:
            raise UnexpectedShape("the service's list of organizations does not have the expected shape") from None

    async def get(self, name: str) -> Organization:
        """One organization by its name, id or namespace, in any case. Raises NotFound."""
        wanted = name.lower()
        for organization in await self.list():
            if wanted in {organization.id.lower(), organization.name.lower(), organization.namespace}:
                return organization
        raise NotFound(f"no organization {name!r} among those of this token's user", status=404, reason="NotFound")


class BlockingOrganizations(Blocking):
    """The same, synchronous."""

    list = blocking(Organizations.list)
    get = blocking(Organizations.get)
