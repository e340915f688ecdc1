"""Files of records that somebody else wrote or changed: an error or a new login, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from rsspot.auth.cache import TokenCache
from rsspot.cli.app import run
from rsspot.errors import StateError
from rsspot.state.base_store import Records
from rsspot.state.json_store import JsonStore

DEEP = "[" * 100_000 + "]" * 100_000
MARK = "\ufeff"
RECORDS = Records("numbers", TypeAdapter(int))


@pytest.mark.parametrize("text", [DEEP, "{", '{"id_token": 5}', "[]", "x" * 17_000_000], ids=lambda text: text[:5])
def test_an_odd_token_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    """The next command logs in."""
    cache = TokenCache(tmp_path, "me")
    next_to = tmp_path / f"{cache._file.name}"
    next_to.write_text(text)
    assert cache.load() is None


@pytest.mark.parametrize("text", [DEEP, "{", "[]", "x" * 17_000_000], ids=lambda text: text[:5])
def test_an_odd_store_is_a_state_error(tmp_path: Path, text: str) -> None:
    """With the name of the file."""
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(StateError, match=r"store\.json"):
        JsonStore(tmp_path / "store.json", RECORDS).all()


def test_a_store_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """An editor may have added one."""
    store = JsonStore(tmp_path / "store.json", RECORDS)
    store.put("a", 1)
    text = (tmp_path / "store.json").read_text()
    (tmp_path / "store.json").write_text(MARK + text)
    assert store.all() == {"a": 1}


def test_a_store_does_not_become_larger_than_can_be_read(tmp_path: Path) -> None:
    """It stays as it was."""
    store = JsonStore(tmp_path / "store.json", Records("words", TypeAdapter(str)))
    store.put("a", "b")
    with pytest.raises(StateError, match="larger than can be read"):
        store.put("b", "x" * 17_000_000)
    assert store.all() == {"a": "b"}


@pytest.mark.parametrize(
    ("text", "message"), [(DEEP, "nested deeper than 64 levels"), ("{", "is not valid JSON"), ("\ud800", "not UTF-8")]
)
def test_an_odd_export_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    """`state import` says what is wrong with the file."""
    monkeypatch.setenv("RSSPOT_STATE_PATH", str(tmp_path / "state.db"))
    (tmp_path / "export.json").write_text(text, errors="surrogatepass")
    assert run(["state", "import", str(tmp_path / "export.json")]) == 3
    assert message in capsys.readouterr().err


def test_an_export_with_a_byte_order_mark_is_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PowerShell writes it."""
    monkeypatch.setenv("RSSPOT_STATE_PATH", str(tmp_path / "state.db"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(["config", "set-default", "region", "dfw"]) == 0
    assert run(["state", "export", "--out", str(tmp_path / "export.json")]) == 0
    document = json.loads((tmp_path / "export.json").read_text())
    (tmp_path / "export.json").write_text(MARK + json.dumps(document))
    capsys.readouterr()
    assert run(["state", "import", str(tmp_path / "export.json")]) == 0
