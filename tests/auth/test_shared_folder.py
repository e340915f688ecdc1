"""Several processes and one folder of tokens: one renewal for all, and no refresh token is lost on the way."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from rsspot.auth.bearer import Bearer
from rsspot.auth.cache import PATIENCE, TokenCache
from rsspot.auth.grants import Grant, Issuer
from rsspot.auth.token import Token
from rsspot.concurrency import drive
from rsspot.errors import AuthError
from rsspot.simulator.clock import ManualClock
from rsspot.utils.clock import SystemClock
from rsspot.wire import httpx
from support import ENVIRONMENT, program
from support.issuer import CANARY, URL, Service, bearer_of, id_token

LOCK_IS_KNOWN = pytest.mark.skipif(sys.platform == "win32", reason="files are locked by fcntl")


class OneUse:
    """A login service whose refresh tokens work once each, and which takes its time."""

    def __init__(self, clock: SystemClock | ManualClock) -> None:
        self.clock = clock
        self.guard = threading.Lock()
        self.good = "canary"
        self.issued = 0
        self.refused = 0

    def answer(self, refresh_token: str) -> tuple[int, dict[str, str]]:
        """What a refresh with it comes to."""
        time.sleep(0.05)
        with self.guard:
            if refresh_token != self.good:
                self.refused += 1
                return 403, {"error": "invalid_grant"}
            self.issued += 1
            self.good = f"canary-{self.issued}"
            token = id_token(exp=self.clock.now().timestamp() + 3600, number=self.issued)
            return 200, {"id_token": token, "refresh_token": self.good}

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The same without a socket."""
        form = httpx.QueryParams(request.content.decode())
        status, said = self.answer(form["refresh_token"])
        return httpx.Response(status, json=said)


@pytest.fixture
def login() -> OneUse:
    """The login service."""
    return OneUse(SystemClock())


