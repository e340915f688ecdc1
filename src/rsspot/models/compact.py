"""Saves memory in the models of a long list: they share what they have in common. A pool takes less than half of it."""

from __future__ import annotations

import marshal
from functools import cache
from sys import intern
from typing import Any, get_origin

from pydantic import BaseModel

from rsspot.models.resource import Metadata, models_in, plain_types

MOST_SHARED = 4096
"""How many values are kept for later models to share."""
_FIELDS_SET: Any = BaseModel.__pydantic_fields_set__
_EXTRA: Any = BaseModel.__pydantic_extra__
_NAMES: dict[frozenset[str], set[str]] = {}
"""The shared sets of field names."""
_NO_EXTRA: dict[str, Any] = {}
_VALUES: dict[bytes, Any] = {}


def compact(model: BaseModel) -> None:
    """Share with the models before it the names of the fields that were set, and what is noted of owners and writers.

    Models are frozen, and a copy gets a set and unknown fields of its own.
    """
    _FIELDS_SET.__set__(model, _shared_names(model.__pydantic_fields_set__))
    kept: Any = model.__dict__
    (maps, inside, has_notes), extra = _parts(type(model)), model.__pydantic_extra__
    if not extra:
        _EXTRA.__set__(model, _NO_EXTRA)
    elif has_notes:
        _share_notes(extra)
    for field in maps:
        if kept[field]:
            kept[field] = {intern(key): value for key, value in kept[field].items()}
    for field in inside:
        _compact_inside(kept[field])


def _compact_inside(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            compact(item)
    elif isinstance(value, dict):
        for item in value.values():
            compact(item)
    elif value is not None:
        compact(value)


def _shared_names(names: set[str]) -> set[str]:
    key = frozenset(names)
    shared = _NAMES.get(key)
    if shared is None:
        # Not the frozen one: pydantic cannot dump a model that has one.
        shared = _NAMES[key] = set(names)
    return shared


def _share_notes(metadata: dict[str, Any]) -> None:
    """Share who owns an object and which fields a writer wrote: the same for most objects, and half of their size."""
    if owners := metadata.get("ownerReferences"):
        metadata["ownerReferences"] = _shared(owners)
    written = metadata.get("managedFields")
    if isinstance(written, list):
        metadata["managedFields"] = [_like_shared(entry) if isinstance(entry, dict) else entry for entry in written]


def _like_shared(entry: dict[str, Any]) -> dict[str, Any]:
    """The same note of a writer, with all but its time from one before it."""
    if "time" not in entry:
        return entry
    like: dict[str, Any] = _shared({**entry, "time": None})
    return {**like, "time": entry["time"]}


def _shared(value: Any) -> Any:
    """The first value that was equal to this one."""
    if len(_VALUES) >= MOST_SHARED:
        _VALUES.clear()
    # Equal values have equal bytes in this version of the format, which takes a third of the time of JSON.
    return _VALUES.setdefault(marshal.dumps(value, 2), value)


@cache
def _parts(model: type[BaseModel]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """The fields that are maps of texts, those with models, and whether it holds notes on owners and writers."""
    fields = model.model_fields.items()
    maps = (name for name, info in fields if any(get_origin(each) is dict for each in plain_types(info.annotation)))
    return tuple(maps), tuple(name for name, info in fields if models_in(info.annotation)), issubclass(model, Metadata)
