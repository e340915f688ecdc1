"""Objects are values: they do not change, their copies are their own, and what they share nobody sees."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from rsspot.models.resource import Metadata, Page, compact, models_in
from rsspot.services.cloudspaces.schemas import CloudSpace
from rsspot.services.nodepools.schemas import SPOT_NODE_POOL, Autoscaling, SpotNodePool, SpotNodePoolSpec
from rsspot.services.nodepools.taints import Taint
from rsspot.testing import SimulatedSpot

SPEC = {
    "cloudSpace": "edge",
    "serverClass": "gp.vs1.medium-dfw",
    "desired": 2,
    "bidPrice": "0.06",
    "autoscaling": {"enabled": False, "minNodes": 1},
    "customTaints": [{"key": "a", "effect": "NoSchedule"}],
    "novel": {"a": [1]},
}
MANY = 700


def document(number: int, **metadata: Any) -> dict[str, Any]:
    """A pool as lists have it."""
    return {"metadata": {"name": f"p{number:04d}", **metadata}, "spec": SPEC, "status": {"wonCount": 1}}


@pytest.fixture
async def pools(spot_api: SimulatedSpot) -> list[SpotNodePool]:
    """Pools out of a list of many pages."""
    with spot_api.world.store.transaction():
        for number in range(MANY):
            body = document(number, namespace="org-sandbox000000001", uid=f"u{number}")
            spot_api.world.store.put("spotnodepools", body)
    async with spot_api.client() as client:
        return await client.spot_nodepools.list()


def parts(pool: SpotNodePool) -> list[Any]:
    """A pool and the models inside it."""
    return [pool, pool.metadata, pool.spec, pool.spec.autoscaling, *(pool.spec.custom_taints or []), pool.status]


async def test_no_field_of_an_object_can_be_changed(pools: list[SpotNodePool]) -> None:
    """Nor of what is inside it; nor can one be added or removed."""
    for part in parts(pools[0]):
        name = next(iter(type(part).model_fields))
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, name, getattr(part, name))
        with pytest.raises(ValidationError, match="frozen"):
            part.something_new = 1
        with pytest.raises(ValidationError, match="frozen"):
            delattr(part, name)


async def test_objects_of_a_list_share_the_names_of_their_fields(pools: list[SpotNodePool]) -> None:
    """Among thousands that is a third of their memory."""
    first, last = parts(pools[0]), parts(pools[-1])
    for one, other in zip(first, last, strict=True):
        assert one is not other
        assert one.model_fields_set is other.model_fields_set


async def test_what_is_shared_tells_the_truth_about_each(pools: list[SpotNodePool]) -> None:
    """The fields that were given and no others."""
    pool = pools[0]
    assert pool.model_fields_set == {"metadata", "spec", "status"} | {"api_version", "kind"} & pool.model_fields_set
    assert pool.spec.model_fields_set >= {"cloud_space", "desired", "bid_price", "autoscaling", "custom_taints"}
    assert "custom_labels" not in pool.spec.model_fields_set
    assert pool.model_dump(by_alias=True, mode="json", exclude_unset=True)["spec"] == SPEC
    assert "custom_labels" in pool.model_dump()["spec"]


COPIES = {
    "model_copy": lambda each: each.model_copy(),
    "deep": lambda each: each.model_copy(deep=True),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda each: pickle.loads(pickle.dumps(each)),
}


@pytest.mark.parametrize("way", COPIES.values(), ids=COPIES)
async def test_a_copy_equals_what_it_was_made_from(pools: list[SpotNodePool], way: Any) -> None:
    """In its values, its unknown fields and what is known to be given."""
    pool = pools[0]
    made = way(pool)
    assert made is not pool
    assert made == pool
    for one, other in zip(parts(pool), parts(made), strict=True):
        assert one.model_fields_set == other.model_fields_set
    assert made.model_dump(exclude_unset=True) == pool.model_dump(exclude_unset=True)
    assert made.spec.model_extra == {"novel": {"a": [1]}}


@pytest.mark.parametrize("way", COPIES.values(), ids=COPIES)
async def test_a_copy_with_other_values_leaves_all_the_others_alone(pools: list[SpotNodePool], way: Any) -> None:
    """Neither values nor the names of given fields leak into what shares them."""
    before = pools[1].model_dump(exclude_unset=True)
    made = way(pools[0].spec).model_copy(update={"desired": 9, "custom_labels": {"a": "b"}})
    assert (made.desired, made.custom_labels) == (9, {"a": "b"})
    assert "custom_labels" in made.model_fields_set
    assert made.model_dump(exclude_unset=True, by_alias=True)["customLabels"] == {"a": "b"}
    for each in pools[:3]:
        assert each.spec.desired == 2
        assert "custom_labels" not in each.spec.model_fields_set
    assert pools[1].model_dump(exclude_unset=True) == before
    assert "custom_labels" not in SpotNodePool.model_validate(document(1)).spec.model_fields_set


async def test_a_deep_copy_shares_nothing_that_can_change(pools: list[SpotNodePool]) -> None:
    """Maps and lists are the reader's own."""
    pool = pools[0]
    made = pool.model_copy(deep=True)
    made.metadata.labels["a"] = "b"
    (made.spec.model_extra or {})["novel"]["a"].append(2)
    assert pool.metadata.labels == {}
    assert (pool.spec.model_extra or {})["novel"] == {"a": [1]}


