"""Resource and Metadata: the frame that every object of the API shares. No kind lives here."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from rsspot.models.fields import IMMUTABLE


class Model(BaseModel):
    """camelCase on the wire, snake_case here; fields we do not know are kept, not dropped."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="allow", defer_build=True
    )


def _none_is_empty(value: Any) -> Any:
    return {} if value is None else value


StringMap = Annotated[dict[str, str | None], BeforeValidator(_none_is_empty)]
"""A map of strings. Go servers send null for an empty one; an author writes null to have an entry removed."""


class AuthoredMetadata(Model):
    """What an author may say about an object."""

    name: Annotated[str, IMMUTABLE]
    labels: StringMap = {}
    annotations: StringMap = {}


class Metadata(AuthoredMetadata):
    """Metadata as the service returns it. Times are RFC 3339 strings in UTC."""

    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    finalizers: list[str] | None = None


class Resource(Model):
    """An object of the API. Kinds add `spec` and `status`."""

    api_version: str
    kind: str
    metadata: Metadata

    @property
    def name(self) -> str:
        return self.metadata.name


class Spec(Model):
    """The part of an object that its author decides."""


class Status(Model):
    """The part of an object that the service reports."""
