"""What a Stack document says: whose manifests these are, and how much one run may change."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rsspot.manifests.spending import Budget, Extras, Risk
from rsspot.models.authoring import WholeNumber, between
from rsspot.models.resource import AuthoredMetadata, Model

DEFAULT_STACK = "default"


class Limits(Model):
    """How much one run may take away."""

    deletes: Annotated[WholeNumber | None, between(0)] = None
    """Most objects that one run may delete or replace."""
    delete_percent: Annotated[WholeNumber | None, between(0, 100)] = None
    """Most of what the stack owns that one run may delete or replace, in percent."""


class StackSpec(Model):
    """Whose manifests these are, and how much a run may change."""

    organization: str | None = None
    """Name or ID of the organization."""
    profile: str | None = None
    """Profile of the config file."""
    variables: dict[str, Any] = Field(default_factory=dict)
    """What `${var:…}` stands for."""
    limits: Limits = Limits()
    """How much one run may take away."""
    budget: Budget | None = None
    """How much the stack may cost."""
    risk: Risk = Risk()
    """Which risk of losing servers a plan warns of."""
    extras: dict[str, Extras] = Field(default_factory=dict)
    """Address -> what is billed for this object and is no object itself, such as load balancers."""


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
