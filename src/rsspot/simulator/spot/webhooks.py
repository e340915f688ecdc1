"""Notices to a cloudspace's webhook that a server will be released. Queues them; `front.webhook_sender` sends them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.clock import rfc3339
from rsspot.simulator.spot.events import tell
from rsspot.simulator.spot.protocol import Notice, SpotWorld

SLACK = "hooks.slack.com"


@dataclass(frozen=True)
class Receiver:
    """Where a webhook's URL points to. port: None for the scheme's own · target: path and query"""

    host: str
    port: int | None
    is_secure: bool
    target: str


def receiver_of(url: str) -> Receiver:
    """Parse the URL of a webhook, which may be any text. Raises ValueError, which does not quote it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("its URL is invalid") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("its URL is not an http or https URL")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(host, port, parts.scheme == "https", target)


def announce(world: SpotWorld, group: Object, server: str) -> None:
    """Queue a notice that a server was outbid. Does nothing for a server that was not delivered yet."""
    name, url = group["metadata"]["name"], group["spec"].get("webhook")
    entry = (group.get("status") or {}).get("assignedServers", {}).get(server)
    if entry is None:
        return
    tell(world, group, f"server {server} was outbid and will be released")
    if not url:
        return
    try:
        receiver = receiver_of(url)
    except ValueError as error:
        tell(world, group, f"the webhook was not notified: {error}")
        return
    address = entry.get("IP") or entry.get("ipAddress", "")
    world.notices.append(Notice(url, _body(receiver, name, server, address, rfc3339(world.now))))


def _body(receiver: Receiver, name: str, server: str, address: str, time: str) -> dict[str, str]:
    """The body as the service sends it; Slack gets a text."""
    if receiver.host == SLACK:
        return {"text": f"Server {server} ({address}) of cloudspace {name} will be released ({time})"}
    return {"cloudspace": name, "Server": server, "IP": address, "Time": time}
