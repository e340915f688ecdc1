"""state.db of the SDK's first releases: never changed, while its defaults and registrations are used."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.cli.live_names import live_names
from rsspot.client.singleton import set_default_org
from rsspot.config.loader import resolve
from rsspot.models.refs import wire_uuid
from rsspot.state.database import Database
from rsspot.state.first_release import is_first_release
from rsspot.state.history import HistoryEntry
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus
from rsspot.state.listed_names import keep_names
from rsspot.state.preferences import remembered
from rsspot.state.store import StateStore
from rsspot.utils.clock import utc_now
from rsspot.workflows import local_checks
from rsspot.workflows.registration import RegistrationWorkflow

TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS preferences (key TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS http_cache (
    key TEXT PRIMARY KEY, payload TEXT NOT NULL, expires_at REAL NOT NULL, created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_http_cache_expires_at ON http_cache(expires_at);
CREATE TABLE IF NOT EXISTS command_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, created_at REAL NOT NULL, command TEXT NOT NULL, argv_json TEXT NOT NULL,
    profile TEXT, org TEXT, region TEXT
);
CREATE INDEX IF NOT EXISTS idx_command_history_created_at ON command_history(created_at);
CREATE INDEX IF NOT EXISTS idx_command_history_command ON command_history(command);
CREATE TABLE IF NOT EXISTS registration_ledger (
    registration_key TEXT PRIMARY KEY, vm_uid TEXT NOT NULL, org_id TEXT, vmcloudspace TEXT, vmpool TEXT,
    vm_name TEXT, omni_cluster TEXT, token_id TEXT, token_expires_at REAL, status TEXT NOT NULL, last_error TEXT,
    payload_json TEXT, updated_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_registration_ledger_status ON registration_ledger(status);
CREATE INDEX IF NOT EXISTS idx_registration_ledger_vm_uid ON registration_ledger(vm_uid);
"""
"""What release 0.3.0 executes whenever it opens its file."""
NOW = 1_790_000_000.0
MACHINE = ("vmreg-1", "vm-1", "org_Abc", "vms", "pool", "one", "omni", "t1", NOW + 60, "registered", None, '{"a": 1}')


def their_command(path: Path, statement: str = "", *parameters: object) -> None:
    """Open the file as a first release does, and execute a statement."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(TABLES)
        db.execute(statement, parameters)
        db.commit()


def register(path: Path, row: tuple[object, ...] = MACHINE, at: float = NOW) -> None:
    """Have a first release write a registration."""
    marks = ", ".join("?" * (len(row) + 1))
    their_command(path, f"INSERT OR REPLACE INTO registration_ledger VALUES ({marks})", *row, at)


def content(path: Path) -> list[str]:
    """The tables and rows of a file."""
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A state.db with one row of each kind."""
    path = tmp_path / "state.db"
    register(path)
    their_command(path, "INSERT INTO preferences VALUES ('default_org', 'acme', 1.0)")
    their_command(path, "INSERT INTO http_cache VALUES ('GET:/x', '{}', 9e9, 1.0)")
    their_command(path, "INSERT INTO command_history VALUES (1, 1.0, 'regions list', '[]', 'p', 'o', 'r')")
    return path


def test_a_file_is_recognized_by_its_tables(theirs: Path, tmp_path: Path) -> None:
    """Neither ours, nor an empty one, nor what is no database."""
    assert is_first_release(theirs)
    Database(tmp_path / "ours.db").close()
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("not a database" * 100)
    for name in ("ours.db", "empty.db", "text.db", "missing.db"):
        assert not is_first_release(tmp_path / name)


def test_it_is_never_changed(theirs: Path) -> None:
    """Every part of ours is written to a file beside it, which is private."""
    before = content(theirs)
    mode = theirs.stat().st_mode
    with StateStore(theirs) as state:
        state.preferences.remember("region", "dfw", "default")
        state.http_cache.put("me", "/x", "", b"{}", now=1.0, expires_at=2.0)
        state.history.add(HistoryEntry("2026-01-01T00:00:00Z", "plan", None, 0, 1.0))
        state.ledger.discover(RegistrationRecord("key", "uid", "org", "group", "omni"))
        assert len(state.ledger.registrations()) == 2
    assert content(theirs) == before
    assert theirs.stat().st_mode == mode
    ours = theirs.with_name("state-next.db")
    assert ours.stat().st_mode & 0o777 == 0o600


