"""Where the refresh token of a profile is kept: the config file, the system's keyring, or a program that prints it.

`STORES` has the three by name, and a profile chooses one (`client.credentials`). A client also takes a store of the
caller's own: any object with the attributes of `CredentialStore`. Reads and writes no config file itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rsspot.auth import keyring
from rsspot.errors import ConfigError


class CredentialStore(Protocol):
    """Keeps one refresh token. Its methods raise ConfigError, without quoting the token, if the store is unusable."""

    @property
    def read_only(self) -> bool:
        """Whether the token can only be read; then nobody calls `keep` or `forget`."""
        ...

    def recall(self) -> str | None:
        """The refresh token, or None if there is none."""
        ...

    def keep(self, refresh_token: str) -> None:
        """Store a token instead of the one before."""
        ...

    def forget(self) -> None:
        """Delete the token, if there is one."""
        ...


Edit = Callable[[Mapping[str, object]], object]
"""Sets keys of a profile in its config file. The value None removes a key."""


NO_CREDENTIAL: Mapping[str, object] = dict.fromkeys(
    ("refreshToken", "refreshTokenFile", "accessToken", "keyring", "credentialCommand")
)
"""The edit that removes every credential of a profile. One that stayed could take precedence over a new one."""


@dataclass(frozen=True)
class StoreSettings:
    """What a profile says about its refresh token. command: see `auth.command`"""

    profile: str
    refresh_token: str | None = field(default=None, repr=False)
    command: tuple[str, ...] = field(default=(), repr=False)
    edit: Edit = lambda keys: None


class FileStore:
    """The refresh token as a key of the profile in the config file, which only its owner can read."""

    read_only = False

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings

    def recall(self) -> str | None:
        return self._settings.refresh_token

    def keep(self, refresh_token: str) -> None:
        self._settings.edit({**NO_CREDENTIAL, "refreshToken": refresh_token})

    def forget(self) -> None:
        self._settings.edit({"refreshToken": None, "accessToken": None})


class KeyringStore:
    """The refresh token in the operating system's keyring. The profile only says so."""

    read_only = False

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings

    def recall(self) -> str | None:
        return keyring.recall(self._settings.profile)

    def keep(self, refresh_token: str) -> None:
        keyring.keep(self._settings.profile, refresh_token)
        self._settings.edit({**NO_CREDENTIAL, "keyring": True})

    def forget(self) -> None:
        # The profile still names the keyring, where the next login belongs.
        self._settings.edit({"accessToken": None})
        keyring.forget(self._settings.profile)


class CommandStore:
    """The refresh token as a program prints it, such as a password manager. The program alone changes it."""

    read_only = True

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings

    def recall(self) -> str | None:
        from rsspot.auth.command import printed_token

        return printed_token(self._settings.command) if self._settings.command else None

    def keep(self, refresh_token: str) -> None:
        raise ConfigError("a credential command can only be read from")

    def forget(self) -> None:
        raise ConfigError("a credential command can only be read from")


STORES: dict[str, Callable[[StoreSettings], CredentialStore]] = {
    "file": FileStore,
    "keyring": KeyringStore,
    "command": CommandStore,
}
"""The stores by name."""
