"""Which store keeps the refresh token of a profile, and the token in it. Sends nothing."""

from __future__ import annotations

from rsspot.auth.stores import STORES, CredentialStore, Edit, StoreSettings
from rsspot.config.loader import Resolved
from rsspot.config.models import Profile


def store_name(options: Profile) -> str:
    """The store that a profile chooses: the keyring or a program if it says so, and else the config file."""
    if options.keyring:
        return "keyring"
    return "command" if options.credential_command else "file"


def store_of(resolved: Resolved, name: str | None = None, edit: Edit = lambda keys: None) -> CredentialStore:
    """The store of a profile. name: another one than the profile chooses · edit: writes to its config file"""
    options = resolved.options
    token = options.refresh_token.get_secret_value() if options.refresh_token else None
    settings = StoreSettings(resolved.profile, token, tuple(options.credential_command or ()), edit)
    return STORES[name or store_name(options)](settings)


def refresh_token_of(resolved: Resolved) -> str | None:
    """The refresh token in effect: the one that is written down, or else what the store of the profile has."""
    written = store_of(resolved, "file").recall()
    return written if written is not None else store_of(resolved).recall()
