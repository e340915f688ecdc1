"""Log in and out of a profile, as functions that a script can call like the CLI does. Prints nothing.

    login = await log_in(resolve(...), show_invitation)
    log_out(resolve(...))

A login is approved by a person in a browser; the refresh token that comes of it is stored in the profile.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rsspot.auth import device
from rsspot.auth.cache import TokenCache
from rsspot.auth.device import Invitation
from rsspot.auth.grants import Grant, Issuer
from rsspot.auth.stores import STORES, CredentialStore, Edit, StoreSettings
from rsspot.client.credentials import store_name, store_of
from rsspot.client.factory import transport_options_of
from rsspot.config.files import legacy_file, read
from rsspot.config.loader import Resolved
from rsspot.config.manager import edit_in_use
from rsspot.config.models import Profile
from rsspot.config.problems import Keys
from rsspot.errors import ConfigError
from rsspot.http.hooks import Hooks
from rsspot.http.transport import SpotTransport
from rsspot.utils.clock import Clock, SystemClock

log = logging.getLogger("rsspot.auth")

APPROVAL = "the login to be approved in a browser"


@dataclass(frozen=True)
class LoggedIn:
    """Who logged in to which profile. until: when the access token expires, aware, in UTC"""

    profile: str
    email: str | None
    until: datetime | None


async def log_in(
    resolved: Resolved,
    invite: Callable[[Invitation], None],
    *,
    store: CredentialStore | str | None = None,
    token_folder: Path | None = None,
    clock: Clock | None = None,
    environ: Mapping[str, str] = os.environ,
    config_file: Path | None = None,
    hooks: Hooks | None = None,
) -> LoggedIn:
    """Have a person approve a login, and store its refresh token.

    invite: shows the person where to go and which code to compare · hooks: see every request
    store: where to store it: one of `STORES` by name, or the caller's own; by default the one of the profile
    token_folder: where access tokens are cached · config_file: the one to write, where it is not the usual one
    hooks: hear of the wait for the approval
    Raises AuthError for a login that was refused or not approved in time, ConfigError when it cannot be stored.
    """
    before = store_name(resolved.options)
    # A store of the caller's own changes nothing in the profile.
    after = before if store is not None and not isinstance(store, str) else store or before
    if store is None or isinstance(store, str):
        store = store_of(resolved, store, _editing(resolved.profile, environ, config_file))
    _require_writable(store)
    grant = await _device_login(resolved, invite, clock or SystemClock(), hooks or Hooks())
    if grant.refresh_token is None:
        hint = "create one in the console under API Access"
        raise ConfigError("the login service returned no refresh token", hint=hint)
    forget_access_tokens(resolved, token_folder)
    store.keep(grant.refresh_token)
    forget_moved(resolved.profile, before, after)
    return LoggedIn(resolved.profile, grant.token.claims.get("email"), grant.token.expires_at)


def log_out(
    resolved: Resolved,
    *,
    token_folder: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    config_file: Path | None = None,
) -> None:
    """Remove the tokens of the profile from every store that can be written, and the access tokens cached for it.

    Those of the environment stay.
    """
    forget_access_tokens(resolved, token_folder)
    is_ours = resolved.config_file is not None and resolved.config_file != legacy_file(environ)
    edit = _editing(resolved.profile, environ, config_file) if is_ours else lambda keys: None
    used = ("file", store_name(resolved.options))
    for name in STORES:
        store = store_of(resolved, name, edit)
        # There may be no keyring here, which matters only to a profile that says it is used.
        with nullcontext() if name in used else suppress(ConfigError):
            if not store.read_only:
                store.forget()


def stored_token(profile: str, token: str, *, keyring: bool) -> dict[Keys, Any]:
    """Put a refresh token into the keyring if asked to; gives the changes that the config file needs for it."""
    changes: dict[Keys, Any] = {}
    settings = StoreSettings(profile, edit=lambda keys: changes.update(_in_profile(profile, keys)))
    STORES["keyring" if keyring else "file"](settings).keep(token)
    return changes


def forget_moved(profile: str, before: str, after: str) -> None:
    """Delete the refresh token from the store that a profile used before, once another one has the new token.

    What of it stands in the config file has gone with the edit that names the new store.
    """
    old = STORES[before](StoreSettings(profile))
    if before == after or old.read_only:
        return
    try:
        old.forget()
    except ConfigError as error:
        log.warning("the old refresh token of profile %r could not be removed: %s", profile, error)


def stored_in(profile: str, path: Path | None) -> str:
    """The store that a profile of a config file names."""
    profiles = read(path).profiles if path else {}
    return store_name(profiles.get(profile) or Profile())


def forget_access_tokens(resolved: Resolved, token_folder: Path | None) -> None:
    """Delete the cached access tokens of a profile: of the refresh token in effect, and of those it stores itself."""
    options = resolved.options
    profile = read(resolved.config_file).profiles.get(resolved.profile) if resolved.config_file else None
    secrets = [source.refresh_token for source in (options, profile) if source and source.refresh_token]
    tokens = {secret.get_secret_value() for secret in secrets}
    with suppress(ConfigError):
        # A store that cannot be used must not keep anybody from logging in again.
        tokens.add(store_of(resolved).recall() or "")
    if token_folder is None:
        return
    for token in tokens - {""}:
        TokenCache(token_folder, options.oauth_url, options.client_id, token).forget()
    TokenCache.of_profile(token_folder, options.oauth_url, options.client_id, resolved.profile).forget()


def _editing(profile: str, environ: Mapping[str, str], config_file: Path | None) -> Edit:
    """Sets keys of a profile in the config file in use."""
    return lambda keys: edit_in_use(environ, config_file, _in_profile(profile, keys))


def _in_profile(profile: str, keys: Mapping[str, object]) -> dict[Keys, object]:
    """Changes to a profile as changes to the config file."""
    return {("profiles", profile, key): value for key, value in keys.items()}


def _require_writable(store: CredentialStore) -> None:
    """Fail before a person approves a login whose token could not be stored."""
    if store.read_only:
        raise ConfigError(
            "the refresh token of this profile comes from a program (credentialCommand), which alone can change it",
            hint="choose another store: `rsspot login --store file` or `--store keyring`",
        )
    store.recall()


async def _device_login(resolved: Resolved, invite: Callable[[Invitation], None], clock: Clock, hooks: Hooks) -> Grant:
    options = resolved.options
    # Login requests carry no credentials, hence no signer.
    transport = SpotTransport(options.oauth_url, None, clock, options=transport_options_of(options), hooks=hooks)
    try:
        issuer = Issuer(options.oauth_url, options.client_id)
        send = transport.transport.handle_async_request
        with hooks.waiting(APPROVAL):
            return await device.log_in(issuer, send, clock, invite, resolved.get("organization"))
    finally:
        await transport.aclose()
