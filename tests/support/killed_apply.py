"""Applies a stack in a world that lives in a file, and dies of SIGKILL where it is told to."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsspot.applier.events import Recap
from rsspot.applier.options import ApplyOptions
from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.loader import Resolved
from rsspot.errors import RsspotError
from rsspot.settings import Setting
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.front.inprocess import InProcessTransport
from rsspot.simulator.world import World
from support import ledger_places, registering, scenes
from support.crash_points import DeadlyClock, DeadlyLedger, DeadlyTransport, Fuse

PLURALS = (*scenes.PLURALS, "vmcloudspaces", "vmpools")
LATER = 6_000.0
"""Seconds between two runs, in the world's time: longer than a run and its waits. Auctions are held meanwhile."""
DETACHED = scenes.BASE.replace("{name: base}", "{name: base, annotations: {rsspot.dev/on-remove: detach}}")
REGISTRAR = """#!/bin/sh
# Says yes to everything, and kills who asks the question of the number that the file `fatal` holds, `before 3`.
read -r question
number=$(($(wc -l < "$1/asked") + 1))
[ "$(cat "$1/fatal" 2> /dev/null)" = "before $number" ] && kill -9 $PPID && exit 1
echo "$question" >> "$1/asked"
[ "$(cat "$1/fatal" 2> /dev/null)" = "after $number" ] && kill -9 $PPID
case "$question" in *issue_token*) echo '{"tokenId": "t1"}';; *) echo '{}';; esac
"""
MACHINES = registering.STACK.replace("EXEC", "[FOLDER/registrar, FOLDER]")


@dataclass(frozen=True)
class Story:
    """What is applied. after: what was applied before, in peace · gap: seconds between, in the world's time

    faults: of the service, in the run that may be killed · code: how a run without faults ends
    killed: at which of which moments a run of the same was killed before
    """

    text: str
    after: str = ""
    faults: tuple[str, ...] = ()
    gap: float = LATER
    code: int = 0
    killed: tuple[str, int] | None = None
    options: ApplyOptions = field(default_factory=ApplyOptions)
    allowed: dict[str, Any] = field(default_factory=dict)


TEN = scenes.CLOUDSPACE + "".join(scenes.WORKERS.replace("workers", f"pool-{number}") for number in range(9))
"""More pools than are looked at one by one."""
RICH = scenes.WORKERS.replace("workers", "rich").replace("desired: 2", "desired: 120").replace("0.06", "0.52")
"""Outbids the others and has all servers of its class."""
# What takes real time, as registrars do, goes one by one: a story has the same moments whenever it is told.
STORIES = {
    "create": Story(scenes.STACK),
    "change": Story(scenes.CHANGED, "create"),
    "recreate": Story(scenes.STACK.replace("us-central-dfw-1", "us-central-dfw-1, cni: cilium"), "create"),
    "to detach": Story(scenes.CLOUDSPACE + scenes.WORKERS + DETACHED),
    "detach": Story(scenes.CLOUDSPACE + scenes.WORKERS, "to detach"),
    "adopt": Story(scenes.CLOUDSPACE + scenes.WORKERS + DETACHED, "detach", allowed={"adopt": True}),
    "machines": Story(MACHINES, options=ApplyOptions(parallel=1)),
    "unready": Story(TEN, options=ApplyOptions(wait="none")),
    "wait": Story(TEN, "unready", gap=0.0),
    "rich": Story(scenes.CLOUDSPACE + RICH),
    "outbid": Story(scenes.CLOUDSPACE + RICH + scenes.WORKERS, "rich", gap=600.0, code=7),
    "create in trouble": Story(
        scenes.STACK,
        faults=(
            "POST cloudspaces: reset-after",
            "POST spotnodepools: 409",
            "POST ondemandnodepools: reset-before",
            "POST ondemandnodepools: 403",
        ),
    ),
    "change in trouble": Story(
        scenes.CHANGED,
        "create",
        faults=(
            "PATCH cloudspaces: 503 retry-after 2",
            "PATCH cloudspaces: 403",
            "POST spotnodepools: reset-after",
            "DELETE ondemandnodepools: 503",
            "DELETE ondemandnodepools: 403",
        ),
        options=ApplyOptions(parallel=1),
    ),
    "create without a token": Story(scenes.STACK, faults=("POST cloudspaces: 401 always",)),
    "recover a create": Story(scenes.STACK, killed=("mutation", 2)),
    "recover a patch": Story(scenes.CHANGED, "create", killed=("PATCH after", 1)),
    "recover a delete": Story(scenes.CHANGED, "create", killed=("DELETE after", 1)),
    "recover a detach": Story(scenes.CLOUDSPACE + scenes.WORKERS, "to detach", killed=("PATCH after", 1)),
    "recover machines": Story(
        MACHINES, killed=("ledger claim_registrations after", 1), options=ApplyOptions(parallel=1)
    ),
}


