"""ResolvedOrganization: resolves the configured organization to its namespace and name, once per client."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rsspot.auth.bearer import Bearer
from rsspot.auth.token import namespace_of
from rsspot.concurrency import Mutex
from rsspot.errors import ConfigError
from rsspot.services.organizations.api import Organizations
from rsspot.services.organizations.schemas import Organization

ID = re.compile(r"org[-_][A-Za-z0-9]+")


class ResolvedOrganization:
    """The organization of one client. wanted: its name, id or namespace; None for the organization of the token."""

    def __init__(self, wanted: str | None, bearer: Bearer, organizations: Organizations) -> None:
        self._wanted = wanted
        self._bearer = bearer
        self._organizations = organizations
        self._mutex = Mutex()
        self._namespace = namespace_of(wanted) if wanted and ID.fullmatch(wanted) else None
        self._organization: Organization | None = None
        self._others: dict[str, ResolvedOrganization] = {}

    async def namespace(self) -> str:
        """The namespace. Raises NotFound for an unknown organization, ConfigError if the choice is ambiguous."""
        if self._namespace is None:
            async with self._mutex:
                if self._namespace is None:
                    organization = await self._find()
                    self._namespace = organization.namespace or namespace_of(organization.id)
        return self._namespace

    async def name(self) -> str:
        """The name. Raises the same errors as `namespace`."""
        async with self._mutex:
            return (await self._find()).name

    async def tokens_other(self) -> Organization | None:
        """The organization that the token was issued for, if it is another one, and the token says so.

        The service then refuses most requests for this one, even if the user belongs to both.
        """
        async with self._mutex:
            found = await self._find()
        own = self._tokens_own(await self._organizations.list())
        return own if own is not None and own.id != found.id else None

    def other(self, organization: str) -> ResolvedOrganization:
        """Another organization. Each is resolved once."""
        return self._others.setdefault(
            organization, ResolvedOrganization(organization, self._bearer, self._organizations)
        )

    async def _find(self) -> Organization:
        if self._organization is None:
            self._organization = await self._organizations.get(self._wanted) if self._wanted else await self._default()
        return self._organization

    async def _default(self) -> Organization:
        """The organization that the token was issued for, or the only one there is. Raises ConfigError otherwise."""
        organizations = await self._organizations.list()
        if own := self._tokens_own(organizations):
            return own
        if len(organizations) == 1:
            return organizations[0]
        names = ", ".join(sorted(known.name for known in organizations)) or "none"
        raise ConfigError("no organization chosen", hint=f"set RSSPOT_ORG to one of: {names}")

    def _tokens_own(self, organizations: Iterable[Organization]) -> Organization | None:
        mine = self._bearer.token.organization if self._bearer.token else None
        own = (known for known in organizations if mine and mine in (known.namespace, namespace_of(known.id)))
        return next(own, None)
