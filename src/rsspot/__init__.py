"""rsspot: Rackspace Spot from Python, from a shell and from YAML. This file only names what is public."""

from rsspot.constants import VERSION as __version__  # noqa: N811

# `typing` would cost more than all the rest of `rsspot --version`; type checkers know the name alone.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from rsspot.client.aio import AsyncSpotClient
    from rsspot.client.blocking import SpotClient
    from rsspot.errors import ApiError, AuthError, ConfigError, ManifestError, NotFound, OutcomeUnknown, RsspotError

__all__ = [
    "ApiError",
    "AsyncSpotClient",
    "AuthError",
    "ConfigError",
    "ManifestError",
    "NotFound",
    "OutcomeUnknown",
    "RsspotError",
    "SpotClient",
    "__version__",
]

_HOMES = {"AsyncSpotClient": "rsspot.client.aio", "SpotClient": "rsspot.client.blocking"}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `import rsspot` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'rsspot' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES.get(name, "rsspot.errors")), name)
