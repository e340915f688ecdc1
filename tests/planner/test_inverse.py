"""What takes a change back, and why some are not: by what the ledger kept of the change and what lives by now."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import replace

import pytest

from rsspot.constants import STACK_LABEL
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Base, Change, Edit
from rsspot.planner.draft import Draft, PlanContext
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.ownership import Owners
from rsspot.planner.undo import inverse
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import OwnedObject
from rsspot.utils.serialization import Document
from support.stacks import world_of

ADDRESS = "spotnodepool/edge/workers"
POOL: Document = {"cloudSpace": "edge", "serverClass": "gp.small", "desired": 2, "bidPrice": "0.03"}
WORLD = world_of({("SpotNodePool", "workers", "edge"): POOL})
(LIVE,) = WORLD.live["SpotNodePool"].values()
NAME, UID = LIVE["metadata"]["name"], LIVE["metadata"]["uid"]
REF = Ref("SpotNodePool", NAME)
OLD = "11111111-1111-4111-8111-111111111111"
"""The name of a predecessor."""
IMAGE: Document = {"kind": "SpotNodePool", "metadata": {"name": NAME}, "spec": POOL}
CREATED = Change(ADDRESS, Action.CREATE, REF, "test")
UPDATED = replace(
    CREATED, action=Action.UPDATE, base=Base(NAME, UID), edits=(Edit(("spec", "desired"), before=1, after=2),)
)
DELETED = replace(CREATED, action=Action.DELETE, image=IMAGE)
REPLACED = replace(DELETED, action=Action.REPLACE)
REPLACED_BY_SURGE = replace(REPLACED, image={**IMAGE, "metadata": {"name": OLD}}, surge=True)


def pools(*objects: Document, **world: object) -> LiveState:
    """A world with these pools, all of them on record as they live."""
    live = {each["metadata"]["name"]: each for each in objects}
    owned = {
        Ref("SpotNodePool", name): OwnedObject(REF, ADDRESS, each["metadata"]["uid"]) for name, each in live.items()
    }
    return replace(WORLD, live={**WORLD.live, "SpotNodePool": live}, owned=owned, **world)  # type: ignore[arg-type]


def pool(**metadata: object) -> Document:
    """The live pool with other metadata."""
    document = copy.deepcopy(LIVE)
    document["metadata"] |= metadata
    return document


def undone(change: Change, world: LiveState, later: Collection[Ref] = ()) -> Draft:
    """What takes a change of run 7 back."""
    context = PlanContext(world, kinds(), Owners("default", world), PlanOptions())
    return inverse([change], 7, context, later=later)


def refused(change: Change, world: LiveState, later: Collection[Ref] = ()) -> str:
    """The one reason why a change is not taken back."""
    draft = undone(change, world, later)
    assert not draft.changes
    (problem,) = draft.problems
    assert problem.hint
    return problem.message


def noted(change: Change, world: LiveState) -> str:
    """The one note that is all that comes of it."""
    draft = undone(change, world)
    assert not draft.changes and not draft.problems
    return draft.notes[0]


# What is taken back


@pytest.mark.parametrize("change", [DELETED, REPLACED], ids=["deleted", "replaced half"])
def test_what_is_gone_is_made_as_it_was(change: Change) -> None:
    """By the image that the ledger kept."""
    (made,) = undone(change, pools()).changes
    assert (made.action, made.ref, made.body) == (Action.CREATE, REF, IMAGE)
    assert made.reason == "undoes run 7"


def test_what_was_replaced_in_place_is_replaced_again() -> None:
    """Under the one name that both have."""
    (back,) = undone(REPLACED, pools(LIVE)).changes
    assert (back.action, back.ref.name, back.surge) == (Action.REPLACE, NAME, False)
    assert back.base is not None and back.base.uid == UID


def test_what_was_replaced_by_surge_comes_back_first() -> None:
    """Under its own name; where it still lives, only the new one goes."""
    (back,) = undone(REPLACED_BY_SURGE, pools(LIVE)).changes
    assert (back.action, back.ref.name, back.surge) == (Action.REPLACE, OLD, True)
    (gone,) = undone(REPLACED_BY_SURGE, pools(LIVE, pool(name=OLD, uid="old"))).changes
    assert (gone.action, gone.base.name if gone.base else None) == (Action.DELETE, NAME)


def test_only_what_is_not_as_before_is_changed() -> None:
    """A field that somebody took back already is left out."""
    resized = replace(UPDATED, edits=(*UPDATED.edits, Edit(("spec", "bidPrice"), before="0.03", after="0.05")))
    (back,) = undone(resized, pools(LIVE)).changes
    assert [(edit.path, edit.after) for edit in back.edits] == [(("spec", "desired"), 1)]


# What is not


def test_what_cannot_be_looked_up_is_refused() -> None:
    """What lives under its name is not known."""
    world = pools(incomplete={"SpotNodePool": "503 from the service"})
    assert refused(CREATED, world) == f"{ADDRESS} could not be looked up: 503 from the service"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replace(DELETED, image=None), "was deleted by a version that kept nothing of it"),
        (replace(REPLACED, image=None), "was deleted by a version that kept nothing of it"),
        (replace(DELETED, image={**IMAGE, "spec": {"token": "(secret)"}}), "held a secret, which is not kept"),
        (replace(CREATED, deferred=True), "is a registration, which cannot be taken back"),
        (replace(CREATED, ref=Ref("VMRegistration", "vm-1")), "is a registration, which cannot be taken back"),
    ],
)
def test_what_nothing_brings_back_is_refused(change: Change, message: str) -> None:
    """Whatever lives by now."""
    assert refused(change, pools()) == f"{ADDRESS} {message}"


def test_a_name_that_a_later_run_gave_again_is_refused() -> None:
    """And so is an object that the ledger does not know."""
    message = f"{ADDRESS} is not the object that this run made, as far as the ledger knows"
    assert refused(CREATED, pools(LIVE), later=[REF]) == message
    assert refused(CREATED, replace(pools(LIVE), owned={})) == message


def test_an_object_of_another_stack_by_now_is_refused() -> None:
    """Its new owner may count on how it is."""
    world = pools(pool(labels={STACK_LABEL: "theirs"}))
    assert refused(UPDATED, world) == f"{ADDRESS} is not of this stack any more"


def test_a_deleted_object_that_is_still_going_is_refused() -> None:
    """Its name is not free yet."""
    world = pools(pool(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert refused(DELETED, world) == f"{ADDRESS} is still being deleted"


@pytest.mark.parametrize(
    ("change", "world", "note"),
    [
        (DELETED, pools(LIVE), "is there again"),
        (CREATED, pools(), "is gone already"),
        (UPDATED, pools(pool(uid="another")), "is another object by now"),
    ],
)
def test_what_somebody_did_meanwhile_is_left_alone(change: Change, world: LiveState, note: str) -> None:
    """With a note, since it is not what the run did."""
    assert noted(change, world) == f"{ADDRESS} {note}: nothing of it is undone"
