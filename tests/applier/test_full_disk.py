"""A disk that is full before an apply, or runs full during one: nothing is sent that could not be written down."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rsspot.errors import StateError
from rsspot.state.database import Database
from rsspot.state.ledger.sqlite import SqliteLedger
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.scenes import OpenScene, births, living


@contextmanager
def no_file_may_grow(beyond: int) -> Iterator[None]:
    """What is written beyond this size is refused by the system."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (beyond, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def without_room(file: Path) -> SqliteLedger:
    """A ledger that cannot have one more page, and has no room in those it has."""
    database = Database(file)
    with database.transaction() as db:
        db.execute(
            "INSERT INTO runs (scope, command, plan_digest, plan_json, fence, started_at, ended_at, outcome)"
            " VALUES ('other', 'apply', 'd', randomblob(3900), 1, '2026', '2026', 'ok')"
        )
    pages = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count = {pages}")
    return SqliteLedger(database)


async def test_nothing_is_sent_if_the_disk_is_full(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """Once there is room, the same apply does it all."""
    full = without_room(spot_api.client().config.state_path)
    with pytest.raises(StateError, match="the disk is full") as caught:
        await open_scene(wrap=lambda _: full).apply()
    full.close()
    assert caught.value.hint == "make room, then run the command again"
    assert not spot_api.requests("POST", "PATCH", "DELETE")
    assert (await open_scene().apply()).exit_code == 0


async def test_a_disk_that_runs_full_ends_the_run(spot_api: SimulatedSpot, open_scene: OpenScene) -> None:
    """What was sent is looked up by the next apply, and made once."""
    file = spot_api.client().config.state_path
    limit = no_file_may_grow(0)

    async def act(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        nonlocal limit
        if request.method == "POST" and "cloudspaces" in request.url.path:
            limit = no_file_may_grow(file.with_name(f"{file.name}-wal").stat().st_size)
            limit.__enter__()

    scene = open_scene(act)
    plan = await scene.plan()
    try:
        with pytest.raises(StateError, match="cannot write"):
            await scene.run(plan)
    finally:
        limit.__exit__(None, None, None)
    assert [path.rpartition("/")[2] for _, path in spot_api.requests("POST", "PATCH", "DELETE")] == ["cloudspaces"]
    # The lease could not be released either. It is free once its process has ended, which this one has not.
    lease = scene.ledger.current_lease(plan.scope)
    assert lease is not None
    scene.ledger.release(lease)
    recap = await open_scene().apply()
    assert recap.exit_code == 0
    assert births(spot_api.world, "cloudspaces") == {"edge": 1}
    assert len(living(spot_api.world, "spotnodepools")) == 1
