"""What holds for every plan over time: applied, taken back, made of a part, with ignored fields, with protection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rsspot.constants import ON_REMOVE_ANNOTATION, STACK_LABEL
from rsspot.manifests.lifecycle import Lifecycle
from rsspot.manifests.manifest import Manifest
from rsspot.models.refs import Ref
from rsspot.planner.change import Action
from rsspot.planner.diff import leaves, live_value, same
from rsspot.planner.draft import PlanContext
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.ownership import Owners
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.planner.undo import inverse
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import OwnedObject
from rsspot.utils.serialization import Document
from support.stacks import ORGANIZATION, applied, plan_of, stacks, wanted_of, world_of

Stack = dict[Any, Document]
SHORT = settings(max_examples=40, deadline=None)
ANYTHING = PlanOptions(prune=True, most_deletes=99)
IGNORABLE = ("bidPrice", "desired", "customLabels", "kubernetesVersion", "webhook", "serverClass", "region")


def unversioned(stack: Stack) -> Stack:
    """The stack with one version of Kubernetes: versions are never lowered, so that a way back is refused."""
    return {
        key: {**spec, **({"kubernetesVersion": "1.33.0"} if key[0] == "CloudSpace" else {})}
        for key, spec in stack.items()
    }


def pure_plan(wanted: list[Manifest], world: LiveState, **options: Any) -> Plan:
    """A plan with options of its own."""
    return build(wanted, world, kinds(), stack="default", scope="tests", options=replace(ANYTHING, **options))


def on_record(world: LiveState) -> LiveState:
    """The same with a ledger that knows every object."""
    owned = {
        Ref(kind, name): OwnedObject(Ref(kind, name), name, live["metadata"]["uid"])
        for kind in ("CloudSpace", "SpotNodePool")
        for name, live in world.live[kind].items()
    }
    return replace(world, owned=owned)


@SHORT
@given(stacks(), stacks())
def test_nothing_is_left_to_do_after_an_apply(desired: Stack, live: Stack) -> None:
    """Whatever was there before."""
    world, wanted = world_of(live), wanted_of(desired)
    plan = plan_of(wanted, world)
    assume(not plan.refusals)
    again = plan_of(wanted, applied(plan, world))
    assert (again.changes, again.undeclared) == ((), ())


@SHORT
@given(stacks(), stacks())
def test_a_way_there_and_back_changes_nothing(first: Stack, second: Stack) -> None:
    """From one set of manifests to another and back, every managed field is as it was."""
    first, second = unversioned(first), unversioned(second)
    world = world_of(first)
    there = plan_of(wanted_of(second), world)
    assume(not there.refusals)
    back = plan_of(wanted_of(first), applied(there, world))
    assume(not back.refusals)
    ended = applied(back, applied(there, world))
    assert not plan_of(wanted_of(first), ended).changes
    assert len(ended.live["SpotNodePool"]) == len(world.live["SpotNodePool"])


@SHORT
@given(stacks(), stacks())
def test_an_undo_restores_every_managed_field(desired: Stack, live: Stack) -> None:
    """Of whatever the ledger can bring back; objects that were made are gone again."""
    desired, live = unversioned(desired), unversioned(live)
    world = world_of(live)
    plan = plan_of(wanted_of(desired), world)
    assume(not plan.refusals)
    after = on_record(applied(plan, world))
    context = PlanContext(after, kinds(), Owners("default", after), ANYTHING)
    draft = inverse(plan.changes, 1, context)
    assume(not draft.problems)
    restored = applied(replace(plan, changes=draft.changes), after)
    for kind in ("CloudSpace", "SpotNodePool"):
        assert restored.live[kind].keys() == world.live[kind].keys()
        for name, before in world.live[kind].items():
            after_undo, model = restored.live[kind][name], kinds()[kind]
            for path, _ in leaves(before):
                now, was = (live_value(model, each, path) for each in (after_undo, before))
                assert path == ("metadata", "uid") or same(model, path, now, was), (path, now, was)


@SHORT
@given(stacks(), stacks(), st.sets(st.sampled_from(IGNORABLE), min_size=1))
def test_an_ignored_field_is_in_no_plan(desired: Stack, live: Stack, ignored: set[str]) -> None:
    """Nor in a patch, nor a reason to replace anything."""
    patterns = tuple(("spec", name) for name in sorted(ignored))
    wanted = [replace(each, lifecycle=Lifecycle(ignore=patterns)) for each in wanted_of(desired)]
    plan = plan_of(wanted, world_of(live))
    for change in plan.changes:
        assert not [edit for edit in change.edits if edit.path[:2] in patterns]
        assert not ignored & (change.merge_patch.get("spec") or {}).keys()


@SHORT
@given(stacks(), stacks(), st.data())
def test_what_is_protected_or_not_ours_is_never_taken_away(desired: Stack, live: Stack, data: st.DataObject) -> None:
    """A plan that would is refused; one that is not refused leaves it alone."""
    world = world_of(live)
    kept = set()
    for kind in ("CloudSpace", "SpotNodePool"):
        for name, each in world.live[kind].items():
            state = data.draw(st.sampled_from(["ours", "ours", "protected", "unlabelled", "another's"]))
            metadata = each["metadata"]
            if state == "protected":
                metadata.setdefault("annotations", {})[ON_REMOVE_ANNOTATION] = "protect"
            elif state == "unlabelled":
                metadata["labels"] = {}
            elif state == "another's":
                metadata["labels"] = {STACK_LABEL: "another"}
            kept |= {(kind, name)} if state != "ours" else set()
    plan = plan_of(wanted_of(desired), world)
    assume(not plan.refusals)
    gone = {(change.ref.kind, change.base.name) for change in plan.changes if change.destructive and change.base}
    assert not gone & kept
    assert not {change.parent for change in plan.changes if change.action is Action.DELETE} & kept


@SHORT
@given(stacks(), stacks(), st.data())
def test_a_part_of_a_plan_does_nothing_that_the_whole_does_not(
    desired: Stack, live: Stack, data: st.DataObject
) -> None:
    """It has some of the changes, deletes nothing that is undeclared, and leaves the others as they are."""
    world, wanted = world_of(live), wanted_of(desired)
    whole = plan_of(wanted, world)
    assume(whole.changes)
    targets = data.draw(st.sets(st.sampled_from([change.address for change in whole.changes]), min_size=1))
    part = pure_plan(wanted, world, target=tuple(sorted(targets)))
    known = {(change.address, change.action, change.ref): change.edits for change in whole.changes}
    for change in part.changes:
        assert known[change.address, change.action, change.ref] == change.edits
    assert not part.complete
    assert part.organization == ORGANIZATION
