"""Which hosts are reached without a proxy. Opens no connection."""

from __future__ import annotations

from rsspot.wire import httpx


def is_direct(url: httpx.URL, no_proxy: str) -> bool:
    """Whether a host is one of those that are reached without a proxy, as other programs read NO_PROXY."""
    with_port = f"{url.host}:{url.port}" if url.port else url.host
    for name in (each.strip().removeprefix(".").lower() for each in no_proxy.split(",")):
        if name == "*" or (name and any(f".{host}".endswith(f".{name}") for host in (url.host, with_port))):
            return True
    return False
