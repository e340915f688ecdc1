"""Field: describes one field of a kind's spec, with the facts in its annotation. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
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
from rsspot.models.resource import plain_types
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
    is_object: bool = False
    """Whether its value is a model with fields of its own."""

    def has(self, fact: Fact) -> bool:
        return fact in self.facts

    @property
    def refers_to(self) -> RefersTo | None:
        return next((fact for fact in self.facts if isinstance(fact, RefersTo)), None)

    @property
    def keeps_its_value(self) -> bool:
        """Whether null cannot remove it: it is immutable, or the service sets a default again."""
        return self.has(IMMUTABLE) or self.has(DEFAULTED)

    @property
    def service_default(self) -> Any:
        """The value that the service sets where none is written; None where it sets none."""
        return next((fact.value for fact in self.facts if isinstance(fact, ServiceDefault)), None)

    @property
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
        if self.is_object and isinstance(value, dict):
            return _without_zeros(value)
        if isinstance(value, list):
            items = [_without_zeros(item) for item in value]
            return sorted(items, key=canonical) if self.has(UNORDERED) else items
        return value


def _without_zeros(item: Any) -> Any:
    """An object without zero values, which Go omits: a taint with the value "" or null equals one without a value."""
    return {key: value for key, value in item.items() if not is_zero(value)} if isinstance(item, dict) else item


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
        yield Field(path, facts, is_price=Decimal in members, is_object=bool(models))
        passed_on = tuple(fact for fact in facts if fact in INHERITED)
        for model_inside in models:
            yield from fields_of(model_inside, path, passed_on)
