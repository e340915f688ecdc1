"""Guards behind other guards: each speaks where the one before it was told to be quiet, or has a gap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rsspot.models.refs import Ref
from rsspot.planner.case import Rule
from rsspot.planner.change import Action, Base, Change, Edit
from rsspot.planner.draft import Draft, Match, PlanContext
from rsspot.planner.guards import guard
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.ownership import Owners
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.planner.removal import remove_predecessors
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import OwnedObject
from rsspot.utils.serialization import Document
from support.stacks import wanted_of, world_of

Stack = dict[tuple[str, str, str], Document]
SPACE: Document = {"region": "dfw", "kubernetesVersion": "1.33.0"}
POOL: Document = {"cloudSpace": "edge", "serverClass": "gp.small", "desired": 1, "bidPrice": "0.03"}
EDGE: Stack = {("CloudSpace", "edge", ""): SPACE}
WORKERS: Stack = {("SpotNodePool", "workers", "edge"): POOL}
UNREAD = {"SpotNodePool": "503 from the service", "ServerClass": "503 from the service"}


def plan_of(wanted: Stack, world: LiveState, **options: object) -> Plan:
    """The plan of a stack."""
    chosen = PlanOptions(**{"most_deletes": 99, **options})  # type: ignore[arg-type]
    return build(wanted_of(wanted), world, kinds(), stack="default", scope="tests", options=chosen)


def unread(world: LiveState) -> LiveState:
    """The world when pools and classes could not be listed."""
    return replace(world, live={k: v for k, v in world.live.items() if k not in UNREAD}, incomplete=UNREAD)


def said(plan: Plan, rule: Rule) -> list[str]:
    """The objections of one rule."""
    return [problem.message for problem in plan.refusals if problem.rule is rule]


def test_nothing_is_pruned_that_a_passed_over_document_may_declare() -> None:
    """And a plan that prunes nothing does not mind it."""
    passed_over = ("b.yaml",)
    refused = plan_of(EDGE, world_of(EDGE), unread=passed_over, prune=True)
    assert said(refused, Rule.UNREAD_MANIFESTS) == [
        "b.yaml: it was passed over, so what nothing declares cannot be told"
    ]
    assert plan_of(EDGE, world_of(EDGE), unread=passed_over).refusals == ()


def test_a_parent_is_not_pruned_though_its_unread_dependents_were_allowed() -> None:
    """To plan without pools is not to let pools go down unseen; classes are not made in cloudspaces."""
    world = unread(world_of({("CloudSpace", "old", ""): SPACE}))
    plan = plan_of(EDGE, world, prune=True, allow_incomplete=frozenset(UNREAD))
    assert said(plan, Rule.INCOMPLETE_READ) == [
        "cloudspace/old would take its spotnodepools down, and those could not be read: 503 from the service"
    ]


def test_an_allowed_kind_does_not_allow_the_next_one() -> None:
    """Each kind that could not be read has to be allowed by name."""
    plan = plan_of(EDGE, unread(world_of(EDGE)), allow_incomplete=frozenset({"ServerClass"}))
    assert said(plan, Rule.INCOMPLETE_READ) == [
        "the live spotnodepools could not be read: 503 from the service",
    ]


def test_a_destroy_sees_everything_whatever_was_allowed() -> None:
    """So it is not told either to allow what could not be read."""
    plan = plan_of({}, unread(world_of(EDGE)), destroy=True, allow_incomplete=frozenset(UNREAD))
    hints = [problem.hint for problem in plan.refusals if problem.message.startswith("the live ")]
    assert hints == ["try again when the service answers"] * 2


def test_objects_of_ours_and_left_out_ones_hide_no_foreign_one() -> None:
    """Every declared object is asked whose it is, also after one that is ours and one that was not asked for."""
    stack: Stack = {("CloudSpace", name, ""): SPACE for name in ("a-ours", "b-left-out", "c-nobodys", "d-nobodys")}
    world = world_of(stack)
    for name in ("b-left-out", "c-nobodys", "d-nobodys"):
        del world.live["CloudSpace"][name]["metadata"]["labels"]
    plan = plan_of(stack, world, exclude=("*/b-left-out",))
    assert said(plan, Rule.OWNERSHIP) == [
        "cloudspace/c-nobodys exists already and belongs to no stack",
        "cloudspace/d-nobodys exists already and belongs to no stack",
    ]


def test_an_object_that_is_adopted_hides_no_foreign_one() -> None:
    """What may be taken over is passed by, and the next one is looked at."""
    stack: Stack = {("CloudSpace", name, ""): SPACE for name in ("a-nobodys", "b-theirs")}
    world = world_of(stack)
    del world.live["CloudSpace"]["a-nobodys"]["metadata"]["labels"]
    world.live["CloudSpace"]["b-theirs"]["metadata"]["labels"] = {"rsspot.dev/stack": "theirs"}
    plan = plan_of(stack, world, adopt=True)
    assert said(plan, Rule.OWNERSHIP) == ["cloudspace/b-theirs belongs to the stack 'theirs'"]


def test_the_name_that_an_object_would_get_is_taken_too() -> None:
    """A pool keeps an older name as long as it lives. Made again, it would be the one that is declared by its UUID."""
    world = world_of({**EDGE, **WORKERS})
    ((derived, live),) = world.live["SpotNodePool"].items()
    old = "11111111-1111-4111-8111-111111111111"
    renamed = {**live, "metadata": {**live["metadata"], "name": old}}
    stack: Stack = {**EDGE, **WORKERS, ("SpotNodePool", derived, "edge"): POOL}
    plan = plan_of(stack, replace(world, live={**world.live, "SpotNodePool": {old: renamed}}))
    assert said(plan, Rule.TWINS) == [
        f"spotnodepool/edge/{derived} and spotnodepool/edge/workers are the same object",
    ]


def test_a_pool_called_as_its_cloudspace_is_a_bystander() -> None:
    """That the cloudspace of this name goes says nothing about a pool of this name."""
    world = world_of(EDGE)
    pool = {"kind": "SpotNodePool", "metadata": {"name": "edge", "uid": "1"}, "spec": POOL}
    broken = {"kind": "SpotNodePool", "metadata": {"name": "no-spec", "uid": "2"}, "spec": None}
    plan = plan_of(
        {}, replace(world, live={**world.live, "SpotNodePool": {"no-spec": broken, "edge": pool}}), prune=True
    )
    assert said(plan, Rule.BYSTANDER) == [
        "cloudspace/edge would take spotnodepool/edge/edge down with it, which is not of this stack"
    ]


def test_a_declared_pool_is_not_called_a_strangers() -> None:
    """It stands in the way of pruning its cloudspace because it is to stay, whether or not it changes."""
    for pool in (POOL, {**POOL, "desired": 2}):
        plan = plan_of({("SpotNodePool", "workers", "edge"): pool}, world_of({**EDGE, **WORKERS}), prune=True)
        assert said(plan, Rule.BYSTANDER) == [
            "cloudspace/edge would take spotnodepool/edge/workers down with it, which is to stay"
        ]


def judged(change: Change, action: Action | None = None) -> list[str]:
    """What is said of a draft with this change, and another one of the declared pool of that name."""
    world = world_of({**EDGE, **WORKERS})
    (manifest,) = wanted_of(WORKERS)
    (live,) = world.live["SpotNodePool"].values()
    created = Change("cloudspace/new", Action.CREATE, Ref("CloudSpace", "new"), "new")
    declared = replace(change, action=action) if action else None
    draft = Draft((manifest,), (Match(manifest, live),), (created, *([declared] if declared else []), change))
    context = PlanContext(world, kinds(), Owners("default", world), PlanOptions())
    return [problem.message for problem in guard(draft, context) if problem.rule is Rule.WANTED]


def removal(action: Action = Action.DELETE, *, name: str | None = None, surge: bool = False) -> Change:
    """A change that takes the live pool away. name: of its successor"""
    (live,) = world_of(WORKERS).live["SpotNodePool"]
    ref = Ref("SpotNodePool", name or live)
    return Change("spotnodepool/edge/workers", action, ref, "test", base=Base(live, "1"), surge=surge)


WANTED = ["spotnodepool/edge/workers would be deleted, and it is spotnodepool/edge/workers"]


def test_what_is_declared_and_stays_is_not_deleted() -> None:
    """Whichever stage planned the deletion."""
    assert judged(removal()) == WANTED


def test_what_is_declared_and_changed_is_not_deleted() -> None:
    """An update of an object and its deletion in one plan contradict each other."""
    assert judged(removal(), Action.UPDATE) == WANTED


@pytest.mark.parametrize(("name", "surge"), [("successor", False), ("successor", True), (None, True)])
def test_a_replacement_may_take_its_own_predecessor(name: str | None, surge: bool) -> None:
    """In place the name comes back; with the new one first it is the predecessor that goes."""
    assert judged(removal(Action.REPLACE, name=name, surge=surge)) == []


def test_a_successor_does_not_take_the_object_of_another_address() -> None:
    """The predecessor has to be the object of this very address."""
    taken = replace(removal(Action.REPLACE, name="successor", surge=True), address="spotnodepool/edge/other")
    assert judged(taken) == ["spotnodepool/edge/other would be deleted, and it is spotnodepool/edge/workers"]


def test_a_predecessor_that_is_declared_itself_stays() -> None:
    """By its UUID, as another object: it is not what a replacement left behind."""
    world = world_of({**EDGE, **WORKERS})
    (live,) = world.live["SpotNodePool"].values()
    new = {**live, "metadata": {**live["metadata"], "name": "successor", "uid": "new"}}
    workers, by_uuid = wanted_of({**WORKERS, ("SpotNodePool", live["metadata"]["name"], "edge"): POOL})
    context = PlanContext(world, kinds(), Owners("default", world), PlanOptions())
    left = Match(workers, {**new, "status": {"bidStatus": "Fulfilled", "wonCount": 1}}, predecessors=(live,))
    (gone,) = remove_predecessors(Draft((workers,), (left,)), context).changes
    assert (gone.action, gone.ref.name) == (Action.DELETE, live["metadata"]["name"])
    assert remove_predecessors(Draft((workers, by_uuid), (left, Match(by_uuid, live))), context).changes == ()


def test_an_object_that_cannot_be_understood_is_not_ready() -> None:
    """So that nothing goes because of it, and its status says why."""
    world = world_of(EDGE)
    context = PlanContext(world, kinds(), Owners("default", world), PlanOptions())
    odd = {"metadata": {"name": "edge"}, "spec": [1]}
    assert not context.is_ready("CloudSpace", odd)
    assert context.readiness("CloudSpace", odd).note == "in a state this version does not know"


@pytest.mark.parametrize(("secret", "shown"), [(True, ("'(secret)'", "'(secret)'")), (False, ("'new'", "'old'"))])
def test_a_replacement_that_would_come_to_the_same_is_refused_without_its_secrets(
    secret: bool, shown: tuple[str, str]
) -> None:
    """Neither what was asked for nor what the service made of it is told where either is a secret."""
    world = world_of(EDGE)
    edge = Ref("CloudSpace", "edge")
    world = replace(world, owned={edge: OwnedObject(edge, "cloudspace/edge", "uid-edge")})
    edit = Edit(("spec", "key"), "old", "new", drift=True, secret=secret, forces_replacement=True)
    change = Change("cloudspace/edge", Action.REPLACE, edge, "test", base=Base("edge", "uid-edge"), edits=(edit,))
    context = PlanContext(world, kinds(), Owners("default", world), PlanOptions())
    others = tuple(
        replace(change, address=f"cloudspace/{action}", action=action) for action in (Action.UPDATE, Action.ADOPT)
    )
    found = [each for each in guard(Draft((), (), (*others, change)), context) if each.rule is Rule.FUTILE_REPLACEMENT]
    declared, made = shown
    assert [(each.message, each.hint) for each in found] == [
        (
            f"cloudspace/edge was made with key {declared}, and the service made {made} of it:"
            " replacing it would come to the same",
            f"write {made}, or leave key out",
        )
    ]


def test_a_replacement_of_another_object_than_the_one_on_record_is_not_futile() -> None:
    """The ledger does not know what that one was made with."""
    edge = Ref("CloudSpace", "edge")
    world = replace(world_of(EDGE), owned={edge: OwnedObject(edge, "cloudspace/edge", "an earlier one")})
    edit = Edit(("spec", "region"), "dfw", "iad", drift=True, forces_replacement=True)
    change = Change("cloudspace/edge", Action.REPLACE, edge, "test", base=Base("edge", "uid-edge"), edits=(edit,))
    context = PlanContext(world, kinds(), Owners("default", world), PlanOptions())
    assert Rule.FUTILE_REPLACEMENT not in [each.rule for each in guard(Draft((), (), (change,)), context)]
