"""Stores refresh tokens in the operating system's keyring. Needs `rsspot[keyring]`, and only this file imports it."""

from __future__ import annotations

from typing import Any

from rsspot.errors import ConfigError

SERVICE = "rsspot"


def recall(profile: str) -> str | None:
    """The refresh token stored for a profile, if any. Raises ConfigError if the keyring cannot be used."""
    keyring = _library()
    try:
        token: str | None = keyring.get_password(SERVICE, profile)
    except keyring.errors.KeyringError as error:
        raise _unusable(error) from None
    return token


def keep(profile: str, refresh_token: str) -> None:
    """Store a refresh token for a profile. Raises ConfigError if the keyring cannot be used."""
    keyring = _library()
    try:
        keyring.set_password(SERVICE, profile, refresh_token)
    except keyring.errors.KeyringError as error:
        raise _unusable(error) from None


def forget(profile: str) -> None:
    """Delete the refresh token of a profile, if there is one. Raises ConfigError if the keyring cannot be used."""
    keyring = _library()
    try:
        keyring.delete_password(SERVICE, profile)
    except keyring.errors.PasswordDeleteError:
        return
    except keyring.errors.KeyringError as error:
        raise _unusable(error) from None


def _library() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise ConfigError("the keyring library is not installed", hint="pip install 'rsspot[keyring]'") from None
    return keyring


def _unusable(error: Exception) -> ConfigError:
    return ConfigError(
        f"the operating system's keyring cannot be used: {type(error).__name__}",
        hint="write the refresh token to the profile instead; only you can read that file",
    )
