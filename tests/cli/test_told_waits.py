"""What a command waits for is told: a live line on a terminal, a plain line every ten seconds elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from rsspot.auth.device import Invitation
from rsspot.cli.waits import PLAIN_TICK, Waits, duration, keep_ticking
from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.loader import Resolved
from rsspot.http.hooks import Hooks, Wait
from rsspot.settings import Setting
from rsspot.simulator.clock import ManualClock
from rsspot.testing import SimulatedSpot
from rsspot.workflows.login import log_in
from support.recording import cloudspace, put


class Screen:
    """Waits whose lines are kept, with the time of each."""

    def __init__(self, *, live: bool) -> None:
        self.clock = ManualClock(0.0)
        self.said: list[tuple[float, str]] = []
        self.drawn: list[list[str]] = []
        draw = (lambda lines: self.drawn.append([*lines])) if live else None
        self.waits = Waits(self.clock, lambda line: self.said.append((self.clock.time(), line)), draw)
        self.hooks = Hooks(waits=[self.waits.begin])

    def pass_time(self, seconds: int) -> None:
        """Let whole seconds pass, with a tick after each."""
        for _ in range(seconds):
            self.clock.advance(PLAIN_TICK)
            self.waits.tick()


def test_a_plain_line_comes_at_least_every_ten_seconds() -> None:
    """The first one soon, with what is waited for, for how long, and how far it is."""
    screen = Screen(live=False)
    with screen.hooks.waiting("CloudSpace edge to be ready") as wait:
        screen.pass_time(5)
        wait.note = "Provisioning"
        screen.pass_time(60)
    times = [at for at, _ in screen.said]
    assert times[0] <= 4
    assert max(later - earlier for earlier, later in pairwise(times)) <= 10
    assert len(times) <= 9
    assert screen.said[0][1] == "waiting for CloudSpace edge to be ready for 3 s"
    assert screen.said[-1][1].endswith(": Provisioning")


def test_a_short_wait_prints_nothing() -> None:
    """A retry after a second is nobody's business."""
    screen = Screen(live=False)
    for _ in range(20):
        with screen.hooks.waiting("a retry"):
            screen.pass_time(2)
    assert screen.said == []


def test_the_longest_of_several_waits_is_named() -> None:
    """And how many others there are."""
    screen = Screen(live=False)
    with screen.hooks.waiting("the first"):
        screen.pass_time(1)
        with screen.hooks.waiting("the second"), screen.hooks.waiting("the third"):
            screen.pass_time(3)
    assert [line for _, line in screen.said] == ["waiting for the first for 3 s; and 2 more"]


def test_a_live_line_is_replaced_and_taken_away() -> None:
    """Nothing is drawn once the wait is over, and nothing is printed."""
    screen = Screen(live=True)
    with screen.hooks.waiting("the first"):
        screen.pass_time(2)
    screen.pass_time(2)
    assert screen.drawn == [["waiting for the first for 1 s"], ["waiting for the first for 2 s"], []]
    assert screen.said == []


async def test_ticks_come_from_the_clock_that_is_given() -> None:
    """No machine's time is involved."""
    screen = Screen(live=False)
    ticking = asyncio.create_task(keep_ticking(lambda: screen.waits, screen.clock))
    with screen.hooks.waiting("the lease of a stack"):
        while len(screen.said) < 3:
            await asyncio.sleep(0)
    ticking.cancel()
    assert screen.said[2][1] == "waiting for the lease of a stack for 21 s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.9, "0 s"), (59.9, "59 s"), (60, "1 m 00 s"), (3599, "59 m 59 s"), (7260, "2 h 01 m")]
)
def test_durations_are_short(seconds: float, text: str) -> None:
    """Two units at most."""
    assert duration(seconds) == text


# Everything that waits


def heard(spot_api: SimulatedSpot) -> tuple[AsyncSpotClient, Callable[[], list[str]]]:
    """A client, and what it has waited for so far."""
    client, waits = spot_api.client(), list[str]()
    client.hooks.waits.append(lambda wait: waits.append(wait.what))
    return client, lambda: waits


async def test_waits_for_ready_and_for_gone_are_told(spot_api: SimulatedSpot) -> None:
    """With the kind and the name."""
    client, waits = heard(spot_api)
    await client.cloudspaces.create("edge", {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"})
    await client.cloudspaces.wait("edge")
    await client.cloudspaces.delete("edge")
    await client.cloudspaces.wait_gone("edge")
    assert waits() == ["CloudSpace edge to be ready", "CloudSpace edge to be gone"]


async def test_a_retry_after_is_told(spot_api: SimulatedSpot) -> None:
    """With the request that waits and the reason."""
    client, waits = heard(spot_api)
    put(spot_api, "cloudspaces", cloudspace("edge"))
    spot_api.faults.say("GET cloudspaces: 429 retry-after 30")
    await client.cloudspaces.get("edge")
    assert any("the next attempt at GET /apis/" in each and each.endswith("(429)") for each in waits())


async def test_a_hook_that_raises_does_not_end_a_wait(spot_api: SimulatedSpot) -> None:
    """It is a watcher's fault."""
    client = spot_api.client()
    client.hooks.waits.append(lambda wait: 1 / 0)
    put(spot_api, "cloudspaces", cloudspace("edge", status={"APIServerEndpoint": "hcp.example.com"}))
    assert (await client.cloudspaces.wait("edge")).name == "edge"


async def test_the_approval_of_a_login_is_told(spot_api: SimulatedSpot, tmp_path: Path) -> None:
    """It may take a person a quarter of an hour."""
    waits: list[Wait] = []
    settings = {name: Setting(spot_api.url, "test") for name in ("base_url", "oauth_url")}
    settings |= {"client_id": Setting("tests", "test")}

    def approve(invitation: Invitation) -> None:
        assert [(wait.what, wait.over) for wait in waits] == [("the login to be approved in a browser", False)]
        spot_api.world.identity.device.approve(invitation.code)

    await log_in(
        Resolved("default", settings, tmp_path / "state.db"),
        approve,
        clock=spot_api.clock,
        environ={"HOME": str(tmp_path)},
        config_file=tmp_path / "config.yaml",
        hooks=Hooks(waits=[waits.append]),
    )
    assert [wait.over for wait in waits] == [True]
