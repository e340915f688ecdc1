"""Seeded stacks under SIGKILL and faults: whatever happened, one quiet run later all is as wanted, once each."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from support.amount import amount
from support.forked import Forked
from support.killed_apply import Stage
from support.killed_stack import run
from support.scenes import NAMESPACE

SEEDS = range(amount(8, 60))
BEGIN = 1_790_000_000.0
LATER = 6_000.0
"""Seconds between two runs, in the world's time: longer than a run and its waits. Auctions are held meanwhile."""
POOLS = ("spotnodepools", "ondemandnodepools")
CLASSES = ("gp.vs1.medium-dfw", "gp.vs1.large-dfw")


def stack(chance: random.Random, versions: tuple[str, ...]) -> list[dict[str, Any]]:
    """One or two cloudspaces with up to five pools each. versions: of Kubernetes, which can only be raised."""
    documents = []
    for space in ("edge", "west")[: chance.randrange(1, 3)]:
        version = chance.choice(versions)
        documents.append(document("CloudSpace", space, region="us-central-dfw-1", kubernetesVersion=version))
        for name in chance.sample(["a", "b", "c", "d", "e"], chance.randrange(6)):
            fields: dict[str, Any] = {"cloudSpace": space, "desired": chance.randrange(1, 4)}
            fields["serverClass"] = chance.choice(CLASSES)
            if chance.random() < 0.6:
                documents.append(document("SpotNodePool", name, **fields, bidPrice=chance.choice(["0.06", "0.08"])))
            else:
                documents.append(document("OnDemandNodePool", name, **fields))
    return documents


def document(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "ngpc.rxt.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_stack_under_fire_converges(tmp_path: Path, program: Forked, seed: int) -> None:
    """Two versions of a stack, each applied by runs that are killed or meet faults, and then by one left in peace."""
    chance = random.Random(seed)
    moment = BEGIN
    for versions in (("1.31.1",), ("1.31.1", "1.32.0")):
        documents = stack(chance, versions)
        (tmp_path / "wanted.yaml").write_text(yaml.safe_dump_all(documents))
        for _ in range(chance.randrange(1, 4)):
            killed(program, tmp_path, moment, chance)
            moment += LATER
        recap = await run(tmp_path, moment, None)
        moment += LATER
        assert recap.outcome == "ok", (seed, recap)
        await assert_as_wanted(tmp_path, moment, documents)


@pytest.fixture(scope="module")
def program() -> Iterator[Forked]:
    """The program that is killed."""
    started = Forked("killed_stack")
    yield started
    started.close()


def killed(program: Forked, folder: Path, start: float, chance: random.Random) -> None:
    """One run with faults, which most of the time does not live to its end."""
    what, number = chance.choice(["write", "mutation", "mutation", "never"]), chance.randrange(1, 30)
    seed = chance.randrange(10_000)
    done = program.run(folder, start, seed, what, number)
    assert done.returncode in (0, 1, 6, 7, 11, -signal.SIGKILL), done.stderr


async def assert_as_wanted(folder: Path, start: float, documents: list[dict[str, Any]]) -> None:
    """Each declared object lives once, nothing else of the stack does, and nothing is left to do or to look up."""
    stage = Stage(folder, start)
    try:
        plan = await stage.scene.plan((folder / "wanted.yaml").read_text())
        assert plan.empty
        assert not plan.undeclared
        assert not stage.ledger.open_steps(plan.scope)
        assert not stage.ledger.unfinished_runs(plan.scope)
        assert Counter(lives(stage)) == Counter(names(documents))
    finally:
        await stage.close()


def lives(stage: Stage) -> list[tuple[str, str, str]]:
    """The kind, cloudspace and given name of every object of the stack that is not on its way out."""
    found = []
    for plural in ("cloudspaces", *POOLS):
        for body in stage.world.store.objects(plural, NAMESPACE):
            metadata = body["metadata"]
            if metadata.get("deletionTimestamp") or STACK_LABEL not in metadata.get("labels", {}):
                continue
            given = metadata.get("annotations", {}).get(NAME_ANNOTATION, metadata["name"])
            found.append((body["kind"], body["spec"].get("cloudSpace", ""), given))
    return found


def names(documents: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """The same of what is declared."""
    return [(each["kind"], each["spec"].get("cloudSpace", ""), each["metadata"]["name"]) for each in documents]
