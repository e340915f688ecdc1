"""RS256 signatures of tokens, and the public key to verify them.

The private key is part of the package and protects nothing: anyone can sign tokens for the simulator. So a few lines
of arithmetic suffice, and no cryptography package is required.
"""

from __future__ import annotations

import base64
import hashlib

EXPONENT = 65537
KEY_ID = "rsspot-simulator-1"
_P = int(
    "f3aa3509e0976cf7db01f1541f34f7630b25c9274e6b3cc8b9bc34411ed17f35b56120c9162513ed491152cf3101e8da"
    "c5e6346eacfc14a00adb66abee35a47fb76593dc5c0aab7f9f110fa0bbf108163f08ae6b149ccd8fe9157324457bfed8"
    "be8390ea721093fe051007d1f8835f4a8b366731f5ab5e6768c277cf2adbc60b",
    16,
)
_Q = int(
    "c971cc48c73b0604513a0bb2538c92077afa1e2670c7b4d852a65f0a8d7855bd5d7f71546dd71ea1de86c34928ccd725"
    "74d5172ab4250d40d67baeadaa464440297333fff25fa3ddea0bd8d1134c3cb53afaeec658ddfc4fa00d4c0cac7683e6"
    "415bf79b9ff055f2b77d69efa9c98fee771f49d0b61851b9399243acd34e254d",
    16,
)
_N = _P * _Q
_D = pow(EXPONENT, -1, (_P - 1) * (_Q - 1))
_INVERSE = pow(_Q, -1, _P)
_SIZE = (_N.bit_length() + 7) // 8
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
"""The PKCS #1 prefix of a SHA-256 digest."""


def signature(message: bytes) -> bytes:
    """The RSASSA-PKCS1-v1_5 signature of a message."""
    padded = _padded(message)
    # The Chinese remainder theorem makes this four times faster than pow(padded, _D, _N).
    by_p, by_q = pow(padded, _D % (_P - 1), _P), pow(padded, _D % (_Q - 1), _Q)
    return (by_q + (by_p - by_q) * _INVERSE % _P * _Q).to_bytes(_SIZE, "big")


def is_signature(message: bytes, claimed: bytes) -> bool:
    """Whether `claimed` is the signature of the message."""
    return len(claimed) == _SIZE and pow(int.from_bytes(claimed, "big"), EXPONENT, _N) == _padded(message)


def _padded(message: bytes) -> int:
    digest = _SHA256 + hashlib.sha256(message).digest()
    return int.from_bytes(b"\x00\x01" + b"\xff" * (_SIZE - len(digest) - 3) + b"\x00" + digest, "big")


def key_set() -> dict[str, list[dict[str, str]]]:
    """The public key as a JWKS."""
    numbers = {"n": _N.to_bytes(_SIZE, "big"), "e": EXPONENT.to_bytes(3, "big")}
    encoded = {name: base64.urlsafe_b64encode(value).decode().rstrip("=") for name, value in numbers.items()}
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, **encoded}]}
