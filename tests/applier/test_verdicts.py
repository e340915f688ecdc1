"""What a look at the live object says about a write whose answer was lost: done, not done, or no longer to be sent."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from rsspot.applier.context import ApplyContext
from rsspot.applier.settle import Found, Verdict, is_from_us, judge, settle
from rsspot.client.async_client import AsyncSpotClient
from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Base, Change, Edit
from rsspot.planner.order import Verb
from rsspot.resources.documents import Documents
from rsspot.resources.registry import kinds
from rsspot.simulator.clock import ManualClock
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from support.histories import KEY

NAME = "8ef5e030-b5f0-5b6b-9e31-3a825c6bc7d0"
OLD = "11111111-1111-4111-8111-111111111111"
BODY: Document = {
    "apiVersion": "ngpc.rxt.io/v1",
    "kind": "SpotNodePool",
    "metadata": {"name": NAME, "labels": {STACK_LABEL: "mine"}, "annotations": {NAME_ANNOTATION: "workers"}},
    "spec": {"cloudSpace": "edge", "serverClass": "gp.vs1.large-dfw", "desired": 2, "bidPrice": "0.03"},
}
BASE = Base(OLD, "uid-old", owner="mine")
CREATE = Change("spotnodepool/edge/workers", Action.CREATE, Ref("SpotNodePool", NAME), "test", body=BODY)
SURGE = replace(CREATE, action=Action.REPLACE, base=BASE, surge=True)
IN_PLACE = replace(CREATE, action=Action.REPLACE, base=replace(BASE, name=NAME), surge=False)
PATCH = replace(
    CREATE,
    action=Action.UPDATE,
    body=None,
    base=Base(NAME, "uid-new", owner="mine"),
    edits=(Edit(("spec", "desired"), 1, 2),),
)


@pytest.fixture
def documents(spot_client: AsyncSpotClient) -> Documents:
    """Where the pools of the account are read."""
    return spot_client.documents(kinds()["SpotNodePool"])


def live(uid: str = "uid-new", **metadata: object) -> Document:
    """The object as it was asked for, with other metadata."""
    document = copy.deepcopy(BODY)
    document["metadata"] |= {"uid": uid, **metadata}
    return document


def told(verdict: Verdict) -> tuple[Found, str]:
    """What a verdict says."""
    return verdict.found, verdict.detail


async def test_an_unanswered_create_is_looked_for_half_a_minute(spot_api: SimulatedSpot, documents: Documents) -> None:
    """With longer and longer pauses; only then it is sent again."""
    clock = ManualClock()
    began = clock.monotonic()
    verdict = await settle(CREATE, documents, clock)
    assert verdict == Verdict(Found.NOT_DONE)
    assert clock.monotonic() - began == 1 + 2 + 4 + 8 + 15
    assert sum(NAME in path for _, path in spot_api.requests("GET")) == 6


async def test_a_visible_object_is_not_looked_for_again(spot_client: AsyncSpotClient, documents: Documents) -> None:
    """Nor is anything waited for."""
    await spot_client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
    await documents.create(copy.deepcopy(BODY))
    clock = ManualClock()
    began = clock.monotonic()
    assert (await settle(CREATE, documents, clock)).found is Found.DONE
    assert clock.monotonic() == began


@pytest.mark.parametrize("marks", [{"labels": {}}, {"annotations": {}}, {"labels": None, "annotations": None}])
def test_a_created_object_that_lost_our_marks_is_done(documents: Documents, marks: Document) -> None:
    """The service may drop what it does not know; the ledger then carries on alone."""
    assert told(judge(CREATE, Verb.CREATE, documents, live(**marks))) == (Found.DONE, "")


def test_the_predecessor_is_not_taken_for_its_successor(documents: Documents) -> None:
    """Though it is just as the new one was to be."""
    assert told(judge(SURGE, Verb.CREATE, documents, live("uid-old"))) == (
        Found.STALE,
        "an object of that name exists and is the one that is to be replaced",
    )


def test_a_successor_is_done(documents: Documents) -> None:
    """It is another object than its predecessor."""
    assert told(judge(SURGE, Verb.CREATE, documents, live())) == (Found.DONE, "")


def test_an_object_that_is_already_as_its_replacement_in_place_is_done(documents: Documents) -> None:
    """There is nothing left to make."""
    assert told(judge(IN_PLACE, Verb.CREATE, documents, live("uid-old"))) == (Found.DONE, "")


def test_an_object_that_is_on_its_way_out_is_not_the_one_that_was_to_be_made(documents: Documents) -> None:
    """Though it is alike: its name is taken until it is gone."""
    verdict = judge(CREATE, Verb.CREATE, documents, live(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert told(verdict) == (Found.STALE, "an object of that name is still being deleted")
    assert verdict.now == "it is still being deleted"


@pytest.mark.parametrize(("there", "found"), [(None, Found.STALE), ("uid-other", Found.STALE), ("uid-new", Found.DONE)])
def test_a_patch_is_of_one_very_object(documents: Documents, there: str | None, found: Found) -> None:
    """Another one of its name with the wanted value was not patched."""
    verdict = judge(PATCH, Verb.PATCH, documents, live(there) if there else None)
    assert told(verdict) == (found, "it was deleted since the plan was made" if found is Found.STALE else "")


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ("mine", None, "it belonged to the stack 'mine' when the plan was made, and belongs to no stack now"),
        (None, "mine", "it belonged to no stack when the plan was made, and belongs to the stack 'mine' now"),
    ],
)
def test_an_object_that_changed_hands_is_left_alone(
    documents: Documents, then: str | None, now: str | None, said: str
) -> None:
    """Whoever it went to, or came from."""
    change = replace(CREATE, action=Action.DELETE, base=replace(BASE, owner=then))
    there = live("uid-old", labels={STACK_LABEL: now} if now else {})
    assert told(judge(change, Verb.DELETE, documents, there)) == (Found.STALE, said)


CLOUDSPACE: Document = {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}


@pytest.mark.parametrize(
    ("labels", "arrived", "others", "ours"),
    [
        pytest.param({STACK_LABEL: "mine"}, False, (), True, id="our label"),
        pytest.param({STACK_LABEL: "theirs"}, True, (), False, id="the label of another stack"),
        pytest.param({}, True, (), True, id="the service shows no labels"),
        pytest.param({}, True, ("bare",), True, id="nor on another object, and one of another kind has no say"),
        pytest.param({}, False, (), False, id="no create of ours went out"),
        pytest.param({}, True, ("bare", "pool"), False, id="the service shows our label on another pool"),
        pytest.param({}, True, ("space",), False, id="the service shows our label on the cloudspace"),
    ],
)
async def test_whose_an_object_is_that_an_unanswered_create_may_have_made(
    spot_client: AsyncSpotClient, labels: Document, arrived: bool, others: tuple[str, ...], ours: bool
) -> None:
    """By its label; where the service keeps none, because we asked for an object of this very UUID."""
    mine = {STACK_LABEL: "mine"}
    space = mine if "space" in others else {"team": "a"}
    await spot_client.cloudspaces.create("edge", CLOUDSPACE, labels=space)
    await spot_client.vm_ssh_keys.create("ops", {"publicKey": KEY}, labels=mine)
    if "bare" in others:
        await spot_client.spot_nodepools.create("bare", BODY["spec"], labels={"team": "a"})
    if "pool" in others:
        await spot_client.spot_nodepools.create("pool", BODY["spec"], labels=mine)
    known = dict(kinds())
    context = ApplyContext(spot_client.ledger, ManualClock(), spot_client.documents, known, "org", "mine")
    found = await is_from_us(live(labels=labels), known["SpotNodePool"], context, may_have_arrived=arrived)
    assert found is ours


async def test_a_plain_name_may_have_been_taken_by_somebody_else(spot_client: AsyncSpotClient) -> None:
    """At the same moment, so that an object without a label is not ours because of it."""
    known = dict(kinds())
    context = ApplyContext(spot_client.ledger, ManualClock(), spot_client.documents, known, "org", "mine")
    there = {"metadata": {"name": "edge", "labels": {}}, "spec": CLOUDSPACE}
    assert await is_from_us(there, known["CloudSpace"], context, may_have_arrived=True) is False
