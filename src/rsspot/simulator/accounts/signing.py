"""RS256 signatures of tokens, and the public key to verify them.

The private key is part of the package and protects nothing: anyone can sign tokens for the simulator. So a few lines
of arithmetic suffice, and no cryptography package is required.
"""

from __future__ import annotations

import base64
import hashlib
from math import prod

EXPONENT = 65537
KEY_ID = "rsspot-simulator-2"
_PRIMES = [
    int(digits, 16)
    for digits in (
        "f4c343b35aeb0483b663073055e8407c733e9c4dfa23897724add23cf331bd11",
        "fca0c64cd9078f5b8c45ce544e83bc6b2d151846259c2ce426e77f9fcfb699ed",
        "fc3d7a5977c1d0e28cffd974f0465b16bccb10f19ac826a0dbec743983ccaf19",
        "fcc4f8caf56a78853bb6062ac41c01a1698971b4a2126284cd1d52b2a998ec1f",
        "fa5453eee41ffbe747b3ccf7a009e0f7b3c1883766ea65b048cb0ab86f96a94f",
        "f53bec6d8ebe91b798beb0cd886284a550f2d49e1351e1c102b7b43f06fc2ed5",
        "ff0c00f540b1814d5ab62a4260b8f60dd277bc3bb1972311424172aacd2c897b",
        "f9c5e2c2ed891dc2523cea81877ff95b9e3790d6e51baebdbfa1d4f4ff171123",
    )
]
"""Eight instead of two: signing is five times faster, and who verifies a signature sees only their product."""
_N = prod(_PRIMES)
_EXPONENTS = [pow(EXPONENT, -1, prime - 1) for prime in _PRIMES]
_COEFFICIENTS = [_N // prime * pow(_N // prime, -1, prime) for prime in _PRIMES]
"""Each is 1 modulo its prime and 0 modulo the others."""
_SIZE = (_N.bit_length() + 7) // 8
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
"""The PKCS #1 prefix of a SHA-256 digest."""


def signature(message: bytes) -> bytes:
    """The RSASSA-PKCS1-v1_5 signature of a message."""
    padded = _padded(message)
    # The Chinese remainder theorem: powers modulo each prime are much faster than one modulo their product.
    parts = zip(_PRIMES, _EXPONENTS, _COEFFICIENTS, strict=True)
    whole = sum(pow(padded, exponent, prime) * coefficient for prime, exponent, coefficient in parts)
    return (whole % _N).to_bytes(_SIZE, "big")


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
