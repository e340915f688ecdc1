"""Who wrote a field of a live object last, by what the service says of its field managers."""

from __future__ import annotations

from typing import Any

import pytest

from rsspot.planner.attribution import OURS, Author, author_of
from rsspot.utils.serialization import Document

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
AUTOSCALING = ("spec", "autoscaling")


def managed(*entries: tuple[Any, Any, Any]) -> Document:
    """A live object with entries of a manager, its time and what it holds."""
    found = [{"manager": manager, "time": time, "fieldsV1": fields} for manager, time, fields in entries]
    return {"metadata": {"managedFields": found}}


@pytest.mark.parametrize(
    ("fields", "path", "holds"),
    [
        ({"f:spec": {"f:autoscaling": {"f:enabled": {}}}}, (*AUTOSCALING, "enabled"), True),
        ({"f:spec": {"f:autoscaling": {"f:enabled": {}}}}, AUTOSCALING, True),
        ({"f:spec": {"f:autoscaling": {}}}, (*AUTOSCALING, "enabled"), True),
        ({"f:spec": {"f:desired": {}}}, AUTOSCALING, False),
        ({"f:spec": "odd"}, AUTOSCALING, False),
        (None, AUTOSCALING, False),
    ],
)
def test_a_manager_holds_a_field_by_itself_in_part_or_with_all_around_it(
    fields: Any, path: tuple[str, ...], holds: bool
) -> None:
    """In the format FieldsV1 of Kubernetes."""
    author = author_of(managed(("kubectl", EARLY, fields)), path)
    assert author == (Author("kubectl", EARLY) if holds else None)


def test_the_last_one_counts_unless_it_was_this_program() -> None:
    """Whatever the order of the entries; one without a name or a time is none."""
    fields = {"f:spec": {"f:autoscaling": {}}}
    two = [("early", EARLY, fields), ("late", LATE, fields), (None, LATE, fields), ("timeless", None, fields)]
    assert author_of(managed(*two), AUTOSCALING) == Author("late", LATE)
    assert author_of(managed(("early", EARLY, fields), (OURS, LATE, fields)), AUTOSCALING) is None
    assert author_of({"metadata": {}}, AUTOSCALING) is None
