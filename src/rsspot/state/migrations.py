"""The schema of state.db as migrations, each applied once and in order. Portable SQL, no queries."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY, scope TEXT NOT NULL, command TEXT NOT NULL,
        plan_digest TEXT NOT NULL, plan_json TEXT NOT NULL, fence INTEGER NOT NULL,
        started_at TEXT NOT NULL, ended_at TEXT, outcome TEXT
    );
    CREATE TABLE steps (
        run_id INTEGER NOT NULL REFERENCES runs (id), seq INTEGER NOT NULL,
        address TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, verb TEXT NOT NULL,
        state TEXT NOT NULL, readiness TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (run_id, seq)
    );
    CREATE TABLE attempts (
        run_id INTEGER NOT NULL, seq INTEGER NOT NULL, number INTEGER NOT NULL,
        sent_at TEXT NOT NULL, ended_at TEXT, outcome TEXT,
        PRIMARY KEY (run_id, seq, number), FOREIGN KEY (run_id, seq) REFERENCES steps (run_id, seq)
    );
    CREATE TABLE managed_objects (
        scope TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
        address TEXT NOT NULL, uid TEXT, applied_json TEXT NOT NULL, run_id INTEGER NOT NULL,
        PRIMARY KEY (scope, kind, name)
    );
    CREATE TABLE leases (
        scope TEXT PRIMARY KEY, holder TEXT, host TEXT, pid INTEGER,
        fence INTEGER NOT NULL, expires_at TEXT NOT NULL
    );
    CREATE TABLE registration_ledger (
        registration_key TEXT PRIMARY KEY, vm_uid TEXT NOT NULL, org_id TEXT NOT NULL,
        vmcloudspace TEXT NOT NULL, vmpool TEXT, vm_name TEXT, omni_cluster TEXT NOT NULL,
        token_id TEXT, token_expires_at TEXT, status TEXT NOT NULL, last_error TEXT,
        payload_json TEXT NOT NULL, updated_at TEXT NOT NULL
    );
    CREATE INDEX registration_ledger_by_status ON registration_ledger (org_id, status);
    CREATE INDEX steps_by_state ON steps (state);
    """,
    """
    ALTER TABLE registration_ledger ADD COLUMN claimed_by TEXT;
    ALTER TABLE registration_ledger ADD COLUMN claimed_until TEXT;
    CREATE TABLE preferences (
        key TEXT PRIMARY KEY, body_json TEXT NOT NULL, updated_at TEXT NOT NULL
    );
    CREATE TABLE http_cache (
        owner TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, body BLOB NOT NULL,
        expires_at REAL NOT NULL, stored_at REAL NOT NULL,
        PRIMARY KEY (owner, path, query)
    );
    CREATE INDEX http_cache_by_age ON http_cache (stored_at);
    CREATE TABLE command_history (
        id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, command TEXT NOT NULL, profile TEXT,
        exit_code INTEGER NOT NULL, seconds REAL NOT NULL
    );
    """,
    # Plain digests of secrets were kept here. Without them, drift of these objects is only told from changes again
    # after their next apply.
    """
    UPDATE managed_objects SET applied_json = '{}' WHERE applied_json LIKE '%"sha256:%';
    """,
    # How far the registrations in another program's file have been taken over: the time of its last change seen.
    """
    CREATE TABLE taken_over (path TEXT PRIMARY KEY, until REAL NOT NULL);
    """,
    # Who holds a lease, more exactly than by a number that other processes have too, and why a person holds one.
    # What the object of a step lives in.
    """
    ALTER TABLE leases ADD COLUMN process TEXT NOT NULL DEFAULT '';
    ALTER TABLE leases ADD COLUMN job TEXT NOT NULL DEFAULT '';
    ALTER TABLE leases ADD COLUMN reason TEXT NOT NULL DEFAULT '';
    ALTER TABLE steps ADD COLUMN parent TEXT NOT NULL DEFAULT '';
    """,
    # Who started a run: of earlier runs it is in the plan. A list of runs would have to read every plan for it.
    """
    ALTER TABLE runs ADD COLUMN made_by TEXT;
    """,
    # What the next attempt at a machine has to know, and every question that its registrar was asked.
    """
    CREATE TABLE registration_progress (
        registration_key TEXT PRIMARY KEY, reached TEXT, generation INTEGER NOT NULL, failures INTEGER NOT NULL,
        retry_at TEXT, missing_since TEXT, missing_at TEXT, passed_over INTEGER NOT NULL
    );
    CREATE TABLE registration_questions (
        registration_key TEXT NOT NULL, question TEXT NOT NULL, attempt INTEGER NOT NULL,
        idempotency_key TEXT NOT NULL, worker TEXT NOT NULL, process TEXT,
        asked_at TEXT NOT NULL, ended_at TEXT, outcome TEXT,
        PRIMARY KEY (registration_key, question, attempt)
    );
    CREATE INDEX registration_ledger_by_claim ON registration_ledger (claimed_by);
    """,
)