class Stage:
    """A world, a ledger and a client of them, all in one folder."""

    def __init__(self, folder: Path, start: float, fuse: Fuse | None = None) -> None:
        fuse = fuse or Fuse()
        clock = ManualClock(start)
        self.world = World(folder / "world.db", clock=clock)
        ledger_places.put_back(folder)
        self._folder, self.ledger = folder, ledger_places.opened(folder)
        url = "http://127.0.0.1"
        values = {"base_url": url, "oauth_url": url, "client_id": "tests", "refresh_token": SANDBOX_TOKEN}
        values["organization"] = SANDBOX_ORGANIZATION
        settings = {name: Setting(value, "test") for name, value in values.items()}
        transport = DeadlyTransport(InProcessTransport(Api(self.world)), fuse)
        self.client = AsyncSpotClient(
            resolved=Resolved("test", settings, folder / "state.db", ledger=ledger_places.setting_of(folder)),
            transport=transport,
            clock=DeadlyClock(clock, fuse),
        )
        ledger = DeadlyLedger(self.ledger, fuse)
        self.client.ledger = ledger
        self.scene = scenes.Scene(self.client, ledger, folder)

    async def close(self) -> None:
        await self.client.aclose()
        self.ledger.close()
        ledger_places.keep(self._folder)
        self.world.close()


async def run(stage: Stage, name: str) -> Recap:
    """Plan and apply a story. An error that ends the run is in its recap."""
    story = STORIES[name]
    try:
        return await stage.scene.apply(text_of(story, stage.scene.folder), story.options, **story.allowed)
    except RsspotError:
        recap = stage.scene.events[-1]
        assert isinstance(recap, Recap)
        return recap


async def run_under_fire(folder: Path, name: str, start: float, fuse: Fuse) -> Recap:
    """The run that may be killed. The service has the faults of the story."""
    stage = Stage(folder, start, fuse)
    for fault in STORIES[name].faults:
        stage.world.faults.say(fault)
    try:
        return await run(stage, name)
    finally:
        await stage.close()


def text_of(story: Story, folder: Path) -> str:
    """The manifests of a story. Puts the registrar that they name into the folder."""
    if "FOLDER" in story.text and not (folder / "registrar").exists():
        (folder / "asked").touch()
        (folder / "registrar").write_text(REGISTRAR)
        (folder / "registrar").chmod(0o755)
    return story.text.replace("FOLDER", str(folder))


@dataclass(frozen=True)
class Left:
    """What runs left behind, apart from what differs each time.

    births: how often an object of each name came into being · living: the specs and labels of those that are there
    machines: the states of the registrations
    """

    births: Counter[str]
    living: dict[str, Any]
    machines: list[str]


async def converged(folder: Path, name: str, start: float) -> Left:
    """Run a story in peace, which ends well and leaves nothing open and nothing to do; gives what there is then."""
    stage, story = Stage(folder, start), STORIES[name]
    try:
        recap = await run(stage, name)
        assert recap.exit_code == story.code, (recap, stage.scene.events)
        plan = await stage.scene.plan(text_of(story, folder), **story.allowed)
        assert plan.empty, plan.changes
        assert not stage.ledger.open_steps(plan.scope)
        assert not stage.ledger.unfinished_runs(plan.scope)
        return _left(stage)
    finally:
        await stage.close()


def _left(stage: Stage) -> Left:
    births: Counter[str] = Counter()
    for plural in PLURALS:
        births += scenes.births(stage.world, plural)
    living = {
        body["metadata"]["name"]: (body["spec"], body["metadata"].get("labels"))
        for plural in PLURALS
        for body in scenes.living(stage.world, plural)
    }
    return Left(births, living, [each.status.value for each in stage.ledger.registrations()])


def asked(folder: Path) -> list[str]:
    """The questions that the registrar was asked, in order."""
    log = folder / "asked"
    return [json.loads(line)["ask"] for line in log.read_text().splitlines()] if log.exists() else []


def warm_up() -> None:
    """Apply once, so that no fork has to import modules, build models or fill caches."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_under_fire(Path(folder), "create", 1_790_000_000.0, Fuse()))


def main(arguments: list[str]) -> int:
    """The program: FOLDER STORY START CHOICE NUMBER."""
    folder, name, start, choice, number = arguments
    return asyncio.run(run_under_fire(Path(folder), name, float(start), Fuse(choice, int(number)))).exit_code
