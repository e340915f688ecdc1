"""Shared clients: one per set of settings, for use anywhere in a program. Also changes the default settings."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.overrides import chosen
from rsspot.client.resolve import resolved_here
from rsspot.client.sync_client import SpotClient
from rsspot.client.typing import ClientOptions
from rsspot.compatibility.options import settings_of
from rsspot.concurrency import drive, running_loop
from rsspot.config.files import config_file as file_in_use
from rsspot.config.files import legacy_file, read
from rsspot.config.loader import require_profile, state_path_of
from rsspot.config.manager import edit_in_use
from rsspot.config.models import ConfigFile
from rsspot.settings import ALIASES, CONFIG_PATHS
from rsspot.state.preferences import forget_profile, open_preferences
from rsspot.utils.serialization import digest

if TYPE_CHECKING:
    from rsspot.compatibility.config import SDKConfig

C = TypeVar("C", AsyncSpotClient, SpotClient)
OF_THE_FILE = ("config", "config_path", "state_path")

_guard = RLock()
_options: dict[str, Any] = {}
_made: dict[tuple[type[Any], str], tuple[Any, Mapping[str, Any]]] = {}
"""The clients and their options. Options compared by id() must stay alive, so that the id is not reused."""
_retired: list[Any] = []
"""Clients that are no longer handed out but still have to be closed."""
READ_FROM = frozenset(
    {*(name for names in ALIASES.values() for name in names), *CONFIG_PATHS, "XDG_CONFIG_HOME", "HOME"}
)
"""The environment variables that settings depend on."""


def configure(
    settings: ConfigFile | SDKConfig | Mapping[str, Any] | None = None, /, **options: Unpack[ClientOptions]
) -> None:
    """Set the default options of all shared clients, the arguments of AsyncSpotClient; without arguments, clear them.

    Clients obtained earlier keep their options; the next `get_client()` returns another client.
    """
    with _guard:
        _options.clear()
        _options.update({"config": settings, **options} if settings is not None else options)


def get_client(**options: Unpack[ClientOptions]) -> SpotClient:
    """The shared client for the current settings: the arguments, over `use_org` and the like, over `configure`.

    Raises ConfigError for invalid settings, AuthError without a credential.
    """
    return _shared(SpotClient, options)


def get_async_client(**options: Unpack[ClientOptions]) -> AsyncSpotClient:
    """The shared client for asyncio. It may be used in any number of event loops, also concurrently.

    Raises ConfigError for invalid settings, AuthError without a credential.
    """
    return _shared(AsyncSpotClient, options)


get_sync_client = get_client


def clear_client_cache() -> None:
    """Hand out new clients from now on. The others can still be used, and `aclose_all_clients` closes them."""
    _forget_made()


async def aclose_all_clients() -> None:
    """Close the shared clients: their connections in this loop and in threads without a loop.

    Connections of other loops are closed when those loops end. The next `get_async_client()` makes a new client.
    """
    _forget_made()
    with _guard:
        clients = list(_retired)
        _retired.clear()
    async with AsyncExitStack() as stack:
        # The stack closes every client, even if closing another one fails.
        for client in clients:
            stack.push_async_callback(client.aclose)
            if running_loop() is not None:
                # Connections opened by threads without a loop can only be closed in such a thread.
                stack.push_async_callback(asyncio.to_thread, _close_in_thread, client)


def close_all_clients() -> None:
    """The blocking version of `aclose_all_clients`. Raises RuntimeError inside a running event loop."""
    if running_loop() is not None:
        raise RuntimeError("an event loop is running: await aclose_all_clients() instead")
    drive(aclose_all_clients())


def list_profiles(
    *,
    config: ConfigFile | SDKConfig | Mapping[str, Any] | None = None,
    config_path: Path | str | None = None,
    config_file: Path | str | None = None,
) -> list[str]:
    """The names of the profiles in the config file, sorted. Raises ConfigError if it is invalid.

    config_file: another name of `config_path`
    """
    from rsspot.config.files import parse

    config, config_path = settings_of(config), config_path or config_file
    if isinstance(config, ConfigFile):
        return sorted(config.profiles)
    if config is not None:
        return sorted(parse(config, "config").profiles)
    path = _file(config_path)
    return sorted(read(path).profiles) if path else []


def set_active_profile(
    name: str, *, config_path: Path | str | None = None, config_file: Path | str | None = None
) -> None:
    """Write the default profile to the config file. Raises ConfigError for an unknown profile.

    config_file: another name of `config_path`
    """
    config_path = config_path or config_file
    _check_known(name, config_path)
    path = edit_in_use(os.environ, _given_file(config_path), {("activeProfile",): name})
    # A profile remembered in state.db would override the one just set.
    forget_profile(state_path_of(path, state_path=_options.get("state_path")), name)
    _forget_made()


def set_default_profile(name: str | None) -> None:
    """Remember the default profile in state.db. It overrides the config file, not the environment. None forgets it.

    Raises ConfigError for an unknown profile.
    """
    if name is not None:
        _check_known(name, None)
    _remember("profile", name, of_profile=False)


def set_default_org(name: str | None) -> None:
    """Remember the default organization of the current profile in state.db. None forgets it."""
    _remember("organization", name, of_profile=True)


def set_default_region(name: str | None) -> None:
    """Remember the default region of the current profile in state.db. None forgets it."""
    _remember("region", name, of_profile=True)


def _shared(kind: type[C], options: Mapping[str, Any]) -> C:
    with _guard:
        whole = {**_options, **options}
        # An override for this block wins over a program-wide `configure`.
        overridden = {name for name in chosen() if name in _options and name not in options}
        whole = {name: value for name, value in whole.items() if name not in overridden}
        key = (kind, _key(whole))
        if key not in _made or _made[key][0].is_closed:
            _made[key] = (kind(**whole), whole)
        client: C = _made[key][0]
        return client


def _key(options: Mapping[str, Any]) -> str:
    """The cache key of a set of settings. A digest, since settings include secrets."""
    choices = {name: setting.value for name, setting in chosen().items()}
    environment = {name: value for name, value in os.environ.items() if name in READ_FROM}
    identities = {name: _identity(value) for name, value in options.items()}
    return digest([identities, choices, environment])


def _identity(value: Any) -> Any:
    """A plain option's value; for any other object its id."""
    if isinstance(value, Path):
        return str(value)
    return value if isinstance(value, str | int | float | dict) else id(value)


