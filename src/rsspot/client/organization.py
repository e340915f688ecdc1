"""OrganizationScope: turns what the user calls an organization into its namespace and name, once each."""

from __future__ import annotations

import re

from rsspot.auth.bearer import Bearer
from rsspot.auth.token import namespace_of
from rsspot.concurrency import Mutex
from rsspot.errors import ConfigError
from rsspot.services.organizations.api import Organizations
from rsspot.services.organizations.schemas import Organization

ID = re.compile(r"org[-_][A-Za-z0-9]+")


class OrganizationScope:
    """The organization of one client."""

    def __init__(self, asked: str | None, bearer: Bearer, organizations: Organizations) -> None:
        self._asked = asked
        self._bearer = bearer
        self._organizations = organizations
        self._mutex = Mutex()
        self._namespace = namespace_of(asked) if asked and ID.fullmatch(asked) else None
        self._found: Organization | None = None

    async def namespace(self) -> str:
        """The namespace. Raises NotFound for an unknown name, ConfigError when there is none to choose."""
        if self._namespace is None:
            async with self._mutex:
                if self._namespace is None:
                    found = await self._find()
                    self._namespace = found.namespace or namespace_of(found.id)
        return self._namespace

    async def organization_name(self) -> str:
        """What people call it. Raises as `namespace` does."""
        async with self._mutex:
            return (await self._find()).name

    async def _find(self) -> Organization:
        if self._found is None:
            self._found = await self._organizations.get(self._asked) if self._asked else await self._only()
        return self._found

    async def _only(self) -> Organization:
        """The organization that the token was made for, or the only one there is."""
        everyone = await self._organizations.list()
        mine = self._bearer.token.organization if self._bearer.token else None
        own = [each for each in everyone if mine and mine in (each.namespace, namespace_of(each.id))]
        if own or len(everyone) == 1:
            return (own or everyone)[0]
        names = ", ".join(sorted(each.name for each in everyone)) or "none"
        raise ConfigError("no organization chosen", hint=f"set RSSPOT_ORG to one of: {names}")
