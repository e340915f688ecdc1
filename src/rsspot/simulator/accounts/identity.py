"""The gateway in front of the API: issues tokens and identifies callers by them.

People and organizations are in `people`, refresh tokens in `refresh`, device logins in `device`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from rsspot.simulator.accounts import device
from rsspot.simulator.accounts.device import DeviceLogins, refused
from rsspot.simulator.accounts.people import Accounts, Caller, Tenant
from rsspot.simulator.accounts.refresh import RefreshTokens
from rsspot.simulator.accounts.signing import KEY_ID, is_signature, key_set, signature
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.apiserver.store import Store

ISSUER = "https://login.spot.rackspace.com/"
LIFETIME = 86_400
PASSWORD = 24
"""Length of a password."""
CLIENT_ID = "mwG3lUMV8KyeMqHe4fJ5Bb3nM1vBvRNa"


class Denied(Exception):
    """The gateway's refusal, before the request reaches Kubernetes: a 401 in plain text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.response = Response.of_text(401, text)


class Identity:
    """Issues and checks tokens.

    now: the wall clock that tokens expire by · store, lock: those of the world, for state that outlives the process
    lifetime: of tokens, in seconds · rotate: whether a refresh issues a new refresh token and revokes the old one
    """

    def __init__(
        self,
        seed: int,
        accounts: Accounts,
        now: Callable[[], float],
        store: Store,
        lock: AbstractContextManager[object],
        *,
        lifetime: int = LIFETIME,
        rotate: bool = False,
    ) -> None:
        self._key = hashlib.sha256(f"rsspot-simulator-{seed}".encode()).digest()
        self.accounts = accounts
        self._now = now
        self.lifetime = lifetime
        self.rotate = rotate
        self.refresh = RefreshTokens(self._key, store, accounts)
        self.device = DeviceLogins(seed, self._key, store, lock, accounts, now)

    def token_endpoint(self, request: Request) -> Response:
        """POST /oauth/token with the refresh token grant or the device code grant."""
        form = request.form()
        if form.get("grant_type") == device.GRANT:
            return self._logged_in(form, request.origin)
        token = form.get("refresh_token", "")
        caller = self.refresh.owner(token)
        if caller is None or form.get("grant_type") != "refresh_token":
            return refused(401, "access_denied", "Unauthorized")
        answer = self._tokens(caller, device.USUAL_SCOPE, request.origin)
        if self.rotate:
            self.refresh.retire(token)
            answer["refresh_token"] = self.refresh.fresh(caller)
        return Response.of_json(200, answer)

    def _logged_in(self, form: dict[str, str], origin: str) -> Response:
        """Answer the device code grant. A refresh token is issued only with the scope offline_access."""
        login = self.device.redeem(form)
        if isinstance(login, Response):
            return login
        caller = self.accounts.caller(login.person, login.organization)
        if caller is None:
            return refused(403, "access_denied", "The person is not a member of the organization.")
        answer = self._tokens(caller, login.scope, origin)
        if "offline_access" in login.scope.split():
            answer["refresh_token"] = self.refresh.fresh(caller)
        return Response.of_json(200, answer)

    def _tokens(self, caller: Caller, scope: str, origin: str) -> dict[str, Any]:
        return {
            "access_token": self._access_token(caller),
            "id_token": self._signed(caller, f"{origin}/"),
            "scope": scope,
            "expires_in": self.lifetime,
            "token_type": "Bearer",
        }

    def _access_token(self, caller: Caller) -> str:
        """An access token: opaque, as on the service, and valid for /userinfo only."""
        about = f"access/{caller.organization.id}/{caller.person.email}"
        return base64.urlsafe_b64encode(hmac.digest(self._key, about.encode(), "sha256")).decode().rstrip("=")

    def password(self, caller: Caller) -> str:
        """What a kubeconfig identifies its user by. It does not expire, unlike an id_token.

        The gateway accepts it as a bearer token, and as a password from clients that send no tokens over plain HTTP.
        """
        return self._access_token(caller)[:PASSWORD]

    def id_token(self, whose: Caller | Tenant) -> str:
        """An id_token of a caller, or of an organization's first member, with the issuer of the real service."""
        caller = whose if isinstance(whose, Caller) else Caller(self.accounts.members(whose)[0], whose)
        return self._signed(caller, ISSUER)

    def _signed(self, caller: Caller, issuer: str) -> str:
        """A signed token with the documented claims."""
        now = int(self._now())
        claims = {
            "iss": issuer,
            "aud": CLIENT_ID,
            **_person_claims(caller),
            "group": caller.group,
            "iat": now,
            "exp": now + self.lifetime,
        }
        signed = f"{_encoded({'alg': 'RS256', 'typ': 'JWT', 'kid': KEY_ID})}.{_encoded(claims)}"
        return f"{signed}.{base64.urlsafe_b64encode(signature(signed.encode())).decode().rstrip('=')}"

    def caller(self, request: Request) -> Caller:
        """Authenticate a request. Raises Denied with the gateway's message."""
        header = request.headers.get("authorization", "")
        bearer = _bearer(header)
        if not bearer:
            raise Denied("Jwt is missing")
        if len(bearer) == PASSWORD and (known := self._with_password(bearer)):
            return known
        if bearer.count(".") != 2:
            raise Denied("Jwt is not in the form of Header.Payload.Signature")
        claims = _verified(bearer)
        if claims is None:
            raise Denied("Jwt verification fails")
        if claims["exp"] <= self._now():
            raise Denied("Jwt is expired")
        caller = self.accounts.caller(claims["email"], claims["org_id"])
        if caller is None:
            # All worlds share one signing key, so a valid token can come from another world.
            raise Denied("Jwt verification fails")
        return caller

    def _with_password(self, password: str) -> Caller | None:
        given = password.encode()
        callers = self.accounts.callers()
        return next((each for each in callers if hmac.compare_digest(self.password(each).encode(), given)), None)

    def organizations_endpoint(self, caller: Caller) -> Response:
        """GET /apis/auth.ngpc.rxt.io/v1/organizations: all organizations of the person, not only the token's."""
        listed = [
            {"id": o.id, "name": o.name, "display_name": o.name.title(), "metadata": {"namespace": o.namespace}}
            for o in self.accounts.organizations
            if o.id in caller.person.groups
        ]
        paging = {"start": 0, "limit": 50, "length": len(listed), "total": len(listed), "next": ""}
        return Response.of_json(200, {**paging, "organizations": listed})

    def userinfo_endpoint(self, request: Request) -> Response:
        """GET /userinfo: the person that an access_token or id_token belongs to."""
        bearer = _bearer(request.headers.get("authorization", "")).encode()
        known = (
            each for each in self.accounts.callers() if hmac.compare_digest(self._access_token(each).encode(), bearer)
        )
        return Response.of_json(200, _person_claims(next(known, None) or self.caller(request)))

    def configuration_endpoint(self, request: Request) -> Response:
        """GET /.well-known/openid-configuration"""
        at = request.origin
        answer = {
            "issuer": f"{at}/",
            "token_endpoint": f"{at}/oauth/token",
            "device_authorization_endpoint": f"{at}/oauth/device/code",
            "userinfo_endpoint": f"{at}/userinfo",
            "jwks_uri": f"{at}/.well-known/jwks.json",
            "grant_types_supported": ["refresh_token", device.GRANT],
            "scopes_supported": device.USUAL_SCOPE.split(),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["none"],
        }
        return Response.of_json(200, answer)

    def keys_endpoint(self, _: Request) -> Response:
        """GET /.well-known/jwks.json"""
        return Response.of_json(200, key_set())


def _person_claims(caller: Caller) -> dict[str, Any]:
    person = caller.person
    about = {"sub": person.subject, "email": person.email, "email_verified": True}
    return {**about, "org_id": caller.organization.id}


@lru_cache(maxsize=256)
def _verified(bearer: str) -> dict[str, Any] | None:
    """The claims of a token with a valid signature. Cached, because clients send the same token every time."""
    signed, _, claimed = bearer.rpartition(".")
    try:
        if not is_signature(signed.encode(), _decoded(claimed)):
            return None
        claims = json.loads(_decoded(signed.split(".")[1]))
    except ValueError:
        return None
    known = isinstance(claims, dict) and all(key in claims for key in ("exp", "email", "org_id"))
    return claims if known else None


def _bearer(header: str) -> str:
    """The token in an Authorization header, or the password of basic authentication, which kubectl uses over HTTP."""
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
