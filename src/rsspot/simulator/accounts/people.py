"""Organizations, their members and roles, and the accounts file that defines them. Does not issue tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsspot.errors import UsageError

SANDBOX_ORGANIZATION = "sandbox"
SANDBOX_TOKEN = "sandbox-refresh-token"
SANDBOX_PERSON = "sandbox@example.com"
ADMIN, VIEWER = "cloudspace-admin", "cloudspace-viewer"
"""Groups in the id_token. The service is known to have the first; the second is invented."""
ROLES = {"admin": ADMIN, "viewer": VIEWER}


@dataclass(frozen=True)
class Tenant:
    """An organization. id: the login service's, which the namespace derives from · refresh_token: its first person's"""

    id: str
    name: str
    refresh_token: str
    billing: bool = True

    @property
    def namespace(self) -> str:
        return self.id.lower().replace("_", "-")


@dataclass(frozen=True)
class Person:
    """A person with a login. groups, refresh_tokens: the group and the initial token, by id of the organization"""

    email: str
    groups: Mapping[str, str]
    refresh_tokens: Mapping[str, str] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """The subject claim of the person's tokens."""
        if self.email == SANDBOX_PERSON:
            return "auth0|sandbox"
        return f"auth0|{hashlib.sha256(self.email.encode()).hexdigest()[:24]}"


@dataclass(frozen=True)
class Caller:
    """A person acting for an organization."""

    person: Person
    organization: Tenant

    @property
    def group(self) -> str:
        return self.person.groups.get(self.organization.id, "")


@dataclass(frozen=True)
class Accounts:
    """All people and organizations of a world."""

    organizations: Sequence[Tenant]
    people: Sequence[Person]

    def organization(self, wanted: str) -> Tenant | None:
        """Find an organization by id or name."""
        return next((each for each in self.organizations if wanted in (each.id, each.name)), None)

    def person(self, email: str) -> Person | None:
        return next((each for each in self.people if each.email == email), None)

    def members(self, organization: Tenant) -> list[Person]:
        """The members of an organization."""
        return [each for each in self.people if organization.id in each.groups]

    def caller(self, email: str, organization: str) -> Caller | None:
        """A person acting for an organization; None if they are not a member."""
        person, tenant = self.person(email), self.organization(organization)
        if person is None or tenant is None or tenant.id not in person.groups:
            return None
        return Caller(person, tenant)

    def callers(self) -> list[Caller]:
        """All memberships, in the order of organizations, then people."""
        return [Caller(person, tenant) for tenant in self.organizations for person in self.members(tenant)]


def default_organization(refresh_token: str = SANDBOX_TOKEN) -> Tenant:
    """The organization of a world without configured accounts."""
    return Tenant("org_Sandbox000000001", SANDBOX_ORGANIZATION, refresh_token)


def accounts_of(organizations: Sequence[Tenant], people: Sequence[Person] = ()) -> Accounts:
    """Organizations with these people, or else with one default person who is a member of all."""
    groups = {each.id: ADMIN for each in organizations}
    first = Person(SANDBOX_PERSON, groups, {each.id: each.refresh_token for each in organizations})
    return Accounts(tuple(organizations), tuple(people) or (first,))


def accounts_from(path: Path) -> Accounts:
    """Read the accounts of a YAML file.

    organizations: [{name, id?, refresh_token?, billing?}]
    people: [{email, roles: {NAME: admin|viewer}, refresh_tokens?: {NAME: token}}]
    Raises UsageError.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        organizations = [_organization(each) for each in document["organizations"]]
        people = [_person(each, organizations) for each in document.get("people") or ()]
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        hint = "organizations: [{name}] and people: [{email, roles: {NAME: admin}}]"
        raise UsageError(f"{path} is not a valid accounts file: {error}", hint=hint) from None
    if not organizations:
        raise UsageError(f"{path} defines no organization")
    return accounts_of(organizations, people)


def _organization(given: dict[str, Any]) -> Tenant:
    name = str(given["name"])
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    token = str(given.get("refresh_token") or f"{name}-refresh-token")
    return Tenant(str(given.get("id") or f"org_{digest}"), name, token, bool(given.get("billing", True)))


def _person(given: dict[str, Any], organizations: Sequence[Tenant]) -> Person:
    ids = {each.name: each.id for each in organizations} | {each.id: each.id for each in organizations}
    email, roles = str(given["email"]), dict(given["roles"])
    unknown = [*(name for name in roles if name not in ids), *(role for role in roles.values() if role not in ROLES)]
    if unknown:
        raise ValueError(f"{email} has the unknown role or organization {unknown[0]!r}")
    chosen = given.get("refresh_tokens") or {}
    tokens = {ids[name]: str(chosen.get(name) or f"{email}-{name}-refresh-token") for name in roles}
    return Person(email, {ids[name]: ROLES[role] for name, role in roles.items()}, tokens)
