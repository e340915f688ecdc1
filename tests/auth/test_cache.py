"""The token cache: tokens are reused while valid, stored privately, and a broken cache stops nothing."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from rsspot.auth.bearer import Bearer
from rsspot.auth.grants import Issuer
from rsspot.http.call import Call
from rsspot.http.transport import SpotTransport
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

URL = "http://127.0.0.1"


class Login:
    """A login service and API. Counts logins and may rotate the refresh token."""

    def __init__(self, *, rotates: bool = False) -> None:
        self.clock = ManualClock()
        self.rotates = rotates
        self.refreshed_with: list[str] = []
        self.refuse = False

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/oauth/token":
            return httpx.Response(401 if self.refuse else 200, json={})
        self.refuse = False
        self.refreshed_with.append(httpx.QueryParams(request.content.decode())["refresh_token"])
        claims = json.dumps({"exp": self.clock.time() + 3600, "number": len(self.refreshed_with)}).encode()
        token = f"head.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"
        rotated = {"refresh_token": f"rotated-{len(self.refreshed_with)}"} if self.rotates else {}
        return httpx.Response(200, json={"id_token": token, **rotated})

    async def run(self, folder: Path | None, refresh_token: str = "canary") -> None:
        """Do what one command does: create a session and send one request."""
        bearer = Bearer(
            base_url=URL,
            issuer=Issuer(URL, "tests"),
            clock=self.clock,
            refresh_token=refresh_token,
            cache_folder=folder,
        )
        session = SpotTransport(URL, bearer, self.clock, httpx.MockTransport(self.handle))
        await session.send(Call("GET", "/"))
        await session.aclose()


async def test_a_valid_cached_token_needs_no_login(tmp_path: Path) -> None:
    """Five runs need one login."""
    login = Login()
    for _ in range(5):
        await login.run(tmp_path)
    assert len(login.refreshed_with) == 1


async def test_without_a_cache_folder_every_run_logs_in(tmp_path: Path) -> None:
    """And nothing is written to disk."""
    login = Login()
    await login.run(None)
    await login.run(None)
    assert len(login.refreshed_with) == 2
    assert list(tmp_path.iterdir()) == []


async def test_an_expired_or_refused_token_is_replaced(tmp_path: Path) -> None:
    """The service decides whether a cached token is valid."""
    login = Login()
    await login.run(tmp_path)
    login.clock.advance(3600)
    await login.run(tmp_path)
    login.refuse = True
    await login.run(tmp_path)
    assert len(login.refreshed_with) == 3


async def test_identities_do_not_share_tokens(tmp_path: Path) -> None:
    """Another refresh token may belong to another user."""
    login = Login()
    await login.run(tmp_path, "alice")
    await login.run(tmp_path, "bob")
    assert login.refreshed_with == ["alice", "bob"]
    assert len(list(tmp_path.glob("*.json"))) == 2


async def test_a_rotated_refresh_token_is_used_from_then_on(tmp_path: Path) -> None:
    """The old one may no longer be valid."""
    login = Login(rotates=True)
    for _ in range(3):
        await login.run(tmp_path)
        login.clock.advance(3600)
    assert login.refreshed_with == ["canary", "rotated-1", "rotated-2"]


async def test_the_file_is_private_and_its_name_reveals_nothing(tmp_path: Path) -> None:
    """Only its owner can read it and its lock file, and a directory listing shows no token."""
    await Login().run(tmp_path / "tokens")
    files = list((tmp_path / "tokens").iterdir())
    assert {each.suffix for each in files} == {".json", ".lock"}
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "canary" not in file.name and "canary" not in file.read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id_token": 5}', "\x00"])
async def test_a_damaged_file_is_ignored(tmp_path: Path, text: str) -> None:
    """The next login replaces it."""
    login = Login()
    await login.run(tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.write_text(text)
    await login.run(tmp_path)
    await login.run(tmp_path)
    assert len(login.refreshed_with) == 2


async def test_an_unusable_folder_only_costs_a_login_per_run(tmp_path: Path) -> None:
    """For example in a container with a read-only home directory."""
    (tmp_path / "file").write_text("in the way")
    login = Login()
    await login.run(tmp_path / "file")
    await login.run(tmp_path / "file")
    assert len(login.refreshed_with) == 2