@pytest.fixture
def url(login: OneUse) -> Iterator[str]:
    """Its address on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, said = login.answer(form["refresh_token"][0])
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(60)


@LOCK_IS_KNOWN
def test_processes_that_start_together_cost_one_renewal(login: OneUse, url: str, tmp_path: Path) -> None:
    """A refresh token that works once would be dead for the second."""
    barrier = tmp_path / "go"
    command = [*program("refreshing"), url, str(tmp_path / "tokens"), str(barrier)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) for _ in range(3)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        barrier.touch()
        tokens = [process.communicate(timeout=60)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(set(tokens)) == 1
    assert (login.issued, login.refused) == (1, 0)


@LOCK_IS_KNOWN
def test_bearers_of_one_folder_cost_one_renewal(login: OneUse, tmp_path: Path) -> None:
    """Two clients of one process, in threads without a loop and in loops."""
    tokens = []

    def bearer() -> Bearer:
        return Bearer(
            base_url=URL, issuer=Issuer(URL, "tests"), clock=login.clock, refresh_token="canary", cache_folder=tmp_path
        )

    def blocking(mine: Bearer) -> None:
        tokens.append(drive(mine.current(login.send)).bearer)

    def looping(mine: Bearer) -> None:
        tokens.append(asyncio.run(mine.current(login.send)).bearer)

    bearers = [bearer() for _ in range(4)]
    works = [blocking, blocking, looping, looping]
    threads = [threading.Thread(target=w, args=(b,), daemon=True) for w, b in zip(works, bearers, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(tokens), len(set(tokens))) == (4, 1)
    assert (login.issued, login.refused) == (1, 0)


@LOCK_IS_KNOWN
async def test_nobody_waits_for_ever_for_a_process_that_hangs(tmp_path: Path) -> None:
    """After a while everyone refreshes for themselves."""
    clock = ManualClock()
    first, second = TokenCache(tmp_path, "same"), TokenCache(tmp_path, "same")
    async with first.alone(clock):
        began = clock.time()
        async with second.alone(clock):
            assert clock.time() - began == pytest.approx(PATIENCE, abs=0.1)
    began = clock.time()
    async with second.alone(clock):
        assert clock.time() == began


@LOCK_IS_KNOWN
async def test_a_wait_that_is_cancelled_locks_nobody_out(tmp_path: Path) -> None:
    """The lock is given back, and so is its file."""
    clock, cache = SystemClock(), TokenCache(tmp_path, "same")

    async def wait() -> None:
        async with TokenCache(tmp_path, "same").alone(clock):
            raise AssertionError("two at once")

    async with cache.alone(clock):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(5), cache.alone(clock):
        pass


async def test_other_identities_do_not_wait(tmp_path: Path) -> None:
    """A lock is for one token."""
    clock = ManualClock()
    began = clock.time()
    async with TokenCache(tmp_path, "a").alone(clock), TokenCache(tmp_path, "b").alone(clock):
        assert clock.time() == began


# Rotation


async def test_a_rotated_token_is_kept_before_the_new_one_is_used(tmp_path: Path) -> None:
    """Whoever is killed in between has not lost it: the old one is dead already."""
    service = Service(ManualClock())
    seen_by_the_api: list[str] = []

    def rotate(request: httpx.Request) -> httpx.Response:
        said = service.issue(request).json()
        return httpx.Response(200, json={**said, "refresh_token": "canary-rotated"})

    def look(_: httpx.Request) -> httpx.Response:
        (file,) = tmp_path.glob("*.json")
        seen_by_the_api.append(json.loads(file.read_text())["refresh_token"])
        return httpx.Response(200, json={})

    service.login, service.api = rotate, look
    bearer = bearer_of(service, cache_folder=tmp_path)
    await bearer.carry(httpx.Request("GET", f"{URL}/x"), service.handle)
    assert seen_by_the_api == ["canary-rotated"]
    assert bearer.refresh_token == "canary-rotated"


async def test_a_process_that_runs_on_takes_over_what_another_rotated(tmp_path: Path) -> None:
    """Its own refresh token was ended by the other."""
    clock = ManualClock()
    login = OneUse(clock)
    service = Service(clock)
    one, other = (bearer_of(service, refresh_token="canary", cache_folder=tmp_path) for _ in range(2))
    for _ in range(3):
        await one.current(login.send)
        clock.advance(3600)
        await other.current(login.send)
        clock.advance(3600)
    assert (login.issued, login.refused) == (6, 0)


async def test_the_configured_token_is_not_written_a_second_time(tmp_path: Path) -> None:
    """It has its place already; only one that replaced it needs another."""
    service = Service(ManualClock())
    await bearer_of(service, cache_folder=tmp_path).current(service.handle)
    (file,) = tmp_path.glob("*.json")
    assert json.loads(file.read_text())["refresh_token"] is None
    assert CANARY not in file.read_text()


async def test_a_rotated_token_that_cannot_be_kept_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """This run goes on; the next one will need a login, and the log says why without the token."""
    (tmp_path / "file").write_text("in the way")
    login = OneUse(ManualClock())
    with caplog.at_level(logging.WARNING, "rsspot.auth"):
        bearer = bearer_of(Service(login.clock), refresh_token="canary", cache_folder=tmp_path / "file")
        await bearer.current(login.send)
    assert "could not be kept" in caplog.text
    assert "canary" not in caplog.text


# The folder


async def test_a_folder_that_is_read_only_still_gives_what_is_in_it(tmp_path: Path) -> None:
    """A mounted secret: read, and never written."""
    service = Service(ManualClock())
    await bearer_of(service, cache_folder=tmp_path).current(service.handle)
    for each in tmp_path.glob("*.lock"):
        each.unlink()
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        again = bearer_of(service, cache_folder=tmp_path)
        await again.current(service.handle)
        assert service.issued == 1
        service.clock.advance(3600)
        await again.current(service.handle)
        assert service.issued == 2
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_token_that_does_not_say_when_it_ends_is_not_taken_from_a_folder(tmp_path: Path) -> None:
    """It would be tried for ever."""
    cache = TokenCache(tmp_path, "same")
    assert cache.save(Grant(Token("opaque")))
    assert cache.load() is None


@pytest.mark.parametrize("odd", [5, ["x"], {"a": 1}, ""])
async def test_a_refresh_token_that_is_no_text_is_not_taken_from_a_folder(tmp_path: Path, odd: object) -> None:
    """A damaged file may not replace a good token."""
    service = Service(ManualClock())
    await bearer_of(service, cache_folder=tmp_path).current(service.handle)
    (file,) = tmp_path.glob("*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "refresh_token": odd}))
    bearer = bearer_of(service, cache_folder=tmp_path)
    assert bearer.refresh_token == CANARY


def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    """A logout leaves no token, and may come twice."""
    cache = TokenCache(tmp_path, "same")
    cache.save(Grant(Token.parse(id_token(exp=4e9)), "canary-newer"))
    assert cache.load() is not None
    cache.forget()
    cache.forget()
    assert cache.load() is None
    assert not list(tmp_path.glob("*.json"))


async def test_a_folder_does_not_revive_a_dead_token(tmp_path: Path) -> None:
    """A refusal is a refusal, with or without a place to keep things."""
    service = Service(ManualClock())
    service.login = lambda _: httpx.Response(401)
    bearer = bearer_of(service, cache_folder=tmp_path)
    for _ in range(3):
        with pytest.raises(AuthError):
            await bearer.current(service.handle)
    assert len(service.logins) == 1
