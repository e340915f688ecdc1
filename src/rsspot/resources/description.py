"""What the fields of a kind are, for people and for editors: types, rules, and what each is for. Validates nothing."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, get_args, get_origin

from annotated_types import MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rsspot.models.authoring import AuthoringRule
from rsspot.models.fields import ANY_FILE, DEFAULTED, IMMUTABLE, SECRET, SERVER_OWNED, WRITE_ONLY, Fact, FilledIn, marks
from rsspot.models.resource import NONE_IS_EMPTY, Status, plain_types
from rsspot.resources.field import INHERITED, Path
from rsspot.utils.docstrings import field_docs


class Type(StrEnum):
    """The type of a value, as `kubectl explain` names it."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    PRICE = "price"
    OBJECT = "Object"
    ANY = "any"


class Many(StrEnum):
    """Whether a field holds one value, a list of them, or several by name."""

    ONE = ""
    LIST = "[]"
    MAP = "map[string]"


TYPES: dict[Any, Type] = {
    str: Type.STRING,
    int: Type.INTEGER,
    float: Type.NUMBER,
    bool: Type.BOOLEAN,
    Decimal: Type.PRICE,
}
NOTES: dict[Fact, str] = {
    IMMUTABLE: "Immutable: another value replaces the object.",
    DEFAULTED: "The service chooses a value if there is none.",
    SERVER_OWNED: "Set by the service; ignored in manifests.",
    SECRET: "Secret: never shown, stored or logged.",
    WRITE_ONLY: "Never returned by the service.",
    ANY_FILE: "May be the text of a file anywhere.",
}
"""What the facts about a field mean to whoever writes a manifest."""


@dataclass(frozen=True)
class FieldDescription:
    """One field. item_nullable: whether an item of the list or map may be null, which removes it.

    open: whether a value may also be another than the object that is described
    default: None if there is none · keywords: the rules of its value, as JSON Schema has them
    fields: those of the object, or of each object in the list or map
    """

    name: str
    type: Type
    many: Many
    description: str
    required: bool
    nullable: bool
    item_nullable: bool = False
    open: bool = False
    default: Any = None
    facts: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    fields: tuple[FieldDescription, ...] = ()

    def has(self, fact: Fact) -> bool:
        return fact in self.facts

    @property
    def type_name(self) -> str:
        """The type in one word: `[]Object`, `map[string]string`."""
        return f"{self.many}{self.type}"

    @property
    def notes(self) -> list[str]:
        """What else whoever writes the field should know, each a sentence."""
        return [note for fact, note in NOTES.items() if self.has(fact)]

    def at(self, path: Path) -> FieldDescription | None:
        """The field at a path below this one; None if there is none."""
        if not path:
            return self
        below = next((each for each in self.fields if each.name == path[0]), None)
        return below.at(path[1:]) if below else None


def described(model: type[BaseModel], inherited: tuple[Any, ...] = ()) -> tuple[FieldDescription, ...]:
    """The fields of a model. inherited: facts that hold for all of them, from the field that holds the model"""
    docs = field_docs(model)
    return tuple(
        _described(info.alias or name, info, docs.get(name), inherited) for name, info in model.model_fields.items()
    )


def summary(model: type[BaseModel]) -> str:
    """What a model is, from the first paragraph of its docstring."""
    paragraph, _, _ = inspect.cleandoc(model.__doc__ or "").partition("\n\n")
    return " ".join(paragraph.split())


def _described(name: str, info: FieldInfo, doc: str | None, inherited: tuple[Any, ...]) -> FieldDescription:
    members = plain_types(info.annotation)
    many, item = _many(next(member for member in members if member is not type(None)))
    held = next(member for member in item if member is not type(None))
    model = held if isinstance(held, type) and issubclass(held, BaseModel) else None
    facts = (*marks(info.annotation, info.metadata), *inherited)
    if model and issubclass(model, Status):
        facts = (*facts, SERVER_OWNED)
    return FieldDescription(
        name=name,
        type=Type.OBJECT if model else TYPES.get(get_origin(held) or held, Type.ANY),
        many=many,
        description=doc or (summary(model) if model else ""),
        required=info.is_required(),
        nullable=type(None) in members or NONE_IS_EMPTY in facts,
        item_nullable=type(None) in item and many is not Many.ONE,
        open=model is not None and Any in item,
        default=_default(info, facts),
        facts=facts,
        keywords=dict(_keywords(facts)),
        fields=described(model, tuple(fact for fact in facts if fact in INHERITED)) if model else (),
    )


def _many(member: Any) -> tuple[Many, list[Any]]:
    """Whether a type is a list or a map, and the types of its items; or the type itself."""
    if get_origin(member) is list:
        return Many.LIST, plain_types(get_args(member)[0])
    if get_origin(member) is dict:
        return Many.MAP, plain_types(get_args(member)[1])
    return Many.ONE, [member]


def _default(info: FieldInfo, facts: tuple[Any, ...]) -> Any:
    """The default that a manifest without the field gets. What is chosen later, or is an empty object, is none."""
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    chosen_later = any(isinstance(fact, FilledIn) for fact in facts)
    return None if chosen_later or default in ("", {}) or isinstance(default, BaseModel) else default


def _keywords(facts: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for fact in facts:
        if isinstance(fact, AuthoringRule):
            yield from fact.keywords.items()
        elif isinstance(fact, MinLen):
            yield "minItems", fact.min_length
