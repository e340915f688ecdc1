"""Sends commands to a simulator: one that is served on this machine, or the sandbox. Never to another machine."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from rsspot.errors import UsageError

TIMEOUT = 60.0
"""Seconds without a response."""


def send(method: str, name: str, body: Mapping[str, Any] | None = None, *, url: str | None) -> dict[str, Any]:
    """Send a control request to the sandbox with --sandbox, else to the simulator at a URL. Raises UsageError."""
    from rsspot.cli.session import session

    if session().options.sandbox:
        if url is not None:
            raise UsageError("--sandbox and --url exclude each other")
        from rsspot.cli.sandbox import control

        status, content = control(method, name, body)
    else:
        status, content = _over_http(method, name, body, url or os.environ.get("RSSPOT_BASE_URL", ""))
    if status != 200:
        reason = json.loads(content).get("error", "") if content.startswith(b"{") else content.decode(errors="replace")
        raise UsageError(f"the simulator rejected the request: {reason}")
    result: dict[str, Any] = json.loads(content)
    return result


def _over_http(method: str, name: str, body: Mapping[str, Any] | None, url: str) -> tuple[int, bytes]:
    import http.client

    host, port = _address(url)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, f"/simulator/{name}", payload, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise UsageError(f"cannot reach the simulator at {url}: {error}") from None
    finally:
        connection.close()


def _address(url: str) -> tuple[str, int | None]:
    """Host and port of a URL on this machine. Raises UsageError."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme != "http" or host not in ("127.0.0.1", "localhost", "::1"):
        hint = "pass --url http://127.0.0.1:PORT, as printed by `rsspot simulator serve`, or --sandbox"
        message = f"{url!r} is not a simulator on this machine" if url else "no simulator URL given"
        raise UsageError(message, hint=hint)
    return host, port
