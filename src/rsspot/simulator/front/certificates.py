"""Makes the certificates of a server on loopback: a new authority each time, and one certificate that it signs.

Both end with the process, and the authority is trusted by nothing but the kubeconfig that names it. So a few lines of
arithmetic (ECDSA on the curve P-256) suffice, and no cryptography package is required. It takes 40 ms.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int] | None
"""A point of the curve; None for the one at infinity."""

_BOOLEAN, _INTEGER, _BITS, _OCTETS, _OID, _UTF8, _TIME = 0x01, 0x02, 0x03, 0x04, 0x06, 0x0C, 0x17
_SEQUENCE, _SET = 0x30, 0x31
_COMMON_NAME, _EC_KEY = bytes.fromhex("550403"), bytes.fromhex("2a8648ce3d0201")
_P256, _ECDSA_SHA256 = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d040302")
_SERVER_AUTHENTICATION = bytes.fromhex("2b06010505070301")
_SUBJECT_KEY, _KEY_USAGE, _ALTERNATIVE_NAMES = b"\x55\x1d\x0e", b"\x55\x1d\x0f", b"\x55\x1d\x11"
_CONSTRAINTS, _ISSUER_KEY, _EXTENDED_USAGE = b"\x55\x1d\x13", b"\x55\x1d\x23", b"\x55\x1d\x25"
VALID = timedelta(days=397)
"""Longer than that, some clients accept no certificate."""


@dataclass(frozen=True)
class Certificates:
    """In PEM: the authority that clients are to trust, and the server's certificate with its private key."""

    authority: str
    server: str
    key: str


def loopback_certificates(now: datetime | None = None) -> Certificates:
    """New certificates for 127.0.0.1, ::1 and localhost."""
    moment = (now or datetime.now(UTC)) - timedelta(hours=1)
    authority, server = _Key(), _Key()
    issuer = _name("rsspot simulator authority")
    ca = [
        _extension(_CONSTRAINTS, _der(_SEQUENCE, _der(_BOOLEAN, b"\xff"), _integer(0)), critical=True),
        _extension(_KEY_USAGE, _der(_BITS, b"\x02\x04"), critical=True),  # keyCertSign
        _extension(_SUBJECT_KEY, _der(_OCTETS, authority.identity)),
    ]
    names = (b"\x87\x04\x7f\x00\x00\x01", b"\x87\x10" + bytes(15) + b"\x01", b"\x82\x09localhost")
    leaf = [
        _extension(_CONSTRAINTS, _der(_SEQUENCE), critical=True),
        _extension(_KEY_USAGE, _der(_BITS, b"\x07\x80"), critical=True),  # digitalSignature
        _extension(_EXTENDED_USAGE, _der(_SEQUENCE, _der(_OID, _SERVER_AUTHENTICATION))),
        _extension(_ALTERNATIVE_NAMES, _der(_SEQUENCE, *names)),
        _extension(_SUBJECT_KEY, _der(_OCTETS, server.identity)),
        _extension(_ISSUER_KEY, _der(_SEQUENCE, _der(0x80, authority.identity))),
    ]
    return Certificates(
        _pem("CERTIFICATE", _certificate(authority, issuer, authority, issuer, moment, ca)),
        _pem("CERTIFICATE", _certificate(server, _name("rsspot simulator"), authority, issuer, moment, leaf)),
        _pem("EC PRIVATE KEY", server.private()),
    )


class _Key:
    """A key pair on P-256."""

    def __init__(self) -> None:
        self._secret = secrets.randbelow(_N - 1) + 1
        self.point = b"\x04" + b"".join(each.to_bytes(32, "big") for each in _times(self._secret, _G) or ())
        self.identity = hashlib.sha1(self.point, usedforsecurity=False).digest()

    def signature(self, message: bytes) -> bytes:
        digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
        while True:
            nonce = secrets.randbelow(_N - 1) + 1
            point = _times(nonce, _G)
            r = point[0] % _N if point else 0
            s = pow(nonce, -1, _N) * (digest + r * self._secret) % _N
            if r and s:
                return _der(_SEQUENCE, _integer(r), _integer(s))

    def public(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        return _der(_SEQUENCE, _der(_SEQUENCE, _der(_OID, _EC_KEY), _der(_OID, _P256)), _bits(self.point))

    def private(self) -> bytes:
        """The ECPrivateKey of RFC 5915."""
        secret = _der(_OCTETS, self._secret.to_bytes(32, "big"))
        return _der(_SEQUENCE, _integer(1), secret, _der(0xA0, _der(_OID, _P256)), _der(0xA1, _bits(self.point)))


def _times(factor: int, point: _Point) -> _Point:
    result: _Point = None
    while factor:
        if factor & 1:
            result = _plus(result, point)
        point, factor = _plus(point, point), factor >> 1
    return result


def _plus(one: _Point, two: _Point) -> _Point:
    if one is None or two is None:
        return one or two
    if one[0] == two[0]:
        if (one[1] + two[1]) % _P == 0:
            return None
        slope = 3 * (one[0] ** 2 - 1) * pow(2 * one[1], -1, _P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, _P)
    x = (slope**2 - one[0] - two[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _certificate(
    key: _Key, subject: bytes, signer: _Key, issuer: bytes, moment: datetime, extensions: list[bytes]
) -> bytes:
    """A certificate of X.509 version 3."""
    algorithm = _der(_SEQUENCE, _der(_OID, _ECDSA_SHA256))
    serial = _integer(secrets.randbits(120) + 1)
    validity = _der(_SEQUENCE, _time(moment), _time(moment + VALID))
    described = (_der(0xA0, _integer(2)), serial, algorithm, issuer, validity, subject, key.public())
    signed = _der(_SEQUENCE, *described, _der(0xA3, _der(_SEQUENCE, *extensions)))
    return _der(_SEQUENCE, signed, algorithm, _bits(signer.signature(signed)))


def _extension(identity: bytes, value: bytes, *, critical: bool = False) -> bytes:
    flag = _der(_BOOLEAN, b"\xff") if critical else b""
    return _der(_SEQUENCE, _der(_OID, identity), flag, _der(_OCTETS, value))


def _name(text: str) -> bytes:
    return _der(_SEQUENCE, _der(_SET, _der(_SEQUENCE, _der(_OID, _COMMON_NAME), _der(_UTF8, text.encode()))))


def _time(moment: datetime) -> bytes:
    return _der(_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())


def _bits(content: bytes) -> bytes:
    return _der(_BITS, b"\x00", content)


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, *parts: bytes) -> bytes:
    """A value in the Distinguished Encoding Rules of ASN.1."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _pem(label: str, content: bytes) -> str:
    text = base64.encodebytes(content).decode().replace("\n", "")
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
