"""Several processes with one token cache: they share renewals, and no rotated refresh token is lost."""

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
from rsspot.auth.cache import LOCK_TIMEOUT, TokenCache
from rsspot.auth.grants import Grant, Issuer
from rsspot.auth.token import Token
from rsspot.concurrency import drive
from rsspot.errors import AuthError
from rsspot.http.hooks import Hooks, Wait
from rsspot.simulator.clock import ManualClock
from rsspot.utils.clock import SystemClock
from rsspot.wire import httpx
from support import ENVIRONMENT, program
from support.issuer import CANARY, URL, Service, bearer_of, id_token, refused

NEEDS_FILE_LOCKS = pytest.mark.skipif(sys.platform == "win32", reason="files are locked by fcntl")


class OneUse:
    """A slow login service whose refresh tokens each work only once."""

    def __init__(self, clock: SystemClock | ManualClock) -> None:
        self.clock = clock
        self.guard = threading.Lock()
        self.valid = "canary"
        self.issued = 0
        self.refused = 0

    def answer(self, refresh_token: str) -> tuple[int, dict[str, str]]:
        """Status and body of the response to a refresh."""
        time.sleep(0.05)
        with self.guard:
            if refresh_token != self.valid:
                self.refused += 1
                return 403, {"error": "invalid_grant"}
            self.issued += 1
            self.valid = f"canary-{self.issued}"
            token = id_token(exp=self.clock.now().timestamp() + 3600, number=self.issued)
            return 200, {"id_token": token, "refresh_token": self.valid}

    async def send(self, request: httpx.Request) -> httpx.Response:
        """A send function for this service, without a socket."""
        form = httpx.QueryParams(request.content.decode())
        status, body = self.answer(form["refresh_token"])
        return httpx.Response(status, json=body)


@pytest.fixture
def login() -> OneUse:
    """A login service with one-time refresh tokens."""
    return OneUse(SystemClock())


