"""OpenSSH public keys: validation and fingerprints. Pure functions."""

from __future__ import annotations

import base64
import binascii
import hashlib

TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)


def fingerprint(line: str) -> str | None:
    """`SHA256:…` as `ssh-keygen -l` prints it; None if the line is not a valid public key."""
    blob = _blob(line)
    if blob is None:
        return None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _blob(line: str) -> bytes | None:
    """The decoded key. It must repeat the type that the line starts with."""
    words = line.split(None, 2)
    if len(words) < 2 or words[0] not in TYPES or "\n" in line.strip():
        return None
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    start = len(words[0]).to_bytes(4, "big") + words[0].encode()
    return blob if blob.startswith(start) and len(blob) > len(start) else None
