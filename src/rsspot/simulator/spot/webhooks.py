"""Notices to a cloudspace's webhook that a server will be released. Queues them; `front.webhook_sender` sends them."""

from __future__ import annotations

from urllib.parse import urlsplit

from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.clock import rfc3339
from rsspot.simulator.spot.events import tell
from rsspot.simulator.spot.protocol import Notice, SpotWorld

SLACK = "hooks.slack.com"


def announce(world: SpotWorld, group: Object, server: str) -> None:
    """Queue a notice that a server was outbid. Does nothing for a server that was not delivered yet."""
    name, url = group["metadata"]["name"], group["spec"].get("webhook")
    entry = (group.get("status") or {}).get("assignedServers", {}).get(server)
    if entry is None:
        return
    tell(world, group, f"server {server} was outbid and will be released")
    if url:
        address = entry.get("IP") or entry.get("ipAddress", "")
        world.notices.append(Notice(url, _body(url, name, server, address, rfc3339(world.now))))


def _body(url: str, name: str, server: str, address: str, time: str) -> dict[str, str]:
    """The body as the service sends it; Slack gets a text."""
    if urlsplit(url).hostname == SLACK:
        return {"text": f"Server {server} ({address}) of cloudspace {name} will be released ({time})"}
    return {"cloudspace": name, "Server": server, "IP": address, "Time": time}
