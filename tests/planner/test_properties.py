"""What holds for every plan, tried on generated ones: determinism, idempotence, a faithful JSON form, a sound order."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from deepdiff import DeepDiff
from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.errors import UsageError
from rsspot.models.refs import UUID, Ref
from rsspot.planner.change import Action, Change
from rsspot.planner.codec import dump_plan, load_plan
from rsspot.planner.diff import edits, managed
from rsspot.planner.order import Step, Verb, order
from rsspot.resources.registry import kinds
from rsspot.simulator.apiserver.patches import merged
from rsspot.utils.serialization import Document
from support.stacks import cloudspace_specs, plan_of, pool_specs, stacks, wanted_of, world_of

SHORT = settings(max_examples=60, deadline=None)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same mapping with its keys in another order, all the way down."""
    if isinstance(value, dict):
        keys = chance.sample(list(value), len(value))
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(each, chance) for each in value] if isinstance(value, list) else value


@SHORT
@given(stacks(), stacks(), st.randoms(use_true_random=False))
def test_order_of_documents_and_keys_means_nothing(
    desired: dict[Any, Document], live: dict[Any, Document], chance: random.Random
) -> None:
    """The same manifests in another order are the same plan, to the digest."""
    mixed = {key: shuffled(desired[key], chance) for key in chance.sample(list(desired), len(desired))}
    first = dump_plan(plan_of(wanted_of(desired), world_of(live)))["digest"]
    assert dump_plan(plan_of(wanted_of(mixed), world_of(live)))["digest"] == first


@SHORT
@given(stacks(), stacks(), st.randoms(use_true_random=False))
def test_order_of_live_objects_means_nothing(
    desired: dict[Any, Document], live: dict[Any, Document], chance: random.Random
) -> None:
    """Whichever way the service lists them, the plan is the same."""
    mixed = {key: live[key] for key in chance.sample(list(live), len(live))}
    first = dump_plan(plan_of(wanted_of(desired), world_of(live)))["digest"]
    assert dump_plan(plan_of(wanted_of(desired), world_of(mixed)))["digest"] == first


@SHORT
@given(pool_specs, pool_specs, st.sets(st.sampled_from(["customLabels", "customTaints", "autoscaling"])))
def test_a_change_leaves_nothing_to_change(before: Document, after: Document, removed: set[str]) -> None:
    """The merge patch of the edits, applied to the live object, leaves no edits."""
    kind = kinds()["SpotNodePool"]
    wanted = managed(kind, {"spec": {**after, **dict.fromkeys(removed)}})
    live = {"spec": {"cloudSpace": "edge", **before}}
    change = Change("a", Action.UPDATE, Ref("SpotNodePool", "a"), "", edits=edits(kind, wanted, live, None))
    assert edits(kind, wanted, merged(live, change.merge_patch), None) == ()


@SHORT
@given(cloudspace_specs, cloudspace_specs)
def test_deepdiff_agrees_on_a_cloudspace(before: Document, after: Document) -> None:
    """An independent differ sees a change just where we do, among the fields that are written."""
    found = edits(kinds()["CloudSpace"], managed(kinds()["CloudSpace"], {"spec": after}), {"spec": before}, None)
    kept = {key: before[key] for key in before.keys() & after.keys()}
    assert bool(found) == bool(DeepDiff(kept, after))


@SHORT
@given(pool_specs, pool_specs)
def test_deepdiff_agrees_on_a_pool(before: Document, after: Document) -> None:
    """An independent differ, told that order means nothing, sees a change just where we do."""
    found = edits(kinds()["SpotNodePool"], managed(kinds()["SpotNodePool"], {"spec": after}), {"spec": before}, None)
    full = {"customLabels": {}, "customTaints": []}
    kept = {key: before.get(key, full.get(key)) for key in after if key != "autoscaling"}
    kept["customLabels"] = {key: kept.get("customLabels", {}).get(key) for key in after.get("customLabels", {})}
    wanted = {"customLabels": {}, **{key: value for key, value in after.items() if key != "autoscaling"}}
    found = tuple(edit for edit in found if edit.path[1] != "autoscaling")
    assert bool(found) == bool(DeepDiff(kept, wanted, ignore_order=True))


@SHORT
@given(stacks(), stacks())
def test_a_saved_plan_reads_back_the_same(desired: dict[Any, Document], live: dict[Any, Document]) -> None:
    """To JSON, back and to JSON again is the same document, and holds no webhook."""
    document = dump_plan(plan_of(wanted_of(desired), world_of(live)))
    text = json.dumps(document)
    assert dump_plan(load_plan(json.loads(text))) == document
    assert "https://" not in text


