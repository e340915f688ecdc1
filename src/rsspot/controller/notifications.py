"""Notifications of a controller: a program or a URL is told when something changes that somebody may have to look at.

Told is the `rsspot.round/1` of a round that ends otherwise than the one before: it differs, was applied, is refused,
paused, or in sync again. Failures are told once three rounds in a row have failed, and so is their end. A notification
that fails is a line in the log, and never ends a controller.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from rsspot.constants import USER_AGENT
from rsspot.controller.lines import is_news, round_document
from rsspot.controller.rounds import Round, RoundOutcome
from rsspot.errors import NotificationFailed
from rsspot.http.pool import Connections
from rsspot.services.registrations.registrars.webhook import signature
from rsspot.utils.clock import Clock, SystemClock
from rsspot.utils.output import as_json_line
from rsspot.wire import httpx
from rsspot.workflows.notification import notify

TIMEOUT = 30.0
"""Seconds that a notification may take."""
LASTING = 3
"""Failed rounds in a row that somebody is told of."""


@dataclass(frozen=True)
class Receivers:
    """Who is told. url, secret: where reports are posted to, and the key that they are signed with, if there is one."""

    command: tuple[str, ...] = ()
    url: str | None = None
    secret: str | None = None


class Notifications:
    """Tells of rounds. connect: makes the connections to the URL"""

    def __init__(
        self,
        receivers: Receivers,
        *,
        clock: Clock | None = None,
        connect: Callable[[], httpx.AsyncBaseTransport] = Connections,
    ) -> None:
        self._receivers, self._connect = receivers, connect
        self._clock = clock or SystemClock()
        self._told: Round | None = None
        self._failures = 0

    async def add(self, ended: Round) -> str:
        """Tell of a round if it is news. Returns what went wrong with that, or nothing."""
        if not self._is_worth_telling(ended):
            return ""
        self._told = ended
        try:
            await self._tell(ended)
        except NotificationFailed as error:
            return error.message
        return ""

    def _is_worth_telling(self, ended: Round) -> bool:
        if ended.outcome is RoundOutcome.FAILED:
            self._failures += 1
            return self._failures == LASTING
        self._failures = 0
        if ended.outcome is RoundOutcome.STANDBY:
            return False
        if self._told is None:
            return ended.outcome is not RoundOutcome.IN_SYNC
        return is_news(self._told, ended)

    async def _tell(self, ended: Round) -> None:
        """Tell both. Raises NotificationFailed."""
        receivers, document = self._receivers, round_document(ended)
        if receivers.command:
            await asyncio.to_thread(notify, list(receivers.command), document, timeout=TIMEOUT)
        if receivers.url:
            await self._post(receivers.url, as_json_line(document).encode())

    async def _post(self, url: str, body: bytes) -> None:
        # Its path may be a secret, as with the hooks of chat services.
        name = f"the notification to {urlsplit(url).hostname}"
        identity, timestamp = uuid.uuid4().hex, str(int(self._clock.now().timestamp()))
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json", "webhook-id": identity}
        headers["webhook-timestamp"] = timestamp
        if self._receivers.secret:
            headers["webhook-signature"] = signature(self._receivers.secret, identity, timestamp, body)
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT)
        request = httpx.Request("POST", url, headers=headers, content=body, extensions={"timeout": timeout})
        connections = self._connect()
        try:
            async with asyncio.timeout(TIMEOUT):
                response = await connections.handle_async_request(request)
                await response.aread()
        except TimeoutError:
            raise NotificationFailed(f"{name} did not end within {TIMEOUT:g} s") from None
        except httpx.HTTPError as error:
            raise NotificationFailed(f"{name} failed: {type(error).__name__}") from None
        finally:
            await connections.aclose()
        if not response.is_success:
            raise NotificationFailed(f"{name} was answered with {response.status_code}")
