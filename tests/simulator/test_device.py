"""Logins on another device, refresh tokens that rotate, and what else the login service says."""

import re
from urllib.parse import urlencode

import pytest

from rsspot.simulator.accounts.device import GRANT, INTERVAL, LIFETIME, REMEMBERED
from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.clock import ManualClock

ORGANIZATIONS = [Tenant("org_One", "one", "first-token"), Tenant("org_Two", "two", "second-token")]
PAGE = "text/html; charset=utf-8"


def post(tenant, path, **form):
    """Send a form without a bearer."""
    return tenant.ask("POST", path, urlencode(form).encode(), Authorization=None, Host="127.0.0.1:8080")


def start(tenant, **form):
    """Begin a login."""
    return post(tenant, "/oauth/device/code", **{"client_id": "cli", **form}).said


def poll(tenant, login, **form):
    """Ask whether a login was approved."""
    return post(
        tenant, "/oauth/token", **{"grant_type": GRANT, "device_code": login["device_code"], "client_id": "cli", **form}
    )


def refresh(tenant, token):
    """Use a refresh token."""
    return post(tenant, "/oauth/token", grant_type="refresh_token", client_id="cli", refresh_token=token)


def error(answer):
    """Status and error of a refusal, which has a description too."""
    assert set(answer.said) == {"error", "error_description"}
    return answer.status, answer.said["error"]


def page(tenant, **query):
    """The page as a browser gets it."""
    return tenant.respond("GET", "/activate", query=query, Authorization=None)


# Codes


def test_a_login_begins_with_codes(tenant):
    """Everything that RFC 8628 asks for, at the address that was called."""
    said = start(tenant, scope="openid offline_access", organization=tenant.organization.id)
    assert set(said) == {
        *("device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval")
    }
    assert (said["expires_in"], said["interval"]) == (LIFETIME, INTERVAL) == (900, 5)
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", said["user_code"])
    assert said["verification_uri"] == "http://127.0.0.1:8080/activate"
    assert said["verification_uri_complete"] == f"{said['verification_uri']}?user_code={said['user_code']}"
    assert len(said["device_code"]) > 40


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("login.example.com", "https://login.example.com"),
        ("localhost:1", "http://localhost:1"),
        ("[::1]:80", "http://[::1]:80"),
        ('x"><script>', "https://login.spot.rackspace.com"),
        ("", "https://login.spot.rackspace.com"),
    ],
)
def test_the_address_is_the_callers_if_it_is_one(tenant, host, expected):
    """Plain http on loopback only."""
    said = tenant.ask("POST", "/oauth/device/code", b"client_id=cli", Authorization=None, Host=host).said
    assert said["verification_uri"] == f"{expected}/activate"


def test_codes_differ_and_come_from_the_seed(new_tenant):
    """Two logins, two codes; the same world again, the same."""
    codes = [
        [start(tenant) for _ in range(3)] for tenant in (new_tenant(seed=7), new_tenant(seed=7), new_tenant(seed=8))
    ]
    assert codes[0] == codes[1] != codes[2]
    assert len({login["device_code"] for login in codes[0]} | {login["user_code"] for login in codes[0]}) == 6


def test_a_login_needs_a_client(tenant):
    """400, as OAuth says it."""
    assert error(post(tenant, "/oauth/device/code", scope="openid")) == (400, "invalid_request")


def test_a_login_needs_an_organization_that_exists(tenant):
    """400, before there is a code."""
    assert error(post(tenant, "/oauth/device/code", client_id="cli", organization="org_x")) == (400, "invalid_request")


# Polling


def test_an_unknown_code_is_no_grant(tenant):
    """Nor is another client's."""
    assert error(poll(tenant, {"device_code": "x"})) == (403, "invalid_grant")
    assert error(poll(tenant, start(tenant), client_id="other")) == (403, "invalid_grant")


def test_a_poll_is_pending_until_somebody_decides(tenant):
    """At the interval, as often as it takes."""
    login = start(tenant)
    for _ in range(3):
        assert error(poll(tenant, login)) == (403, "authorization_pending")
        tenant.spot.advance(INTERVAL)


