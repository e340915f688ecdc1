"""OrganizationScope: turns what the user calls an organisation into its namespace, once. Sends at most one GET."""

from __future__ import annotations

import asyncio
import re

from rsspot.auth.bearer import Bearer
from rsspot.auth.token import namespace_of
from rsspot.errors import ConfigError
from rsspot.services.organizations.api import Organizations


class OrganizationScope:
    """The organisation of one client."""

    def __init__(self, asked: str | None, bearer: Bearer, organizations: Organizations) -> None:
        self._asked = asked
        self._bearer = bearer
        self._organizations = organizations
        self._lock = asyncio.Lock()
        self._namespace: str | None = None

    async def namespace(self) -> str:
        """The namespace. Raises NotFound for an unknown name, ConfigError when there is none to choose."""
        async with self._lock:
            if self._namespace is None:
                self._namespace = await self._find()
        return self._namespace

    async def _find(self) -> str:
        if self._asked and re.fullmatch(r"org[-_][A-Za-z0-9]+", self._asked):
            return namespace_of(self._asked)
        if self._asked:
            found = await self._organizations.get(self._asked)
            return found.namespace or namespace_of(found.id)
        everyone = await self._organizations.list()
        if self._bearer.token and self._bearer.token.organization:
            return self._bearer.token.organization
        if len(everyone) == 1:
            return everyone[0].namespace or namespace_of(everyone[0].id)
        names = ", ".join(sorted(each.name for each in everyone)) or "none"
        raise ConfigError("no organisation chosen", hint=f"set RSSPOT_ORG to one of: {names}")
