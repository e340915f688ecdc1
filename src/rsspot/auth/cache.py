"""TokenCache: keeps id_tokens between runs, so that not every command has to log in. Does not refresh them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, closing, nullcontext, suppress
from pathlib import Path
from typing import Any

from rsspot.auth.grants import Grant
from rsspot.auth.token import Token
from rsspot.errors import AuthError
from rsspot.utils.clock import Clock
from rsspot.utils.files import LockFile, write_private
from rsspot.utils.reading import parse_json, read_text

LOCK_TIMEOUT = 35.0
"""How many seconds to wait while another process refreshes the same token. After that, refresh it anyway."""
LOCK_POLL_INTERVAL = 0.05
"""Seconds."""

Waiting = Callable[[str], AbstractContextManager[object]]
"""Makes a context manager that says what is waited for in its block."""


def untold(what: str) -> AbstractContextManager[object]:
    """Tells nobody what is waited for."""
    return nullcontext(what)


class TokenCache:
    """One private file per identity: login URL, client ID and refresh token. Its name is a digest of these.

    A profile without a refresh token has a file of its own, for the tokens of a device login.
    """

    def __init__(self, folder: Path, *identity: str) -> None:
        name = hashlib.sha256("\x1f".join(identity).encode()).hexdigest()[:32]
        self._file = folder / f"{name}.json"

    @classmethod
    def of_profile(cls, folder: Path, url: str, client_id: str, profile: str) -> TokenCache:
        """The tokens of the device logins of a profile that has no refresh token."""
        return cls(folder, url, client_id, "", profile)

    def load(self) -> Grant | None:
        """The cached tokens, or None if there are none or they cannot be read."""
        try:
            cached = parse_json(read_text(self._file))
            token, refresh_token = Token.parse(str(cached["id_token"])), cached.get("refresh_token")
        except (OSError, ValueError, KeyError, TypeError, AuthError):
            return None
        if token.expires_at is None:
            # It would be used in every run, even after the service has revoked it.
            return None
        rotated = refresh_token if isinstance(refresh_token, str) else None
        login = cached.get("login")
        return Grant(
            token,
            rotated,
            _seconds(cached, "lifetime"),
            _seconds(cached, "received_at"),
            login if isinstance(login, str) else None,
        )

    def save(self, grant: Grant) -> bool:
        """Write the tokens to the cache. Returns False if that fails, in which case the next run has to log in."""
        kept = {
            "id_token": grant.token.bearer,
            "refresh_token": grant.refresh_token,
            "lifetime": grant.lifetime,
            "received_at": grant.received_at,
            "login": grant.login,
        }
        try:
            write_private(self._file, json.dumps(kept))
        except OSError:
            return False
        return True

    def forget(self) -> None:
        """Delete the cached tokens of this identity."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    @asynccontextmanager
    async def exclusive(self, clock: Clock, waiting: Waiting = untold) -> AsyncIterator[None]:
        """Hold a lock that keeps other processes from refreshing the same token. waiting: hears of the wait for it

        Runs the body without the lock if the lock file cannot be created or the lock is not free in time.
        """
        try:
            lock = LockFile(self._file.with_suffix(".lock"))
        except OSError:
            yield
            return
        with closing(lock):
            with waiting("another process that renews the same token"):
                waited = 0.0
                while waited < LOCK_TIMEOUT and not lock.acquire(wait=False):
                    await clock.sleep(LOCK_POLL_INTERVAL)
                    waited += LOCK_POLL_INTERVAL
            yield


def _seconds(cached: dict[str, Any], name: str) -> float | None:
    value = cached.get(name)
    return float(value) if isinstance(value, int | float) else None
