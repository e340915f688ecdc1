"""StateStore: every part opens on first use, and a missing file is created only if wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.state.history import HistoryEntry
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.registrations import RegistrationRecord
from rsspot.state.store import StateStore

ENTRY = HistoryEntry("2026-01-01T00:00:00Z", "plan infra/", "default", 0, 0.1)
MACHINE = RegistrationRecord("key", "uid", "org", "group", "omni")


def test_every_part_is_stored(tmp_path: Path) -> None:
    """Preferences, cached responses, history, and the ledger with its registrations."""
    with StateStore(tmp_path / "state.db") as state:
        state.preferences.remember("organization", "mine", profile="work")
        state.http_cache.put("owner", "/regions", "", b"{}", now=10.0, expires_at=20.0)
        state.history.add(ENTRY)
        state.ledger.discover(MACHINE)
    with StateStore(tmp_path / "state.db") as again:
        assert again.preferences.of("work") == {"organization": "mine"}
        assert again.history.entries() == [ENTRY]
        assert [record.registration_key for record in again.ledger.registrations()] == ["key"]
        assert again.ledger.runs() == []
    assert {path.name for path in tmp_path.iterdir()} == {"state.db"}


def test_reading_a_missing_file_does_not_create_it(tmp_path: Path) -> None:
    """It counts as empty."""
    with StateStore(tmp_path / "state.db", create=False) as state:
        assert state.history.entries() == []
        assert state.preferences.of("work") == {}
        assert state.ledger.runs() == []
        assert state.http_cache.clear() == 0
    assert list(tmp_path.iterdir()) == []


def test_an_export_can_be_imported(tmp_path: Path) -> None:
    """Preferences and registrations arrive in another file."""
    with StateStore(tmp_path / "one.db") as one, StateStore(tmp_path / "two.db") as two:
        one.preferences.remember("region", "dfw", profile="work")
        one.ledger.discover(MACHINE)
        assert two.import_(one.export()) == {"preferences": 1, "registrations": 1}
        assert two.preferences.of("work") == {"region": "dfw"}


def test_a_ledger_is_opened_by_path_or_url(tmp_path: Path) -> None:
    """Both name the same file. An unknown scheme is refused, and the hint lists the known ones."""
    path = tmp_path / "a b.db"
    by_path = open_ledger(path)
    by_path.discover(MACHINE)
    by_path.close()
    by_url = open_ledger(f"sqlite://{str(path).replace(' ', '%20')}")
    assert len(by_url.registrations()) == 1
    by_url.close()
    with pytest.raises(ValueError, match="no ledger backend for oracle://") as caught:
        open_ledger("oracle://somewhere/db")
    assert "sqlite" in str(getattr(caught.value, "hint", ""))
