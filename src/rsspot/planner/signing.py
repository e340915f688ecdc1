"""Signatures of saved plans: proof that a plan comes from somebody who has the key. Reads no file."""

from __future__ import annotations

import hashlib
import hmac

from rsspot.utils.serialization import Document, canonical, without_surrogates

SIGNATURE = "signature"
SCHEME = "hmac-sha256"


def signed(document: Document, key: str) -> Document:
    """The document with its signature, which covers everything in it."""
    content = {name: value for name, value in document.items() if name != SIGNATURE}
    return content | {SIGNATURE: _signature(content, key)}


def is_signed_by(document: Document, key: str) -> bool:
    """Whether the signature of a document was made with this key, and nothing was changed since."""
    content = {name: value for name, value in document.items() if name != SIGNATURE}
    return hmac.compare_digest(str(document.get(SIGNATURE)).encode(), _signature(content, key).encode())


def _signature(content: Document, key: str) -> str:
    mac = hmac.new(
        key.encode("utf-8", "surrogateescape"), without_surrogates(canonical(content)).encode(), hashlib.sha256
    )
    return f"{SCHEME}:{mac.hexdigest()}"
