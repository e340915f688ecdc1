"""Finds secrets in text that somebody else wrote, in any spelling, and masks them. Knows no kinds.

Services quote what they refuse: in JSON escapes (Go writes an ampersand as u0026), in percent or HTML escapes, in
base64, cut off, or glued to other words. So a text is decoded first, with a note of where each decoded character came
from, and then compared with the secrets piece by piece.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MASK = "(secret)"
PIECE = 12
"""Characters from which on a part of a secret is masked too."""
SHORT = 4
"""A secret shorter than this is masked only where it stands alone: it would occur in many words."""
ROUNDS = 3
"""How often a text may be escaped: `%2526` is an `&` in two rounds."""
LONGEST = 64 * 1024
"""Characters of a text that are looked at; the rest is dropped."""

_ESCAPE = re.compile(
    r"\\u(?P<u>[0-9a-fA-F]{4})|\\x(?P<x>[0-9a-fA-F]{2})|(?P<percent>(?:%[0-9a-fA-F]{2})+)|(?P<html>&#?\w{1,10};)"
    r"|\\(?P<plain>[\"'\\/])|\\(?P<control>[nrt])"
)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/@?#]*(/|$)", re.IGNORECASE)
"""The part of a URL that is no secret. One with a user or password in it is."""


class Secrets:
    """A set of secret values. Masking with an empty set changes nothing."""

    def __init__(self, values: Iterable[str]) -> None:
        self._whole = sorted({form for value in values if value for form in _forms(value)}, key=len, reverse=True)
        self._pieces = {piece for value in self._whole for piece in _pieces(value)}

    def __bool__(self) -> bool:
        return bool(self._whole)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._whole)} values)"

    def mask(self, text: str) -> str:
        """The text with every secret, and every long part of one, replaced by MASK."""
        if not self._whole or not text:
            return text
        text = text[:LONGEST]
        hidden = _Spans(text)
        decoded = _Decoded.of(text)
        for _ in range(ROUNDS):
            self._find(decoded, hidden)
            further = decoded.again()
            if further.text == decoded.text:
                break
            decoded = further
        for run in _BASE64.finditer(text):
            if any(any(self._occurrences(each)) for each in _decoded_base64(run[0])):
                hidden.add(*run.span())
        return hidden.masked()

    def in_text(self, text: str) -> bool:
        """Whether a secret or a long part of one stands in a text, in any spelling."""
        return bool(self._whole) and self.mask(text) != text

    def _find(self, decoded: _Decoded, hidden: _Spans) -> None:
        for start, end in self._occurrences(decoded.text):
            hidden.add(decoded.starts[start], decoded.ends[end - 1])

    def _occurrences(self, text: str) -> Iterator[tuple[int, int]]:
        for secret in self._whole:
            start = text.find(secret)
            while start >= 0:
                end = start + len(secret)
                if len(secret) >= SHORT or _stands_alone(text, start, end):
                    yield start, end
                start = text.find(secret, start + 1)
        if self._pieces:
            for start in range(len(text) - PIECE + 1):
                if text[start : start + PIECE] in self._pieces:
                    yield start, start + PIECE


@dataclass(frozen=True)
class _Decoded:
    """A text with its escapes resolved. starts, ends: where each of its characters stands in the original."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> _Decoded:
        """A text as it is."""
        return cls(text, tuple(range(len(text))), tuple(range(1, len(text) + 1)))

    def again(self) -> _Decoded:
        """The text with one more round of escapes resolved."""
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        position = 0
        for escape in _ESCAPE.finditer(self.text):
            start, end = escape.span()
            parts.append(self.text[position:start])
            starts += self.starts[position:start]
            ends += self.ends[position:start]
            meaning = _meaning(escape)
            parts.append(meaning)
            # Several characters of one escape sequence are masked together.
            starts += [self.starts[start]] * len(meaning)
            ends += [self.ends[end - 1]] * len(meaning)
            position = end
        parts.append(self.text[position:])
        starts += self.starts[position:]
        ends += self.ends[position:]
        return _Decoded("".join(parts), tuple(starts), tuple(ends))


class _Spans:
    """Parts of a text that are to be masked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans: list[tuple[int, int]] = []

    def add(self, start: int, end: int) -> None:
        self._spans.append((start, end))

    def masked(self) -> str:
        parts: list[str] = []
        position = 0
        for start, end in sorted(self._spans):
            if start > position or not parts:
                parts += [self._text[position:start], MASK]
            position = max(position, end)
        return "".join((*parts, self._text[position:]))


def _meaning(escape: re.Match[str]) -> str:
    if code := escape["u"] or escape["x"]:
        return chr(int(code, 16))
    if percent := escape["percent"]:
        return bytes.fromhex(percent.replace("%", "")).decode("utf-8", "replace")
    if entity := escape["html"]:
        return html.unescape(entity)
    return escape["plain"] or _CONTROLS[escape["control"]]


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, without what surrounds it, its lines, and what it is the base64 of."""
    yield secret
    if secret.strip():
        yield secret.strip()
    yield from (line.strip() for line in secret.splitlines() if len(line.strip()) >= PIECE)
    if len(secret) >= PIECE and _BASE64.fullmatch(secret.strip()):
        for text in _decoded_base64(secret.strip()):
            if len(text) >= PIECE and all(each.isprintable() or each.isspace() for each in text):
                yield text
                yield from (line.strip() for line in text.splitlines() if len(line.strip()) >= PIECE)


def _pieces(secret: str) -> Iterator[str]:
    origin = _ORIGIN.match(secret)
    secret = secret[origin.end() :] if origin else secret
    return (secret[start : start + PIECE] for start in range(len(secret) - PIECE + 1))


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum()


def _decoded_base64(run: str) -> Iterator[str]:
    """What a run of base64 may say, wherever in it a group of four characters begins."""
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    for offset in range(4):
        part = plain[offset:]
        part = part[:-1] if len(part) % 4 == 1 else part
        try:
            yield base64.b64decode(part + "=" * (-len(part) % 4)).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            continue
