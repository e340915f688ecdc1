"""Persona: who a token says we are. Believes the token; the service is who checks it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rsspot.auth.token import Token


@dataclass(frozen=True)
class Persona:
    """Source: the claims of the id_token. `until` is when it expires; it is renewed before.

    organization_id is the login service's spelling, namespace the API's, of the organization the token was made for.
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
        """Who this token is of."""

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
