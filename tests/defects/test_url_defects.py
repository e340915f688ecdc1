"""Names and URLs: a name is always one path segment, and credentials go to one origin only."""

from __future__ import annotations

import pytest

from rsspot import ApiError, SpotClient, UsageError
from rsspot.simulator.apiserver.messages import Response
from support.loopback_server import SPEC

INVALID_NAMES = [
    "",
    " ",
    "/",
    ".",
    "..",
    "../ondemandnodepools/base",
    "web/../../x",
    "web?x=1",
    "web#x",
    "web%2f",
    "WEB",
]
INVALID_NAMES += ["-web", "a\nb"]


@pytest.mark.defect(9)
@pytest.mark.parametrize("verb", ["get", "delete", "patch", "wait", "upgrade", "kubeconfig"])
def test_an_invalid_name_is_never_sent(account, verb):
    """Otherwise an unset shell variable deletes every cloudspace, or an object of another kind."""
    account.make("cloudspaces", "web", SPEC)
    more = {"patch": [{"kubernetesVersion": "1.32.0"}], "upgrade": ["1.32.0"]}.get(verb, [])
    with SpotClient() as client:
        for name in INVALID_NAMES:
            with pytest.raises(UsageError):
                getattr(client.cloudspaces, verb)(name, *more)
    assert not account.sent("cloudspaces/")
    assert account.writes() == []
    assert account.names("cloudspaces") == ["web"]


@pytest.mark.defect(9)
def test_an_invalid_name_is_never_created(account):
    """The same for the name in a request body."""
    with SpotClient() as client:
        for name in INVALID_NAMES:
            with pytest.raises(UsageError):
                client.cloudspaces.create(name, SPEC)
    assert account.writes() == []


@pytest.mark.defect(9)
@pytest.mark.parametrize("group", ["cloudspaces", "spotnodepools", "ondemandnodepools", "vmpools", "vmsshkeys"])
def test_no_command_deletes_by_an_invalid_name(account, rsspot, group):
    """With --yes there is no prompt, so only the name protects."""
    account.make("cloudspaces", "web", SPEC)
    for name in ("", "..", "../cloudspaces/web"):
        ended = rsspot(group, "delete", name, "--yes")
        assert ended.code in (1, 3)
        assert ended.out == ""
    assert account.writes() == []


@pytest.mark.defect(32)
def test_a_redirect_of_a_login_is_not_followed(account, new_loopback, rsspot):
    """Otherwise the refresh token is sent to the redirect's target."""
    other_host = new_loopback()
    account.answer("POST /oauth/token", *[Response(307, headers={"Location": f"{other_host.url}/oauth/token"})] * 9)
    assert rsspot("organizations", "list").code in (1, 4)
    assert other_host.requests == []


@pytest.mark.defect(32)
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["same host", "another host"])
def test_a_redirect_of_a_write_is_an_error(account, new_loopback, code, elsewhere):
    """Otherwise a create becomes a read and is reported as a success, or a token goes elsewhere."""
    other_host = new_loopback()
    to = f"{other_host.url if elsewhere else account.url}/apis/ngpc.rxt.io/v1/regions"
    account.answer("POST /apis", *[Response(code, headers={"Location": to})] * 9)
    with SpotClient() as client, pytest.raises(ApiError, match="redirects"):
        client.cloudspaces.create("web", SPEC)
    assert other_host.requests == []
    assert not account.sent("GET .*/regions$")
    assert len(account.sent("POST /apis")) == 1


@pytest.mark.defect(32)
def test_a_redirect_of_a_read_is_an_error(account, new_loopback, rsspot):
    """Otherwise the token goes to another host."""
    other_host = new_loopback()
    account.answer("GET /apis/.*/regions", *[Response(302, headers={"Location": f"{other_host.url}/"})] * 9)
    assert rsspot("regions", "list").code == 1
    assert other_host.requests == []


@pytest.mark.defect(32)
@pytest.mark.parametrize("which", ["baseUrl", "oauthUrl"])
def test_a_credential_is_not_sent_over_plain_http(account, config, rsspot, which):
    """Otherwise others on the network can read it."""
    config(default={**account.profile(), which: "http://spot.example.com"})
    ended = rsspot("organizations", "list")
    assert ended.code == 3
    assert "not https" in ended.err
    assert account.requests == []
