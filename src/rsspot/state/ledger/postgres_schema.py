"""The schema of a PostgreSQL ledger as migrations, each applied once and in order, whoever else opens it meanwhile.

The tables and columns of the ledger are those of state.db, and text sorts as it does there. What state.db holds besides
(preferences, cached responses, the history of commands) stays on each machine. `writers` tells each session which of
its transactions was committed last, see `postgres_session`.
"""

from __future__ import annotations

SCHEMA = "rsspot"
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE rsspot.runs (
        id BIGINT PRIMARY KEY, scope TEXT COLLATE "C" NOT NULL,
        command TEXT COLLATE "C" NOT NULL, plan_digest TEXT COLLATE "C" NOT NULL, plan_json BYTEA NOT NULL,
        fence BIGINT NOT NULL, started_at TEXT COLLATE "C" NOT NULL, ended_at TEXT COLLATE "C",
        outcome TEXT COLLATE "C", made_by TEXT COLLATE "C"
    );
    CREATE TABLE rsspot.steps (
        run_id BIGINT NOT NULL REFERENCES rsspot.runs (id), seq BIGINT NOT NULL,
        address TEXT COLLATE "C" NOT NULL, kind TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL,
        verb TEXT COLLATE "C" NOT NULL, state TEXT COLLATE "C" NOT NULL,
        readiness TEXT COLLATE "C" NOT NULL DEFAULT '', detail TEXT COLLATE "C" NOT NULL DEFAULT '',
        parent TEXT COLLATE "C" NOT NULL DEFAULT '',
        PRIMARY KEY (run_id, seq)
    );
    CREATE TABLE rsspot.attempts (
        run_id BIGINT NOT NULL, seq BIGINT NOT NULL, number BIGINT NOT NULL,
        sent_at TEXT COLLATE "C" NOT NULL, ended_at TEXT COLLATE "C", outcome TEXT COLLATE "C",
        PRIMARY KEY (run_id, seq, number), FOREIGN KEY (run_id, seq) REFERENCES rsspot.steps (run_id, seq)
    );
    CREATE TABLE rsspot.managed_objects (
        scope TEXT COLLATE "C" NOT NULL, kind TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL,
        address TEXT COLLATE "C" NOT NULL, uid TEXT COLLATE "C", applied_json TEXT COLLATE "C" NOT NULL,
        run_id BIGINT NOT NULL,
        PRIMARY KEY (scope, kind, name)
    );
    CREATE TABLE rsspot.leases (
        scope TEXT COLLATE "C" PRIMARY KEY, holder TEXT COLLATE "C", host TEXT COLLATE "C", pid BIGINT,
        fence BIGINT NOT NULL, expires_at TEXT COLLATE "C" NOT NULL, process TEXT COLLATE "C" NOT NULL DEFAULT '',
        job TEXT COLLATE "C" NOT NULL DEFAULT '', reason TEXT COLLATE "C" NOT NULL DEFAULT ''
    );
    CREATE TABLE rsspot.registration_ledger (
        registration_key TEXT COLLATE "C" PRIMARY KEY, vm_uid TEXT COLLATE "C" NOT NULL,
        org_id TEXT COLLATE "C" NOT NULL, vmcloudspace TEXT COLLATE "C" NOT NULL, vmpool TEXT COLLATE "C",
        vm_name TEXT COLLATE "C", omni_cluster TEXT COLLATE "C" NOT NULL, token_id TEXT COLLATE "C",
        token_expires_at TEXT COLLATE "C", status TEXT COLLATE "C" NOT NULL, last_error TEXT COLLATE "C",
        payload_json TEXT COLLATE "C" NOT NULL, updated_at TEXT COLLATE "C" NOT NULL,
        claimed_by TEXT COLLATE "C", claimed_until TEXT COLLATE "C"
    );
    CREATE TABLE rsspot.registration_progress (
        registration_key TEXT COLLATE "C" PRIMARY KEY, reached TEXT COLLATE "C", generation BIGINT NOT NULL,
        failures BIGINT NOT NULL, retry_at TEXT COLLATE "C", missing_since TEXT COLLATE "C",
        missing_at TEXT COLLATE "C", passed_over BOOLEAN NOT NULL
    );
    CREATE TABLE rsspot.registration_questions (
        rowid BIGINT GENERATED ALWAYS AS IDENTITY, registration_key TEXT COLLATE "C" NOT NULL,
        question TEXT COLLATE "C" NOT NULL, attempt BIGINT NOT NULL, idempotency_key TEXT COLLATE "C" NOT NULL,
        worker TEXT COLLATE "C" NOT NULL, process TEXT COLLATE "C", asked_at TEXT COLLATE "C" NOT NULL,
        ended_at TEXT COLLATE "C", outcome TEXT COLLATE "C",
        PRIMARY KEY (registration_key, question, attempt)
    );
    CREATE TABLE rsspot.writers (
        id TEXT COLLATE "C" PRIMARY KEY, last BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX runs_by_scope ON rsspot.runs (scope);
    CREATE INDEX steps_by_state ON rsspot.steps (state) WHERE state IN ('pending', 'intent', 'unknown');
    CREATE INDEX registration_ledger_by_status ON rsspot.registration_ledger (org_id, status);
    CREATE INDEX registration_ledger_by_claim ON rsspot.registration_ledger (claimed_by);
    """,
)
CREATED = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.about (version BIGINT NOT NULL)",
    f"INSERT INTO {SCHEMA}.about (version) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM {SCHEMA}.about)",
)
"""Makes the one row that tells how far a ledger has been migrated."""
EXISTS = f"SELECT to_regclass('{SCHEMA}.about') IS NOT NULL AS there"
VERSION = f"SELECT version FROM {SCHEMA}.about"
MIGRATED = f"UPDATE {SCHEMA}.about SET version = {len(MIGRATIONS)}"