def test_hurry_makes_the_interval_longer(tenant):
    """Five seconds more each time, for good."""
    login = start(tenant)
    assert error(poll(tenant, login)) == (403, "authorization_pending")
    for waited in (4, 9):
        tenant.spot.advance(waited)
        assert error(poll(tenant, login)) == (429, "slow_down")
    tenant.spot.advance(14)
    assert error(poll(tenant, login)) == (429, "slow_down")
    tenant.spot.advance(20)
    assert error(poll(tenant, login)) == (403, "authorization_pending")


def test_a_code_expires(tenant):
    """Approved or not; long after, it is as if it never was."""
    login, other = start(tenant), start(tenant)
    tenant.spot.world.identity.device.approve(other["user_code"])
    tenant.spot.advance(LIFETIME)
    assert error(poll(tenant, login)) == error(poll(tenant, other)) == (403, "expired_token")
    with pytest.raises(LookupError):
        tenant.spot.world.identity.device.approve(login["user_code"])
    tenant.spot.advance(REMEMBERED)
    start(tenant)
    assert error(poll(tenant, login)) == (403, "invalid_grant")


def test_a_denied_login_is_told_so(tenant):
    """However often it asks."""
    login = start(tenant)
    tenant.spot.world.identity.device.deny(login["user_code"])
    for _ in range(2):
        assert error(poll(tenant, login)) == (403, "access_denied")


def test_an_approved_login_gets_tokens_once(tenant):
    """Good for the API and for more tokens; the code is used up."""
    login = start(tenant)
    tenant.spot.world.identity.device.approve(login["user_code"].lower().replace("-", " "))
    status, said = poll(tenant, login)
    assert status == 200
    assert (said["token_type"], said["expires_in"]) == ("Bearer", 86400)
    assert said["scope"] == "openid profile email offline_access"
    assert tenant.ask("GET", tenant.path("cloudspaces"), Authorization=f"Bearer {said['id_token']}").status == 200
    assert refresh(tenant, said["refresh_token"]).status == 200
    assert said["refresh_token"] != tenant.organization.refresh_token
    assert error(poll(tenant, login)) == (403, "invalid_grant")


def test_offline_access_has_to_be_asked_for(tenant):
    """Otherwise there is no refresh token."""
    login = start(tenant, scope="openid email")
    tenant.spot.world.identity.device.approve(login["user_code"])
    said = poll(tenant, login).said
    assert said["scope"] == "openid email"
    assert "refresh_token" not in said


@pytest.mark.parametrize("named", ["org_Two", "two"])
def test_a_login_is_for_the_organization_asked_for(new_tenant, named):
    """By id or by name; the refresh token stays with it."""
    tenant = new_tenant(organizations=ORGANIZATIONS)
    login = start(tenant, organization=named)
    tenant.spot.world.identity.device.approve(login["user_code"])
    first = poll(tenant, login).said
    again = refresh(tenant, first["refresh_token"]).said
    for token in (first["id_token"], again["id_token"]):
        said = tenant.ask("GET", "/userinfo", Authorization=f"Bearer {token}").said
        assert said["org_id"] == "org_Two"


def test_a_login_outlives_the_process(tmp_path, new_tenant):
    """Codes, decisions and refresh tokens are in the file."""
    same = {"path": tmp_path / "world.db", "clock": ManualClock(), "rotate": True}
    first, second, third = (new_tenant(**same) for _ in range(3))
    login = start(first)
    assert error(poll(second, login)) == (403, "authorization_pending")
    first.spot.world.identity.device.approve(login["user_code"])
    token = poll(second, login).said["refresh_token"]
    newer = refresh(third, token).said["refresh_token"]
    assert refresh(second, token).status == 401
    assert refresh(second, newer).status == 200


# The page


