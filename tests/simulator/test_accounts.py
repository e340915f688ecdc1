"""Who may do what: signed tokens, several people and organizations, roles, billing."""

import base64
import json

import jwt
import pytest

from rsspot.errors import UsageError
from rsspot.simulator.accounts.identity import CLIENT_ID
from rsspot.simulator.accounts.people import ADMIN, VIEWER, Person, Tenant, accounts_from
from rsspot.simulator.accounts.signing import is_signature, key_set, signature

ACME = Tenant("org_Acme0000000001", "acme", "acme-token")
UMBRELLA = Tenant("org_Umbrella000001", "umbrella", "umbrella-token", billing=False)
ADA = Person(
    "ada@example.com", {ACME.id: ADMIN, UMBRELLA.id: ADMIN}, {ACME.id: "ada-acme", UMBRELLA.id: "ada-umbrella"}
)
BOB = Person("bob@example.com", {ACME.id: VIEWER}, {ACME.id: "bob-acme"})
SPEC = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}


@pytest.fixture
def company(new_tenant):
    """A world with two organizations and two people; requests are made as whoever logs in."""
    return new_tenant(organizations=[ACME, UMBRELLA], people=[ADA, BOB])


def log_in(company, refresh_token):
    """Act as the owner of a refresh token, in its organization; gives what the token endpoint answered."""
    form = f"grant_type=refresh_token&client_id=x&refresh_token={refresh_token}".encode()
    said = company.ask(
        "POST", "/oauth/token", form, content_type="application/x-www-form-urlencoded", Authorization=None
    ).said
    company.bearer = said["id_token"]
    return said


def test_anybody_can_check_a_token_with_the_published_keys(company):
    """RS256, as discovery says, with the documented claims."""
    said = log_in(company, "ada-acme")
    configuration = company.ask("GET", "/.well-known/openid-configuration", Authorization=None, Host="localhost:9").said
    assert configuration["id_token_signing_alg_values_supported"] == ["RS256"]
    keys = jwt.PyJWKSet.from_dict(company.ask("GET", "/.well-known/jwks.json", Authorization=None).said)
    key = keys[jwt.get_unverified_header(said["id_token"])["kid"]]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(said["id_token"], key, ["RS256"], audience=CLIENT_ID, options=options)
    assert (claims["email"], claims["org_id"], claims["group"]) == ("ada@example.com", ACME.id, ADMIN)
    assert claims["email_verified"] and claims["sub"].startswith("auth0|") and claims["exp"] - claims["iat"] == 86_400


def test_a_signature_is_that_of_the_message():
    """Another message, another signature or half of one will not do."""
    signed = signature(b"message")
    assert is_signature(b"message", signed)
    assert not is_signature(b"massage", signed)
    assert not is_signature(b"message", signed[:-1])
    assert not is_signature(b"message", bytes(len(signed)))
    assert len(key_set()["keys"]) == 1


