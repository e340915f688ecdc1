"""Who may speak: organisations, refresh tokens and the id_tokens made from them. The gateway in front of the API."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from rsspot.simulator.messages import Request, Response

LIFETIME = 86_400
CLIENT_ID = "mwG3lUMV8KyeMqHe4fJ5Bb3nM1vBvRNa"
SANDBOX_ORGANIZATION = "sandbox"
SANDBOX_TOKEN = "sandbox-refresh-token"


@dataclass(frozen=True)
class Organization:
    """id as the login service spells it; its namespace is derived."""

    id: str
    name: str
    refresh_token: str

    @property
    def namespace(self) -> str:
        return self.id.lower().replace("_", "-")


def default_organization(refresh_token: str = SANDBOX_TOKEN) -> Organization:
    """The one organisation of a world that nobody set up."""
    return Organization("org_Sandbox000000001", SANDBOX_ORGANIZATION, refresh_token)


class Denied(Exception):
    """What the gateway answers before Kubernetes hears of it: a 401 in plain text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.response = Response.of_text(401, text)


class Identity:
    """Issues and checks tokens. `now`: the wall time that expiries go by."""

    def __init__(
        self, seed: int, organizations: list[Organization], now: Callable[[], float], lifetime: int = LIFETIME
    ) -> None:
        self._key = hashlib.sha256(f"rsspot-simulator-{seed}".encode()).digest()
        self._organizations = organizations
        self._now = now
        self.lifetime = lifetime

    def token_endpoint(self, request: Request) -> Response:
        """POST /oauth/token with the refresh grant."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
        organization = next((o for o in self._organizations if o.refresh_token == form.get("refresh_token")), None)
        if organization is None or form.get("grant_type") != "refresh_token":
            return Response.of_json(401, {"error": "access_denied", "error_description": "Unauthorized"})
        answer = {
            "access_token": base64.urlsafe_b64encode(hashlib.sha256(self._key).digest()).decode().rstrip("="),
            "id_token": self.id_token(organization),
            "scope": "openid profile email offline_access",
            "expires_in": self.lifetime,
            "token_type": "Bearer",
        }
        return Response.of_json(200, answer)

    def id_token(self, organization: Organization) -> str:
        """A signed token with the documented claims."""
        now = int(self._now())
        claims = {
            "iss": "https://login.spot.rackspace.com/",
            "aud": CLIENT_ID,
            "sub": "auth0|sandbox",
            "email": "sandbox@example.com",
            "email_verified": True,
            "org_id": organization.id,
            "group": "cloudspace-admin",
            "iat": now,
            "exp": now + self.lifetime,
        }
        signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def caller(self, request: Request) -> Organization:
        """The organisation a request speaks for. Raises Denied in the gateway's words."""
        bearer = _bearer(request.headers.get("authorization", ""))
        if not bearer:
            raise Denied("Jwt is missing")
        signed, _, signature = bearer.rpartition(".")
        if signed.count(".") != 1:
            raise Denied("Jwt is not in the form of Header.Payload.Signature")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            raise Denied("Jwt verification fails")
        claims = json.loads(_decoded(signed.split(".")[1]))
        if claims["exp"] <= self._now():
            raise Denied("Jwt is expired")
        return next(each for each in self._organizations if each.id == claims["org_id"])

    def organizations_endpoint(self) -> Response:
        """GET /apis/auth.ngpc.rxt.io/v1/organizations: all of the user's, not only the token's."""
        listed = [
            {"id": o.id, "name": o.name, "display_name": o.name.title(), "metadata": {"namespace": o.namespace}}
            for o in self._organizations
        ]
        paging = {"start": 0, "limit": 50, "length": len(listed), "total": len(listed), "next": ""}
        return Response.of_json(200, {**paging, "organizations": listed})

    def _signature(self, signed: str) -> str:
        return base64.urlsafe_b64encode(hmac.digest(self._key, signed.encode(), "sha256")).decode().rstrip("=")


def _bearer(header: str) -> str:
    """The token of an Authorization header; for kubectl over plain http, the password of a basic one."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode("ascii", "replace").partition(":")[2]
        except ValueError:
            return ""
    return value.strip() if scheme.lower() == "bearer" else ""


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
