"""A real PostgreSQL server for tests: made in a folder, reached by a socket in it, and gone with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rsspot.state.ledger.postgres_schema import SCHEMA

PORT = 5432
"""A part of the name of the socket."""
SETTINGS = {
    "fsync": "off",
    "listen_addresses": "''",
    "shared_buffers": "16MB",
    "max_connections": "120",
    "autovacuum": "off",
    "log_min_messages": "warning",
}
ACCESS = "local all strict scram-sha-256\nlocal all all trust\n"
"""Who may connect: the user `strict` with a password, everybody else as whoever he says he is."""
OWNER = "keeper"
"""The superuser."""
USABLE_WITHIN = 60.0


def programs() -> Path | None:
    """The folder of the server's programs, the newest ones; None if there is no server."""
    beside = shutil.which("initdb")
    found = [Path(beside).resolve().parent] if beside else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: each.parent.name.rjust(3), reverse=True)
    return next((each for each in found if (each / "postgres").exists() and (each / "initdb").exists()), None)


def _as_somebody(*, dies_with_us: bool = False) -> tuple[list[str], int, int]:
    """What a command line begins with so that it is not run by root, whom the server refuses; and who runs it."""
    dying = ["--pdeathsig", "INT"] if dies_with_us else []
    if os.getuid():
        return ["setpriv", *dying], os.getuid(), os.getgid()
    names = {each.pw_name: each for each in pwd.getpwall()}
    who = names.get("postgres") or names["nobody"]
    return (
        ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups", *dying],
        who.pw_uid,
        who.pw_gid,
    )


class PostgresServer:
    """A server that runs until it is stopped, or until the process that made it ends."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self.folder = Path(tempfile.mkdtemp(prefix="rsspot-postgres-"))
        as_somebody, uid, gid = _as_somebody()
        self.folder.chmod(0o755)
        os.chown(self.folder, uid, gid)
        self._files = self.folder / "data"
        line = [*as_somebody, str(bin_folder / "initdb"), "-D", str(self._files), "-U", OWNER, "-E", "UTF8"]
        made = subprocess.run(
            [*line, "--locale=C.UTF-8", "--no-sync", "--no-instructions", "--auth=trust"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        (self._files / "pg_hba.conf").write_text(ACCESS)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        as_somebody, _, _ = _as_somebody(dies_with_us=True)
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value.strip(chr(39))}")]
        line = [*as_somebody, str(self._bin / "postgres"), "-D", str(self._files), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*line, "-p", str(PORT), *settings], stdout=log, stderr=log, cwd=self.folder
            )
        deadline = time.monotonic() + USABLE_WITHIN
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: by SIGINT, everybody is sent away; by SIGQUIT, at once, as in a crash."""
        self._process.send_signal(how)
        self._process.wait(USABLE_WITHIN)

    def close(self) -> None:
        """Stop it, and delete its files."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, user: str = OWNER, folder: Path | None = None) -> str:
        """The URL of a database. folder: where the socket is"""
        return f"postgresql://{user}@/{database}?host={folder or self.folder}"

    def execute(self, *statements: str, database: str = "postgres", parameters: Iterable[Any] = ()) -> list[Any]:
        """Execute statements as the superuser. Returns the rows of the last one."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                result = connection.execute(statement.encode(), tuple(parameters) or None)
            return result.fetchall() if result.description else []

    def fresh(self, database: str = "ledger") -> str:
        """The URL of a database without a ledger."""
        if not self.execute("SELECT 1 FROM pg_database WHERE datname = %s", parameters=[database]):
            self.execute(f"CREATE DATABASE {database}")
        self.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE", database=database)
        return self.url(database)

    def send_away(self, database: str = "ledger") -> int:
        """Cut every connection to a database. Returns how many there were."""
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        return len(self.execute(query, parameters=[database]))


_shared: list[PostgresServer] = []


def shared_server() -> PostgresServer:
    """The server of this process of tests, started when it is first asked for. See `close_shared_server`.

    Where there are no programs of a server, the test fails in CI, and is skipped elsewhere.
    """
    if not _shared:
        found = programs()
        if found is None or os.environ.get("RSSPOT_NO_POSTGRES"):
            message = "there is no PostgreSQL server: scripts/install_postgres.sh installs it on Debian"
            wanted = os.environ.get("CI") == "true" and not os.environ.get("RSSPOT_NO_POSTGRES")
            (pytest.fail if wanted else pytest.skip)(message)
        _shared.append(PostgresServer(found))
    return _shared[0]


def close_shared_server() -> None:
    """Stop the server if it was started."""
    while _shared:
        _shared.pop().close()
