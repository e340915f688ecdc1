"""ReleasedOptions: the arguments that clients of rsspot 0.3 take, and what they are called here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from rsspot.config.models import ConfigFile
from rsspot.wire import httpx

if TYPE_CHECKING:
    from rsspot.compatibility.config import CacheConfig, RetryConfig, SDKConfig


class ReleasedOptions(TypedDict, total=False):
    """org, org_id: the organization · retries: overrides max_retries and retry_backoff_factor

    http_client: sends the requests, and is not closed with our client
    """

    org: str | None
    org_id: str | None
    request_timeout_seconds: float | None
    max_retries: int | None
    retry_backoff_factor: float | None
    verify_ssl: bool | None
    retries: RetryConfig | None
    http_client: httpx.AsyncClient | None


SETTINGS = {
    "org": "organization",
    "org_id": "organization_id",
    "request_timeout_seconds": "timeout",
    "max_retries": "retry.max_retries",
    "retry_backoff_factor": "retry.base_delay",
    "verify_ssl": "verify_ssl",
}


def as_settings(options: ReleasedOptions, cache: bool | CacheConfig) -> dict[str, Any]:
    """The options as settings by dotted name; those that are no settings are left out.

    Raises TypeError for an unknown one.
    """
    if unknown := options.keys() - ReleasedOptions.__annotations__.keys():
        raise TypeError(f"a client has no argument {min(unknown)!r}")
    settings: dict[str, Any] = {
        SETTINGS[name]: value for name, value in options.items() if name in SETTINGS and value is not None
    }
    if retries := options.get("retries"):
        settings |= {f"retry.{name}": value for name, value in retries.settings().items()}
    if not isinstance(cache, bool):
        settings |= {f"cache.{name}": value for name, value in cache.settings().items()}
    return settings


def transport_of(options: ReleasedOptions) -> httpx.AsyncBaseTransport | None:
    """The transport that the options bring."""
    client = options.get("http_client")
    return ClientTransport(client) if client else None


class ClientTransport(httpx.AsyncBaseTransport):
    """Sends requests with an httpx client of the caller's."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)


def settings_of(config: ConfigFile | SDKConfig | Mapping[str, Any] | None) -> ConfigFile | Mapping[str, Any] | None:
    """What a client is configured with, as our settings."""
    return config if config is None or isinstance(config, ConfigFile | Mapping) else config.file()


def parameters(values: Mapping[str, str | int | float | bool] | None) -> dict[str, str]:
    """Parameters of a URL as text; true and false in lower case."""
    spelled = {True: "true", False: "false"}
    return {name: spelled[value] if isinstance(value, bool) else str(value) for name, value in (values or {}).items()}


async def collected(events: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """All that an iterator yields."""
    return [event async for event in events]
