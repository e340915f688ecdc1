"""Tests of models: they are immutable, copies are independent, and shared field names do not leak between them."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from rsspot.models.compact import compact
from rsspot.models.resource import Metadata, Page, models_in
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
    """A pool as an item of a list."""
    return {"metadata": {"name": f"p{number:04d}", **metadata}, "spec": SPEC, "status": {"wonCount": 1}}


@pytest.fixture
async def pools(spot_api: SimulatedSpot) -> list[SpotNodePool]:
    """Pools read from a list of several pages."""
    with spot_api.world.store.transaction():
        for number in range(MANY):
            body = document(number, namespace="org-sandbox000000001", uid=f"u{number}")
            spot_api.world.store.put("spotnodepools", body)
    async with spot_api.client() as client:
        return await client.spot_nodepools.list()


def parts(pool: SpotNodePool) -> list[Any]:
    """A pool and the models inside it."""
    return [pool, pool.metadata, pool.spec, pool.spec.autoscaling, *(pool.spec.custom_taints or []), pool.status]


async def test_models_are_immutable(pools: list[SpotNodePool]) -> None:
    """Fields cannot be changed, added or removed, in nested models either."""
    for part in parts(pools[0]):
        name = next(iter(type(part).model_fields))
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, name, getattr(part, name))
        with pytest.raises(ValidationError, match="frozen"):
            part.something_new = 1
        with pytest.raises(ValidationError, match="frozen"):
            delattr(part, name)


async def test_items_of_a_list_share_their_sets_of_field_names(pools: list[SpotNodePool]) -> None:
    """In a long list, the sets would otherwise be a third of the memory."""
    first, last = parts(pools[0]), parts(pools[-1])
    for one, other in zip(first, last, strict=True):
        assert one is not other
        assert one.model_fields_set is other.model_fields_set


async def test_the_shared_set_has_exactly_the_fields_of_each_item(pools: list[SpotNodePool]) -> None:
    """It contains the fields that were set and no others."""
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
async def test_a_copy_equals_the_original(pools: list[SpotNodePool], way: Any) -> None:
    """It has the same values, unknown fields and set of field names."""
    pool = pools[0]
    copied = way(pool)
    assert copied is not pool
    assert copied == pool
    for one, other in zip(parts(pool), parts(copied), strict=True):
        assert one.model_fields_set == other.model_fields_set
    assert copied.model_dump(exclude_unset=True) == pool.model_dump(exclude_unset=True)
    assert copied.spec.model_extra == {"novel": {"a": [1]}}


@pytest.mark.parametrize("way", COPIES.values(), ids=COPIES)
async def test_a_copy_with_other_values_does_not_change_the_other_models(pools: list[SpotNodePool], way: Any) -> None:
    """Neither values nor field names leak into the models that share the set."""
    before = pools[1].model_dump(exclude_unset=True)
    copied = way(pools[0].spec).model_copy(update={"desired": 9, "custom_labels": {"a": "b"}})
    assert (copied.desired, copied.custom_labels) == (9, {"a": "b"})
    assert "custom_labels" in copied.model_fields_set
    assert copied.model_dump(exclude_unset=True, by_alias=True)["customLabels"] == {"a": "b"}
    for pool in pools[:3]:
        assert pool.spec.desired == 2
        assert "custom_labels" not in pool.spec.model_fields_set
    assert pools[1].model_dump(exclude_unset=True) == before
    assert "custom_labels" not in SpotNodePool.model_validate(document(1)).spec.model_fields_set


async def test_a_deep_copy_shares_no_mutable_value(pools: list[SpotNodePool]) -> None:
    """Changing its maps and lists does not change the original."""
    pool = pools[0]
    copied = pool.model_copy(deep=True)
    copied.metadata.labels["a"] = "b"
    (copied.spec.model_extra or {})["novel"]["a"].append(2)
    assert pool.metadata.labels == {}
    assert (pool.spec.model_extra or {})["novel"] == {"a": [1]}


async def test_two_models_do_not_share_a_map(pools: list[SpotNodePool]) -> None:
    """A default value is copied for each model."""
    pools[0].metadata.labels["a"] = "b"
    assert pools[1].metadata.labels == {}
    assert SpotNodePool.model_validate(document(1)).metadata.labels == {}


async def test_a_long_list_survives_pickling(pools: list[SpotNodePool]) -> None:
    """A process pool pickles its arguments and results."""
    restored = pickle.loads(pickle.dumps(pools))
    assert restored == pools
    assert restored[0].spec.bid_price == Decimal("0.06")
    assert restored[0].model_copy(update={"kind": "X"}).kind == "X"


def test_compacting_is_idempotent() -> None:
    """It does not change the content of the model."""
    pool = SpotNodePool.model_validate(document(1))
    before = pool.model_dump(exclude_unset=True)
    compact(pool)
    once = pool.model_fields_set
    compact(pool)
    assert pool.model_fields_set is once
    assert pool.model_dump(exclude_unset=True) == before


@pytest.mark.parametrize("value", [None, {}, {"a": "b"}])
def test_null_is_read_as_an_empty_map(value: Any) -> None:
    """Go servers send null for an empty map."""
    metadata = Metadata.model_validate({"name": "a", "labels": value, "annotations": value})
    assert metadata.labels == metadata.annotations == (value or {})


def test_field_names_are_read_in_camel_case_and_snake_case() -> None:
    """They are written in camelCase."""
    spec = SpotNodePoolSpec.model_validate({"cloud_space": "a", "serverClass": "b", "desired": 1, "bid_price": 0.5})
    assert spec.model_dump(by_alias=True, mode="json", exclude_unset=True) == {
        "cloudSpace": "a",
        "serverClass": "b",
        "desired": 1,
        "bidPrice": "0.5",
    }


def test_the_kind_is_set_by_default() -> None:
    """List items do not contain it."""
    assert SpotNodePool.model_validate(document(1)).kind == "SpotNodePool"
    assert CloudSpace.model_fields["kind"].default == "CloudSpace"


@pytest.mark.parametrize("page", [b"{}", b'{"items": null}', b'{"metadata": null, "items": []}'])
def test_every_form_of_an_empty_page_is_read(page: bytes) -> None:
    """None of them has a next page."""
    read: Page[SpotNodePool] = SPOT_NODE_POOL.pages.validate_json(page)
    assert (read.items or [], read.token, read.odd) == ([], None, [])


def test_a_page_has_the_token_of_the_next_page() -> None:
    """The API calls it `continue`, a keyword in Python."""
    assert SPOT_NODE_POOL.pages.validate_json(b'{"metadata": {"continue": "abc"}}').token == "abc"


def test_models_in_finds_nested_models() -> None:
    """It looks into unions, lists and maps."""
    assert models_in(Autoscaling | None) == [Autoscaling]
    assert models_in(list[Taint] | None) == [Taint]
    assert models_in(dict[str, Taint]) == [Taint]
    assert models_in(str | None) == []
