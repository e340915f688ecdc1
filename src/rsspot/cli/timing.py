"""How long a command took and what it sent, in one line for `-v`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rsspot.cli_history import Word, redacted

if TYPE_CHECKING:
    from rsspot.http.hooks import Exchange


@dataclass
class RequestCount:
    """What a command has sent. requests: with those for tokens, and each attempt by itself · retries: those again"""

    requests: int = 0
    retries: int = 0

    def add(self, exchange: Exchange) -> None:
        """Count one attempt."""
        self.requests += 1
        self.retries += exchange.attempt > 1


def timing(words: Iterable[Word], seconds: float, count: RequestCount) -> str:
    """The line for one command. Secrets are masked as in the history."""
    requests = f"{count.requests} request{'' if count.requests == 1 else 's'}"
    retries = f"{count.retries} retr{'y' if count.retries == 1 else 'ies'}"
    return f"rsspot {redacted(words)}: {seconds:.2f} s, {requests}, {retries}"
