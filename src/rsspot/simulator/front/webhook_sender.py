"""Sends notices to webhooks: one POST each, without retries, and to this machine only unless configured otherwise."""

from __future__ import annotations

import http.client
import json
import sys
import threading
from contextlib import closing

from rsspot.simulator.front.sites import is_loopback
from rsspot.simulator.spot.protocol import Notice
from rsspot.simulator.spot.webhooks import receiver_of
from rsspot.simulator.world import World

PATIENCE = 5.0
"""Timeout of a delivery, in seconds."""
LOOK_EVERY = 0.1
LEAVES_WITHIN = 0.3
"""Seconds that the end of a server waits for a delivery in progress."""


class WebhookSender:
    """Delivers the notices of a world. everywhere: whether receivers may be on other machines"""

    def __init__(self, world: World, *, everywhere: bool = False) -> None:
        self._world, self._everywhere = world, everywhere
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Start no further deliveries. One in progress may outlast this, but not the process."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(LEAVES_WITHIN)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            self.deliver()

    def deliver(self) -> int:
        """Deliver all waiting notices. Returns how many receivers accepted one."""
        with self._world.lock:
            waiting, self._world.notices[:] = list(self._world.notices), []
        return sum(self._delivered(notice) for notice in waiting if not self._stopping.is_set())

    def _delivered(self, notice: Notice) -> bool:
        try:
            self._post(notice)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Only the reason: the URL itself may contain a secret. The service does not retry a delivery either.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            shown = type(error).__name__ if isinstance(error, http.client.InvalidURL | UnicodeError) else reason
            print(f"a webhook was not notified: {shown}", file=sys.stderr, flush=True)
            return False
        return True

    def _post(self, notice: Notice) -> None:
        receiver = receiver_of(notice.url)
        if not (self._everywhere or is_loopback(receiver.host)):
            raise ValueError("it is on another machine (see --webhooks-everywhere)")
        make = http.client.HTTPSConnection if receiver.is_secure else http.client.HTTPConnection
        with closing(make(receiver.host, receiver.port, timeout=PATIENCE)) as connection:
            connection.request("POST", receiver.target, json.dumps(notice.body), {"Content-Type": "application/json"})
            status = connection.getresponse().status
        if status >= 400:
            raise ValueError(f"it answered with {status}")
