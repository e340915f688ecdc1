"""What was written in one mapping against the model of its kind, and every problem with its place. Knows no kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from rsspot.errors import Origin, Problem
from rsspot.manifests.places import Place
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import Source
from rsspot.models.authoring import AUTHORING
from rsspot.models.findings import findings
from rsspot.models.resource import models_in
from rsspot.utils.text import did_you_mean

Written = TypeVar("Written", bound=BaseModel)


def validated(
    model: type[BaseModel], written: Any, source: Source, above: Place, problems: list[Problem]
) -> dict[str, Any]:
    """What was written, as the model reads it; empty if there are problems, which are added to `problems`."""
    valid = as_model(model, written, source, above, problems)
    return valid.model_dump(by_alias=True, exclude_unset=True) if valid else {}


def as_model(
    model: type[Written], written: Any, source: Source, above: Place, problems: list[Problem]
) -> Written | None:
    """The model of what was written; None if there are problems, which are added to `problems`."""
    try:
        return model.model_validate(written, extra="forbid", by_name=False, by_alias=True, context=AUTHORING)
    except ValidationError as error:
        problems += explained(error, model, source, above)
        return None


def explained(error: ValidationError, model: type[BaseModel], source: Source, above: Place) -> Iterator[Problem]:
    """Findings as problems, each at the place where the value was written."""
    for finding in findings(error):
        path = (*above, *finding.path)
        field = str(finding.path[-1]) if finding.path else ""
        if finding.type == "missing":
            yield missing_field(field, source.origin(path))
        elif finding.type == "extra_forbidden":
            yield unknown_field(field, source.origin(path), _fields_at(model, finding.path[:-1]))
        else:
            yield Problem(f"{'.'.join(map(str, path))}: {finding.clause}", source.origin(path), rule=ManifestRule.VALUE)


def unknown_field(name: str, origin: Origin, known: Sequence[str]) -> Problem:
    """A field that the model does not have."""
    return Problem(
        f"unknown field {name!r}", origin, did_you_mean(name, known), ManifestRule.UNKNOWN_FIELD, quotable=False
    )


def bad_name(name: str, source: Source) -> Problem:
    """A name that no object can have."""
    rule = "a name is at most 63 lowercase letters, digits and dashes, and starts and ends with a letter or digit"
    return Problem(f"bad name {name!r}", source.origin(("metadata", "name")), rule, ManifestRule.NAME)


def missing_field(name: str, origin: Origin) -> Problem:
    """A field that has to be written."""
    hint = "write it, or set a region for new objects: --region" if name == "region" else None
    return Problem(f"missing field {name!r}", origin, hint, ManifestRule.MISSING_FIELD)


def _fields_at(model: type[BaseModel], loc: Place) -> list[str]:
    """The names a mapping inside a model may have."""
    for part in loc:
        if isinstance(part, int):
            continue
        info = next((i for n, i in model.model_fields.items() if (i.alias or n) == part), None)
        inner = models_in(info.annotation) if info else []
        if not inner:
            return []
        model = inner[0]
    return [info.alias or name for name, info in model.model_fields.items()]
