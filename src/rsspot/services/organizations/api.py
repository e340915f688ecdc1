"""Organizations as an SDK service. Read-only."""

from __future__ import annotations

from pydantic import ValidationError

from rsspot.constants import ORGANIZATIONS_PATH
from rsspot.errors import NotFound, UnexpectedShape
from rsspot.http.call import Call
from rsspot.http.transport import SpotTransport
from rsspot.resources.listing import Listing
from rsspot.resources.sync_twins import Blocking, blocking
from rsspot.services.organizations.schemas import Organization
from rsspot.utils.text import choices


class Organizations:
    """The organizations that the token's user belongs to."""

    def __init__(self, session: SpotTransport) -> None:
        self._session = session

    async def list(self) -> Listing[Organization]:
        """All organizations. Source: GET auth.ngpc.rxt.io/v1/organizations, cached for 5 minutes by default.

        Raises UnexpectedShape, ApiError, AuthError, TransportError.
        """
        answer = await self._session.send(Call("GET", ORGANIZATIONS_PATH, fresh=False, private=False))
        try:
            found = [Organization.model_validate(item) for item in answer.get("organizations") or []]
        except ValidationError:
            raise UnexpectedShape("the service's list of organizations does not have the expected shape") from None
        return Listing(found, "organizations")

    async def get(self, name: str) -> Organization:
        """One organization by its name, id or namespace; case is ignored. Source: `list`. Raises NotFound."""
        wanted = name.lower()
        organizations = await self.list()
        for organization in organizations:
            if wanted in {organization.id.lower(), organization.name.lower(), organization.namespace}:
                return organization
        message = f"the token's user belongs to no organization {name!r}"
        hint = choices("organizations", name, sorted(each.name for each in organizations))
        raise NotFound(message, status=404, reason="NotFound", hint=hint)


class BlockingOrganizations(Blocking):
    """The synchronous version of Organizations."""

    list = blocking(Organizations.list)
    get = blocking(Organizations.get)
