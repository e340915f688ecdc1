"""Refresh tokens: issuing, lookup and revocation. Kept in the store as hashes.

The tokens that people are configured with are valid from the start; logins and rotation issue more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from rsspot.simulator.accounts.people import Accounts, Caller
from rsspot.simulator.apiserver.store import Store

RETIRED = ""


class RefreshTokens:
    """The refresh tokens of a world. key: the secret that new tokens derive from"""

    def __init__(self, key: bytes, store: Store, accounts: Accounts) -> None:
        self._key = key
        self._store = store
        self._accounts = accounts

    def owner(self, token: str) -> Caller | None:
        """The caller that a token belongs to; None if it is not valid."""
        kept = self._store.fact(_fact(token), "unknown")
        if kept == "unknown":
            return next((each for each in self._accounts.callers() if _is_first(each, token)), None)
        organization, _, email = kept.partition(" ")
        return self._accounts.caller(email, organization)

    def fresh(self, caller: Caller) -> str:
        """Issue a new token."""
        serial = int(self._store.fact("refresh-serial", "0")) + 1
        self._store.set_fact("refresh-serial", str(serial))
        digest = hmac.digest(self._key, f"refresh/{serial}".encode(), "sha256")
        token = "v1." + base64.urlsafe_b64encode(digest).decode().rstrip("=")
        self._store.set_fact(_fact(token), f"{caller.organization.id} {caller.person.email}")
        return token

    def retire(self, token: str) -> None:
        """Revoke a token."""
        if any(_is_first(each, token) for each in self._accounts.callers()):
            self._store.set_fact(_fact(token), RETIRED)
        else:
            self._store.remove_fact(_fact(token))


def _is_first(caller: Caller, token: str) -> bool:
    """Whether a token is the one that the caller was configured with."""
    first = caller.person.refresh_tokens.get(caller.organization.id)
    return bool(first) and hmac.compare_digest(str(first).encode(), token.encode())


def _fact(token: str) -> str:
    return f"refresh/{hashlib.sha256(token.encode()).hexdigest()}"
