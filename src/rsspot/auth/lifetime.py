"""TimedToken: a token and how long it stays valid, counted from its receipt, so that a wrong clock does not matter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from rsspot.auth.token import Token
from rsspot.utils.clock import Clock

MARGIN = 60.0
"""How long before it expires a token is renewed, in seconds."""
LARGEST_SHARE = 0.2
"""The most that this may be of a token's lifetime: else one that lives for a minute is renewed at every request."""


@dataclass(frozen=True)
class TimedToken:
    """lifetime: seconds from receipt to expiry, inf if unknown · received: the moment, by the monotonic clock."""

    token: Token
    lifetime: float = inf
    received: float = 0.0

    @classmethod
    def new(cls, token: Token, lifetime: float | None, clock: Clock) -> TimedToken:
        """A token just received. lifetime: what the service said, if anything."""
        if lifetime is None and token.expires_at is not None:
            # A new token that has expired by our clock shows only that our clock is wrong.
            lifetime = max(0.0, (token.expires_at - clock.now()).total_seconds())
        return cls(token, lifetime or inf, clock.monotonic())

    @classmethod
    def kept(
        cls, token: Token, clock: Clock, lifetime: float | None = None, received_at: float | None = None
    ) -> TimedToken:
        """A token that was kept in a file or a variable, by the time of day: no other clock outlasts a process.

        lifetime, received_at: what was kept with it, if anything
        A receipt in the future shows that the clock was set back since; then the token counts as expired.
        """
        if token.expires_at is None:
            return cls(token)
        now, expires = clock.now().timestamp(), token.expires_at.timestamp()
        if lifetime is None or received_at is None:
            # One that does not say how long it lives counts as one that lives long.
            lifetime = lifetime_of(token) or max(MARGIN / LARGEST_SHARE, expires - now)
            received_at = expires - lifetime
        age = now - received_at
        return cls(token, lifetime if age >= 0 else 0.0, clock.monotonic() - max(age, 0.0))

    @property
    def margin(self) -> float:
        """How many seconds before its expiry the token is renewed."""
        return min(MARGIN, self.lifetime * LARGEST_SHARE)

    def outlasts(self, margin: float, clock: Clock) -> bool:
        """Whether the token will still be valid in so many seconds."""
        return self.received + self.lifetime - clock.monotonic() > margin

    def untimed(self) -> TimedToken:
        """The same token, to be used until the service refuses it."""
        return replace(self, lifetime=inf)


def lifetime_of(token: Token, sent_at: datetime | None = None) -> float | None:
    """Seconds from a token's issue to its expiry by the clock of the service, or None if it does not say.

    sent_at: when the service sent the token, for one that does not say when it was issued
    """
    issued, expires = token.issued_at or sent_at, token.expires_at
    if issued is None or expires is None or expires <= issued:
        return None
    return (expires - issued).total_seconds()