@pytest.fixture
def url(login: OneUse) -> Iterator[str]:
    """The URL of the login service on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, answer = login.answer(form["refresh_token"][0])
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Suppress the access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(60)


@NEEDS_FILE_LOCKS
def test_concurrent_processes_share_one_renewal(login: OneUse, url: str, tmp_path: Path) -> None:
    """Otherwise all but the first would use a refresh token that is no longer valid."""
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


@NEEDS_FILE_LOCKS
def test_bearers_with_one_cache_folder_share_one_renewal(login: OneUse, tmp_path: Path) -> None:
    """Four bearers in one process: two in threads without an event loop, two in event loops."""
    tokens = []

    def new_bearer() -> Bearer:
        return Bearer(
            base_url=URL, issuer=Issuer(URL, "tests"), clock=login.clock, refresh_token="canary", cache_folder=tmp_path
        )

    def blocking(bearer: Bearer) -> None:
        tokens.append(drive(bearer.current(login.send)).bearer)

    def in_loop(bearer: Bearer) -> None:
        tokens.append(asyncio.run(bearer.current(login.send)).bearer)

    bearers = [new_bearer() for _ in range(4)]
    targets = [blocking, blocking, in_loop, in_loop]
    threads = [
        threading.Thread(target=target, args=(bearer,), daemon=True)
        for target, bearer in zip(targets, bearers, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(tokens), len(set(tokens))) == (4, 1)
    assert (login.issued, login.refused) == (1, 0)


@NEEDS_FILE_LOCKS
async def test_waiting_for_the_lock_has_a_timeout(tmp_path: Path) -> None:
    """If the process that has the lock hangs, the others refresh without it."""
    clock = ManualClock()
    first, second = TokenCache(tmp_path, "same"), TokenCache(tmp_path, "same")
    async with first.exclusive(clock):
        began = clock.time()
        async with second.exclusive(clock):
            assert clock.time() - began == pytest.approx(LOCK_TIMEOUT, abs=0.1)
    began = clock.time()
    async with second.exclusive(clock):
        assert clock.time() == began


@NEEDS_FILE_LOCKS
async def test_waiting_for_the_lock_is_told(tmp_path: Path) -> None:
    """A command that seems to hang says why."""
    clock, waits = ManualClock(), list[Wait]()
    first, second = TokenCache(tmp_path, "same"), TokenCache(tmp_path, "same")
    async with first.exclusive(clock), second.exclusive(clock, Hooks(waits=[waits.append]).waiting):
        assert [(wait.what, wait.over) for wait in waits] == [("another process that renews the same token", True)]


@NEEDS_FILE_LOCKS
async def test_a_cancelled_wait_does_not_block_others(tmp_path: Path) -> None:
    """The lock can be taken again."""
    clock, cache = SystemClock(), TokenCache(tmp_path, "same")

    async def wait() -> None:
        async with TokenCache(tmp_path, "same").exclusive(clock):
            raise AssertionError("two tasks have the lock")

    async with cache.exclusive(clock):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(5), cache.exclusive(clock):
        pass


async def test_different_identities_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """Each identity has its own lock."""
    clock = ManualClock()
    began = clock.time()
    async with TokenCache(tmp_path, "a").exclusive(clock), TokenCache(tmp_path, "b").exclusive(clock):
        assert clock.time() == began


# Rotation


async def test_a_rotated_refresh_token_is_saved_before_the_next_request(tmp_path: Path) -> None:
    """A process that is killed then does not lose it. The old one is already invalid."""
    service = Service(ManualClock())
    saved: list[str] = []

    def rotate(request: httpx.Request) -> httpx.Response:
        answer = service.issue(request).json()
        return httpx.Response(200, json={**answer, "refresh_token": "canary-rotated"})

    def read_cache(_: httpx.Request) -> httpx.Response:
        (file,) = tmp_path.glob("*.json")
        saved.append(json.loads(file.read_text())["refresh_token"])
        return httpx.Response(200, json={})

    service.login, service.api = rotate, read_cache
    bearer = bearer_of(service, cache_folder=tmp_path)
    await bearer.carry(httpx.Request("GET", f"{URL}/x"), service.handle)
    assert saved == ["canary-rotated"]
    assert bearer.refresh_token == "canary-rotated"


async def test_a_running_process_uses_the_token_that_another_rotated(tmp_path: Path) -> None:
    """Its own refresh token is no longer valid."""
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


async def test_the_configured_refresh_token_is_not_cached(tmp_path: Path) -> None:
    """It is stored in the configuration. Only a token that replaced it has to be cached."""
    service = Service(ManualClock())
    await bearer_of(service, cache_folder=tmp_path).current(service.handle)
    (file,) = tmp_path.glob("*.json")
    assert json.loads(file.read_text())["refresh_token"] is None
    assert CANARY not in file.read_text()


async def test_a_rotated_token_that_cannot_be_saved_logs_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """This run continues, but the next one needs a login. The log says why and does not show the token."""
    (tmp_path / "file").write_text("in the way")
    login = OneUse(ManualClock())
    with caplog.at_level(logging.WARNING, "rsspot.auth"):
        bearer = bearer_of(Service(login.clock), refresh_token="canary", cache_folder=tmp_path / "file")
        await bearer.current(login.send)
    assert "could not be saved" in caplog.text
    assert "canary" not in caplog.text


# The cache folder


async def test_tokens_are_read_from_a_read_only_folder(tmp_path: Path) -> None:
    """For example from a mounted secret."""
    service = Service(ManualClock())
    await bearer_of(service, cache_folder=tmp_path).current(service.handle)
    for each in tmp_path.glob("*.lock"):
        each.unlink()
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user can write everywhere")
        again = bearer_of(service, cache_folder=tmp_path)
        await again.current(service.handle)
        assert service.issued == 1
        service.clock.advance(3600)
        await again.current(service.handle)
        assert service.issued == 2
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_token_without_expiry_is_not_read_from_the_cache(tmp_path: Path) -> None:
    """Otherwise every run would use it, even after the service has revoked it."""
    cache = TokenCache(tmp_path, "same")
    assert cache.save(Grant(Token("opaque")))
    assert cache.load() is None


@pytest.mark.parametrize("invalid", [5, ["x"], {"a": 1}, ""])
async def test_an_invalid_refresh_token_in_the_cache_is_ignored(tmp_path: Path, invalid: object) -> None:
    """A damaged file must not replace a valid token."""
    service = Service(ManualClock())
    await bearer_of(service, cache_folder=tmp_path).current(service.handle)
    (file,) = tmp_path.glob("*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "refresh_token": invalid}))
    bearer = bearer_of(service, cache_folder=tmp_path)
    assert bearer.refresh_token == CANARY


def test_forget_deletes_the_tokens(tmp_path: Path) -> None:
    """Forgetting twice is not an error."""
    cache = TokenCache(tmp_path, "same")
    cache.save(Grant(Token.parse(id_token(exp=4e9)), "canary-newer"))
    assert cache.load() is not None
    cache.forget()
    cache.forget()
    assert cache.load() is None
    assert not list(tmp_path.glob("*.json"))


async def test_a_refused_refresh_is_not_tried_again_with_a_cache(tmp_path: Path) -> None:
    """The cache makes no difference."""
    service = Service(ManualClock())
    service.login = refused
    bearer = bearer_of(service, cache_folder=tmp_path)
    for _ in range(3):
        with pytest.raises(AuthError):
            await bearer.current(service.handle)
    assert len(service.logins) == 1