async def test_maps_of_two_objects_are_two_maps(pools: list[SpotNodePool]) -> None:
    """A default is not one map for all."""
    pools[0].metadata.labels["a"] = "b"
    assert pools[1].metadata.labels == {}
    assert SpotNodePool.model_validate(document(1)).metadata.labels == {}


async def test_objects_survive_a_pickle_among_thousands(pools: list[SpotNodePool]) -> None:
    """As a process pool hands them on."""
    again = pickle.loads(pickle.dumps(pools))
    assert again == pools
    assert again[0].spec.bid_price == Decimal("0.06")
    assert again[0].model_copy(update={"kind": "X"}).kind == "X"


def test_compacting_twice_is_the_same_as_once() -> None:
    """And an object alone is not changed by it."""
    pool = SpotNodePool.model_validate(document(1))
    shown = pool.model_dump(exclude_unset=True)
    compact(pool)
    once = pool.model_fields_set
    compact(pool)
    assert pool.model_fields_set is once
    assert pool.model_dump(exclude_unset=True) == shown


@pytest.mark.parametrize("value", [None, {}, {"a": "b"}])
def test_null_is_an_empty_map(value: Any) -> None:
    """Go servers send it for one."""
    metadata = Metadata.model_validate({"name": "a", "labels": value, "annotations": value})
    assert metadata.labels == metadata.annotations == (value or {})


def test_names_of_fields_are_read_in_both_spellings() -> None:
    """And written in the wire's."""
    spelled = SpotNodePoolSpec.model_validate({"cloud_space": "a", "serverClass": "b", "desired": 1, "bid_price": 0.5})
    assert spelled.model_dump(by_alias=True, mode="json", exclude_unset=True) == {
        "cloudSpace": "a",
        "serverClass": "b",
        "desired": 1,
        "bidPrice": "0.5",
    }


def test_an_object_knows_its_kind_without_being_told() -> None:
    """Items of a list come without it."""
    assert SpotNodePool.model_validate(document(1)).kind == "SpotNodePool"
    assert CloudSpace.model_fields["kind"].default == "CloudSpace"


@pytest.mark.parametrize("page", [b"{}", b'{"items": null}', b'{"metadata": null, "items": []}'])
def test_a_page_may_be_empty_in_many_ways(page: bytes) -> None:
    """And then there is no next one."""
    read: Page[SpotNodePool] = SPOT_NODE_POOL.pages.validate_json(page)
    assert (read.items or [], read.token, read.odd) == ([], None, [])


def test_a_page_says_where_the_next_one_begins() -> None:
    """Under a name that is a keyword here."""
    assert SPOT_NODE_POOL.pages.validate_json(b'{"metadata": {"continue": "abc"}}').token == "abc"


def test_models_inside_types_are_found() -> None:
    """In unions, lists and maps."""
    assert models_in(Autoscaling | None) == [Autoscaling]
    assert models_in(list[Taint] | None) == [Taint]
    assert models_in(dict[str, Taint]) == [Taint]
    assert models_in(str | None) == []
