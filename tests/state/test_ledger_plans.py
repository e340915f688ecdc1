"""The plan of a run in the ledger: compressed, bounded, and readable as every version wrote it."""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

import pytest

from rsspot.errors import StateError
from rsspot.state.database import Database
from rsspot.state.ledger.plans import CUT, MOST_BYTES, packed, unpacked
from support.ledgers import MADE_BY, Runs

CHANGE = {
    "action": "create",
    "address": "spotnodepool/edge-{0}/workers-{1}",
    "kind": "SpotNodePool",
    "name": "0c5bad9d-6fc7-53e4-9d78-{0:04x}{1:08x}",
    "parent": "cloudspace/edge-{0}",
    "after": [],
    "base": None,
    "body": {
        "apiVersion": "ngpc.rxt.io/v1",
        "kind": "SpotNodePool",
        "metadata": {"name": "0c5bad9d-6fc7-53e4-9d78-{0:04x}{1:08x}", "labels": {"rsspot.dev/stack": "big"}},
        "spec": {"cloudSpace": "edge-{0}", "serverClass": "gp.vs1.large-dfw", "desired": 1, "bidPrice": "0.03"},
    },
    "diff": [],
    "reason": "declared, and does not exist",
    "source": {"file": "big.yaml", "line": 17, "column": 1},
}


def change(number: int) -> dict[str, Any]:
    """One change of a large stack, with names of its own."""
    names = str(CHANGE["name"]).format(number // 100, number), str(CHANGE["address"]).format(number // 100, number)
    return {**CHANGE, "name": names[0], "address": names[1]}


def test_ten_thousand_objects_are_kept_whole() -> None:
    """In less than a quarter of the bound."""
    plan = {"digest": "d", "changes": [change(number) for number in range(10_000)]}
    stored = packed(plan)
    assert len(json.dumps(plan)) > 5_000_000 and len(stored) < MOST_BYTES // 4
    assert unpacked(stored) == plan


def test_what_is_larger_is_cut_and_says_so() -> None:
    """With the rest of the plan, and how large it was."""
    plan = {"digest": "d", "command": "apply", "changes": [random.Random(1).randbytes(2_000).hex()], "notes": ["n"]}
    text = len(json.dumps(plan, separators=(",", ":")))
    assert unpacked(packed(plan, most=1_000)) == {"digest": "d", "command": "apply", CUT: text}
    assert unpacked(packed(plan, most=3_000)) == plan


@pytest.mark.parametrize(
    "stored",
    [
        zlib.compress(b'{"a": 1}')[:-1],
        zlib.compress(b"[]"),
        zlib.compress(b"\xff"),
        b"",
        b"{}",
        "[]",
        "{",
        zlib.compress(b" " * 2_000 + b"{}"),
    ],
)
def test_what_is_not_a_plan_is_refused(stored: str | bytes) -> None:
    """Also one that unpacks to more than is ever written."""
    with pytest.raises(ValueError):
        unpacked(stored, most=1_000)


def test_a_damaged_plan_is_never_half_read() -> None:
    """Its checksum tells, whichever byte is another one: a plan is what an undo does."""
    stored = packed({"digest": "d", "changes": [{"address": "cloudspace/edge", "desired": 3}]})
    for at in range(len(stored)):
        damaged = stored[:at] + bytes([stored[at] ^ 16]) + stored[at + 1 :]
        with pytest.raises(ValueError):
            unpacked(damaged)


def test_a_run_of_an_earlier_version_is_read_as_before() -> None:
    """Its plan is text, and who started it is beside the plan."""
    runs = Runs(Database(None))
    run = runs.made(1)
    with runs.database.transaction() as db:
        text = json.dumps({"digest": "d", "changes": [], "madeBy": {"user": "bob@desk"}})
        db.execute("UPDATE runs SET plan_json = ?, made_by = NULL", (text,))
    assert runs.ledger.plan(run) == {"digest": "d", "changes": []}
    assert runs.ledger.runs()[0].made_by == {"user": "bob@desk"}


def test_who_started_a_run_is_read_without_its_plan() -> None:
    """A list of runs does not read plans, which are large."""
    runs = Runs(Database(None))
    run = runs.made(1)
    with runs.database.transaction() as db:
        db.execute("UPDATE runs SET plan_json = x'00'")
    assert runs.ledger.runs()[0].made_by == MADE_BY
    with pytest.raises(StateError, match=f"the plan of run {run}"):
        runs.ledger.plan(run)
