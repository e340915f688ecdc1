"""The Organization model. Its endpoint uses snake_case."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Organization(BaseModel):
    """id: the login service's identifier · namespace: the Kubernetes namespace of the organization's objects."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    id: str
    name: str
    display_name: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def namespace(self) -> str | None:
        namespace = self.metadata.get("namespace")
        return str(namespace) if namespace else None