def _remember(name: str, value: str | None, *, of_profile: bool) -> None:
    files: dict[str, Any] = {option: _options[option] for option in OF_THE_FILE if option in _options}
    files["config_path"] = _given_file(None)
    if not of_profile:
        # Do not resolve the current profile here: it may be the invalid setting that this call corrects.
        open_preferences(state_path_of(**files)).remember(name, value)
    else:
        # An override for this block wins over a program-wide `configure`.
        configured = None if "profile" in chosen() else _options.get("profile")
        resolved = resolved_here(**files, profile=configured)
        open_preferences(resolved.state_path).remember(name, value, resolved.profile)
    _forget_made()


def _close_in_thread(client: AsyncSpotClient | SpotClient) -> None:
    drive(client.aclose())


def _forget_made() -> None:
    """Stop handing out the existing clients: their settings may be out of date."""
    with _guard:
        _retired.extend(client for client, _ in _made.values())
        _made.clear()


def _check_known(name: str, config_path: Path | str | None) -> None:
    config = _options.get("config") if config_path is None else None
    require_profile(name, list_profiles(config=config, config_path=config_path))


def _file(config_path: Path | str | None) -> Path | None:
    return file_in_use(os.environ, _given_file(config_path)) or legacy_file(os.environ)


def _given_file(config_path: Path | str | None) -> Path | None:
    given = config_path or _options.get("config_path")
    return Path(given) if given else None
