"""The JSON form of a plan: its schema is shipped, and every saved plan fulfils it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from rsspot.errors import UsageError
from rsspot.planner.codec import digest_of, dump_plan, load_plan
from rsspot.planner.plan_document import schema
from rsspot.utils.serialization import Document
from support.stacks import plan_of, stacks, wanted_of, world_of

SHIPPED = json.loads((files("rsspot.planner") / "plan.schema.json").read_text(encoding="utf-8"))


def test_the_shipped_schema_is_that_of_the_code() -> None:
    """`make reference` writes it."""
    assert json.loads(json.dumps(schema())) == SHIPPED
    Draft202012Validator.check_schema(SHIPPED)


@settings(max_examples=60, deadline=None)
@given(stacks(), stacks())
def test_every_saved_plan_fulfils_the_schema(desired: dict[Any, Document], live: dict[Any, Document]) -> None:
    """Whatever is planned."""
    Draft202012Validator(SHIPPED).validate(dump_plan(plan_of(wanted_of(desired), world_of(live))))


def resealed(document: Document) -> Document:
    """A changed plan whose digest was worked out again: a digest is a checksum, not a signature."""
    return document | {"digest": digest_of(document)}


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("changes", None, "changes: must be a list"),
        ("changes", [{}], "changes.0.address: is missing"),
        ("changes", ["edge"], "changes.0: must be a mapping"),
        ("scope", [], "scope: must be a mapping"),
        ("summary", {"unchanged": "many"}, "summary.unchanged: must be a whole number"),
        ("inputs", {"files": "a.yaml", "profile": None}, "inputs.files: must be a list"),
    ],
)
def test_what_is_no_plan_is_refused_by_its_first_mistake(member: str, value: Any, message: str) -> None:
    """Named by its place in the file."""
    document = dump_plan(plan_of([], world_of({})))
    with pytest.raises(UsageError, match=f"not a saved plan: {message}"):
        load_plan(resealed(document | {member: value}))


def test_a_plan_without_its_inputs_is_refused() -> None:
    """However its digest was worked out."""
    document = dump_plan(plan_of([], world_of({})))
    del document["inputs"]
    with pytest.raises(UsageError, match="not a saved plan: inputs: is missing"):
        load_plan(resealed(document))


def test_members_of_a_later_version_are_passed_over() -> None:
    """A plan of a newer minor version can still be applied."""
    document = dump_plan(plan_of([], world_of({})))
    assert load_plan(resealed(document | {"later": True})).empty


@pytest.mark.parametrize("patch", [[], [{"op": "replace", "path": "/spec/desired", "value": 9}], [{"op": "x"}], [7]])
def test_the_patch_of_a_change_must_say_what_its_diff_says(patch: Any) -> None:
    """People read the one, and an apply does the other."""
    desired = {("CloudSpace", "edge", ""): {"region": "dfw", "kubernetesVersion": "1.33.0"}}
    live = {("CloudSpace", "edge", ""): {"region": "dfw", "kubernetesVersion": "1.32.0"}}
    document = json.loads(json.dumps(dump_plan(plan_of(wanted_of(desired), world_of(live)))))
    assert load_plan(document).changes
    document["changes"][0]["patch"] = patch
    with pytest.raises(UsageError, match="not a saved plan"):
        load_plan(resealed(document))
