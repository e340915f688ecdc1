"""Jobs of a team that changes its mind, as they are typed: protect, rename, detach, adopt, move, and plan a part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.shell import Command

STACK = """apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: STACK}
---
"""
EDGE = """apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1}
---
"""
POOL = """apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers, annotations: {LIFE}}
spec: {cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 1, bidPrice: 0.06}
---
"""


def write(*documents: str, stack: str = "mine", life: str = "", name: str = "stack.yaml") -> None:
    """Write a file of manifests."""
    Path(name).write_text((STACK + "".join(documents)).replace("STACK", stack).replace("LIFE", life))


def pools(rsspot: Command) -> list[dict[str, dict[str, str]]]:
    """The spot pools of the sandbox."""
    listed: list[dict[str, dict[str, str]]] = json.loads(rsspot("spotnodepools list -o json"))
    return listed


def test_a_protected_pool_survives_everybody(rsspot: Command) -> None:
    """--prune, destroy, a delete by hand and that of its cloudspace are refused until an apply lifts the protection."""
    write(EDGE, POOL, life="rsspot.dev/on-remove: protect")
    rsspot("apply stack.yaml --yes --wait none")
    write(EDGE)
    refusal = "spotnodepool/edge/workers is protected, and would be deleted"
    assert refusal in rsspot("plan stack.yaml --prune", 5)
    assert refusal in rsspot("apply stack.yaml --prune --yes", 5)
    assert refusal in rsspot("destroy stack.yaml --yes", 5)
    assert refusal in rsspot("spotnodepools delete workers --yes", 5)
    assert refusal in rsspot("cloudspaces delete edge --yes", 5)
    assert refusal in rsspot("nodepools spot delete edge/workers --yes", 5)
    write(EDGE, POOL, life="rsspot.dev/on-remove: delete")
    rsspot("apply stack.yaml --yes --wait none")
    rsspot("destroy stack.yaml --yes --wait none")
    assert pools(rsspot) == []


def test_protection_is_remembered_when_the_annotation_is_taken_away(rsspot: Command) -> None:
    """The ledger knows it, so that one slip with kubectl does not lift it."""
    write(EDGE, POOL, life="rsspot.dev/on-remove: protect")
    rsspot("apply stack.yaml --yes --wait none")
    (pool,) = pools(rsspot)
    namespace, name = pool["metadata"]["namespace"], pool["metadata"]["name"]
    path = f"/apis/ngpc.rxt.io/v1/namespaces/{namespace}/spotnodepools/{name}"
    patch = '{"metadata": {"annotations": {"rsspot.dev/on-remove": null}}}'
    rsspot(f"raw --method PATCH --path {path} --body-json '{patch}'")
    assert "is protected" in rsspot("spotnodepools delete workers --yes", 5)
    write(EDGE)
    assert "is protected" in rsspot("plan stack.yaml --prune", 5)


def test_a_pool_is_renamed(rsspot: Command) -> None:
    """It stays the very pool it was, also once nothing says what it was called before."""
    write(EDGE, POOL)
    rsspot("apply stack.yaml --yes --wait none")
    (before,) = pools(rsspot)
    renamed = POOL.replace("name: workers", "name: web")
    write(EDGE, renamed, life="rsspot.dev/previous-name: workers")
    assert "was called 'workers'" in rsspot("apply stack.yaml --yes --wait none")
    assert "No changes." in rsspot("plan stack.yaml --prune")
    write(EDGE, renamed)
    assert "No changes." in rsspot("plan stack.yaml --prune")
    (after,) = pools(rsspot)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert json.loads(rsspot("spotnodepools get web -o json"))["metadata"]["uid"] == before["metadata"]["uid"]


def test_a_pool_is_detached_and_adopted(rsspot: Command) -> None:
    """Out of its stack nobody prunes it, and no plan takes it back without being asked."""
    write(EDGE, POOL)
    rsspot("apply stack.yaml --yes --wait none")
    assert "spotnodepool/edge/workers  detach: leaves the stack" in rsspot("detach workers --yes")
    assert "exists already and belongs to no stack" in rsspot("plan stack.yaml", 5)
    write(EDGE)
    assert "No changes." in rsspot("plan stack.yaml --prune")
    assert "no object of a stack is called workers" in rsspot("detach workers --yes", 1)
    rsspot("adopt workers --stack mine --yes")
    assert "1 to delete" in rsspot("plan stack.yaml --prune --max-deletes 1")
    write(EDGE, POOL)
    assert "No changes." in rsspot("plan stack.yaml --prune")


def test_pruning_detaches_what_is_to_stay(rsspot: Command) -> None:
    """on-remove: detach gives a pool up without deleting it."""
    write(EDGE, POOL, life="rsspot.dev/on-remove: detach")
    rsspot("apply stack.yaml --yes --wait none")
    write(EDGE)
    assert "1 to detach" in rsspot("plan stack.yaml --prune")
    rsspot("apply stack.yaml --prune --yes --wait none")
    (pool,) = pools(rsspot)
    assert "rsspot.dev/stack" not in pool["metadata"].get("labels", {})
    assert "No changes." in rsspot("plan stack.yaml --prune")


def test_objects_move_to_another_stack(rsspot: Command) -> None:
    """The first stack forgets them, and the other one takes them over as they are."""
    write(EDGE, POOL)
    rsspot("apply stack.yaml --yes --wait none")
    write(EDGE, POOL, stack="platform", name="platform.yaml")
    assert "belongs to the stack 'mine'" in rsspot("plan platform.yaml", 5)
    assert "2 to detach" in rsspot("move cloudspace/edge edge/* --to-stack platform --yes")
    assert "No changes." in rsspot("plan platform.yaml --prune")
    assert "belong to the stack 'platform' already" in rsspot("move workers --to-stack platform --yes", 3)
    assert "No changes." in rsspot("destroy --stack mine --yes")
    assert len(pools(rsspot)) == 1


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("adopt wrokers --stack mine --yes", 1, "no live object is called 'wrokers'"),
        ("adopt workers --stack other --yes", 5, "belongs to the stack 'mine'"),
        ("adopt workers --stack Other --yes", 3, "'Other' is not a valid stack name"),
        ("move workers --to-stack ../x --yes", 3, "is not a valid stack name"),
        ("move workers --to-stack other --stack nobody --yes", 1, "no object of the stack 'nobody' is called workers"),
        ("detach workers", 5, "cannot prompt"),
        ("detach workers -o json", 5, "cannot prompt"),
        ("adopt --stack mine", 3, "Missing argument"),
    ],
)
def test_a_mistake_hands_nothing_over(rsspot: Command, line: str, code: int, message: str) -> None:
    """Each with its reason."""
    write(EDGE, POOL)
    rsspot("apply stack.yaml --yes --wait none")
    assert message in rsspot(line, code)
    assert "No changes." in rsspot("plan stack.yaml --prune")


def test_a_part_of_a_stack_is_applied(rsspot: Command) -> None:
    """What was not asked for stays as it is, and the plan says that it is partial."""
    other = POOL.replace("workers", "batch")
    write(EDGE, POOL, other)
    rsspot("apply stack.yaml --yes --wait none")
    write(
        EDGE.replace("dfw-1}", "dfw-1, webhook: 'https://example.com/x'}"),
        POOL.replace("desired: 1", "desired: 2"),
        other,
    )
    printed = rsspot("plan stack.yaml --target 'spotnodepool/*'")
    assert "1 to update, 1 unchanged.  PARTIAL" in printed
    assert "webhook" not in printed
    document = json.loads(rsspot("plan stack.yaml --target workers -o json"))
    assert (document["complete"], document["inputs"]["target"]) == (False, ["workers"])
    rsspot("apply stack.yaml --exclude cloudspace/edge --yes --wait none")
    assert "1 to update" in rsspot("plan stack.yaml")
    assert "--target 'wrkers' matches no object of the plan" in rsspot("plan stack.yaml --target wrkers", 5)


def test_a_destroy_spares_what_its_manifests_protect(rsspot: Command) -> None:
    """Also where the protection was never applied."""
    write(EDGE, POOL)
    rsspot("apply stack.yaml --yes --wait none")
    write(EDGE, POOL, life="rsspot.dev/on-remove: protect")
    assert "spotnodepool/edge/workers is protected" in rsspot("destroy stack.yaml --yes", 5)
    assert len(pools(rsspot)) == 1


def test_protection_moves_with_its_object(rsspot: Command) -> None:
    """The ledger that alone knew of it writes it back before it forgets the object."""
    write(EDGE, POOL, life="rsspot.dev/on-remove: protect")
    rsspot("apply stack.yaml --yes --wait none")
    (pool,) = pools(rsspot)
    path = f"/apis/ngpc.rxt.io/v1/namespaces/{pool['metadata']['namespace']}/spotnodepools/{pool['metadata']['name']}"
    patch = '{"metadata": {"annotations": {"rsspot.dev/on-remove": null}}}'
    rsspot(f"raw --method PATCH --path {path} --body-json '{patch}'")
    rsspot("detach workers --yes")
    assert "is protected" in rsspot("spotnodepools delete workers --yes", 5)


def test_every_name_of_a_move_means_an_object_of_the_stack(rsspot: Command) -> None:
    """One that does not would stay behind without a word."""
    write(EDGE, POOL)
    rsspot("apply stack.yaml --yes --wait none")
    rsspot("detach cloudspace/edge --yes")
    assert "is called 'cloudspace/edge'" in rsspot("move cloudspace/edge workers --to-stack other --yes", 1)


def test_an_old_name_that_nothing_has_is_told(rsspot: Command) -> None:
    """It may be mistyped, and the pool would be made a second time."""
    write(EDGE, POOL)
    rsspot("apply stack.yaml --yes --wait none")
    write(EDGE, POOL.replace("name: workers", "name: web"), life="rsspot.dev/previous-name: wrokers")
    assert "there is no spotnodepool/edge/wrokers to rename" in rsspot("plan stack.yaml")


def test_a_saved_plan_replaces_nothing_but_a_saved_plan(rsspot: Command) -> None:
    """And one among the manifests declares nothing."""
    Path("infra").mkdir()
    write(EDGE, name="infra/stack.yaml")
    before = Path("infra/stack.yaml").read_text()
    assert "is no saved plan" in rsspot("plan infra --out infra/stack.yaml", 3)
    assert Path("infra/stack.yaml").read_text() == before
    for _ in range(2):
        rsspot("plan infra --out infra/plan.json")
    assert "a saved plan: passed over" in rsspot("plan infra --prune")
