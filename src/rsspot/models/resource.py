"""Resource and Metadata: the frame that every object of the API shares. No kind lives here."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from rsspot.constants import API_VERSION
from rsspot.models.fields import IMMUTABLE, is_union


class Model(BaseModel):
    """camelCase on the wire, snake_case here; fields we do not know are kept. Values: they do not change."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="allow",
        frozen=True,
        defer_build=True,
    )


def _none_is_empty(value: Any) -> Any:
    return {} if value is None else value


StringMap = Annotated[dict[Annotated[str, Field(min_length=1)], str | None], BeforeValidator(_none_is_empty)]
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
    """An object of the API. Kinds add `spec` and `status`. Items of a list come without api_version and kind."""

    api_version: str = API_VERSION
    kind: str = ""
    metadata: Metadata

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.model_fields["kind"].default = cls.__name__

    @property
    def name(self) -> str:
        return self.metadata.name


class ListMetadata(Model):
    """token: what to ask for the next page with, if there is one."""

    token: Annotated[str | None, Field(alias="continue")] = None
    resource_version: str | None = None


R = TypeVar("R", bound=Resource)


class Page(Model, Generic[R]):
    """One page of a list. Go servers send null for an empty one. odd: what is wrong with items that are left out."""

    metadata: ListMetadata | None = None
    items: list[R] | None = None
    odd: Annotated[list[str], Field(exclude=True)] = []

    @property
    def token(self) -> str | None:
        return self.metadata.token if self.metadata else None


def compact(model: Model) -> None:
    """Let a model that will live among thousands of its like share what is the same in all of them.

    Each model keeps the names of the fields it was given, which for a pool is a third of its memory.
    """
    names = model.__pydantic_fields_set__
    # A set, not a frozen one: pydantic refuses to dump with another. Nothing changes it: models are
    # frozen, and a copy gets a set of its own.
    _FIELDS_SET.__set__(model, _NAMES.setdefault(frozenset(names), set(names)))
    values = model.__dict__
    for field in _fields_with_models(type(model)):
        inner = values[field]
        if isinstance(inner, Model):
            compact(inner)
        elif isinstance(inner, list):
            for each in inner:
                compact(each)


_FIELDS_SET: Any = BaseModel.__pydantic_fields_set__
_NAMES: dict[frozenset[str], set[str]] = {}


@cache
def _fields_with_models(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(name for name, info in model.model_fields.items() if models_in(info.annotation))


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models inside a type, those that are items of a list included."""
    inner = [item for each in plain_types(annotation) for item in (get_args(each) or (each,))]
    return [each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)]


def plain_types(annotation: Any) -> list[Any]:
    """The plain types inside `Annotated` and unions."""
    if get_origin(annotation) is not None and hasattr(annotation, "__metadata__"):
        return plain_types(get_args(annotation)[0])
    if is_union(annotation):
        return [plain for member in get_args(annotation) for plain in plain_types(member)]
    return [annotation]


class Spec(Model):
    """The part of an object that its author decides."""


class Status(Model):
    """The part of an object that the service reports."""
