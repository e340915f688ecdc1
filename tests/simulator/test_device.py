"""Device logins, rotation of refresh tokens, and the other endpoints of the login service."""

import re
from urllib.parse import urlencode

import pytest

from rsspot.simulator.accounts.device import GRANT, INTERVAL, LIFETIME, REMEMBERED
from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.clock import ManualClock

ORGANIZATIONS = [Tenant("org_One", "one", "first-token"), Tenant("org_Two", "two", "second-token")]
PAGE = "text/html; charset=utf-8"


def post(tenant, path, **form):
    """POST a form without a bearer token."""
    return tenant.ask("POST", path, urlencode(form).encode(), Authorization=None, Host="127.0.0.1:8080")


def start(tenant, **form):
    """Start a login."""
    return post(tenant, "/oauth/device/code", **{"client_id": "cli", **form}).said


def poll(tenant, login, **form):
    """Poll for the tokens of a login."""
    return post(
        tenant, "/oauth/token", **{"grant_type": GRANT, "device_code": login["device_code"], "client_id": "cli", **form}
    )


def refresh(tenant, token):
    """Use a refresh token."""
    return post(tenant, "/oauth/token", grant_type="refresh_token", client_id="cli", refresh_token=token)


def error(answer):
    """The status and error of a refusal, which must have a description too."""
    assert set(answer.said) == {"error", "error_description"}
    return answer.status, answer.said["error"]


def page(tenant, **query):
    """The response that a browser gets for the page."""
    return tenant.respond("GET", "/activate", query=query, Authorization=None)


# Codes


def test_a_login_starts_with_codes(tenant):
    """The response has all fields of RFC 8628, with URLs at the address that was called."""
    result = start(tenant, scope="openid offline_access", organization=tenant.organization.id)
    assert set(result) == {
        *("device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval")
    }
    assert (result["expires_in"], result["interval"]) == (LIFETIME, INTERVAL) == (900, 5)
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", result["user_code"])
    assert result["verification_uri"] == "http://127.0.0.1:8080/activate"
    assert result["verification_uri_complete"] == f"{result['verification_uri']}?user_code={result['user_code']}"
    assert len(result["device_code"]) > 40


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
def test_urls_have_the_requested_host_if_it_is_valid(tenant, host, expected):
    """They use plain HTTP only for loopback hosts."""
    result = tenant.ask("POST", "/oauth/device/code", b"client_id=cli", Authorization=None, Host=host).said
    assert result["verification_uri"] == f"{expected}/activate"


def test_codes_are_unique_and_determined_by_the_seed(new_tenant):
    """Each login has its own codes, and the same seed gives the same ones."""
    codes = [
        [start(tenant) for _ in range(3)] for tenant in (new_tenant(seed=7), new_tenant(seed=7), new_tenant(seed=8))
    ]
    assert codes[0] == codes[1] != codes[2]
    assert len({login["device_code"] for login in codes[0]} | {login["user_code"] for login in codes[0]}) == 6


def test_a_login_requires_a_client_id(tenant):
    """400 with the OAuth error."""
    assert error(post(tenant, "/oauth/device/code", scope="openid")) == (400, "invalid_request")


def test_a_login_requires_an_existing_organization(tenant):
    """400 instead of a code."""
    assert error(post(tenant, "/oauth/device/code", client_id="cli", organization="org_x")) == (400, "invalid_request")


# Polling


def test_an_unknown_code_is_an_invalid_grant(tenant):
    """So is another client's code."""
    assert error(poll(tenant, {"device_code": "x"})) == (403, "invalid_grant")
    assert error(poll(tenant, start(tenant), client_id="other")) == (403, "invalid_grant")


def test_a_poll_is_pending_until_a_person_decides(tenant):
    """Any number of polls at the interval is allowed."""
    login = start(tenant)
    for _ in range(3):
        assert error(poll(tenant, login)) == (403, "authorization_pending")
        tenant.spot.advance(INTERVAL)


def test_polling_too_fast_extends_the_interval(tenant):
    """By five seconds each time, permanently."""
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
    """Approved or not. Long after its expiry the code is unknown."""
    login, other = start(tenant), start(tenant)
    tenant.spot.world.identity.device.approve(other["user_code"])
    tenant.spot.advance(LIFETIME)
    assert error(poll(tenant, login)) == error(poll(tenant, other)) == (403, "expired_token")
    with pytest.raises(LookupError):
        tenant.spot.world.identity.device.approve(login["user_code"])
    tenant.spot.advance(REMEMBERED)
    start(tenant)
    assert error(poll(tenant, login)) == (403, "invalid_grant")


def test_polls_of_a_denied_login_are_refused(tenant):
    """Every time."""
    login = start(tenant)
    tenant.spot.world.identity.device.deny(login["user_code"])
    for _ in range(2):
        assert error(poll(tenant, login)) == (403, "access_denied")


