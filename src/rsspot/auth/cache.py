"""TokenCache: id_tokens kept between runs, so that a command costs no login. Refreshes nothing itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from rsspot.auth.token import Token
from rsspot.utils import write_private


@dataclass(frozen=True)
class Kept:
    """What is kept: the bearer, and the refresh token that replaced the configured one, if the service rotates them."""

    token: Token
    refresh_token: str | None = None


class TokenCache:
    """A private file for each identity: login host, client and refresh token. Its name is a digest of these."""

    def __init__(self, folder: Path, *identity: str) -> None:
        name = hashlib.sha256("\x1f".join(identity).encode()).hexdigest()[:32]
        self._file = folder / f"{name}.json"

    def load(self) -> Kept | None:
        """What was kept; None when there is nothing, or nothing that can be read."""
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            token = Token.parse(str(kept["id_token"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        # One that does not say how long it holds would be tried for ever.
        return Kept(token, kept.get("refresh_token")) if token.expires_at else None

    def save(self, kept: Kept) -> None:
        """Keep a token. A place that cannot be written costs a login next time, and nothing else."""
        text = json.dumps({"id_token": kept.token.bearer, "refresh_token": kept.refresh_token})
        try:
            write_private(self._file, text)
        except OSError:
            return
