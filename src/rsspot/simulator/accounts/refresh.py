"""Refresh tokens: whose each one is, fresh ones, and the end of old ones. Kept in the store, as hashes.

Those that people were set up with are good from the start; more come from logins and from rotation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from rsspot.simulator.accounts.people import Accounts, Caller
from rsspot.simulator.apiserver.store import Store

RETIRED = ""


class RefreshTokens:
    """The refresh tokens of a world. `key`: what fresh ones are made from."""

    def __init__(self, key: bytes, store: Store, accounts: Accounts) -> None:
        self._key = key
        self._store = store
        self._accounts = accounts

    def owner(self, token: str) -> Caller | None:
        """Whom a token speaks for, if it is good."""
        kept = self._store.fact(_fact(token), "unknown")
        if kept == "unknown":
            return next((each for each in self._accounts.callers() if _is_first(each, token)), None)
        organization, _, email = kept.partition(" ")
        return self._accounts.caller(email, organization)

    def fresh(self, caller: Caller) -> str:
        """A token that nobody had before."""
        serial = int(self._store.fact("refresh-serial", "0")) + 1
        self._store.set_fact("refresh-serial", str(serial))
        made = hmac.digest(self._key, f"refresh/{serial}".encode(), "sha256")
        token = "v1." + base64.urlsafe_b64encode(made).decode().rstrip("=")
        self._store.set_fact(_fact(token), f"{caller.organization.id} {caller.person.email}")
        return token

    def retire(self, token: str) -> None:
        """Have a token work no more."""
        if any(_is_first(each, token) for each in self._accounts.callers()):
            self._store.set_fact(_fact(token), RETIRED)
        else:
            self._store.remove_fact(_fact(token))


def _is_first(caller: Caller, token: str) -> bool:
    """Whether somebody was set up with a token."""
    first = caller.person.refresh_tokens.get(caller.organization.id)
    return bool(first) and hmac.compare_digest(str(first).encode(), token.encode())


def _fact(token: str) -> str:
    return f"refresh/{hashlib.sha256(token.encode()).hexdigest()}"
