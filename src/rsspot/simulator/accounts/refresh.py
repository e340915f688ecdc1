"""Refresh tokens: whose each one is, fresh ones, and the end of old ones. Kept in the store, as hashes.

Those that organisations were set up with are good from the start; more come from logins and from rotation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from rsspot.simulator.machinery.store import Store

if TYPE_CHECKING:
    from rsspot.simulator.accounts.identity import Organization

RETIRED = ""


class RefreshTokens:
    """The refresh tokens of a world. `key`: what fresh ones are made from."""

    def __init__(self, key: bytes, store: Store, organizations: list[Organization]) -> None:
        self._key = key
        self._store = store
        self._organizations = organizations

    def owner(self, token: str) -> Organization | None:
        """Whom a token speaks for, if it is good."""
        kept = self._store.fact(_fact(token), "unknown")
        for organization in self._organizations:
            first = kept == "unknown" and hmac.compare_digest(organization.refresh_token.encode(), token.encode())
            if first or kept == organization.id:
                return organization
        return None

    def fresh(self, organization: Organization) -> str:
        """A token that nobody had before."""
        serial = int(self._store.fact("refresh-serial", "0")) + 1
        self._store.set_fact("refresh-serial", str(serial))
        made = hmac.digest(self._key, f"refresh/{serial}".encode(), "sha256")
        token = "v1." + base64.urlsafe_b64encode(made).decode().rstrip("=")
        self._store.set_fact(_fact(token), organization.id)
        return token

    def retire(self, token: str) -> None:
        """Have a token work no more."""
        if any(each.refresh_token == token for each in self._organizations):
            self._store.set_fact(_fact(token), RETIRED)
        else:
            self._store.remove_fact(_fact(token))


def _fact(token: str) -> str:
    return f"refresh/{hashlib.sha256(token.encode()).hexdigest()}"
