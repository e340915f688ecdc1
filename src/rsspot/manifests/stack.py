"""What a Stack document says: whose manifests these are, and how much one run may change."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rsspot.models.authoring import WholeNumber, between
from rsspot.models.resource import AuthoredMetadata, Model

DEFAULT_STACK = "default"


class Limits(Model):
    """How much one run may take away. deletes counts objects; delete_percent is of what the stack owns."""

    deletes: Annotated[WholeNumber | None, between(0)] = None
    delete_percent: Annotated[WholeNumber | None, between(0, 100)] = None


class StackSpec(Model):
    """organization and profile choose the account; variables are what `${var:…}` stands for."""

    organization: str | None = None
    profile: str | None = None
    variables: dict[str, Any] = Field(default_factory=dict)
    limits: Limits = Limits()


class Stack(Model):
    """The set of manifests that is planned and applied as one."""

    api_version: str
    kind: str
    metadata: AuthoredMetadata
    spec: StackSpec = StackSpec()

    @property
    def name(self) -> str:
        return self.metadata.name
