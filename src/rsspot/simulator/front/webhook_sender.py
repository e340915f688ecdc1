"""Sends notices to webhooks: one POST each, without retries, and to this machine only unless configured otherwise."""

from __future__ import annotations

import http.client
import ipaddress
import json
import threading
from urllib.parse import urlsplit

from rsspot.simulator.spot.protocol import Notice
from rsspot.simulator.world import World

PATIENCE = 5.0
"""Timeout of a delivery, in seconds."""
LOOK_EVERY = 0.1


class WebhookSender:
    """Delivers the notices of a world. everywhere: whether receivers may be on other machines"""

    def __init__(self, world: World, *, everywhere: bool = False) -> None:
        self._world, self._everywhere = world, everywhere
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop after the delivery in progress."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE + 1)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            self.deliver()

    def deliver(self) -> int:
        """Deliver all waiting notices. Returns how many receivers accepted one."""
        with self._world.lock:
            waiting, self._world.notices[:] = list(self._world.notices), []
        return sum(self._delivered(notice) for notice in waiting)

    def _delivered(self, notice: Notice) -> bool:
        parts = urlsplit(notice.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return False
        if not (self._everywhere or is_loopback(parts.hostname)):
            return False
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = make(parts.hostname, parts.port, timeout=PATIENCE)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target, json.dumps(notice.body), {"Content-Type": "application/json"})
            return connection.getresponse().status < 400
        except (OSError, http.client.HTTPException, ValueError):
            # The service does not retry a failed delivery either.
            return False
        finally:
            connection.close()


def is_loopback(host: str) -> bool:
    """Whether a host name or address is a loopback one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
