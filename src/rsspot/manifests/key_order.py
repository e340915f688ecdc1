"""The canonical order of the keys of a manifest: that of the fields in its kind's model. Changes no value."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from rsspot.models.resource import models_in


def in_order(value: Any, model: type[BaseModel] | None) -> Any:
    """The value with the keys of each object in the order of its model's fields.

    Keys that the model does not know come last, in the order in which they are written, and so do those of a map.
    """
    if isinstance(value, list):
        return [in_order(item, model) for item in value]
    if not isinstance(value, dict) or model is None:
        return value
    inside = {info.alias or name: _model_of(info.annotation) for name, info in model.model_fields.items()}
    keys = [*(key for key in inside if key in value), *(key for key in value if key not in inside)]
    return {key: in_order(value[key], inside.get(key)) for key in keys}


def _model_of(annotation: Any) -> type[BaseModel] | None:
    return next(iter(models_in(annotation)), None)
