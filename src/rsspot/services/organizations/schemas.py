"""What an organization is, in the snake_case of its endpoint."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Organization(BaseModel):
    """id is what the login service calls it; its namespace is where its objects live."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    id: str
    name: str
    display_name: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def namespace(self) -> str | None:
        namespace = self.metadata.get("namespace")
        return str(namespace) if namespace else None
