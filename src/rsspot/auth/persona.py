"""Persona: the user that a token names. Trusts the token: verifying it is up to the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rsspot.auth.token import Token


@dataclass(frozen=True)
class Persona:
    """A user, read from the claims of an id_token. `until` is when that token expires; it is renewed before then.

    organization_id and namespace name the organization the token was issued for: the first is what the login service
    calls it, the second what the API calls it.
    """

    email: str | None
    subject: str | None
    organization_id: str | None
    namespace: str | None
    group: str | None
    issuer: str | None
    until: datetime | None

    @classmethod
    def of(cls, token: Token) -> Persona:
        """The user whose token this is."""

        def claim(name: str) -> str | None:
            value = token.claims.get(name)
            return value if isinstance(value, str) else None

        return cls(
            email=claim("email"),
            subject=claim("sub"),
            organization_id=claim("org_id"),
            namespace=token.organization,
            group=claim("group"),
            issuer=claim("iss"),
            until=token.expires_at,
        )
