"""The printed plan: how much of each change it shows, what it groups, counts and never leaves out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change, Edit
from rsspot.planner.plan import Leftover, Plan
from rsspot.reports.protocol import Detail
from rsspot.reports.text import FEW_CHANGES, LONG_PLAN, render_plan
from support.plans import plan_of_size

LONG = "x" * 500
PROGRAM = "/opt/register.sh"


def pool(number: int, action: Action, cloudspace: str = "edge") -> Change:
    """A change of a pool without fields."""
    ref = Ref("SpotNodePool", f"p{number}")
    return Change(f"spotnodepool/{cloudspace}/p{number:03}", action, ref, "why", parent=f"cloudspace/{cloudspace}")


def registration(number: int, argv: list[str]) -> Change:
    """A change that runs a program."""
    body = {"metadata": {}, "spec": {"registrar": {"exec": argv}}}
    return Change(f"vmregistration/vms/vm-{number}", Action.CREATE, Ref("VMRegistration", "r"), "why", body=body)


def plan(*changes: Change, **more: object) -> Plan:
    return Plan("scope", "org", "demo", "apply", changes, **more)  # type: ignore[arg-type]


def test_labels_and_annotations_of_a_new_object_are_shown() -> None:
    """Those of its author; ours are on every object."""
    metadata = {"labels": {STACK_LABEL: "demo", "team": "red"}, "annotations": {NAME_ANNOTATION: "a", "note": "n"}}
    body = {"metadata": metadata, "spec": {"desired": 3}}
    text = render_plan(plan(replace(pool(1, Action.CREATE), body=body)))
    fields = [line.split() for line in text.splitlines() if line.startswith("      ")]
    assert fields == [["metadata.labels.team", "red"], ["metadata.annotations.note", "n"], ["desired", "3"]]


def test_labels_and_annotations_are_edits_of_an_object_that_exists() -> None:
    """Added, changed and removed."""
    edits = (
        Edit(("metadata", "labels", "team"), None, "red"),
        Edit(("metadata", "annotations", "note"), "old", None),
    )
    text = render_plan(plan(replace(pool(1, Action.UPDATE), edits=edits)))
    assert "metadata.labels.team   (none) -> red" in text
    assert "metadata.annotations.note old -> (none)" in text


@pytest.mark.parametrize("detail", list(Detail))
def test_a_program_is_always_shown(detail: Detail) -> None:
    """With all its arguments, where its file is, and the digest of that."""
    argv = [PROGRAM, "--note", LONG]
    runs = plan(*(registration(number, argv) for number in range(3)), programs={PROGRAM: "sha256:00ff"})
    lines = render_plan(runs, detail=detail).splitlines()
    assert f"  {PROGRAM}  sha256:00ff" in lines
    assert f'  ["{PROGRAM}", "--note", "{LONG}"]  for vmregistration/vms/vm-0 and 2 more' in lines


def test_a_secret_in_the_arguments_of_a_program_is_masked() -> None:
    """As everywhere."""
    argv = replace(registration(1, [PROGRAM]), secrets=(("spec", "registrar", "exec"),))
    assert PROGRAM not in render_plan(plan(argv))


def test_compact_is_one_line_for_each_change() -> None:
    """With the names of the first fields that differ."""
    edits = tuple(Edit(("spec", name), 1, 2) for name in ("a", "b", "c", "d", "e"))
    changes = plan(replace(pool(1, Action.UPDATE), edits=edits), pool(2, Action.DELETE))
    assert render_plan(changes, detail=Detail.COMPACT).splitlines() == [
        "Changes",
        "  ~ spotnodepool/edge/p001  update: why [a, b, c, 2 more]",
        "  - spotnodepool/edge/p002  delete: why",
        "",
        "Plan: 1 to update, 1 to delete, 0 unchanged.",
    ]


def test_full_shortens_nothing() -> None:
    """No value, no list of names, and the whole new object of a replacement as well."""
    edit = Edit(("spec", "note"), LONG, f"{LONG}y")
    body = {"metadata": {}, "spec": {"kept": "as-it-was", "note": f"{LONG}y"}}
    left = tuple(Leftover(f"pool/left-{number}", Ref("P", "x")) for number in range(9))
    changes = plan(replace(pool(1, Action.REPLACE), edits=(edit,), body=body), undeclared=left)
    normal, full = render_plan(changes), render_plan(changes, detail=Detail.FULL)
    assert LONG not in normal and "as-it-was" not in normal and "and 4 more" in normal
    assert f"{LONG} -> {LONG}y" in full and "as-it-was" in full and "pool/left-8" in full


def test_a_long_plan_is_grouped_by_cloudspace() -> None:
    """Those in which something goes come last, next to the summary."""
    creates = [pool(number, Action.CREATE, "a") for number in range(LONG_PLAN)]
    several = [pool(1, Action.DELETE, "b"), pool(2, Action.CREATE, "b"), pool(1, Action.UPDATE, "c")]
    titles = [line for line in render_plan(plan(*several, *creates)).splitlines() if line.startswith("cloudspace/")]
    assert titles == [f"cloudspace/a: {LONG_PLAN} changes", "cloudspace/c: 1 change", "cloudspace/b: 2 changes"]
    assert "cloudspace/" not in render_plan(plan(*creates))


def test_objects_by_themselves_are_one_group() -> None:
    """A key, or a cloudspace in which nothing else changes."""
    keys = [Change(f"vmsshkey/{number}", Action.CREATE, Ref("VMSSHKey", "k"), "why") for number in range(LONG_PLAN)]
    text = render_plan(plan(*keys, pool(1, Action.CREATE, "a")), detail=Detail.COMPACT)
    titles = [line for line in text.splitlines() if line.endswith(("change", "changes"))]
    assert titles == [f"Objects by themselves: {LONG_PLAN} changes", "cloudspace/a: 1 change"]


def test_many_changes_are_counted_by_action_and_kind() -> None:
    """A line for each action; few can be counted without."""
    few = [pool(number, Action.CREATE) for number in range(FEW_CHANGES)]
    assert "To create" not in render_plan(plan(*few))
    more = plan(*few, pool(9, Action.DELETE), registration(1, []))
    assert render_plan(more).splitlines()[-3:] == [
        "To create: 5 spotnodepools, 1 vmregistration",
        "To delete: 1 spotnodepool",
        "Plan: 6 to create, 1 to delete, 0 unchanged.",
    ]


def test_every_change_is_in_a_long_plan_once() -> None:
    """Grouped or not."""
    changes = plan_of_size(200, hostile=False)
    lines = render_plan(changes, detail=Detail.COMPACT).splitlines()
    for change in changes.changes:
        assert sum(f" {change.address} " in line and ": declared" in line for line in lines) == 1
