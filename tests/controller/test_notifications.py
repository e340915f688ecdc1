"""Who is told of which rounds, and that a notification which fails ends nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rsspot.controller.notifications import Notifications, Receivers
from rsspot.controller.rounds import Round, RoundOutcome
from rsspot.wire import httpx

QUIET = Round(1, "edge", datetime(2026, 1, 1, tzinfo=UTC), RoundOutcome.IN_SYNC)
FAILED = replace(QUIET, outcome=RoundOutcome.FAILED, reason="no answer")
DIFFERS = replace(QUIET, outcome=RoundOutcome.OUT_OF_SYNC)
REFUSED = replace(QUIET, outcome=RoundOutcome.REFUSED, reason="too dear")
STANDBY = replace(QUIET, outcome=RoundOutcome.STANDBY)


class Receiver(httpx.AsyncBaseTransport):
    """Keeps what is posted. answers: the statuses of its answers, 204 after that"""

    def __init__(self, *answers: int) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = iter(answers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(next(self._answers, 204))

    @property
    def outcomes(self) -> list[str]:
        return [json.loads(each.content)["outcome"] for each in self.requests]


async def told_of(rounds: list[Round]) -> list[str]:
    """The outcomes that somebody is told of."""
    receiver = Receiver()
    notifications = Notifications(Receivers(url="https://example.com/x"), connect=lambda: receiver)
    for each in rounds:
        assert await notifications.add(each) == ""
    return receiver.outcomes


@pytest.mark.parametrize(
    "rounds, expected",
    [
        ([QUIET, QUIET], []),
        ([DIFFERS, DIFFERS, QUIET, QUIET], ["out-of-sync", "in-sync"]),
        ([QUIET, REFUSED, REFUSED, replace(REFUSED, reason="still too dear")], ["refused", "refused"]),
        ([FAILED, FAILED, QUIET, FAILED, FAILED], []),
        ([FAILED, FAILED, FAILED, FAILED, QUIET], ["failed", "in-sync"]),
        ([STANDBY, STANDBY, DIFFERS], ["out-of-sync"]),
        ([replace(DIFFERS, outcome=RoundOutcome.APPLIED)] * 2, ["applied", "applied"]),
    ],
)
async def test_what_is_told(rounds: list[Round], expected: list[str]) -> None:
    assert await told_of(rounds) == expected


async def test_a_post_is_signed() -> None:
    receiver = Receiver()
    told = Notifications(Receivers(url="https://example.com/x", secret="s" * 32), connect=lambda: receiver)
    await told.add(DIFFERS)
    [request] = receiver.requests
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.content
    expected = base64.b64encode(hmac.digest(b"s" * 32, signed, hashlib.sha256)).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"


async def test_what_goes_wrong_is_told_without_the_path_of_the_url() -> None:
    receiver = Receiver(500)
    told = Notifications(Receivers(url="https://example.com/canary-hook"), connect=lambda: receiver)
    assert await told.add(DIFFERS) == "the notification to example.com was answered with 500"

    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError(f"no way to {request.url}")

    told = Notifications(Receivers(url="https://example.com/canary-hook"), connect=Broken)
    assert await told.add(DIFFERS) == "the notification to example.com failed: ConnectError"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Path]:
    """A program that keeps what it reads."""
    file = tmp_path / "hook.py"
    file.write_text(f"import sys, pathlib\npathlib.Path({str(tmp_path / 'got')!r}).write_text(sys.stdin.read())\n")
    yield file


async def test_a_program_gets_the_round(program: Path, tmp_path: Path) -> None:
    told = Notifications(Receivers(command=(sys.executable, str(program))))
    assert await told.add(DIFFERS) == ""
    assert json.loads((tmp_path / "got").read_text())["outcome"] == "out-of-sync"


async def test_a_program_that_fails_is_told() -> None:
    told = Notifications(Receivers(command=(sys.executable, "-c", "raise SystemExit(4)")))
    assert "failed (4)" in await told.add(DIFFERS)
