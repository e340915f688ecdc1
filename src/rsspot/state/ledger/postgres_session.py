"""A connection to a PostgreSQL server that is made anew when it is lost, and never to a server that knows less.

Whoever writes has a row in `writers` with the number of its last transaction, written by that transaction itself. After
a connection was lost during a commit, the row tells whether the commit took effect. And a server that was restored from
a backup, or that took over from another one without its last commits, is recognized and not used.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from rsspot.errors import ConfigError, StateError
from rsspot.state.ledger.postgres_failures import is_refused, is_starting, state_error, without
from rsspot.utils.database_url import is_well_formed, secrets_of, shown_url

# What it warns of when a connection is lost, we tell in our own words. A program that wants to hear it still does.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

PATIENCE = 15.0
"""Seconds to wait for a server that is gone. Shorter than a lease lasts."""
PAUSE = 0.1
DEFAULTS = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""What a URL may say otherwise. A server that does not answer any more is noticed in 25 seconds."""
SETTINGS = """
    SELECT set_config('search_path', 'rsspot', false), set_config('TimeZone', 'UTC', false),
        set_config('lock_timeout', '15s', false), set_config('idle_in_transaction_session_timeout', '10s', false),
        set_config('synchronous_commit', CASE current_setting('synchronous_commit')
            WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)
"""
"""A commit is durable when it returns. A process that is paused in a transaction does not hold up others for long."""
FORGET = "DELETE FROM writers WHERE at < clock_timestamp() - INTERVAL '30 days'"
LOST = "nothing more is sent; find out which server is the right one, then run the command again"
ENCODE = "percent-encode what is special in the user and the password, such as %40 for @, or set PGPASSWORD"


class Session:
    """The connection to one ledger. patience: seconds to wait for a server that is gone"""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self.name = shown_url(url)
        self.secrets = frozenset({*secrets_of(url), os.environ.get("PGPASSWORD", "")})
        self._id = uuid.uuid4().hex
        self._arguments = {**DEFAULTS, **self._read(url), "client_encoding": "utf8", "application_name": self._id}
        self._patience = patience
        self.writes = False
        """Whether we have a row."""
        self._begun = self._committed = 0
        """The number of the last transaction, and of the last one that is known to be committed."""
        self.connection = self._first()

    def _read(self, url: str) -> dict[str, Any]:
        if not is_well_formed(url):
            raise ConfigError(f"{self.name} is not a readable URL of a ledger", hint=ENCODE)
        try:
            return {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
        except psycopg.Error as error:
            raise ConfigError(without(f"cannot read {self.name}: {error}".strip(), self.secrets), hint=ENCODE) from None

    def _first(self) -> Connection[dict[str, Any]]:
        """The first connection. A server that is not there is not waited for: its URL may be wrong."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._connect()
            except psycopg.Error as error:
                if not is_starting(error) or time.monotonic() >= deadline:
                    raise state_error("open", self.name, error, self.secrets) from None
            time.sleep(PAUSE)

    def _connect(self) -> Connection[dict[str, Any]]:
        connection = Connection[dict[str, Any]].connect(
            autocommit=True, row_factory=dict_row, prepare_threshold=None, **self._arguments
        )
        try:
            connection.execute(SETTINGS)
        except BaseException:
            connection.close()
            raise
        return connection

    def sign_up(self) -> None:
        """Make the row that tells of our transactions, and delete those of processes that are long gone."""
        self.connection.execute(FORGET)
        self.connection.execute("INSERT INTO writers (id, last) VALUES (%s, 0)", (self._id,))
        self.writes = True

    def counting(self) -> str:
        """The statement by which the next transaction records its number."""
        self._begun += 1
        return f"UPDATE writers SET last = {self._begun}, at = clock_timestamp() WHERE id = '{self._id}'"

    def committed(self) -> None:
        """The last transaction took effect."""
        self._committed = self._begun

    @property
    def lost(self) -> bool:
        """Whether the connection cannot be used any more."""
        return self.connection.closed or self.connection.info.transaction_status is psycopg.pq.TransactionStatus.UNKNOWN

    def again(self) -> bool:
        """Connect anew. Returns whether the last transaction took effect.

        Raises StateError if no server can be reached in time, or if it does not know what was committed.
        """
        self.connection.close()
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self.connection = self._connect()
                return self.writes and self._took_effect()
            except psycopg.Error as error:
                if is_refused(error) or time.monotonic() >= deadline:
                    raise state_error("reach", self.name, error, self.secrets) from None
            time.sleep(PAUSE)

    def _took_effect(self) -> bool:
        """Whether our last transaction was committed. If it is still under way on the server, it is ended first."""
        execute = self.connection.execute
        execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()",
            (self._id,),
        )
        # Waits for it, if it could not be ended.
        row = execute("SELECT last FROM writers WHERE id = %s FOR UPDATE", (self._id,)).fetchone()
        if row is None or row["last"] < self._committed:
            self.connection.close()
            raise StateError(f"the ledger {self.name} does not know what was written to it", hint=LOST)
        self._committed = int(row["last"])
        return self._committed == self._begun

    def close(self) -> None:
        """Close the connection, and forget that we wrote."""
        if self.writes and not self.lost:
            # Otherwise somebody else deletes it in a month.
            with suppress(psycopg.Error):
                self.connection.execute("DELETE FROM writers WHERE id = %s", (self._id,))
        self.writes = False
        self.connection.close()
