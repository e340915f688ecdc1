"""Field: describes one field of a kind's spec, with the facts in its annotation. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from rsspot.models.fields import (
    DEFAULTED,
    IMMUTABLE,
    SECRET,
    SERVER_OWNED,
    TRIMMED,
    UNORDERED,
    WRITE_ONLY,
    Fact,
    RefersTo,
    ServiceDefault,
    YieldsTo,
    marks,
)
from rsspot.models.money import parse_price
from rsspot.models.resource import models_in, plain_types
from rsspot.utils.serialization import canonical

Path = tuple[str, ...]
INHERITED = (IMMUTABLE, SECRET, SERVER_OWNED, WRITE_ONLY)
"""Facts about a field that also hold for all fields inside it."""


@dataclass(frozen=True)
class Field:
    """One field of a spec: its path on the wire, and the facts in its annotation."""

    path: Path
    facts: tuple[Any, ...]
    is_price: bool = False
    members: frozenset[str] | None = None
    """What can be written in its value, where that is an object or a list of objects with fields of their own."""

    @cached_property
    def flags(self) -> frozenset[Fact]:
        """The facts without parameters."""
        return frozenset(fact for fact in self.facts if isinstance(fact, Fact))

    def has(self, fact: Fact) -> bool:
        return fact in self.flags

    @cached_property
    def refers_to(self) -> RefersTo | None:
        return next((fact for fact in self.facts if isinstance(fact, RefersTo)), None)

    @cached_property
    def keeps_its_value(self) -> bool:
        """Whether null cannot remove it: it is immutable, or the service sets a default again."""
        return self.has(IMMUTABLE) or self.has(DEFAULTED)

    @cached_property
    def service_default(self) -> Any:
        """The value that the service sets where none is written; None where it sets none."""
        return next((fact.value for fact in self.facts if isinstance(fact, ServiceDefault)), None)

    @cached_property
    def yields_to(self) -> Path | None:
        return next((fact.path for fact in self.facts if isinstance(fact, YieldsTo)), None)

    def canonical(self, value: Any) -> Any:
        """The value in a normal form, equal for values that mean the same."""
        if value is None:
            return None
        if self.is_price:
            try:
                return parse_price(value)
            except ValueError:
                return value
        if isinstance(value, str) and self.has(TRIMMED):
            return value.strip()
        if self.members is not None and isinstance(value, dict):
            return self._written(value)
        if isinstance(value, list):
            items = [self._written(item) for item in value]
            return sorted(items, key=canonical) if self.has(UNORDERED) else items
        return value

    def same(self, before: Any, after: Any) -> bool:
        """Whether two canonical values mean the same. One that is absent means zero, or what the service sets."""
        if is_zero(before) and is_zero(after):
            return True
        default = self.service_default
        return equal(default if before is None else before, default if after is None else after)

    def _written(self, item: Any) -> Any:
        """An object with what an author can have a say in.

        Without zero values, which Go omits: a taint with the value "" or null equals one without a value. And without
        what only the service adds, such as the time of a taint: an author could never write it the same.
        """
        if not isinstance(item, dict):
            return item
        known = item.keys() if self.members is None else item.keys() & self.members
        return {key: value for key, value in item.items() if key in known and not is_zero(value)}


def equal(before: Any, after: Any) -> bool:
    """Equality without Python's `1 == True`. Nothing, no entries and no items are the same."""
    if before in (None, {}, []) and after in (None, {}, []):
        return True
    return type(before) is type(after) and bool(before == after)


def _members(models: Iterable[type[BaseModel]]) -> frozenset[str] | None:
    """The names on the wire of the fields of some models; None for no models."""
    names = [info.alias or name for model in models for name, info in model.model_fields.items()]
    return frozenset(names) or None


def is_zero(value: Any) -> bool:
    """Whether a Go server omits a field with this value from responses, so that it means the same as no field."""
    return value is None or value is False or value in ("", 0, [], {})


def fields_of(model: type[BaseModel], above: Path = (), inherited: tuple[Any, ...] = ()) -> Iterator[Field]:
    """All fields of a model and of the models inside it. above: the path of the model itself."""
    for name, info in model.model_fields.items():
        path = (*above, info.alias or name)
        facts = (*marks(info.annotation, info.metadata), *inherited)
        members = plain_types(info.annotation)
        models = [member for member in members if isinstance(member, type) and issubclass(member, BaseModel)]
        yield Field(path, facts, is_price=Decimal in members, members=_members(models_in(info.annotation)))
        passed_on = tuple(fact for fact in facts if fact in INHERITED)
        for model_inside in models:
            yield from fields_of(model_inside, path, passed_on)
