"""AsyncSpotClient: the client for asyncio. Holds the credential, the transport and the groups of operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from rsspot.auth.bearer import LogIn
from rsspot.auth.persona import Persona
from rsspot.auth.stores import CredentialStore
from rsspot.client.factory import bearer_of, cache_of, feeds_of, transport_options_of
from rsspot.client.groups import AsyncGroups, collection_of
from rsspot.client.organization import ResolvedOrganization
from rsspot.client.resolve import resolved_here
from rsspot.compatibility.client import ReleasedClient, RequestOptions
from rsspot.compatibility.options import ReleasedOptions, as_settings, settings_of, transport_of
from rsspot.compatibility.state_store import KeyedStateStore
from rsspot.config.loader import Resolved
from rsspot.config.models import ConfigFile
from rsspot.http.hooks import Hooks
from rsspot.http.transport import SpotTransport
from rsspot.models.resource import Resource
from rsspot.resources.classes import documents_class
from rsspot.resources.collection import Collection
from rsspot.resources.documents import Context, Documents
from rsspot.resources.kind import Kind
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.clock import Clock, SystemClock
from rsspot.utils.serialization import Document
from rsspot.wire import httpx

if TYPE_CHECKING:
    from rsspot.client.shared_reads import SharedReads
    from rsspot.compatibility.config import CacheConfig, SDKConfig

T = TypeVar("T", bound=Resource)


class AsyncSpotClient(ReleasedClient, AsyncGroups):
    """Rackspace Spot for asyncio. Use as `async with`, or call `aclose()`.

    Closed in any thread or loop, it is closed for all: every call raises RuntimeError instead of sending a request.

    Arguments override `use_org` and the like, which override RSSPOT_* variables, remembered preferences and files.
    config: the content of a config file, used instead of one · cache: False disables the response cache
    hooks: see `http.hooks` · transport: used instead of HTTP connections, such as the simulator's
    clock: the time for retries and waits · token_folder: caches tokens between runs; None disables that
    credential_store: has the refresh token, whatever the settings say: see `auth.stores`
    log_in: called when no refresh token works · resolved: settings that are already resolved
    released: the arguments of rsspot 0.3, see `compatibility.options`; `settings` is its first one, our `config`
    Raises ConfigError; AuthError if there is no credential.
    """

    on_list: Callable[[Kind[Any], list[Document]], None] | None = None
    """Called with every whole list of a kind that `documents` reads."""

    def __init__(
        self,
        settings: ConfigFile | SDKConfig | Mapping[str, Any] | None = None,
        /,
        *,
        config: ConfigFile | SDKConfig | Mapping[str, Any] | None = None,
        config_path: Path | str | None = None,
        profile: str | None = None,
        organization: str | None = None,
        region: str | None = None,
        refresh_token: str | None = None,
        access_token: str | None = None,
        base_url: str | None = None,
        oauth_url: str | None = None,
        client_id: str | None = None,
        timeout: float | None = None,
        state_path: Path | str | None = None,
        ledger: str | None = None,
        cache: bool | CacheConfig = True,
        hooks: Hooks | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        token_folder: Path | None = None,
        credential_store: CredentialStore | None = None,
        log_in: LogIn | None = None,
        resolved: Resolved | None = None,
        **released: Unpack[ReleasedOptions],
    ) -> None:
        self._resolved = resolved or resolved_here(
            config=settings_of(config if settings is None else settings),
            config_path=Path(config_path) if config_path else None,
            profile=profile,
            region=region,
            refresh_token=refresh_token,
            access_token=access_token,
            base_url=base_url,
            oauth_url=oauth_url,
            client_id=client_id,
            state_path=str(state_path) if state_path else None,
            ledger=ledger,
            **{"organization": organization, "timeout": timeout, **as_settings(released, cache)},
        )
        self.clock = clock or SystemClock()
        self.hooks = hooks or Hooks()
        self._bearer = bearer_of(self._resolved, self.clock, token_folder, log_in, self.hooks, credential_store)
        self._connect(transport or transport_of(released), cache=bool(cache))
        self.seen: dict[str, frozenset[str]] = {}
        """Kind -> wire names in the last snapshot, against which the next one is held."""
        self.shared_reads: SharedReads | None = None
        """Lists that the next snapshots go by, where several plans of this account are made at the same time."""

    def _connect(self, transport: httpx.AsyncBaseTransport | None, *, cache: bool) -> None:
        """Prepare what requests go through, and what services need to send them. Nothing is sent."""
        resolved, options = self._resolved, self._resolved.options
        self.base_url = options.base_url
        self.session = SpotTransport(
            self.base_url,
            self._bearer,
            self.clock,
            transport,
            options=transport_options_of(options),
            hooks=self.hooks,
            cache=cache_of(resolved, self.base_url, lambda: self._bearer.identity, self.clock) if cache else None,
        )
        self.feeds = feeds_of(resolved, self.clock, transport, self.hooks, cache=cache)
        self.organization = ResolvedOrganization(resolved.get("organization"), self._bearer, self.organizations)
        self._context = Context(
            self.session,
            self.organization,
            self.clock,
            registrations=lambda: self.ledger,
            refresh_token=lambda: self._bearer.refresh_token,
            region=options.region,
            listed=self._listed,
        )

    def _listed(self, kind: Kind[Any], items: list[Document]) -> None:
        if self.on_list:
            self.on_list(kind, items)

    @property
    def config(self) -> Resolved:
        """The settings of this client, and the source of each."""
        return self._resolved

    @cached_property
    def state(self) -> KeyedStateStore:
        """The state.db of this configuration. The file is created on first use."""
        ledger = self._resolved.ledger
        return KeyedStateStore(
            self._resolved.state_path, profile=self._resolved.profile, ledger=str(ledger.value) if ledger else None
        )

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of this configuration. The file is created on first use."""
        return self.state.ledger

    async def _request_json(
        self, method: str, path: str, *, body: Document | None = None, **options: Unpack[RequestOptions]
    ) -> Document:
        """`request_json`. body: another name of `json_data`."""
        return await self.request_json(method, path, **(options if body is None else {"json_data": body, **options}))

    @property
    def is_closed(self) -> bool:
        """Whether `aclose` was called, in any loop."""
        return self.session.closed

    @property
    def credentials(self) -> frozenset[str]:
        """What requests are signed with: never to be sent as a value."""
        return self._bearer.credentials

    async def whoami(self) -> Persona:
        """The user and organization of the token, and when it expires. Raises AuthError, TransportError."""
        return Persona.of(await self._bearer.current(self.session.transport.handle_async_request))

    def collection(self, kind: Kind[T]) -> Collection[T]:
        """The typed verbs of any kind."""
        return collection_of(self, kind)

    def documents(self, kind: Kind[Any], *, permit: Callable[[], None] | None = None) -> Documents:
        """The verbs of any kind on plain JSON objects. Reads bypass the cache.

        permit: called just before each attempt of each write; if it raises, the write is not sent and the error is
        passed on.
        """
        context = replace(self._context, permit=permit) if permit else self._context
        return documents_class(kind)(context, kind)

    async def aclose(self) -> None:
        """Close the client for all loops: nothing more is sent. Closes this loop's connections, and files."""
        async with AsyncExitStack() as stack:
            # The stack closes each of them, even if closing another one fails.
            stack.callback(self.close_ledger)
            stack.push_async_callback(self.feeds.aclose)
            stack.push_async_callback(self.session.aclose)

    def close_ledger(self) -> None:
        """Close the ledger if it is open. The next use opens it again."""
        opened: Ledger | None = self.__dict__.pop("ledger", None)
        state: KeyedStateStore | None = self.__dict__.pop("state", None)
        if opened is not None:
            opened.close()
        if state is not None:
            state.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
