"""Tokens are cached, renewed once and shared; a refused token causes no storm of requests."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from rsspot import AsyncSpotClient, AuthError, Forbidden, SpotClient
from rsspot.auth.token import Token
from support.loopback_server import failure


@pytest.mark.defect(19)
def test_a_rotated_refresh_token_is_used(new_loopback, config, rsspot):
    """Otherwise the second renewal, or the second command, fails forever."""
    service = new_loopback(rotate=True)
    config(default=service.profile())
    assert rsspot("regions", "list", "--no-cache").code == 0
    for _ in range(3):
        service.answer("GET .*/regions$", failure(401, "expired"))
        # Otherwise a token issued within the same second would be identical.
        service.world.identity.lifetime += 1
        assert rsspot("regions", "list", "--no-cache").code == 0
    logins = [request for request in service.requests if request.path == "/oauth/token"]
    tokens = [login.form()["refresh_token"] for login in logins]
    assert len(tokens) == 4 == len(set(tokens))


@pytest.mark.defect(19)
def test_a_rotated_refresh_token_is_stored_at_once(new_loopback, config_file, config, rsspot):
    """Otherwise it is lost when the process ends. Only its owner can read the file."""
    service = new_loopback(rotate=True)
    config(default=service.profile())
    assert rsspot("regions", "list", "--no-cache").code == 0
    (cached,) = (config_file.parent / "tokens").glob("*.json")
    rotated = json.loads(cached.read_text())["refresh_token"]
    assert rotated and rotated != service.profile()["refreshToken"]
    assert cached.stat().st_mode & 0o077 == 0


@pytest.mark.defect(20)
def test_commands_share_one_login(account, rsspot):
    """Otherwise each command first needs a round trip to the login service."""
    for _ in range(3):
        assert rsspot("cloudspaces", "list").code == 0
    assert len(account.sent("POST /oauth/token")) == 1
    assert len(account.sent("GET .*/organizations$")) == 1
    assert len(account.sent()) == 5


@pytest.mark.defect(21)
def test_forbidden_is_not_retried(account, rsspot):
    """Otherwise a 403 costs several requests, logins and pauses."""
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
    """The request is repeated once with a new token, then fails."""
    account.answer("GET .*/regions$", *[failure(401, "expired")] * refusals)
    assert rsspot("regions", "list").code == (0 if refusals == 1 else 4)
    assert len(account.sent("POST /oauth/token")) == 2
    assert len(account.sent("GET .*/regions$")) == 2


@pytest.mark.defect(21)
def test_concurrent_refused_requests_share_one_renewal(account):
    """Otherwise twenty tasks log in twenty times."""
    old: set[str] = set()

    def revoked(request):
        return failure(401, "revoked") if request.headers.get("authorization") in old else None

    account.answers.append(revoked)

    async def work() -> None:
        async with AsyncSpotClient(cache=False) as client:
            await client.regions.list()
            headers = [request.headers for request in account.requests]
            old.update(sent["authorization"] for sent in headers if "authorization" in sent)
            # Without this, a token issued within the same second would be identical.
            account.world.identity.lifetime += 1
            await asyncio.gather(*(client.regions.list() for _ in range(20)))

    asyncio.run(work())
    assert len(account.sent("POST /oauth/token")) == 2


@pytest.mark.defect(21)
def test_forbidden_without_a_refresh_token_is_reported_as_forbidden(account):
    """Otherwise the real reason is hidden behind a wrong one."""
    token = account.world.identity.id_token(account.world.organizations[0])
    account.answer("GET .*/regions$", *[failure(403, "not yours")] * 9)
    with SpotClient(access_token=token) as client, pytest.raises(Forbidden, match="not yours"):
        client.regions.list()
    assert account.sent("POST /oauth/token") == []


@pytest.mark.defect(45)
def test_an_opaque_access_token_is_sent(account):
    """Otherwise a valid credential is rejected without being used."""
    with SpotClient(access_token="opaque") as client, pytest.raises(AuthError):
        client.regions.list()
    (request,) = account.requests
    assert request.headers["authorization"] == "Bearer opaque"


@pytest.mark.defect(47)
@pytest.mark.parametrize(
    "claims", [[], "text", None, {"exp": 10**30}, {"exp": "soon"}, {"exp": -(10**18)}, {"exp": 1e400}], ids=str
)
def test_a_token_with_invalid_claims_does_not_crash(claims):
    """Otherwise a token that the service accepts cannot be used."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert Token.parse(f"e30.{body}.x").expires_at is None
