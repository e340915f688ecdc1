"""Clients that a whole program shares: made once for each set of settings, got wherever they are needed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar, Unpack

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.overrides import chosen
from rsspot.client.resolve import resolved_here
from rsspot.client.sync_client import SpotClient
from rsspot.client.typing import ClientOptions
from rsspot.concurrency import drive, running_loop
from rsspot.config.files import config_file, legacy_file, read
from rsspot.config.loader import state_path_of
from rsspot.config.manager import edit_in_use
from rsspot.config.models import ConfigFile
from rsspot.errors import ConfigError
from rsspot.settings import ALIASES, CONFIG_PATHS
from rsspot.state.preferences import forget_profile, open_preferences
from rsspot.utils.serialization import digest
from rsspot.utils.text import did_you_mean

C = TypeVar("C", AsyncSpotClient, SpotClient)
OF_THE_FILE = ("config", "config_path", "state_path")

_guard = RLock()
_options: dict[str, Any] = {}
_made: dict[tuple[type[Any], str], tuple[Any, Mapping[str, Any]]] = {}
"""The clients, and what each was made of: options that are told apart by identity have to live as long."""
_retired: list[Any] = []
"""Clients that nobody gets any more, and that still have to be closed."""
READ_FROM = frozenset(
    {*(each for names in ALIASES.values() for each in names), *CONFIG_PATHS, "XDG_CONFIG_HOME", "HOME"}
)
"""Every variable that settings depend on."""


def configure(**options: Unpack[ClientOptions]) -> None:
    """Give every shared client these options, the arguments of AsyncSpotClient; with none, forget them.

    Clients that were got before stay as they are; the next `get_client()` gives others.
    """
    with _guard:
        _options.clear()
        _options.update(options)


def get_client(**options: Unpack[ClientOptions]) -> SpotClient:
    """The shared client of these options: of the arguments, `use_org` and its like, and `configure`, in that order."""
    return _shared(SpotClient, options)


def get_async_client(**options: Unpack[ClientOptions]) -> AsyncSpotClient:
    """The same for asyncio. It may be got and used in any number of loops, one after the other or at once."""
    return _shared(AsyncSpotClient, options)


async def aclose_all_clients() -> None:
    """Let go of everything that shared clients have opened in this loop, and of the clients.

    What threads without a loop have opened is let go as well; another loop's connections end with that loop.
    """
    _forget_made()
    with _guard:
        clients = list(_retired)
        _retired.clear()
    async with AsyncExitStack() as stack:
        # Each is let go of whatever becomes of the others.
        for client in clients:
            stack.push_async_callback(client.aclose)
            if running_loop() is not None:
                # A loop cannot close what threads without one have opened.
                stack.push_async_callback(asyncio.to_thread, _close_here, client)


def close_all_clients() -> None:
    """The same, where no loop runs."""
    if running_loop() is not None:
        raise RuntimeError("a loop is running: await aclose_all_clients() instead")
    drive(aclose_all_clients())


def list_profiles(
    *, config: ConfigFile | Mapping[str, Any] | None = None, config_path: Path | str | None = None
) -> list[str]:
    """The names of the profiles in the config file. Raises ConfigError."""
    from rsspot.config.files import parse

    if isinstance(config, ConfigFile):
        return sorted(config.profiles)
    if config is not None:
        return sorted(parse(config, "config").profiles)
    path = _file(config_path)
    return sorted(read(path).profiles) if path else []


def set_active_profile(name: str, *, config_path: Path | str | None = None) -> None:
    """Write into the config file which profile is used when none is named. Raises ConfigError for an unknown one."""
    _check_known(name, config_path)
    path = edit_in_use(os.environ, _given_file(config_path), {("activeProfile",): name})
    # A default that was remembered before would win over what has just been said.
    forget_profile(state_path_of(path, state_path=_options.get("state_path")))
    _forget_made()


def set_default_profile(name: str | None) -> None:
    """Remember in state.db which profile to use: over the config file, under the environment. None forgets."""
    if name is not None:
        _check_known(name, None)
    _remember("profile", name, of_profile=False)


def set_default_org(name: str | None) -> None:
    """Remember in state.db the organization of the profile in use; no other profile is touched. None forgets."""
    _remember("organization", name, of_profile=True)


def set_default_region(name: str | None) -> None:
    """Remember in state.db the region of the profile in use; no other profile is touched. None forgets."""
    _remember("region", name, of_profile=True)


def _shared(kind: type[C], options: Mapping[str, Any]) -> C:
    with _guard:
        whole = {**_options, **options}
        # What is chosen for this block beats what was configured for the whole program.
        beaten = {name for name in chosen() if name in _options and name not in options}
        whole = {name: value for name, value in whole.items() if name not in beaten}
        key = (kind, _key(whole))
        if key not in _made:
            _made[key] = (kind(**whole), whole)
        found: C = _made[key][0]
        return found


def _key(options: Mapping[str, Any]) -> str:
    """Tells sets of settings apart, by a digest: it is made of secrets too."""
    choices = {name: setting.value for name, setting in chosen().items()}
    environment = {name: value for name, value in os.environ.items() if name in READ_FROM}
    identities = {name: _identity(value) for name, value in options.items()}
    return digest([identities, choices, environment])


def _identity(value: Any) -> Any:
    """What tells an option apart: its value, or for what has no plain one the object that it is."""
    if isinstance(value, Path):
        return str(value)
    return value if isinstance(value, str | int | float | dict) else id(value)


def _remember(name: str, value: str | None, *, of_profile: bool) -> None:
    files: dict[str, Any] = {option: _options[option] for option in OF_THE_FILE if option in _options}
    files["config_path"] = _given_file(None)
    if not of_profile:
        # Which profile is in use may be just what has to be put right.
        open_preferences(state_path_of(**files)).remember(name, value)
    else:
        # What is chosen for this block beats what was configured for the whole program.
        configured = None if "profile" in chosen() else _options.get("profile")
        resolved = resolved_here(**files, profile=configured)
        open_preferences(resolved.state_path).remember(name, value, resolved.profile)
    _forget_made()


def _close_here(client: AsyncSpotClient | SpotClient) -> None:
    drive(client.aclose())


def _forget_made() -> None:
    """Shared clients that were made by an old choice are not what the next one asks for."""
    with _guard:
        _retired.extend(client for client, _ in _made.values())
        _made.clear()


def _check_known(name: str, config_path: Path | str | None) -> None:
    known = list_profiles(config=_options.get("config") if config_path is None else None, config_path=config_path)
    if name not in known:
        there = ", ".join(known) or "none"
        raise ConfigError(f"no profile {name!r}", hint=did_you_mean(name, known) or f"there are: {there}")


def _file(config_path: Path | str | None) -> Path | None:
    return config_file(os.environ, _given_file(config_path)) or legacy_file(os.environ)


def _given_file(config_path: Path | str | None) -> Path | None:
    given = config_path or _options.get("config_path")
    return Path(given) if given else None
