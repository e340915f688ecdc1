"""Resource and Metadata: the fields that all objects of the API share. Defines no kind."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from rsspot.constants import API_VERSION
from rsspot.models.fields import IMMUTABLE, SERVER_OWNED, is_union
from rsspot.models.labels import ANNOTATIONS, LABELS


class Model(BaseModel):
    """camelCase on the wire, snake_case in Python. Immutable. Unknown fields are kept.

    Wire names can be read too, `spec.bidPrice` for `spec.bid_price`, but type checkers do not know them.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="allow",
        frozen=True,
        defer_build=True,
    )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            field = _fields_by_wire_name(type(self)).get(name)
            return super().__getattr__(name) if field is None else getattr(self, field)


@cache
def _fields_by_wire_name(model: type[Model]) -> dict[str, str]:
    return {info.alias: name for name, info in model.model_fields.items() if info.alias and info.alias != name}


def _none_is_empty(value: Any) -> Any:
    return {} if value is None else value


NONE_IS_EMPTY = BeforeValidator(_none_is_empty)
StringMap = Annotated[dict[str, str | None], NONE_IS_EMPTY]
"""A map of strings. Go servers send null for an empty map. Authors set a value to null to remove the entry."""


class AuthoredMetadata(Model):
    """The metadata that authors may set."""

    name: Annotated[str, IMMUTABLE]
    """Name of the object: at most 63 lowercase letters, digits and dashes."""
    labels: Annotated[StringMap, LABELS] = {}
    """Labels of the object, for selecting objects."""
    # kubectl keeps a whole copy of the object in an annotation, with its secrets.
    annotations: Annotated[StringMap, ANNOTATIONS, Field(repr=False)] = {}
    """Notes on the object that nothing is selected by."""


class Metadata(AuthoredMetadata):
    """Metadata as the service returns it. Times are RFC 3339 strings in UTC."""

    namespace: str | None = None
    """Namespace of the organization."""
    uid: Annotated[str | None, SERVER_OWNED] = None
    """Identity of the object, different from that of any other of the same name."""
    resource_version: Annotated[str | None, SERVER_OWNED] = None
    """Changes with each change of the object."""
    generation: Annotated[int | None, SERVER_OWNED] = None
    """Rises with each change of the spec."""
    creation_timestamp: Annotated[str | None, SERVER_OWNED] = None
    """When the object was made."""
    deletion_timestamp: Annotated[str | None, SERVER_OWNED] = None
    """When the deletion of the object was requested."""
    finalizers: Annotated[list[str] | None, SERVER_OWNED] = None
    """What has to be done before the object is gone."""


class Resource(Model):
    """An object of the API. Kinds add `spec` and `status`. The defaults are for list items, which lack both fields."""

    api_version: str = API_VERSION
    """Group and version of the kind."""
    kind: str = ""
    """The kind."""
    metadata: Metadata
    """Name, labels and annotations, and what the service keeps on every object."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.model_fields["kind"].default = cls.__name__

    @property
    def name(self) -> str:
        return self.metadata.name

    def __getitem__(self, key: str) -> Any:
        """A part of the object as plain JSON values, by its wire name: `pool["spec"]["bidPrice"]`."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)[key]


class ListMetadata(Model):
    """token: the continue token of the next page, if there is one."""

    token: Annotated[str | None, Field(alias="continue")] = None
    resource_version: str | None = None
    remaining_item_count: int | None = None


R = TypeVar("R", bound=Resource)


class Page(Model, Generic[R]):
    """One page of a list. Go servers send null for an empty list. odd: what is wrong with the items left out."""

    kind: str | None = None
    metadata: ListMetadata | None = None
    items: list[R] | None = None
    odd: Annotated[list[str], Field(exclude=True)] = []

    @property
    def token(self) -> str | None:
        return self.metadata.token if self.metadata else None


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models inside a type, including the items of lists and maps."""
    inner = [item for each in plain_types(annotation) for item in (get_args(each) or (each,))]
    return [each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)]


def plain_types(annotation: Any) -> list[Any]:
    """A type without `Annotated`; for a union, its members."""
    if get_origin(annotation) is not None and hasattr(annotation, "__metadata__"):
        return plain_types(get_args(annotation)[0])
    if is_union(annotation):
        return [plain for member in get_args(annotation) for plain in plain_types(member)]
    return [annotation]


class Spec(Model):
    """The part of an object that its author sets."""


class Status(Model):
    """The part of an object that the service reports."""
