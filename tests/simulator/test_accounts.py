"""Authorization: signed tokens, several people and organizations, roles, billing."""

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
    """A tenant in a world with two organizations and two people. `log_in` chooses the one who makes requests."""
    return new_tenant(organizations=[ACME, UMBRELLA], people=[ADA, BOB])


def log_in(company, refresh_token):
    """Act as the owner of a refresh token from now on. Returns the token endpoint's response."""
    form = f"grant_type=refresh_token&client_id=x&refresh_token={refresh_token}".encode()
    result = company.ask(
        "POST", "/oauth/token", form, content_type="application/x-www-form-urlencoded", Authorization=None
    ).said
    company.bearer = result["id_token"]
    return result


def test_a_token_can_be_verified_with_the_published_keys(company):
    """It is signed with RS256, as the discovery document says, and has the documented claims."""
    result = log_in(company, "ada-acme")
    configuration = company.ask("GET", "/.well-known/openid-configuration", Authorization=None, Host="localhost:9").said
    assert configuration["id_token_signing_alg_values_supported"] == ["RS256"]
    keys = jwt.PyJWKSet.from_dict(company.ask("GET", "/.well-known/jwks.json", Authorization=None).said)
    key = keys[jwt.get_unverified_header(result["id_token"])["kid"]]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(result["id_token"], key, ["RS256"], audience=CLIENT_ID, options=options)
    assert (claims["email"], claims["org_id"], claims["group"]) == ("ada@example.com", ACME.id, ADMIN)
    assert claims["email_verified"] and claims["sub"].startswith("auth0|") and claims["exp"] - claims["iat"] == 86_400


def test_a_signature_is_valid_for_its_message_only():
    """Another message, another signature and a shortened one are refused."""
    signed = signature(b"message")
    assert is_signature(b"message", signed)
    assert not is_signature(b"massage", signed)
    assert not is_signature(b"message", signed[:-1])
    assert not is_signature(b"message", bytes(len(signed)))
    assert len(key_set()["keys"]) == 1


@pytest.mark.parametrize("claims", [{}, {"exp": 1}, []])
def test_a_signed_token_without_the_required_claims_is_refused(company, claims):
    """The key is public, so a valid signature alone is not enough."""

    def encoded(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{encoded({'alg': 'RS256'})}.{encoded(claims)}"
    company.bearer = f"{signed}.{base64.urlsafe_b64encode(signature(signed.encode())).decode().rstrip('=')}"
    assert company.ask("GET", company.path("cloudspaces")) == (401, "Jwt verification fails")


def test_a_token_of_another_world_is_refused(company, new_tenant):
    """All worlds share one signing key, but not their people."""
    company.bearer = new_tenant().bearer
    assert company.ask("GET", company.path("cloudspaces")) == (401, "Jwt verification fails")


def test_the_token_lifetime_can_be_set(new_tenant):
    """A token with a lifetime of one minute expires after one minute."""
    tenant = new_tenant(lifetime=60)
    assert tenant.list("cloudspaces").status == 200
    tenant.spot.advance(61)
    assert tenant.list("cloudspaces") == (401, "Jwt is expired")


def test_people_see_all_organizations_they_belong_to(company):
    """Regardless of the organization that the token is for."""
    path = "/apis/auth.ngpc.rxt.io/v1/organizations"
    log_in(company, "ada-umbrella")
    assert [each["name"] for each in company.ask("GET", path).said["organizations"]] == ["acme", "umbrella"]
    log_in(company, "bob-acme")
    assert [each["name"] for each in company.ask("GET", path).said["organizations"]] == ["acme"]


def test_a_token_is_valid_for_one_organization(company):
    """The other answers 403 and names the person, even if they belong to both."""
    log_in(company, "ada-umbrella")
    company.namespace = ACME.namespace
    status, result = company.list("cloudspaces")
    assert (status, result["reason"]) == (403, "Forbidden")
    assert 'User "ada@example.com" cannot list resource "cloudspaces"' in result["message"]


def test_a_viewer_can_read_but_not_write(company):
    """Every write is forbidden, and no read is."""
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


def test_an_organization_without_billing_cannot_create_objects(company):
    """The webhook's message gives the reason."""
    log_in(company, "ada-umbrella")
    company.namespace = UMBRELLA.namespace
    status, result = company.create("cloudspaces", "prod", SPEC)
    assert status == 403
    assert result["message"].endswith("denied the request: billing is not enabled for organization umbrella")


def test_a_device_login_belongs_to_the_person_who_approves_it(company):
    """The page offers the organization's members, and the token belongs to the chosen one."""
    started = company.ask("POST", "/oauth/device/code", b"client_id=x&organization=acme", Authorization=None).said
    page = company.ask("GET", f"/activate?user_code={started['user_code']}", Authorization=None).said
    assert "<option>ada@example.com</option><option>bob@example.com</option>" in page
    code = started["user_code"]
    stranger = f"user_code={code}&action=approve&person=eve@example.com".encode()
    assert company.ask("POST", "/activate", stranger, Authorization=None).status == 400
    chosen = f"user_code={code}&action=approve&person=bob@example.com".encode()
    assert company.ask("POST", "/activate", chosen, Authorization=None).status == 200
    form = f"grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=x&device_code={started['device_code']}"
    result = company.ask("POST", "/oauth/token", form.encode(), Authorization=None).said
    claims = jwt.decode(result["id_token"], options={"verify_signature": False})
    assert (claims["email"], claims["group"]) == ("bob@example.com", VIEWER)


def test_an_accounts_file_defines_organizations_and_people(tmp_path):
    """Only names are required; ids and tokens default to values derived from them."""
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
def test_an_invalid_accounts_file_is_refused(tmp_path, text):
    """The error names the file."""
    file = tmp_path / "accounts.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"accounts\.yaml"):
        accounts_from(file)
