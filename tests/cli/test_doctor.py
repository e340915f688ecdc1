"""`doctor`: what is broken is named, with a way out; nothing is changed, and nothing is asked of anybody."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.loader import resolve
from rsspot.http.pool import Connections
from rsspot.simulator.front.secure import SecureServer
from rsspot.state.database import Database
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Holder
from rsspot.state.migrations import MIGRATIONS
from rsspot.utils.clock import SystemClock, utc_now
from rsspot.wire import _context, httpx
from rsspot.workflows.doctor import Setup, examine
from rsspot.workflows.remote_checks import Site, reach, skew
from support.loopback_server import PROD, STAGING, Loopback, failure, write_config
from support.no_account import without_account

TOKEN = "hunter2-refresh-token"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variable of the person who runs the tests matters. The certificates are read once in a process."""
    without_account(monkeypatch)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    _context.cache_clear()
    yield
    _context.cache_clear()


@pytest.fixture
def service() -> Iterator[Loopback]:
    loopback = Loopback()
    yield loopback
    loopback.close()


@pytest.fixture
def config(service: Loopback, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config file of an account that works, readable by its owner only. No command is noted in state.db."""
    monkeypatch.setenv("RSSPOT_HISTORY", "false")
    path = Path("config.yml").resolve()
    write_config(path, {"profiles": {"default": service.profile()}})
    path.chmod(0o600)
    return path


def examined(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """What was looked at -> the diagnosis."""
    capsys.readouterr()
    assert run(["doctor", *arguments, "-o", "json"]) == code
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    document = json.loads(printed.out)
    assert document["ok"] == (code == 0)
    checks = document["checks"]
    assert all(bool(check["hint"]) == (check["severity"] != "ok") for check in checks)
    return {check["what"]: check for check in checks}


def test_a_working_account_is_healthy(config: Path, service: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line begins with ok."""
    assert run(["doctor", "--config-file", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} == {"ok"}
    assert f"ok    config        {config} (profiles: default)" in lines
    assert [line[6:19].strip() for line in lines] == [
        "versions",
        "config",
        "ledger",
        "disk",
        "settings",
        "token",
        "proxy",
        "certificates",
        "service",
        "login service",
        "price feeds",
        "clock",
        "login",
        "organization",
        "permissions",
    ]


def test_nothing_is_changed(config: Path, service: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    """Only GETs are sent and one grant; the only new file is the token that was granted."""
    examined(capsys, "--config-file", str(config))
    assert {line for line in service.sent() if not line.startswith("GET ")} == {"POST /oauth/token"}
    assert service.sent("POST").count("POST /oauth/token") == 1
    assert {path.parent.name for path in Path().rglob("*") if path.is_file() and path != Path(config.name)} == {
        "tokens"
    }


def test_the_sandbox_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an account, and without a network."""
    checks = examined(capsys, "--sandbox")
    assert checks["login"]["detail"].startswith("sandbox@example.com")
    assert "config" not in checks and "proxy" not in checks


def test_without_an_account_it_says_what_is_missing(
    service: Loopback, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BASE_URL", "OAUTH_URL", "FEEDS_URL"):
        monkeypatch.setenv(f"RSSPOT_{name}", service.url)
    checks = examined(capsys, code=1)
    assert checks["config"]["detail"].startswith("no file")
    assert checks["token"]["severity"] == "fail" and "rsspot login" in checks["token"]["hint"]
    assert checks["service"]["severity"] == "ok" and "login" not in checks


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ("profiles: [", "is not valid YAML"),
        ("profiles: {default: {regoin: x}}", "unknown key 'regoin'"),
        ("profiles: {default: {timeout: never}}", "timeout"),
        ("[a]", "must contain a mapping"),
    ],
)
def test_a_broken_config_file_is_named(content: str, detail: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Once, and the ledger beside it is looked at nevertheless."""
    Path("config.yml").write_text(content)
    Path("state.db").write_text("this is no database, but long enough to be taken for one" * 100)
    checks = examined(capsys, "--config-file", "config.yml", code=1)
    assert checks["config"]["severity"] == "fail" and detail in checks["config"]["detail"]
    assert "settings" not in checks
    assert checks["ledger"]["severity"] == "fail"


def test_a_missing_file_and_profile_are_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = examined(capsys, "--config-file", "missing.yml", code=1)
    assert "no config file at missing.yml" in checks["config"]["detail"]
    checks = examined(capsys, "--config-file", str(config), "--profile", "defualt", code=1)
    assert checks["config"]["severity"] == "ok"
    assert checks["settings"]["hint"] == "did you mean 'default'? profiles: default"


def test_a_token_that_others_can_read_is_a_warning(
    config: Path, capsys: pytest.CaptureFixture[str], service: Loopback
) -> None:
    """Without a token in it, anybody may read the file."""
    config.chmod(0o644)
    checks = examined(capsys, "--config-file", str(config))
    assert checks["config mode"]["hint"] == f"chmod 600 {config}"
    profile = service.profile()
    Path("token").write_text(profile.pop("refreshToken"))
    write_config(config, {"profiles": {"default": {**profile, "refreshTokenFile": "token"}}})
    config.chmod(0o644)
    assert "config mode" not in examined(capsys, "--config-file", str(config))


@pytest.mark.parametrize(
    ("mode", "credential", "told"),
    [
        (0o640, {"refreshToken": TOKEN}, True),
        (0o604, {"accessToken": TOKEN}, True),
        (0o711, {"refreshToken": TOKEN}, False),
        (0o644, {"refreshToken": "**********"}, False),
        (0o644, {"other": {"refreshToken": TOKEN}}, False),
    ],
)
def test_doctor_and_the_other_commands_agree_on_who_can_read_a_token(
    config: Path,
    service: Loopback,
    capsys: pytest.CaptureFixture[str],
    mode: int,
    credential: dict[str, Any],
    told: bool,
) -> None:
    """Only what is readable and a credential of the profile counts: asterisks are none."""
    write_config(config, {"profiles": {"default": service.profile() | {"refreshToken": None} | credential}})
    config.chmod(mode)
    assert run(["config", "explain", "--config-file", str(config)]) == 0
    assert ("can be read by other users" in capsys.readouterr().err) is told
    run(["doctor", "--config-file", str(config)])
    assert ("config mode" in capsys.readouterr().out) is told


def test_a_refused_token_is_named(config: Path, service: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not shown, nobody is asked to log in, and what needs it is left out."""
    write_config(config, {"profiles": {"default": service.profile(refreshToken=TOKEN)}})
    checks = examined(capsys, "--config-file", str(config), code=1)
    assert "was refused" in checks["login"]["detail"] and "rsspot login" in checks["login"]["hint"]
    assert "permissions" not in checks
    assert TOKEN not in json.dumps(checks)
    assert not service.sent("device")


def test_a_token_that_a_program_prints_is_healthy(
    config: Path, service: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program is run, so one that fails is named."""
    profile = service.profile()
    program = [sys.executable, "-c", "import sys; print(sys.argv[1])", profile.pop("refreshToken")]
    write_config(config, {"profiles": {"default": {**profile, "credentialCommand": program}}})
    checks = examined(capsys, "--config-file", str(config))
    assert checks["token"]["detail"] == "refresh token from the credential command"
    assert checks["login"]["severity"] == "ok"
    write_config(config, {"profiles": {"default": {**profile, "credentialCommand": ["no-such-program"]}}})
    checks = examined(capsys, "--config-file", str(config), code=1)
    assert "'no-such-program' cannot be run" in checks["token"]["detail"]


def test_an_unknown_organization_is_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = examined(capsys, "--config-file", str(config), "--org", "somebody-elses", code=1)
    assert checks["organization"]["severity"] == "fail"


def test_a_token_for_another_organization_is_a_warning(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the ways out. Nothing can be listed there."""
    service = Loopback(organizations=[STAGING, PROD])
    write_config(config, {"profiles": {"default": service.profile(STAGING, org="prod")}})
    checks = examined(capsys, "--config-file", str(config), code=1)
    service.close()
    assert checks["organization"] == {
        "severity": "warn",
        "what": "organization",
        "detail": "the token is for the organization 'staging', not 'prod'",
        "hint": "pass --org staging, or get a token with `rsspot login --org prod`",
    }
    assert checks["list cloudspaces"]["severity"] == "fail"


def test_a_kind_that_may_not_be_listed_is_named(
    config: Path, service: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    """And one that the service does not have."""
    service.answer("GET .*/vmpools$", failure(403, "not for you"))
    service.answer("GET .*/vmsshkeys$", failure(404))
    checks = examined(capsys, "--config-file", str(config), code=1)
    assert checks["list vmpools"]["severity"] == "fail" and "not for you" in checks["list vmpools"]["detail"]
    assert checks["list vmsshkeys"]["severity"] == "warn"
    assert "cloudspaces" in checks["permissions"]["detail"] and "vmpools" not in checks["permissions"]["detail"]


class Ahead(SystemClock):
    """A clock that was set to the wrong hour."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=2)


async def test_a_wrong_clock_is_a_warning(config: Path, service: Loopback) -> None:
    """By the Date header of the first answer."""
    resolved = resolve(config_path=config, environ={})
    setup = Setup(
        environ={},
        config_path=config,
        resolve=lambda: resolved,
        state_path=lambda: resolved.state_path,
        client=lambda: AsyncSpotClient(resolved=resolved, cache=False),
        probes=Connections,
        clock=Ahead(),
    )
    (clock,) = [each for each in await examine(setup) if each.what == "clock"]
    assert clock.severity == "warn" and re.fullmatch(r"7[12]\d\d s ahead of the service", clock.detail)


@pytest.mark.parametrize(
    ("seconds", "severity", "detail"),
    [
        (1, "ok", "agrees with the service"),
        (30, "ok", "30 s ahead of the service"),
        (-61, "warn", "61 s behind the service"),
        (None, "ok", "the service does not say what time it is"),
    ],
)
def test_a_clock_may_be_off_by_as_much_as_tokens_allow(seconds: int | None, severity: str, detail: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    date = None if seconds is None else now - timedelta(seconds=seconds)
    assert (skew(date, now).severity, skew(date, now).detail) == (severity, detail)


def test_a_service_that_is_not_there_is_named(
    config: Path, service: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    """By what the network said, without a wait for retries."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        write_config(config, {"profiles": {"default": service.profile(baseUrl=url)}})
        checks = examined(capsys, "--config-file", str(config), code=1)
    assert checks["service"]["detail"].endswith("the connection was refused")
    assert checks["login service"]["severity"] == "ok" and "login" not in checks


def test_a_service_with_a_problem_of_its_own_is_named(
    config: Path, service: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    service.answer("GET .*/organizations$", failure(503))
    checks = examined(capsys, "--config-file", str(config), code=1)
    assert "(503, " in checks["service"]["detail"]


def test_a_certificate_that_nobody_vouches_for_is_named(
    config: Path, service: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as that of a firewall that looks into connections."""
    server = SecureServer(service)
    server.start()
    try:
        write_config(
            config, {"profiles": {"default": service.profile(baseUrl=f"https://127.0.0.1:{server.server_address[1]}")}}
        )
        checks = examined(capsys, "--config-file", str(config), code=1)
    finally:
        server.close()
    assert "the certificate is not trusted" in checks["service"]["detail"]
    assert "SSL_CERT_FILE" in checks["service"]["hint"]


def test_a_certificate_that_need_not_be_checked_is_no_failure(
    config: Path, service: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    """The profile says so, and that is worth a warning."""
    server = SecureServer(service)
    server.start()
    url = f"https://127.0.0.1:{server.server_address[1]}"
    try:
        write_config(config, {"profiles": {"default": service.profile(baseUrl=url, verifySsl=False)}})
        checks = examined(capsys, "--config-file", str(config))
    finally:
        server.close()
    assert (checks["service"]["severity"], checks["login"]["severity"]) == ("ok", "ok")
    assert checks["certificates"]["severity"] == "warn"
    assert f"not checked (verify_ssl from {config} (default))" in checks["certificates"]["detail"]


class Failing(httpx.AsyncBaseTransport):
    """Connections that fail in one way."""

    def __init__(self, failure: Exception, cause: Exception | None = None) -> None:
        self._failure, self._cause = failure, cause

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise self._failure from self._cause


UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")
UNTRUSTED.verify_message = "self-signed certificate"


@pytest.mark.parametrize(
    ("failure", "cause", "detail", "hint"),
    [
        (httpx.ConnectError("x"), socket.gaierror(-2, "unknown"), "the host name cannot be resolved", "network"),
        (
            httpx.ConnectError("x"),
            UNTRUSTED,
            "the certificate is not trusted: self-signed certificate",
            "SSL_CERT_FILE",
        ),
        (httpx.ConnectError("x"), ssl.SSLError(1, "EOF"), "TLS failed", "network"),
        (httpx.ConnectTimeout("x"), None, "no answer within 10 s", "network"),
        (httpx.ProxyError("x"), None, "the proxy refused the connection", "proxy"),
        (httpx.ReadError("x"), None, "the connection failed", "network"),
    ],
)
async def test_each_failure_of_the_network_has_its_words(
    failure: Exception, cause: Exception | None, detail: str, hint: str
) -> None:
    site = Site("service", "https://user:secret@spot.example.com", "/")
    reached = await reach(site, Failing(failure, cause), SystemClock())
    assert reached.diagnosis.severity == "fail" and not reached.answered
    assert reached.diagnosis.detail.startswith(f"spot.example.com: {detail}")
    assert hint in str(reached.diagnosis.hint)
    assert "secret" not in str(reached)


def test_unusable_certificates_and_a_proxy_are_shown(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy without its password."""
    monkeypatch.setenv("SSL_CERT_FILE", "/missing.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://ada:hunter2@proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    checks = examined(capsys, "--config-file", str(config), code=1)
    assert checks["certificates"]["severity"] == "fail"
    assert checks["proxy"]["detail"] == "http://(secret)@proxy.example.com:3128 from HTTPS_PROXY; without it: 127.0.0.1"


# The ledger


def ledger_of(config: Path, capsys: pytest.CaptureFixture[str], what: str = "ledger", code: int = 0) -> dict[str, Any]:
    """The diagnosis of the state.db beside the config file, which is not changed by it."""
    state = config.with_name("state.db")
    before = state.read_bytes()
    diagnosis = examined(capsys, "--config-file", str(config), code=code)[what]
    assert state.read_bytes() == before
    return diagnosis


def test_a_ledger_is_looked_at(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also whether others can read it."""
    assert examined(capsys, "--config-file", str(config))["ledger"]["detail"].endswith("the first apply makes it")
    state = config.with_name("state.db")
    open_ledger(state).close()
    assert "is intact" in ledger_of(config, capsys)["detail"]
    state.chmod(0o644)
    assert ledger_of(config, capsys, "ledger mode")["hint"] == f"chmod 600 {state}"


@pytest.mark.parametrize("how", ["no database", "pages overwritten", "a folder"])
def test_a_damaged_ledger_is_named(how: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what to do about it."""
    state = config.with_name("state.db")
    if how == "a folder":
        state.mkdir()
    else:
        open_ledger(state).close()
        content = state.read_bytes()
        state.write_bytes(b"x" * 5000 if how == "no database" else content[:4096] + b"\xff" * (len(content) - 4096))
    checks = examined(capsys, "--config-file", str(config), code=1)
    assert checks["config"]["severity"] == "ok"
    assert checks["ledger"]["severity"] == "fail" and "move it away" in checks["ledger"]["hint"]


@pytest.mark.parametrize(
    ("statement", "severity", "detail"),
    [
        ("PRAGMA user_version = 99", "fail", "was written by a newer rsspot (schema 99)"),
        ("DROP TABLE leases", "warn", "holds no ledger"),
    ],
)
def test_a_ledger_of_another_version_is_named(
    statement: str, severity: str, detail: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = config.with_name("state.db")
    open_ledger(state).close()
    with closing(sqlite3.connect(state)) as database:
        database.execute(statement)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    diagnosis = ledger_of(config, capsys, code=severity == "fail")
    assert diagnosis["severity"] == severity and detail in diagnosis["detail"]


def test_an_older_ledger_is_named_and_not_migrated(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its records are read from a copy that is brought up to date."""
    Database(config.with_name("state.db"), MIGRATIONS[:1]).close()
    diagnosis = ledger_of(config, capsys)
    assert diagnosis["severity"] == "warn" and "is of an older rsspot (schema 1 of " in diagnosis["detail"]


def test_a_record_that_cannot_be_right_is_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the command that lists them all."""
    state = config.with_name("state.db")
    open_ledger(state).close()
    with closing(sqlite3.connect(state, isolation_level=None)) as database:
        database.execute(
            "INSERT INTO managed_objects (scope, kind, name, address, applied_json, run_id)"
            " VALUES ('sandbox/a', 'CloudSpace', 'b', 'cloudspace/b', '{', 1)"
        )
    diagnosis = ledger_of(config, capsys, "records", code=1)
    assert "cannot read the record of CloudSpace/b" in diagnosis["detail"]
    assert "`rsspot ledger verify`" in diagnosis["hint"]


def test_a_lock_and_an_unfinished_run_are_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lease that is held, one that has run out, and a run that nobody ended."""
    state = config.with_name("state.db")
    ledger = open_ledger(state)
    lease = ledger.acquire("sandbox/infra", Holder("me", "build-7", 4711), utc_now(), ttl=3600)
    ledger.begin(lease, "apply", {"digest": "x"}, [])
    lock = examined(capsys, "--config-file", str(config))["lock"]
    assert lock["severity"] == "warn"
    assert "sandbox/infra: process 4711 on build-7 is applying, or was killed" in lock["detail"]
    ledger.renew(lease, utc_now(), ttl=-60)
    assert "ended without releasing it" in examined(capsys, "--config-file", str(config))["lock"]["detail"]
    ledger.release(lease)
    ledger.close()
    assert examined(capsys, "--config-file", str(config))["runs"]["detail"] == "not finished: 1"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.parent.chmod(0o500)
    try:
        disk = examined(capsys, "--config-file", str(config), code=1)["disk"]
    finally:
        config.parent.chmod(0o700)
    assert "cannot be written" in disk["detail"]
