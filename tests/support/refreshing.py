"""Asks for a token as one of several processes: python refreshing.py URL FOLDER BARRIER

Waits until the file BARRIER is there, so that all begin together. Prints the token.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from rsspot.auth.bearer import Bearer
from rsspot.auth.grants import Issuer
from rsspot.http.transport import SpotTransport
from rsspot.utils.clock import SystemClock

PATIENCE = 60.0


async def token(url: str, folder: Path) -> str:
    """One token by way of the shared folder."""
    clock = SystemClock()
    bearer = Bearer(base_url=url, issuer=Issuer(url, "tests"), clock=clock, refresh_token="canary", cache_folder=folder)
    session = SpotTransport(url, None, clock)
    try:
        return (await bearer.current(session.transport.handle_async_request)).bearer
    finally:
        await session.aclose()


if __name__ == "__main__":
    address, place, barrier = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    print("ready", flush=True)
    deadline = time.monotonic() + PATIENCE
    while not barrier.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    print(asyncio.run(token(address, place)))
