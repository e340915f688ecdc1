"""TokenCache: id_tokens kept between runs, so that a command costs no login. Refreshes nothing itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from rsspot.auth.grants import Grant
from rsspot.auth.token import Token
from rsspot.errors import AuthError
from rsspot.utils.clock import Clock
from rsspot.utils.files import LockFile, write_private

PATIENCE = 35.0
"""Seconds to wait for another process that is refreshing the same token; then refresh all the same."""
LOOK_AGAIN = 0.05


class TokenCache:
    """A private file for each identity: login host, client and refresh token. Its name is a digest of these."""

    def __init__(self, folder: Path, *identity: str) -> None:
        name = hashlib.sha256("\x1f".join(identity).encode()).hexdigest()[:32]
        self._file = folder / f"{name}.json"

    def load(self) -> Grant | None:
        """What was kept; None when there is nothing, or nothing that can be read."""
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            token, refresh_token = Token.parse(str(kept["id_token"])), kept.get("refresh_token")
        except (OSError, ValueError, KeyError, TypeError, AuthError):
            return None
        # One that does not say how long it holds would be tried for ever.
        return Grant(token, refresh_token if isinstance(refresh_token, str) else None) if token.expires_at else None

    def save(self, grant: Grant) -> bool:
        """Keep a token; False where nothing can be written, which costs a login next time."""
        text = json.dumps({"id_token": grant.token.bearer, "refresh_token": grant.refresh_token})
        try:
            write_private(self._file, text)
        except OSError:
            return False
        return True

    def forget(self) -> None:
        """Keep nothing of this identity any more."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    @asynccontextmanager
    async def alone(self, clock: Clock) -> AsyncIterator[None]:
        """Keep other processes from refreshing the same token meanwhile, as far as files can be locked here."""
        try:
            lock = LockFile(self._file.with_suffix(".lock"))
        except OSError:
            yield
            return
        with closing(lock):
            waited = 0.0
            while waited < PATIENCE and not lock.acquire(wait=False):
                await clock.sleep(LOOK_AGAIN)
                waited += LOOK_AGAIN
            yield
