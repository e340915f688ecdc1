"""Who may speak: organisations, and the tokens made for them. The gateway in front of the API.

Refresh tokens are kept in `refresh`; logins on another device happen in `device`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rsspot.simulator.accounts import device
from rsspot.simulator.accounts.device import DeviceLogins, refused
from rsspot.simulator.accounts.refresh import RefreshTokens
from rsspot.simulator.machinery.messages import Request, Response
from rsspot.simulator.machinery.store import Store

ISSUER = "https://login.spot.rackspace.com/"
LIFETIME = 86_400
CLIENT_ID = "mwG3lUMV8KyeMqHe4fJ5Bb3nM1vBvRNa"
SANDBOX_ORGANIZATION = "sandbox"
SANDBOX_TOKEN = "sandbox-refresh-token"
PERSON = {"sub": "auth0|sandbox", "email": "sandbox@example.com", "email_verified": True}


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
    """Issues and checks tokens.

    now: the wall time that expiries go by · store, lock: of the world, for what must outlive a process
    rotate: whether a refresh answers with a new refresh token and ends the old one
    """

    def __init__(
        self,
        seed: int,
        organizations: list[Organization],
        now: Callable[[], float],
        store: Store,
        lock: AbstractContextManager[object],
        *,
        lifetime: int = LIFETIME,
        rotate: bool = False,
    ) -> None:
        self._key = hashlib.sha256(f"rsspot-simulator-{seed}".encode()).digest()
        self._organizations = organizations
        self._now = now
        self.lifetime = lifetime
        self.rotate = rotate
        self.refresh = RefreshTokens(self._key, store, organizations)
        self.device = DeviceLogins(seed, self._key, store, lock, organizations, now)

    def token_endpoint(self, request: Request) -> Response:
        """POST /oauth/token with the refresh grant or the one for device codes."""
        form = request.form()
        if form.get("grant_type") == device.GRANT:
            return self._logged_in(form)
        token = form.get("refresh_token", "")
        organization = self.refresh.owner(token)
        if organization is None or form.get("grant_type") != "refresh_token":
            return refused(401, "access_denied", "Unauthorized")
        answer = self._tokens(organization, device.USUAL_SCOPE)
        if self.rotate:
            self.refresh.retire(token)
            answer["refresh_token"] = self.refresh.fresh(organization)
        return Response.of_json(200, answer)

    def _logged_in(self, form: dict[str, str]) -> Response:
        """A refresh token comes with offline access only."""
        login = self.device.redeem(form)
        if isinstance(login, Response):
            return login
        organization = next(each for each in self._organizations if each.id == login.organization)
        answer = self._tokens(organization, login.scope)
        if "offline_access" in login.scope.split():
            answer["refresh_token"] = self.refresh.fresh(organization)
        return Response.of_json(200, answer)

    def _tokens(self, organization: Organization, scope: str) -> dict[str, Any]:
        return {
            "access_token": self._access_token(organization),
            "id_token": self.id_token(organization),
            "scope": scope,
            "expires_in": self.lifetime,
            "token_type": "Bearer",
        }

    def _access_token(self, organization: Organization) -> str:
        """Opaque, as on the service; good for /userinfo alone."""
        return self._signature(f"access/{organization.id}")

    def id_token(self, organization: Organization) -> str:
        """A signed token with the documented claims."""
        now = int(self._now())
        claims = {
            "iss": ISSUER,
            "aud": CLIENT_ID,
            **PERSON,
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

    def userinfo_endpoint(self, request: Request) -> Response:
        """GET /userinfo: the person behind an access_token, or behind an id_token."""
        bearer = _bearer(request.headers.get("authorization", ""))
        known = (o for o in self._organizations if hmac.compare_digest(self._access_token(o).encode(), bearer.encode()))
        organization = next(known, None) or self.caller(request)
        return Response.of_json(200, {**PERSON, "org_id": organization.id})

    def configuration_endpoint(self, request: Request) -> Response:
        """GET /.well-known/openid-configuration, without keys: the tokens are signed with a secret one."""
        at = request.origin
        answer = {
            "issuer": ISSUER,
            "token_endpoint": f"{at}/oauth/token",
            "device_authorization_endpoint": f"{at}/oauth/device/code",
            "userinfo_endpoint": f"{at}/userinfo",
            "grant_types_supported": ["refresh_token", device.GRANT],
            "scopes_supported": device.USUAL_SCOPE.split(),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256"],
            "token_endpoint_auth_methods_supported": ["none"],
        }
        return Response.of_json(200, answer)

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
