"""Certificates that the user names and that cannot be used are an error that names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.errors import ConfigError
from rsspot.http.certificates import tls_settings
from rsspot.http.pool import Connections
from rsspot.wire import _context, httpx


@pytest.fixture(autouse=True)
def anew() -> None:
    """The context is made once in a process."""
    _context.cache_clear()


@pytest.mark.parametrize(
    ("variable", "content", "clause"),
    [
        ("SSL_CERT_FILE", None, "No such file or directory"),
        ("SSL_CERT_FILE", "junk", "it contains no certificate"),
        ("SSL_CERT_FILE", "", "it contains no certificate"),
        ("SSL_CERT_DIR", None, "not a directory"),
    ],
)
async def test_unusable_certificates_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, content: str | None, clause: str
) -> None:
    """OpenSSL says only `No such file or directory`, or trusts nobody."""
    path = tmp_path / "certificates"
    if content is not None:
        path.write_text(content)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(ConfigError) as caught:
        await Connections().handle_async_request(httpx.Request("GET", "https://127.0.0.1:9/"))
    assert str(caught.value) == f"cannot use {path} ({variable}): {clause}"
    assert caught.value.hint and variable in caught.value.hint


def test_they_do_not_matter_for_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as the sandbox's."""
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    assert tls_settings("http") is False


async def test_they_do_not_matter_where_none_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `verify_ssl: false`: the attempt to connect is the first thing that fails."""
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    with pytest.raises(httpx.ConnectError):
        await Connections(verify=False).handle_async_request(httpx.Request("GET", "https://127.0.0.1:9/"))
