"""Keeps other websites out: checks which host a request is addressed to, and which site sent it.

A website can let its own name point to 127.0.0.1 (DNS rebinding), and can send forms to any address. Browsers then name
the website in Host and Origin.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from rsspot.errors import UsageError
from rsspot.simulator.apiserver.messages import Request, Response

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")


class Sites:
    """The hosts that a server answers for: loopback with its own port, and those given as NAME or NAME:PORT."""

    def __init__(self, port: int, hosts: Iterable[str] = ()) -> None:
        self._port = port
        self._hosts = {each.lower() for each in hosts}
        for host in self._hosts:
            if not _HOST.fullmatch(host):
                raise UsageError(f"{host!r} is not a host name", hint="write it like NAME or NAME:PORT")

    def refusal(self, request: Request) -> Response | None:
        """The response to a request that another website sent, or that is addressed to another host; else None."""
        host = request.headers.get("host", "")
        if not self._is_ours(host):
            return Response.of_text(403, f"this simulator does not answer for the host {host!r}: see --host")
        origin = request.headers.get("origin")
        # The scheme is not compared, because a proxy may add TLS.
        if request.method in SAFE or origin is None or origin.partition("://")[2].lower() == host.lower():
            return None
        return Response.of_text(403, "requests from other websites are refused")

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].lower()
        if name in self._hosts or host.lower() in self._hosts:
            return True
        return is_loopback(name.strip("[]")) and int(match["port"] or 80) == self._port


def is_loopback(host: str) -> bool:
    """Whether a host name or address is a loopback one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
