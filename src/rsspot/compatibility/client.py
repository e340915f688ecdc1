"""ReleasedClient, ReleasedSpotClient: the attributes and methods that clients of rsspot 0.3 have beyond ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from rsspot.compatibility.options import collected, parameters
from rsspot.concurrency import drive
from rsspot.errors import UnexpectedShape
from rsspot.http.call import JSON, MERGE_PATCH, Call
from rsspot.http.envelopes import Envelope, NotAsDocumented, opened
from rsspot.http.retry import SAFE
from rsspot.http.transport import SpotTransport
from rsspot.resources.deletion import require_object
from rsspot.resources.documents import Context, TargetOrganization
from rsspot.resources.secrecy import refuse_masks
from rsspot.resources.sync_twins import refuse_in_loop
from rsspot.utils.serialization import Document

if TYPE_CHECKING:
    from rsspot.auth.bearer import Bearer
    from rsspot.config.loader import Resolved


class RequestOptions(TypedDict, total=False):
    """The options of `request_json`."""

    params: Mapping[str, str | int | float | bool] | None
    json_data: Document | None
    content_type: str
    authenticated: bool


class ReleasedSettings:
    """The settings of a client as attributes."""

    _resolved: Resolved

    @property
    def raw(self) -> Self:
        """The client itself."""
        return self

    @property
    def profile_name(self) -> str:
        """The name of the profile."""
        return self._resolved.profile

    @property
    def org(self) -> str | None:
        """The organization as it was chosen: a name, an id or a namespace."""
        return self._resolved.options.organization

    @property
    def region(self) -> str | None:
        """The region of new cloudspaces."""
        return self._resolved.options.region

    @property
    def client_id(self) -> str:
        """The OAuth client ID."""
        return self._resolved.options.client_id

    @property
    def oauth_url(self) -> str:
        """The URL of the login service."""
        return self._resolved.options.oauth_url

    @property
    def request_timeout_seconds(self) -> float:
        """Seconds to wait for a connection or for the next byte."""
        return self._resolved.options.timeout

    @property
    def verify_ssl(self) -> bool:
        """Whether certificates are checked."""
        return self._resolved.options.verify_ssl


class ReleasedClient(ReleasedSettings):
    """What an AsyncSpotClient has beyond its own methods."""

    session: SpotTransport
    _context: Context
    _bearer: Bearer

    @property
    def refresh_token(self) -> str | None:
        """The refresh token in use, if there is one."""
        return self._bearer.refresh_token if self._bearer.has_refresh_token else None

    @property
    def access_token(self) -> str | None:
        """The id_token in use; None before the first request."""
        return self._bearer.token.bearer if self._bearer.token else None

    async def authenticate(self, force_refresh: bool = False) -> str:
        """A valid id_token. force_refresh: get a new one even so. Raises AuthError, TransportError."""
        send = self.session.transport.handle_async_request
        token = await (self._bearer.renewed(send) if force_refresh else self._bearer.current(send))
        return token.bearer

    async def resolve_org_id(self, org: str | None = None) -> str:
        """The namespace of an organization, which is its id as paths have it. Raises NotFound, ConfigError."""
        return await self._organization_of(org).namespace()

    async def resolve_org_name(self, org: str | None = None) -> str:
        """The name of an organization. Raises NotFound, ConfigError."""
        return await self._organization_of(org).name()

    def _organization_of(self, org: str | None) -> TargetOrganization:
        own = self._context.organization
        return own.other(org) if org else own

    async def request_json(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Document:
        """Send one request to any path of the service and return the JSON object in the response.

        A body is sent as JSON, that of a PATCH as a JSON merge patch, unless `content_type` says otherwise. The empty
        response to a write is {}. Raises UsageError for a DELETE that does not name one object; UnexpectedShape if the
        response is not a JSON object, and the errors of SpotTransport.send.
        """
        verb = method.upper()
        if verb == "DELETE":
            require_object(path)
        refuse_masks(options.get("json_data"), "the body")
        call = Call(
            verb,
            path,
            parameters(options.get("params")),
            options.get("json_data"),
            options.get("content_type", MERGE_PATCH if verb == "PATCH" else JSON),
            signed=options.get("authenticated", True),
        )
        content = await self.session.content(call)
        if verb not in SAFE and not content.strip():
            return {}
        try:
            return opened(content, Envelope.DOCUMENT)
        except NotAsDocumented:
            raise UnexpectedShape(f"the response to {method} {path} is not a JSON object") from None


class ReleasedSpotClient(ReleasedSettings):
    """What a SpotClient has beyond its own methods: those of ReleasedClient, blocking and with the prefix `a`."""

    if TYPE_CHECKING:

        @property
        def _released(self) -> ReleasedClient: ...

    @property
    def base_url(self) -> str:
        """The URL of the API."""
        return self._resolved.options.base_url

    @property
    def refresh_token(self) -> str | None:
        """The refresh token in use, if there is one."""
        return self._released.refresh_token

    @property
    def access_token(self) -> str | None:
        """The id_token in use; None before the first request."""
        return self._released.access_token

    def authenticate(self, force_refresh: bool = False) -> str:
        """A valid id_token. force_refresh: get a new one even so. Raises AuthError, TransportError."""
        refuse_in_loop("await client.aauthenticate()")
        return drive(self._released.authenticate(force_refresh))

    async def aauthenticate(self, force_refresh: bool = False) -> str:
        """The async version of `authenticate`."""
        return await self._released.authenticate(force_refresh)

    def resolve_org_id(self, org: str | None = None) -> str:
        """The namespace of an organization, which is its id as paths have it. Raises NotFound, ConfigError."""
        refuse_in_loop("await client.aresolve_org_id()")
        return drive(self._released.resolve_org_id(org))

    async def aresolve_org_id(self, org: str | None = None) -> str:
        """The async version of `resolve_org_id`."""
        return await self._released.resolve_org_id(org)

    def resolve_org_name(self, org: str | None = None) -> str:
        """The name of an organization. Raises NotFound, ConfigError."""
        refuse_in_loop("await client.aresolve_org_name()")
        return drive(self._released.resolve_org_name(org))

    async def aresolve_org_name(self, org: str | None = None) -> str:
        """The async version of `resolve_org_name`."""
        return await self._released.resolve_org_name(org)

    def request_json(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Document:
        """Send one request to any path of the service and return the JSON object in the response.

        See `ReleasedClient.request_json`.
        """
        refuse_in_loop("await client.arequest_json()")
        return drive(self._released.request_json(method, path, **options))

    async def arequest_json(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Document:
        """The async version of `request_json`."""
        return await self._released.request_json(method, path, **options)

    def stream(self, async_iterator: AsyncIterator[Document]) -> list[Document]:
        """All that an asynchronous iterator of this client yields. It has to end by itself."""
        refuse_in_loop("async for … in the iterator")
        return drive(collected(async_iterator))
