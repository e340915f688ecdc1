"""rsspot: Rackspace Spot from Python, from a shell and from YAML. This file only names what is public."""

from rsspot.constants import VERSION as __version__  # noqa: N811

# `typing` would cost more than all the rest of `rsspot --version`; type checkers know the name alone.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from rsspot.auth.persona import Persona
    from rsspot.client.async_client import AsyncSpotClient
    from rsspot.client.overrides import use_org, use_profile, use_region
    from rsspot.client.singleton import (
        aclose_all_clients,
        clear_client_cache,
        close_all_clients,
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
    from rsspot.compatibility.config import CacheConfig, ProfileConfig, RetryConfig, SDKConfig
    from rsspot.compatibility.config import PreferencesConfig as Preferences
    from rsspot.compatibility.registration import RegistrationCandidate, RegistrationLedgerRecord
    from rsspot.compatibility.state_store import KeyedStateStore as StateStore
    from rsspot.config.models import ConfigFile, Profile
    from rsspot.errors import (
        AlreadyExists,
        ApiError,
        AuthError,
        Cancelled,
        ConfigError,
        Conflict,
        Forbidden,
        Gone,
        Invalid,
        Locked,
        ManifestError,
        NotFound,
        NotReady,
        OutcomeUnknown,
        PlanRefused,
        RequestError,
        RequestTimeout,
        RsspotError,
        ServerError,
        StalePlan,
        StateError,
        TooManyRequests,
        TransportError,
        UnexpectedShape,
        UsageError,
    )
    from rsspot.http.hooks import Exchange, Hooks, Wait
    from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
    from rsspot.workflows.registration import RegistrationWorkflow

_HOMES = {
    "rsspot.auth.persona": ("Persona",),
    "rsspot.client.async_client": ("AsyncSpotClient",),
    "rsspot.client.sync_client": ("SpotClient",),
    "rsspot.client.overrides": ("use_org", "use_profile", "use_region"),
    "rsspot.client.singleton": (
        "aclose_all_clients",
        "clear_client_cache",
        "close_all_clients",
        "configure",
        "get_async_client",
        "get_client",
        "get_sync_client",
        "list_profiles",
        "set_active_profile",
        "set_default_org",
        "set_default_profile",
        "set_default_region",
    ),
    "rsspot.config.models": ("ConfigFile", "Profile"),
    "rsspot.http.hooks": ("Exchange", "Hooks", "Wait"),
    "rsspot.state.ledger.registrations": ("RegistrationRecord", "RegistrationStatus"),
    "rsspot.workflows.registration": ("RegistrationWorkflow",),
    "rsspot.compatibility.registration": ("RegistrationCandidate", "RegistrationLedgerRecord"),
    "rsspot.config": ("CacheConfig", "Preferences", "ProfileConfig", "RetryConfig", "SDKConfig"),
    "rsspot.state": ("StateStore",),
}
"""Where names live that are no errors."""

__all__ = [
    "AlreadyExists",
    "ApiError",
    "AsyncSpotClient",
    "AuthError",
    "CacheConfig",
    "Cancelled",
    "ConfigError",
    "ConfigFile",
    "Conflict",
    "Exchange",
    "Forbidden",
    "Gone",
    "Hooks",
    "Invalid",
    "Locked",
    "ManifestError",
    "NotFound",
    "NotReady",
    "OutcomeUnknown",
    "Persona",
    "PlanRefused",
    "Preferences",
    "Profile",
    "ProfileConfig",
    "RegistrationCandidate",
    "RegistrationLedgerRecord",
    "RegistrationRecord",
    "RegistrationStatus",
    "RegistrationWorkflow",
    "RequestError",
    "RequestTimeout",
    "RetryConfig",
    "RsspotError",
    "SDKConfig",
    "ServerError",
    "SpotClient",
    "StalePlan",
    "StateError",
    "StateStore",
    "TooManyRequests",
    "TransportError",
    "UnexpectedShape",
    "UsageError",
    "Wait",
    "__version__",
    "aclose_all_clients",
    "clear_client_cache",
    "close_all_clients",
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


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `import rsspot` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'rsspot' has no attribute {name!r}")
    import importlib

    home = next((module for module, names in _HOMES.items() if name in names), "rsspot.errors")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