def test_a_person_types_the_code(tenant):
    """A form, and no script."""
    shown = page(tenant)
    assert (shown.status, shown.content_type) == (200, PAGE)
    assert b'name="user_code"' in shown.body
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("action", "expected"), [("approve", 200), ("deny", 403)])
def test_a_person_decides(tenant, action, expected):
    """The page shows who asks; a press of a button is what a poll waits for."""
    login = start(tenant)
    shown = page(tenant, user_code=login["user_code"])
    text = shown.body.decode()
    assert shown.status == 200
    assert login["user_code"] in text
    assert tenant.organization.id in text
    assert f'value="{action}"' in text
    assert post(tenant, "/activate", user_code=login["user_code"], action=action).status == 200
    assert poll(tenant, login).status == expected
    assert post(tenant, "/activate", user_code=login["user_code"], action=action).status == 400


def test_looking_decides_nothing(tenant):
    """Neither does a form without a button."""
    login = start(tenant)
    page(tenant, user_code=login["user_code"], action="approve")
    post(tenant, "/activate", user_code=login["user_code"])
    assert error(poll(tenant, login)) == (403, "authorization_pending")


def test_what_was_typed_is_escaped(tenant):
    """In the page's text; also in the scope that a client chose."""
    typed = "<script>alert('x')</script>\"&"
    shown = page(tenant, user_code=typed)
    assert shown.status == 400
    assert b"<script" not in shown.body
    assert b"&lt;script&gt;" in shown.body
    login = start(tenant, scope=typed)
    assert b"<script" not in page(tenant, user_code=login["user_code"]).body


# Rotation


def test_a_refresh_token_works_for_ever(tenant):
    """Unless the world says otherwise, and nothing new is handed out."""
    for _ in range(2):
        status, said = refresh(tenant, tenant.organization.refresh_token)
        assert (status, "refresh_token" in said) == (200, False)


def test_a_rotating_refresh_token_works_once(new_tenant):
    """Each answer brings the next."""
    tenant = new_tenant(rotate=True)
    token = tenant.organization.refresh_token
    for _ in range(3):
        status, said = refresh(tenant, token)
        assert status == 200
        assert refresh(tenant, token).status == 401
        assert tenant.ask("GET", tenant.path("cloudspaces"), Authorization=f"Bearer {said['id_token']}").status == 200
        token = said["refresh_token"]


def test_tokens_are_not_kept_in_clear_text(new_tenant):
    """Whoever reads the file cannot log in with it."""
    tenant = new_tenant(rotate=True)
    login = start(tenant)
    token = refresh(tenant, tenant.organization.refresh_token).said["refresh_token"]
    kept = "\n".join(tenant.store._db.iterdump())
    assert token not in kept
    assert login["device_code"] not in kept


# The rest of the login service


def test_userinfo_says_who_one_is(tenant):
    """For an access token as for an id_token; nobody else is told."""
    said = refresh(tenant, tenant.organization.refresh_token).said
    for token in (said["access_token"], said["id_token"]):
        answer = tenant.ask("GET", "/userinfo", Authorization=f"Bearer {token}")
        assert answer == (
            200,
            {
                "sub": "auth0|sandbox",
                "email": "sandbox@example.com",
                "email_verified": True,
                "org_id": tenant.organization.id,
            },
        )
    assert tenant.ask("GET", "/userinfo", Authorization=None) == (401, "Jwt is missing")


def test_the_login_service_describes_itself(tenant):
    """Where everything is, at the address that was called."""
    said = tenant.ask("GET", "/.well-known/openid-configuration", Authorization=None, Host="localhost:99").said
    assert said["issuer"] == "http://localhost:99/"
    assert said["token_endpoint"] == "http://localhost:99/oauth/token"
    assert said["device_authorization_endpoint"] == "http://localhost:99/oauth/device/code"
    assert said["userinfo_endpoint"] == "http://localhost:99/userinfo"
    assert GRANT in said["grant_types_supported"]
    assert said["jwks_uri"] == "http://localhost:99/.well-known/jwks.json"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/oauth/token"), ("GET", "/oauth/device/code"), ("POST", "/userinfo")]
)
def test_other_methods_are_not_allowed(tenant, method, path):
    """405, with or without a bearer."""
    assert tenant.ask(method, path, Authorization=None).status == 405