def test_an_approved_login_gets_tokens_once(tenant):
    """The tokens work for the API and for refreshes, and the code cannot be used again."""
    login = start(tenant)
    tenant.spot.world.identity.device.approve(login["user_code"].lower().replace("-", " "))
    status, result = poll(tenant, login)
    assert status == 200
    assert (result["token_type"], result["expires_in"]) == ("Bearer", 86400)
    assert result["scope"] == "openid profile email offline_access"
    assert tenant.ask("GET", tenant.path("cloudspaces"), Authorization=f"Bearer {result['id_token']}").status == 200
    assert refresh(tenant, result["refresh_token"]).status == 200
    assert result["refresh_token"] != tenant.organization.refresh_token
    assert error(poll(tenant, login)) == (403, "invalid_grant")


def test_a_refresh_token_requires_the_offline_access_scope(tenant):
    """Without the scope the response contains none."""
    login = start(tenant, scope="openid email")
    tenant.spot.world.identity.device.approve(login["user_code"])
    result = poll(tenant, login).said
    assert result["scope"] == "openid email"
    assert "refresh_token" not in result


@pytest.mark.parametrize("named", ["org_Two", "two"])
def test_a_login_is_for_the_requested_organization(new_tenant, named):
    """Named by id or by name. The refresh token is for the same organization."""
    tenant = new_tenant(organizations=ORGANIZATIONS)
    login = start(tenant, organization=named)
    tenant.spot.world.identity.device.approve(login["user_code"])
    first = poll(tenant, login).said
    again = refresh(tenant, first["refresh_token"]).said
    for token in (first["id_token"], again["id_token"]):
        result = tenant.ask("GET", "/userinfo", Authorization=f"Bearer {token}").said
        assert result["org_id"] == "org_Two"


def test_logins_are_kept_in_the_state_file(tmp_path, new_tenant):
    """Codes, decisions and refresh tokens are shared by all processes that use the file."""
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


def test_the_page_asks_for_the_code(tenant):
    """With a form and without scripts."""
    shown = page(tenant)
    assert (shown.status, shown.content_type) == (200, PAGE)
    assert b'name="user_code"' in shown.body
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("action", "expected"), [("approve", 200), ("deny", 403)])
def test_the_page_lets_a_person_approve_or_deny(tenant, action, expected):
    """The page shows the code and the organization, and a button decides the login."""
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


def test_viewing_the_page_decides_nothing(tenant):
    """Nor does posting the form without a button."""
    login = start(tenant)
    page(tenant, user_code=login["user_code"], action="approve")
    post(tenant, "/activate", user_code=login["user_code"])
    assert error(poll(tenant, login)) == (403, "authorization_pending")


def test_input_is_escaped_on_the_page(tenant):
    """Both the typed code and the client's scope."""
    typed = "<script>alert('x')</script>\"&"
    shown = page(tenant, user_code=typed)
    assert shown.status == 400
    assert b"<script" not in shown.body
    assert b"&lt;script&gt;" in shown.body
    login = start(tenant, scope=typed)
    assert b"<script" not in page(tenant, user_code=login["user_code"]).body


# Rotation


def test_a_refresh_token_can_be_reused_by_default(tenant):
    """And no new one is issued."""
    for _ in range(2):
        status, result = refresh(tenant, tenant.organization.refresh_token)
        assert (status, "refresh_token" in result) == (200, False)


def test_a_rotating_refresh_token_works_once(new_tenant):
    """Each response contains the next one."""
    tenant = new_tenant(rotate=True)
    token = tenant.organization.refresh_token
    for _ in range(3):
        status, result = refresh(tenant, token)
        assert status == 200
        assert refresh(tenant, token).status == 401
        assert tenant.ask("GET", tenant.path("cloudspaces"), Authorization=f"Bearer {result['id_token']}").status == 200
        token = result["refresh_token"]


def test_tokens_are_not_stored_in_clear_text(new_tenant):
    """So a reader of the file cannot log in."""
    tenant = new_tenant(rotate=True)
    login = start(tenant)
    token = refresh(tenant, tenant.organization.refresh_token).said["refresh_token"]
    kept = "\n".join(tenant.store._db.iterdump())
    assert token not in kept
    assert login["device_code"] not in kept


# The rest of the login service


def test_userinfo_identifies_the_caller(tenant):
    """It accepts an access token or an id_token, and requires one of them."""
    result = refresh(tenant, tenant.organization.refresh_token).said
    for token in (result["access_token"], result["id_token"]):
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


def test_the_discovery_document_lists_the_endpoints(tenant):
    """With URLs at the address that was called."""
    result = tenant.ask("GET", "/.well-known/openid-configuration", Authorization=None, Host="localhost:99").said
    assert result["issuer"] == "http://localhost:99/"
    assert result["token_endpoint"] == "http://localhost:99/oauth/token"
    assert result["device_authorization_endpoint"] == "http://localhost:99/oauth/device/code"
    assert result["userinfo_endpoint"] == "http://localhost:99/userinfo"
    assert GRANT in result["grant_types_supported"]
    assert result["jwks_uri"] == "http://localhost:99/.well-known/jwks.json"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/oauth/token"), ("GET", "/oauth/device/code"), ("POST", "/userinfo")]
)
def test_other_methods_are_not_allowed(tenant, method, path):
    """405 instead of the 401 for a missing token."""
    assert tenant.ask(method, path, Authorization=None).status == 405
