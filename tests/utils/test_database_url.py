"""URLs of databases are shown without what is secret in them, whatever it is mistaken for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.utils.database_url import secrets_of, shown_url

SHOWN = {
    "postgresql://host/name": "postgresql://host/name",
    "postgresql://user@host:5432/name?sslmode=require": "postgresql://user@host:5432/name?sslmode=require",
    "postgresql://user:secret@a,b:1/name": "postgresql://user:***@a,b:1/name",
    "postgresql://user:@host/name": "postgresql://user:***@host/name",
    "postgresql://user@/name?host=/run/pg&password=secret": "postgresql://user@/name?host=/run/pg&password=***",
    "postgresql:///name?passwort=secret": "postgresql:///name?passwort=***",
    "postgresql://user:se@cret@host/name": "postgresql://***",
    "postgresql://user:se/cret@host/name": "postgresql://***",
    "postgresql://user@[::1]:5432/name": "postgresql://user@[::1]:5432/name",
    "/home/ada/state.db": "/home/ada/state.db",
}


@pytest.mark.parametrize("url", SHOWN)
def test_what_is_secret_is_hidden(url: str) -> None:
    """Of a URL that others may read otherwise, all but the scheme."""
    assert shown_url(url) == SHOWN[url]


def test_a_secret_is_known_in_every_spelling() -> None:
    """As it is written, and as it is meant."""
    assert set(secrets_of("postgresql://u:a%40b@h/n?sslpassword=x%2Fy")) == {"a%40b", "a@b", "x%2Fy", "x/y"}


@given(st.text("ab@:/?#&=%[],", min_size=1, max_size=8))
def test_nothing_of_a_password_is_shown(part: str) -> None:
    """Whatever is in it that means something in a URL."""
    secret = f"QQ{part}QQ"
    assert "QQ" not in shown_url(f"postgresql://user:{secret}@host/name")
    assert "QQ" not in shown_url(f"postgresql://user@host/name?password={secret}")
