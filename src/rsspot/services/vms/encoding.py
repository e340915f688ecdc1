"""The encodings of a VM's SSH key and user data, checked before they are sent. Quotes nothing: both may be secrets."""

from __future__ import annotations

import base64
import binascii

KEY_TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)


def check_public_key(text: str) -> None:
    """Raises ValueError unless the text is a public key in OpenSSH's one-line format: type, base64, comment."""
    words = text.split(None, 2)
    if len(words) < 2 or words[0] not in KEY_TYPES or "\n" in text.strip():
        raise ValueError("must be a public key in OpenSSH's format, such as the one line of id_ed25519.pub")
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be a public key in OpenSSH's format: its second word is not base64") from None
    # The binary form repeats the type, after its length in four bytes.
    length = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + length] != words[0].encode():
        raise ValueError(f"must be a public key in OpenSSH's format: its second word is not a key of type {words[0]}")


def check_base64(text: str) -> None:
    """Raises ValueError unless the text is base64, possibly on several lines."""
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64, such as `base64 -w0 cloud-init.yaml` prints") from None


def in_base64(text: str) -> str:
    """A text in base64. One that is base64 already is returned as it is."""
    try:
        check_base64(text)
    except ValueError:
        return base64.b64encode(text.encode()).decode()
    return text
