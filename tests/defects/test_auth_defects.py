"""Tokens: kept, renewed once for everybody, never thrown away, and no storm when one is refused."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from rsspot import AsyncSpotClient, AuthError, Forbidden, SpotClient
from rsspot.auth.token import Token
from support.loopback_server import failure


@pytest.mark.defect(19)
def test_a_replaced_refresh_token_is_used_from_then_on(new_loopback, config, rsspot):
    """Otherwise the second renewal, or the second command, is locked out for ever."""
    service = new_loopback(rotate=True)
    config(default=service.profile())
    service.world.identity.lifetime = 1
    for _ in range(4):
        assert rsspot("regions", "list", "--no-cache").code == 0
    tokens = [each.form()["refresh_token"] for each in service.requests if each.path == "/oauth/token"]
    assert len(tokens) == 4 == len(set(tokens))


@pytest.mark.defect(19)
def test_a_replaced_refresh_token_is_kept_before_it_is_needed(new_loopback, config_file, config, rsspot):
    """What is lost with the process is lost: the file has it, and nobody but its owner can read it."""
    service = new_loopback(rotate=True)
    config(default=service.profile())
    assert rsspot("regions", "list", "--no-cache").code == 0
    (kept,) = (config_file.parent / "tokens").glob("*.json")
    replaced = json.loads(kept.read_text())["refresh_token"]
    assert replaced and replaced != service.profile()["refreshToken"]
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.defect(20)
def test_commands_share_one_login(account, rsspot):
    """Otherwise each command costs a round trip to another service first."""
    for _ in range(3):
        assert rsspot("cloudspaces", "list").code == 0
    assert len(account.sent("POST /oauth/token")) == 1
    assert len(account.sent("GET .*/organizations$")) == 1
    assert len(account.sent()) == 5


@pytest.mark.defect(21)
def test_a_missing_right_is_told_at_once(account, rsspot):
    """Otherwise a plain no costs several calls, several logins and some waiting."""
    assert rsspot("organizations", "list").code == 0
    account.requests.clear()
    account.answer("GET .*/regions$", *[failure(403, "not yours")] * 9)
    ended = rsspot("regions", "list")
    assert ended.code == 1
    assert "not yours" in ended.err
    assert account.sent() == ["GET /apis/ngpc.rxt.io/v1/regions"]


@pytest.mark.defect(21)
@pytest.mark.parametrize("refusals", [1, 9])
def test_a_refused_token_is_renewed_once(account, rsspot, refusals):
    """Once more with a new token, and then no more."""
    account.answer("GET .*/regions$", *[failure(401, "expired")] * refusals)
    assert rsspot("regions", "list").code == (0 if refusals == 1 else 4)
    assert len(account.sent("POST /oauth/token")) == 2
    assert len(account.sent("GET .*/regions$")) == 2


@pytest.mark.defect(21)
def test_many_who_are_refused_at_once_share_one_renewal(account):
    """Otherwise twenty tasks log in twenty times."""
    old: set[str] = set()

    def revoked(request):
        return failure(401, "revoked") if request.headers.get("authorization") in old else None

    account.answers.append(revoked)

    async def work() -> None:
        async with AsyncSpotClient(cache=False) as client:
            await client.regions.list()
            old.update(each.headers["authorization"] for each in account.requests if "authorization" in each.headers)
            # A token made within the same second would be the same one.
            account.world.identity.lifetime += 1
            await asyncio.gather(*(client.regions.list() for _ in range(20)))

    asyncio.run(work())
    assert len(account.sent("POST /oauth/token")) == 2


@pytest.mark.defect(21)
def test_without_a_refresh_token_a_no_is_still_a_no(account):
    """Otherwise the reason is hidden behind one that is not true."""
    token = account.world.identity.id_token(account.world.organizations[0])
    account.answer("GET .*/regions$", *[failure(403, "not yours")] * 9)
    with SpotClient(access_token=token) as client, pytest.raises(Forbidden, match="not yours"):
        client.regions.list()
    assert account.sent("POST /oauth/token") == []


@pytest.mark.defect(45)
def test_a_token_that_says_nothing_of_itself_is_tried(account):
    """Otherwise a good credential is thrown away unused."""
    with SpotClient(access_token="opaque") as client, pytest.raises(AuthError):
        client.regions.list()
    (asked,) = account.requests
    assert asked.headers["authorization"] == "Bearer opaque"


@pytest.mark.defect(47)
@pytest.mark.parametrize(
    "claims", [[], "text", None, {"exp": 10**30}, {"exp": "soon"}, {"exp": -(10**18)}, {"exp": 1e400}], ids=str
)
def test_an_odd_token_is_no_crash(claims):
    """Otherwise a token that the service would take cannot even be tried."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert Token.parse(f"e30.{body}.x").expires_at is None
