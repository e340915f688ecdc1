"""A state.db that is deleted or replaced while an apply runs: seen before the next write, and nothing more is sent."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rsspot.errors import StateError
from rsspot.state.ledger import open_ledger
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.scenes import OpenScene, births, living


def delete(file: Path) -> None:
    """As `rm` does."""
    file.unlink()


def replace(file: Path) -> None:
    """As a job does that restores a folder."""
    other = file.with_name("other.db")
    open_ledger(other).close()
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink()
    other.replace(file)


def move(file: Path) -> None:
    """As somebody does who tidies up."""
    shutil.move(file, file.with_name("old.db"))


@pytest.mark.parametrize("how", [delete, replace, move])
async def test_nothing_is_sent_once_the_ledger_is_another_file(
    how: Callable[[Path], None], spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """The next apply finds what the first one sent, and goes on without sending it again."""
    file = spot_api.client().config.state_path

    async def act(request: httpx.Request, _: httpx.AsyncBaseTransport) -> None:
        if request.method == "POST" and "cloudspaces" in request.url.path:
            how(file)

    with pytest.raises(StateError, match="was deleted, moved or replaced") as caught:
        await open_scene(act).apply()
    assert caught.value.hint and "nothing more is sent" in caught.value.hint
    sent = spot_api.requests("POST", "PATCH", "DELETE")
    assert [path.rpartition("/")[2] for _, path in sent] == ["cloudspaces"]
    recap = await open_scene().apply()
    assert recap.exit_code == 0
    assert births(spot_api.world, "cloudspaces") == {"edge": 1}
    assert len(living(spot_api.world, "spotnodepools")) == len(living(spot_api.world, "ondemandnodepools")) == 1
