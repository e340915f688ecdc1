"""Keyrings for tests: one in memory, and one that stays locked."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError, PasswordSetError

CANARY = "canary-refresh-token"


class InMemory(KeyringBackend):
    """A keyring for tests. Its priority keeps the library from choosing it by default."""

    priority = -1

    def __init__(self) -> None:
        super().__init__()
        self.passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.passwords:
            raise PasswordDeleteError("no such password")
        del self.passwords[service, username]


class Locked(InMemory):
    """A keyring that stays locked. Its errors contain the token."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(CANARY)

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError(f"could not store {password}")

    def delete_password(self, service: str, username: str) -> None:
        raise KeyringLocked(CANARY)


def using(backend: KeyringBackend) -> Iterator[KeyringBackend]:
    """Make the library use this keyring, then restore the original one."""
    original = keyring.get_keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(original)
