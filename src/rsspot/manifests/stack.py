"""What a Stack document says: whose manifests these are, and how much one run may change."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rsspot.manifests.declarations import Declaration
from rsspot.manifests.lifecycle import OnRemove, Replace
from rsspot.manifests.pause import Pause
from rsspot.manifests.policies import PolicyEntry
from rsspot.manifests.spending import Budget, Extras, Risk
from rsspot.models.authoring import WholeNumber, between, one_of, rule
from rsspot.models.resource import AuthoredMetadata, Model
from rsspot.utils.database_url import shown_url

DEFAULT_STACK = "default"
CARRIERS = ("cloudspace", "vmcloudspace")
"""The kinds whose objects may carry a lease: their names are as written."""


def require_no_password(url: str) -> None:
    """Raise ValueError for a URL with a password in it: manifests are kept, and so is the URL in saved plans."""
    if shown_url(url) != url:
        raise ValueError("must be a URL without a password; give that by PGPASSWORD or a password file")


def require_address(text: str) -> None:
    """Raise ValueError for what is not the address of an object that can carry a lease."""
    kind, _, name = text.partition("/")
    if kind not in CARRIERS or not name or "/" in name:
        raise ValueError("must be the address of a cloudspace or a VM cloudspace, such as cloudspace/edge")


class Limits(Model):
    """How much one run may take away."""

    deletes: Annotated[WholeNumber | None, between(0)] = None
    """Most objects that one run may delete or replace."""
    delete_percent: Annotated[WholeNumber | None, between(0, 100)] = None
    """Most of what the stack owns that one run may delete or replace, in percent."""


class Defaults(Model):
    """What holds for objects of the stack whose own annotations say nothing about it."""

    on_remove: Annotated[str | None, one_of(*OnRemove)] = None
    """What becomes of an object once nothing declares it."""
    replace: Annotated[str | None, one_of(*Replace)] = None
    """How a field that cannot be changed may change."""
    ignore: list[str] = Field(default_factory=list)
    """Fields that others may change after an object is made, besides those that the object itself names."""


class StackSpec(Model):
    """Whose manifests these are, and how much a run may change."""

    organization: str | None = None
    """Name or ID of the organization."""
    profile: str | None = None
    """Profile of the config file."""
    ledger: Annotated[str | None, rule(require_no_password)] = None
    """URL of the ledger that all who apply the stack share, without a password."""
    lease: Annotated[str | None, rule(require_address)] = None
    """Address of the live object that carries the lease of the stack as an annotation, such as `cloudspace/edge`."""
    include: list[str] = Field(default_factory=list)
    """Files and folders with further manifests, relative to this file. Only variables and include count of a Stack
    in them.
    """
    variables: dict[str, Declaration | Any] = Field(default_factory=dict)
    """What `${var:…}` stands for: a value, or a mapping that declares its type and rules."""
    limits: Limits = Limits()
    """How much one run may take away."""
    budget: Budget | None = None
    """How much the stack may cost."""
    risk: Risk = Risk()
    """Which risk of losing servers a plan warns of."""
    extras: dict[str, Extras] = Field(default_factory=dict)
    """Address -> what is billed for this object and is no object itself, such as load balancers."""
    defaults: Defaults = Defaults()
    """What holds for every object of the stack."""
    pause: Pause | None = None
    """That `watch` and fleets only look at the stack for now."""
    policies: list[PolicyEntry] = Field(default_factory=list)
    """What has to hold for every plan of the stack."""


class Stack(Model):
    """The set of manifests that is planned and applied as one."""

    api_version: str
    """Group and version of the kind."""
    kind: str
    """The kind."""
    metadata: AuthoredMetadata
    """Name of the stack."""
    spec: StackSpec = StackSpec()
    """The account, the variables and the limits of the stack."""

    @property
    def name(self) -> str:
        return self.metadata.name