@SHORT
@given(stacks(), stacks(), st.data())
def test_a_changed_plan_is_refused(
    desired: dict[Any, Document], live: dict[Any, Document], data: st.DataObject
) -> None:
    """Whatever is altered of what a saved plan does, its digest tells."""
    document = dump_plan(plan_of(wanted_of(desired), world_of(live)))
    key = data.draw(st.sampled_from(sorted(set(document) - {"schema", "notes"})))
    document[key] = {"was": document[key]}
    with pytest.raises(UsageError, match="digest does not match"):
        load_plan(document)


@pytest.mark.parametrize("document", [{}, [], None, {"schema": "rsspot.plan/2"}])
def test_what_is_no_plan_is_refused(document: Any) -> None:
    """Another format, or none, is named as the trouble."""
    with pytest.raises(UsageError, match="not a saved plan"):
        load_plan(document)


@SHORT
@given(stacks(), stacks())
def test_every_step_stands_after_what_it_waits_for(desired: dict[Any, Document], live: dict[Any, Document]) -> None:
    """Steps count up from nought and wait only for earlier ones."""
    steps = order(plan_of(wanted_of(desired), world_of(live)).changes)
    assert [step.seq for step in steps] == list(range(len(steps)))
    assert all(earlier < step.seq for step in steps for earlier in step.after)


@SHORT
@given(stacks(), stacks())
def test_parents_are_made_first_and_go_last(desired: dict[Any, Document], live: dict[Any, Document]) -> None:
    """A pool waits for its cloudspace to be made, and a cloudspace waits for its pools to be gone."""
    steps = order(plan_of(wanted_of(desired), world_of(live)).changes)
    at = {(step.change.address, step.verb): step for step in steps}
    for step in steps:
        parent = step.change.parent or ""
        if step.verb is Verb.CREATE and (maker := at.get((parent, Verb.CREATE))):
            assert maker.seq in waits(step, steps)
        if step.verb is Verb.DELETE and (remover := at.get((parent, Verb.DELETE))):
            assert step.seq in waits(remover, steps)


@SHORT
@given(stacks(), stacks())
def test_a_surge_deletes_last_and_only_what_was_there(desired: dict[Any, Document], live: dict[Any, Document]) -> None:
    """The old object goes after the new one, which has another name and must be ready."""
    steps = order(plan_of(wanted_of(desired), world_of(live)).changes)
    for step in steps:
        if step.change.surge and step.verb is Verb.DELETE:
            maker = next(each for each in steps if each.change is step.change and each.verb is Verb.CREATE)
            assert maker.seq in step.after
            assert maker.awaited
            assert step.change.base is not None
            assert step.change.base.name != step.change.ref.name


@SHORT
@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20), st.booleans())
def test_wire_names_are_stable_lowercase_uuids(organization: str, name: str, successor: bool) -> None:
    """A pool's name on the wire depends on who and what it is, and is the same every time."""
    kind = kinds()["SpotNodePool"]
    spec = {"cloudSpace": "edge", "serverClass": "gp.small", "desired": 1}
    found = kind.wire_name(organization, name, spec, successor=successor)
    assert UUID.fullmatch(found)
    assert found == found.lower()
    assert found == kind.wire_name(organization, name, {**spec, "desired": 9}, successor=successor)
    assert found != kind.wire_name(organization, name, {**spec, "cloudSpace": "west"}, successor=successor)


def test_wire_names_never_change() -> None:
    """The name of one pool, written down: another one would rename every pool of every user."""
    found = kinds()["SpotNodePool"].wire_name("org-tests", "workers", {"cloudSpace": "edge"})
    assert found == "8ef5e030-b5f0-5b6b-9e31-3a825c6bc7d0"


def test_kinds_with_plain_names_keep_them() -> None:
    """A cloudspace is called what its author calls it."""
    assert kinds()["CloudSpace"].wire_name("org-tests", "edge", {}) == "edge"


def waits(step: Step, steps: list[Step]) -> set[int]:
    """Everything a step waits for, near and far."""
    found: set[int] = set()
    waiting = list(step.after)
    while waiting:
        seq = waiting.pop()
        if seq not in found:
            found.add(seq)
            waiting += steps[seq].after
    return found
