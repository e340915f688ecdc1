"""The only import of httpx, without its command line, and the shared TLS context. Sends no requests."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

# If rich, pygments and click are installed, httpx imports its CLI, which takes half of the import time. A None entry
# makes that import fail with the error that httpx handles.
_blocked = "httpx._main" not in sys.modules
if _blocked:
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
try:
    import httpx
finally:
    if _blocked:
        del sys.modules["httpx._main"]

try:
    importlib.import_module("sniffio")
except ImportError:
    # httpcore imports it for each request, and Python would look for it everywhere each time.
    sys.modules["sniffio"] = None  # type: ignore[assignment]

__all__ = ["httpx", "tls_for"]


def tls_for(url: str) -> ssl.SSLContext | bool:
    """The TLS settings for a URL: none for plain http, one shared context for https."""
    return _context() if url.startswith("https:") else False


@cache
def _context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=True)
