"""Token: an id_token and its claims. Does not verify it: the service does."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rsspot.errors import AuthError
from rsspot.utils.reading import parse_json
from rsspot.utils.tokens import is_token, trimmed


@dataclass(frozen=True)
class Token:
    """A bearer token and its claims. `expires_at` is None if the token has no valid expiry claim."""

    bearer: str = field(repr=False)
    claims: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, bearer: str) -> Token:
        """Read the claims of a JWT. An opaque token has none. Surrounding whitespace is removed.

        Raises AuthError if the token is not valid in a header. The message does not quote it.
        """
        bearer = trimmed(bearer)
        if bearer and not is_token(bearer):
            raise AuthError("invalid token: it contains spaces or characters that tokens never have")
        parts = bearer.split(".")
        if len(parts) != 3:
            return cls(bearer)
        try:
            claims = parse_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        except ValueError:
            return cls(bearer)
        return cls(bearer, claims if isinstance(claims, dict) else {})

    @property
    def expires_at(self) -> datetime | None:
        return self._time("exp")

    @property
    def issued_at(self) -> datetime | None:
        """By the service's clock. None if the token does not say."""
        return self._time("iat")

    @property
    def organization(self) -> str | None:
        """The namespace of the organization that the token was issued for."""
        organization = self.claims.get("org_id")
        return namespace_of(organization) if isinstance(organization, str) else None

    def _time(self, claim: str) -> datetime | None:
        seconds = self.claims.get(claim)
        if not isinstance(seconds, int | float):
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, OSError, ValueError):
            return None


def namespace_of(organization_id: str) -> str:
    """An organization's namespace from its id: lower case, `_` becomes `-`."""
    return organization_id.lower().replace("_", "-")
