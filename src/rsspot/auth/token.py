"""Token: an id_token and what it says of itself. Nothing is verified here: the service does that."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rsspot.errors import AuthError

MARGIN = timedelta(seconds=60)
"""How long before its expiry a token is renewed."""


@dataclass(frozen=True)
class Token:
    """A bearer and its claims. `expires_at` is None when the token does not say."""

    bearer: str = field(repr=False)
    claims: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, bearer: str) -> Token:
        """Read the claims of a JWT; an opaque token has none. Blanks around it are not of it.

        Raises AuthError, quoting nothing, for what cannot stand in a header.
        """
        bearer = bearer.strip()
        if not bearer.isascii() or not bearer.isprintable() or " " in bearer:
            raise AuthError("invalid token: it contains spaces or characters that tokens never have")
        parts = bearer.split(".")
        if len(parts) != 3:
            return cls(bearer)
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        except (ValueError, binascii.Error):
            return cls(bearer)
        return cls(bearer, claims if isinstance(claims, dict) else {})

    @property
    def expires_at(self) -> datetime | None:
        seconds = self.claims.get("exp")
        if not isinstance(seconds, int | float):
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, OSError, ValueError):
            return None

    @property
    def organization(self) -> str | None:
        """The namespace of the organization the token was made for."""
        organization = self.claims.get("org_id")
        return namespace_of(organization) if isinstance(organization, str) else None

    def fresh(self, now: datetime, margin: timedelta = MARGIN) -> bool:
        """Whether it can still be used for a while."""
        return self.expires_at is None or now + margin < self.expires_at


def namespace_of(organization_id: str) -> str:
    """An organization's namespace from its id: lower case, `_` becomes `-`."""
    return organization_id.lower().replace("_", "-")
