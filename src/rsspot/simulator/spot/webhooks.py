"""Word to a cloudspace's webhook that a server is about to go. Writes the notices; sends none."""

from __future__ import annotations

from urllib.parse import urlsplit

from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.clock import rfc3339
from rsspot.simulator.spot.events import tell
from rsspot.simulator.spot.protocol import Notice, SpotWorld

SLACK = "hooks.slack.com"


def announce(world: SpotWorld, group: Object, server: str) -> None:
    """Have a cloudspace's webhook told that a server was lost to a higher bid, once the server is there at all."""
    name, url = group["metadata"]["name"], group["spec"].get("webhook")
    entry = (group.get("status") or {}).get("assignedServers", {}).get(server)
    if entry is None:
        return
    tell(world, group, f"server {server} was outbid and will be released")
    if url:
        address = entry.get("IP") or entry.get("ipAddress", "")
        world.notices.append(Notice(url, _body(url, name, server, address, rfc3339(world.now))))


def _body(url: str, name: str, server: str, address: str, time: str) -> dict[str, str]:
    """As the service was seen to write it; Slack takes a text."""
    if urlsplit(url).hostname == SLACK:
        return {"text": f"Server {server} ({address}) of cloudspace {name} will be released ({time})"}
    return {"cloudspace": name, "Server": server, "IP": address, "Time": time}
