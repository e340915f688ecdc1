"""The models of a long list share what they have in common, and nobody sees it."""

from __future__ import annotations

import copy
import json
import tracemalloc
from typing import Any

from rsspot.models.compact import compact
from rsspot.models.resource import Page
from rsspot.services.nodepools.schemas import SPOT_NODE_POOL, SpotNodePool

POOLS = 400
MOST_BYTES = 4000
"""Of memory for a pool, of which the service sends 1,400 bytes of JSON. Nothing shared, it is 9,000."""


def written(when: str) -> list[dict[str, Any]]:
    """Who wrote which field."""
    fields = {f"f:{name}": {} for name in ("bidPrice", "cloudSpace", "desired", "serverClass", "customLabels")}
    entry = {"apiVersion": "ngpc.rxt.io/v1", "fieldsType": "FieldsV1", "operation": "Update", "time": when}
    metadata = {"f:annotations": {".": {}, "f:rsspot.dev/name": {}}, "f:labels": {"f:ngpc.rxt.io/cloudspace": {}}}
    status = {"f:status": {".": {}, "f:bidStatus": {}, "f:wonCount": {}}}
    return [
        {**entry, "manager": "rsspot", "fieldsV1": {"f:metadata": metadata, "f:spec": {".": {}, **fields}}},
        {**entry, "manager": "manager", "fieldsV1": status, "subresource": "status"},
    ]


def document(number: int) -> dict[str, Any]:
    """A pool as the service lists it."""
    owner = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "name": "edge", "uid": "2", "controller": False}
    spec = {
        "serverClass": "gp.vs1.large-dfw",
        "cloudSpace": "edge",
        "desired": 3,
        "bidPrice": f"0.{number % 97 + 1:02}",
    }
    when = f"2026-11-01T12:{number // 60 % 60:02}:{number % 60:02}Z"
    return {
        "metadata": {
            "name": f"00000000-0000-5000-8000-{number:012d}",
            "uid": f"10000000-0000-5000-8000-{number:012d}",
            "resourceVersion": str(77_000_000 + number),
            "creationTimestamp": when,
            "labels": {"ngpc.rxt.io/cloudspace": "edge"},
            "annotations": {"rsspot.dev/name": f"pool-{number}"},
            "managedFields": written(when),
            "ownerReferences": [owner],
        },
        "spec": {**spec, "autoscaling": {"enabled": False}, "customLabels": {"workload": "general"}, "more": {"x": 1}},
        "status": {"bidStatus": "Fulfilled", "wonCount": 3},
    }


def listed(count: int = 2) -> list[SpotNodePool]:
    """Models of a page, as they are."""
    page: Page[SpotNodePool] = SPOT_NODE_POOL.pages.validate_json(
        json.dumps({"items": list(map(document, range(count)))})
    )
    return page.items or []


def compacted(count: int = 2) -> list[SpotNodePool]:
    """The same, with what they have in common shared."""
    pools = listed(count)
    for each in pools:
        compact(each)
    return pools


def test_a_compact_model_is_the_same() -> None:
    """It is equal, and printed, dumped and read in the same way and order."""
    for plain, small in zip(listed(), compacted(), strict=True):
        assert small == plain and repr(small) == repr(plain)
        assert small.model_dump_json(by_alias=True) == plain.model_dump_json(by_alias=True)
        assert small.model_dump(exclude_unset=True) == plain.model_dump(exclude_unset=True)
        assert small["metadata"] == plain["metadata"] == json.loads(json.dumps(small["metadata"]))
        assert small.model_fields_set == plain.model_fields_set
        assert small.spec.model_extra == plain.spec.model_extra == {"more": {"x": 1}}
        assert small.model_extra == plain.model_extra == {}


def test_what_is_noted_of_owners_and_writers_is_shared() -> None:
    """The times of the writers stay their own."""
    first, second = ((each.metadata.model_extra or {}) for each in compacted())
    assert first["ownerReferences"] is second["ownerReferences"]
    for one, other in zip(first["managedFields"], second["managedFields"], strict=True):
        assert one is not other and one["fieldsV1"] is other["fieldsV1"]
        assert one["time"] != other["time"] and {**one, "time": ""} == {**other, "time": ""}


def test_labels_and_annotations_are_not_shared() -> None:
    """Whoever changes those of one pool, to patch it, changes no other pool."""
    first, second = compacted()
    first.metadata.labels["mine"] = "x"
    first.metadata.annotations["mine"] = "x"
    assert "mine" not in second.metadata.labels and "mine" not in second.metadata.annotations


def test_a_copy_with_a_further_field_leaves_the_others_alone() -> None:
    """What is not there is shared too: no unknown field."""
    first, second = compacted()
    assert first.model_copy(update={"further": 1}).model_extra == {"further": 1}
    changed = copy.deepcopy(first)
    assert changed.model_extra is not None
    changed.model_extra["further"] = 1
    assert first.model_extra == second.model_extra == {}


def test_notes_that_are_none_stay_as_they_are() -> None:
    """The service never sends such ones; anybody else may."""
    for odd in (None, "x", [], ["x", None, {"fieldsV1": None}], [{"time": 1, "fieldsV1": [1]}], {"a": 1}):
        body = document(0)
        body["metadata"] |= {"managedFields": odd, "ownerReferences": odd}
        pool = SPOT_NODE_POOL.read(body)
        compact(pool)
        extra = pool.metadata.model_extra or {}
        assert extra["managedFields"] == odd and extra["ownerReferences"] == odd


def test_a_pool_takes_little_memory() -> None:
    """Ten thousand fit in 40 MB."""
    compacted()
    tracemalloc.start()
    try:
        pools = compacted(POOLS)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(pools) == POOLS
    assert held / POOLS < MOST_BYTES
