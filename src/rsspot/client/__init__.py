"""The SDK's entry point: clients, their organization, and snapshots of the live objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.utils.late_names import late_names

if TYPE_CHECKING:
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.client.overrides import use_org, use_profile, use_region
    from rsspot.client.singleton import (
        aclose_all_clients,
        clear_client_cache,
        configure,
        get_async_client,
        get_client,
        get_sync_client,
        list_profiles,
        set_active_profile,
        set_default_org,
        set_default_profile,
        set_default_region,
    )
    from rsspot.client.sync_client import SpotClient

__all__ = [
    "AsyncSpotClient",
    "SpotClient",
    "aclose_all_clients",
    "clear_client_cache",
    "configure",
    "get_async_client",
    "get_client",
    "get_sync_client",
    "list_profiles",
    "set_active_profile",
    "set_default_org",
    "set_default_profile",
    "set_default_region",
    "use_org",
    "use_profile",
    "use_region",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "AsyncSpotClient": "rsspot.client.async_client:AsyncSpotClient",
            "SpotClient": "rsspot.client.sync_client:SpotClient",
            "aclose_all_clients": "rsspot.client.singleton:aclose_all_clients",
            "clear_client_cache": "rsspot.client.singleton:clear_client_cache",
            "configure": "rsspot.client.singleton:configure",
            "get_async_client": "rsspot.client.singleton:get_async_client",
            "get_client": "rsspot.client.singleton:get_client",
            "get_sync_client": "rsspot.client.singleton:get_sync_client",
            "list_profiles": "rsspot.client.singleton:list_profiles",
            "set_active_profile": "rsspot.client.singleton:set_active_profile",
            "set_default_org": "rsspot.client.singleton:set_default_org",
            "set_default_profile": "rsspot.client.singleton:set_default_profile",
            "set_default_region": "rsspot.client.singleton:set_default_region",
            "use_org": "rsspot.client.overrides:use_org",
            "use_profile": "rsspot.client.overrides:use_profile",
            "use_region": "rsspot.client.overrides:use_region",
        },
    )