@pytest.mark.parametrize("claims", [{}, {"exp": 1}, []])
def test_a_well_signed_token_that_says_nothing_is_none(company, claims):
    """Whoever has the key can sign anything; only the claims of a login are taken."""

    def encoded(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{encoded({'alg': 'RS256'})}.{encoded(claims)}"
    company.bearer = f"{signed}.{base64.urlsafe_b64encode(signature(signed.encode())).decode().rstrip('=')}"
    assert company.ask("GET", company.path("cloudspaces")) == (401, "Jwt verification fails")


def test_a_token_of_another_world_is_none(company, new_tenant):
    """The key is the same everywhere, but not the people."""
    company.bearer = new_tenant().bearer
    assert company.ask("GET", company.path("cloudspaces")) == (401, "Jwt verification fails")


def test_a_lifetime_can_be_chosen(new_tenant):
    """Tokens of a minute are good for a minute."""
    tenant = new_tenant(lifetime=60)
    assert tenant.list("cloudspaces").status == 200
    tenant.spot.advance(61)
    assert tenant.list("cloudspaces") == (401, "Jwt is expired")


def test_each_sees_the_organizations_they_are_in(company):
    """Whichever the token is of."""
    path = "/apis/auth.ngpc.rxt.io/v1/organizations"
    log_in(company, "ada-umbrella")
    assert [each["name"] for each in company.ask("GET", path).said["organizations"]] == ["acme", "umbrella"]
    log_in(company, "bob-acme")
    assert [each["name"] for each in company.ask("GET", path).said["organizations"]] == ["acme"]


def test_a_token_is_good_in_one_organization(company):
    """Though the person is in both: 403, naming who asked."""
    log_in(company, "ada-umbrella")
    company.namespace = ACME.namespace
    status, said = company.list("cloudspaces")
    assert (status, said["reason"]) == (403, "Forbidden")
    assert 'User "ada@example.com" cannot list resource "cloudspaces"' in said["message"]


def test_a_viewer_reads_and_does_not_write(company):
    """Every write is forbidden; every read is not."""
    log_in(company, "ada-acme")
    company.namespace = ACME.namespace
    company.create("cloudspaces", "prod", SPEC)
    log_in(company, "bob-acme")
    assert company.names("cloudspaces") == ["prod"]
    assert company.get("cloudspaces", "prod").status == 200
    refused = [
        company.create("cloudspaces", "second", SPEC),
        company.patch("cloudspaces", "prod", {"spec": {}}),
        company.delete("cloudspaces", "prod"),
        company.ask("DELETE", company.path("cloudspaces")),
    ]
    assert [status for status, _ in refused] == [403] * 4


def test_an_organization_without_billing_gets_nothing_new(company):
    """The webhook says why."""
    log_in(company, "ada-umbrella")
    company.namespace = UMBRELLA.namespace
    status, said = company.create("cloudspaces", "prod", SPEC)
    assert status == 403
    assert said["message"].endswith("denied the request: billing is not enabled for organization umbrella")


def test_a_device_login_is_of_whoever_approves_it(company):
    """The page offers the members, and the token is of the one chosen."""
    started = company.ask("POST", "/oauth/device/code", b"client_id=x&organization=acme", Authorization=None).said
    page = company.ask("GET", f"/activate?user_code={started['user_code']}", Authorization=None).said
    assert "<option>ada@example.com</option><option>bob@example.com</option>" in page
    code = started["user_code"]
    stranger = f"user_code={code}&action=approve&person=eve@example.com".encode()
    assert company.ask("POST", "/activate", stranger, Authorization=None).status == 400
    chosen = f"user_code={code}&action=approve&person=bob@example.com".encode()
    assert company.ask("POST", "/activate", chosen, Authorization=None).status == 200
    form = f"grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=x&device_code={started['device_code']}"
    said = company.ask("POST", "/oauth/token", form.encode(), Authorization=None).said
    claims = jwt.decode(said["id_token"], options={"verify_signature": False})
    assert (claims["email"], claims["group"]) == ("bob@example.com", VIEWER)


def test_an_accounts_file_says_who_there_is(tmp_path):
    """Names are enough; ids and tokens follow from them."""
    file = tmp_path / "accounts.yaml"
    file.write_text(
        """
organizations:
  - {name: acme, id: org_Acme0000000001, refresh_token: acme-token}
  - {name: umbrella, billing: false}
people:
  - {email: ada@example.com, roles: {acme: admin, umbrella: viewer}, refresh_tokens: {acme: hers}}
""",
        encoding="utf-8",
    )
    accounts = accounts_from(file)
    (ada,) = accounts.people
    acme, umbrella = accounts.organizations
    assert (acme.namespace, acme.billing, umbrella.billing) == ("org-acme0000000001", True, False)
    assert (ada.groups[acme.id], ada.groups[umbrella.id]) == (ADMIN, VIEWER)
    assert (ada.refresh_tokens[acme.id], bool(ada.refresh_tokens[umbrella.id])) == ("hers", True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "organizations: []",
        "organizations: [{id: x}]",
        "organizations: [{name: acme}]\npeople: [{email: a@b, roles: {acme: king}}]",
        "organizations: [{name: acme}]\npeople: [{email: a@b, roles: {nowhere: admin}}]",
        "organizations: [{name: acme}]\npeople: [{roles: {acme: admin}}]",
        "a: [",
    ],
)
def test_a_bad_accounts_file_is_refused(tmp_path, text):
    """And says so, with the file's name."""
    file = tmp_path / "accounts.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"accounts\.yaml"):
        accounts_from(file)