def test_it_is_said_once(theirs: Path, caplog: pytest.LogCaptureFixture) -> None:
    """When our file is created, with both paths."""
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            open_ledger(theirs, create=False).close()
    assert [record.getMessage() for record in caplog.records] == [
        f"{theirs} belongs to an earlier release and is left as it is;"
        f" this one keeps its own state in {theirs.with_name('state-next.db')}"
    ]


def test_what_looks_at_state_looks_at_ours(
    theirs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Doctor, the history and shell completion, without changing theirs."""
    before = content(theirs)
    monkeypatch.setenv("RSSPOT_STATE_PATH", str(theirs))
    ours = theirs.with_name("state-next.db")
    (absent, *_) = local_checks.ledger(theirs, utc_now())
    assert absent.detail == f"{ours} is not there yet; the first apply makes it"
    open_ledger(theirs).close()
    keep_names(theirs, {"regions": ["us-east-iad-1"]}, now=NOW)
    (intact,) = local_checks.ledger(theirs, utc_now())
    assert intact.severity == "ok" and str(ours) in intact.detail
    assert run(["history", "info", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == str(ours)
    assert live_names("regions", "Region", []) == ["us-east-iad-1"]
    assert content(theirs) == before


def test_both_programs_alternate(theirs: Path) -> None:
    """Whatever one of them writes, the other one still opens its own file."""
    for number in range(3):
        their_command(theirs, "INSERT INTO http_cache VALUES (?, '{}', 9e9, 1.0)", str(number))
        with StateStore(theirs) as state:
            state.preferences.remember("region", str(number), "default")
            assert state.preferences.of("default") == {"region": str(number)}


# Registrations


def test_registrations_are_taken_over_with_our_key(theirs: Path) -> None:
    """So no machine is registered twice."""
    key = RegistrationWorkflow.registration_key("org-abc", "vms", "vm-1")
    assert key == wire_uuid("org-abc", "vms", "VMRegistration", "vm-1")
    ledger = open_ledger(theirs)
    machine = ledger.registration(key)
    assert machine == RegistrationRecord(
        key,
        "vm-1",
        "org-abc",
        "vms",
        "omni",
        vmpool="pool",
        vm_name="one",
        token_id="t1",
        token_expires_at="2026-09-21T14:14:20.000Z",
        status=RegistrationStatus.REGISTERED,
        payload={"a": 1},
        updated_at="2026-09-21T14:13:20.000Z",
    )
    assert ledger.registered("org-abc") == [machine]
    assert ledger.claim_registrations("worker", ttl=60) == []
    ledger.close()


def test_a_machine_named_by_a_uuid_has_the_same_key_too(tmp_path: Path) -> None:
    """Its key is its name."""
    uid = "0b0c6a3e-3f6b-4f7e-9a57-0a8a7a1c2d3e"
    register(tmp_path / "state.db", ("vmreg-2", uid, *MACHINE[2:]))
    ledger = open_ledger(tmp_path / "state.db")
    assert ledger.registration(RegistrationWorkflow.registration_key("org-abc", "vms", uid)) is not None
    ledger.close()


def test_a_registration_that_lacks_everything_optional_is_kept(tmp_path: Path) -> None:
    """Under the key it has. An unknown status is no success."""
    path = tmp_path / "state.db"
    register(path, ("vmreg-3", "vm-3", *[None] * 7, "odd", None, "{"))
    ledger = open_ledger(path)
    (machine,) = ledger.registrations()
    assert (machine.registration_key, machine.status) == ("vmreg-3", RegistrationStatus.FAILED)
    assert machine.last_error == "had the unknown status 'odd'"
    ledger.close()


def test_later_registrations_are_taken_over_too(theirs: Path) -> None:
    """Once each: one that was forgotten here does not come back."""
    ledger = open_ledger(theirs)
    (first,) = ledger.registrations()
    assert ledger.forget_registration(first.registration_key)
    ledger.close()
    register(theirs, ("vmreg-2", "vm-2", *MACHINE[2:]), at=NOW + 1)
    ledger = open_ledger(theirs)
    assert [machine.vm_uid for machine in ledger.registrations()] == ["vm-2"]
    ledger.close()


def test_the_newer_record_of_a_machine_counts(theirs: Path) -> None:
    """One that a worker of ours has claimed is not touched."""
    ledger = open_ledger(theirs)
    (machine,) = ledger.registrations()
    ledger.advance(machine.registration_key, RegistrationStatus.SKIPPED)
    ledger.close()
    register(theirs, (*MACHINE[:9], "failed", "late", None), at=NOW + 1)
    ledger = open_ledger(theirs)
    assert ledger.registrations()[0].status is RegistrationStatus.SKIPPED
    ledger.close()
    register(theirs, (*MACHINE[:9], "failed", "later", None), at=4e9)
    ledger = open_ledger(theirs)
    assert ledger.registrations()[0].last_error == "later"
    assert len(ledger.claim_registrations("worker", ttl=60)) == 1
    ledger.close()
    register(theirs, MACHINE, at=4e9 + 1)
    ledger = open_ledger(theirs)
    assert ledger.registrations()[0].status is RegistrationStatus.FAILED
    ledger.close()


def test_an_export_has_them(theirs: Path) -> None:
    """Even if the ledger was never opened."""
    with StateStore(theirs) as state:
        (_, part) = state.export()["parts"]
    assert [entry["vm_uid"] for entry in part["entries"].values()] == ["vm-1"]


# Defaults


def test_its_defaults_apply_to_every_profile(theirs: Path) -> None:
    """Unless ours has one. They are read anew each time, and no file is created."""
    file = theirs.with_name("config.yml")
    file.write_text("profiles: {work: {org: other}, play: {}}\n")
    their_command(theirs, "INSERT INTO preferences VALUES ('default_profile', 'work', 1.0)")

    def chosen() -> tuple[str, str]:
        settings = resolve(config_path=file, environ={"HOME": str(theirs.parent)}, preferences=remembered)
        return settings.profile, settings.get("organization")

    assert chosen() == ("work", "acme")
    assert not theirs.with_name("state-next.db").exists()
    with StateStore(theirs) as state:
        state.preferences.remember("organization", "mine", "work")
    assert chosen() == ("work", "mine")
    their_command(theirs, "UPDATE preferences SET value = 'play' WHERE key = 'default_profile'")
    assert chosen() == ("play", "acme")


def test_a_default_that_was_removed_here_does_not_come_back(
    theirs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until a new one is set; theirs is not changed. Other profiles keep it."""
    their_command(theirs, "INSERT INTO preferences VALUES ('default_profile', 'work', 1.0)")
    before = content(theirs)
    file = theirs.with_name("config.yml")
    file.write_text("activeProfile: play\nprofiles: {work: {org: other}, play: {}}\n")
    monkeypatch.setenv("RSSPOT_CONFIG", str(file))

    def chosen(profile: str | None = None) -> tuple[str, str]:
        environ = {"HOME": str(theirs.parent)}
        settings = resolve(config_path=file, environ=environ, preferences=remembered, profile=profile)
        return settings.profile, settings.get("organization")

    assert run(["config", "unset-default", "org"]) == 0
    assert (chosen(), chosen("play")) == (("work", "other"), ("play", "acme"))
    assert run(["config", "unset-default", "profile"]) == 0
    assert chosen() == ("play", "acme")
    set_default_org(None)
    assert chosen() == ("play", None)
    with StateStore(theirs) as state:
        assert state.preferences.of("play") == {}
    assert run(["config", "set-default", "org", "mine"]) == 0
    assert chosen() == ("play", "mine")
    assert content(theirs) == before


def test_a_profile_chosen_here_overrides_its_default(
    theirs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`profiles use` has an effect although the other file names another profile and is not changed."""
    their_command(theirs, "INSERT INTO preferences VALUES ('default_profile', 'work', 1.0)")
    before = content(theirs)
    theirs.with_name("config.yml").write_text("profiles: {work: {org: a}, play: {org: b}}\n")
    monkeypatch.setenv("RSSPOT_CONFIG", str(theirs.with_name("config.yml")))
    assert run(["profiles", "use", "play"]) == 0
    assert run(["state", "path"]) == 0
    assert "state-next.db" in capsys.readouterr().out
    assert run(["profiles", "list", "-o", "json"]) == 0
    assert '"play",\n    "inUse": true' in capsys.readouterr().out
    assert content(theirs) == before
