"""Secrets are found in foreign text however they are spelled there."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.utils.sealing import COST, fits, seal
from rsspot.utils.secrets import MASK, PIECE, Secrets

HOOK = "https://hooks.example.com/services/T0001&x=<B2>/abcdefGHIJKL'mno\"pq"
CODED = base64.b64encode(HOOK.encode()).decode()
SPELLINGS = {
    "plain": HOOK,
    "json": json.dumps(HOOK),
    "go": json.dumps(HOOK).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
    "python": repr(HOOK),
    "percent": urllib.parse.quote(HOOK, safe=""),
    "percent, lower case": urllib.parse.quote(HOOK, safe="").replace("%3A", "%3a").replace("%2F", "%2f"),
    "percent, twice": urllib.parse.quote(urllib.parse.quote(HOOK, safe=""), safe=""),
    "html": html.escape(HOOK),
    "numeric html": "".join(f"&#{ord(character)};" for character in HOOK),
    "json in json": json.dumps(json.dumps(HOOK)),
    "base64": CODED,
    "base64 for URLs": base64.urlsafe_b64encode(HOOK.encode()).decode(),
    "base64 with something before": base64.b64encode(b"ab" + HOOK.encode()).decode(),
    "glued": f"x{HOOK}x",
    "cut": HOOK[26:50],
    "cut and glued": f"word{HOOK[26:50]}word",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_masked_in_every_spelling(spelling: str) -> None:
    """No long part of it is left."""
    masked = Secrets([HOOK]).mask(f'invalid value: "{SPELLINGS[spelling]}" is bad')
    assert MASK in masked
    assert masked.startswith("invalid value: ")
    assert masked.endswith(" is bad")
    for text in (masked, urllib.parse.unquote(urllib.parse.unquote(masked)), html.unescape(masked)):
        assert "T0001" not in text
        assert "GHIJKL" not in text
    assert CODED[30:50] not in masked


def test_what_a_secret_is_the_base64_of_is_masked_too() -> None:
    """The service decodes user data and complains about a line of it."""
    script = "#cloud-config\npassword: hunter2hunter2\nruncmd: [true]\n"
    secrets = Secrets([base64.b64encode(script.encode()).decode()])
    assert secrets.mask("line 2: password: hunter2hunter2, unexpected") == "line 2: (secret), unexpected"


@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        ("123456", "pin 123456", "pin (secret)"),
        ("ab", "cab ab abc", "cab (secret) abc"),
        ("hook", "", ""),
        ("", "nothing", "nothing"),
        ("https://hooks.example.com/T1", "see https://hooks.example.com/docs", "see https://hooks.example.com/docs"),
        ("abcd\n", "abcd and more", "(secret) and more"),
    ],
)
def test_what_is_masked(secret: str, text: str, masked: str) -> None:
    """Short secrets only where they stand alone; the host of a URL is none."""
    assert Secrets([secret]).mask(text) == masked


@given(st.text(min_size=PIECE, max_size=80), st.text(max_size=30), st.text(max_size=30))
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    """Whatever it consists of, and whatever stands around it."""
    text = before + secret + after
    masked = Secrets([secret]).mask(text)
    assert secret not in masked or secret in MASK
    assert Secrets([secret]).in_text(text)


@given(st.text())
def test_text_without_secrets_stays(text: str) -> None:
    """Nothing else is changed."""
    assert Secrets(()).mask(text) == text
    assert Secrets(["\x00never\x00" * 4]).mask(text[:1000]) == text[:1000]


def test_its_repr_shows_nothing() -> None:
    """It may end up in a traceback."""
    assert repr(Secrets([HOOK])) == "Secrets(1 values)"


def test_a_seal_fits_only_its_text() -> None:
    """And is not the plain digest of anything."""
    sealed = seal("123456")
    assert fits(sealed, "123456")
    assert not fits(sealed, "123457")
    assert sealed.split(":")[1] == str(COST)
    for other in (None, 7, "", "sha256:00", "scrypt:2:00:00", sealed.replace(str(COST), "1073741824"), "a:b:c:d"):
        assert not fits(other, "123456")
