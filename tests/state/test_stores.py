"""Both record stores, tested against one contract: atomic writes, validated types, and concurrent processes."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from rsspot.errors import StateError
from rsspot.state.base_store import FORMAT, BaseStore, Records, exported, imported
from rsspot.state.database import Database
from rsspot.state.json_store import JsonStore
from rsspot.state.sqlite_store import SqliteStore
from support import ENVIRONMENT, program
from support.notes import NOTES, TABLE, Note, json_store, sqlite_store

Open = Callable[[Path], BaseStore[Note]]
FULL = Note("ünïcode 😀", 3, datetime(2026, 1, 1, tzinfo=UTC), ("a", "b"))
both = pytest.mark.parametrize("opened", [json_store, sqlite_store])


@both
def test_a_record_comes_back_as_it_was_put(tmp_path: Path, opened: Open) -> None:
    """The types are kept, also after the store is opened again."""
    store = opened(tmp_path)
    assert (store.get("k"), store.all()) == (None, {})
    store.put("k", FULL)
    assert store.get("k") == opened(tmp_path).get("k") == FULL
    store.put("k", Note("other"))
    assert opened(tmp_path).all() == {"k": Note("other")}


@both
def test_records_are_sorted_by_key(tmp_path: Path, opened: Open) -> None:
    """Both stores sort alike, regardless of the order in which records were added."""
    keys = ["b", "a", "B", "é", "10", "9", "", " ", "a/b", "a%", "😀", "a\nb", 'quo"te', "Z'"]
    store = opened(tmp_path)
    store.put_all({key: Note(key) for key in keys})
    assert list(store.all()) == sorted(keys)
    assert [store.get(key) for key in keys] == [Note(key) for key in keys]


@both
def test_delete_returns_whether_there_was_a_record(tmp_path: Path, opened: Open) -> None:
    """It deletes only that record."""
    store = opened(tmp_path)
    store.put_all({"a": Note("a"), "aa": Note("aa")})
    assert store.delete("a") and not store.delete("a") and not store.delete("A")
    assert store.all() == {"aa": Note("aa")}


@both
def test_putting_no_records_changes_nothing(tmp_path: Path, opened: Open) -> None:
    """Existing records are kept."""
    store = opened(tmp_path)
    store.put_all({})
    store.put("k", FULL)
    store.put_all({})
    assert store.all() == {"k": FULL}


@both
def test_put_all_stores_all_records_or_none(tmp_path: Path, opened: Open) -> None:
    """If one record cannot be written, none is stored."""
    store = opened(tmp_path)
    store.put("k", FULL)
    with pytest.raises(UnicodeEncodeError):
        store.put_all({"a": Note("a"), "k": Note("other"), "z": Note("\ud800")})
    assert opened(tmp_path).all() == {"k": FULL}


@both
def test_a_full_disk_is_a_state_error_and_changes_nothing(tmp_path: Path, opened: Open) -> None:
    """Writing works again once there is space."""
    command = [*program("fills_the_disk"), opened.__name__, str(tmp_path)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("cannot write")
    assert done.stdout.splitlines()[1] == "['after', 'before']"


def spoil(folder: Path, body: str) -> None:
    """Add an invalid note under the key "bad", to whichever store exists in the folder."""
    file = folder / "notes.json"
    if file.exists():
        document = json.loads(file.read_text())
        document["entries"]["bad"] = json.loads(body)
        file.write_text(json.dumps(document))
    else:
        database = Database(folder / "notes.db", (TABLE,))
        with database.transaction() as db:
            db.execute("INSERT INTO notes VALUES ('bad', ?, '')", (body,))
        database.close()


@both
@pytest.mark.parametrize(
    ("body", "field"), [('{"title": 5}', "title"), ('{"title": "t", "pages": "x"}', "pages"), ("[]", "")]
)
def test_an_invalid_record_is_a_state_error(tmp_path: Path, opened: Open, body: str, field: str) -> None:
    """The error names the file, the key and the field."""
    store = opened(tmp_path)
    store.put("good", FULL)
    spoil(tmp_path, body)
    with pytest.raises(StateError, match=rf"notes.*'bad': invalid notes record: {field}") as caught:
        store.all()
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(StateError, match="'bad'"):
        store.get("bad")


@both
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b"not a store at all" * 300])
def test_an_invalid_file_is_a_state_error_and_is_not_replaced(tmp_path: Path, opened: Open, content: bytes) -> None:
    """This holds for reading and writing. For SQLite, an empty file is an empty database."""
    name = "notes.json" if opened is json_store else "notes.db"
    (tmp_path / name).write_bytes(content)
    if opened is sqlite_store and content == b"":
        assert opened(tmp_path).all() == {}
        return
    for operation in (
        lambda: opened(tmp_path).all(),
        lambda: opened(tmp_path).put("k", FULL),
        lambda: opened(tmp_path).delete("k"),
    ):
        with pytest.raises(StateError, match=name):
            operation()
    assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize(
    "document",
    [
        {"format": FORMAT, "records": "others", "entries": {}},
        {"format": FORMAT, "records": "notes"},
        {"format": FORMAT, "records": "notes", "entries": []},
        {"format": "rsspot.records/2", "records": "notes", "entries": {}},
        {"records": "notes", "entries": {}},
    ],
)
def test_a_json_file_of_another_format_is_refused(tmp_path: Path, document: object) -> None:
    """This includes later formats. Writing would destroy data that this version does not understand."""
    file = tmp_path / "notes.json"
    file.write_text(json.dumps(document))
    with pytest.raises(StateError, match="does not contain notes"):
        json_store(tmp_path).put("k", FULL)
    assert json.loads(file.read_text()) == document


def test_a_deeply_nested_json_file_is_a_state_error(tmp_path: Path) -> None:
    """Not a RecursionError."""
    (tmp_path / "notes.json").write_text("[" * 100_000)
    with pytest.raises(StateError, match="cannot read"):
        json_store(tmp_path).all()


def test_a_row_that_is_not_json_is_a_state_error(tmp_path: Path) -> None:
    """The error names the table and the key."""
    store = sqlite_store(tmp_path)
    spoil(tmp_path, "{")
    with pytest.raises(StateError, match="notes: 'bad' is not JSON"):
        store.get("bad")


@both
def test_the_files_are_private(tmp_path: Path, opened: Open) -> None:
    """From the first record on. The next write makes them private again if their mode was changed."""
    store = opened(tmp_path / "new")
    store.put("k", FULL)
    assert {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "new").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    for each in (tmp_path / "new").iterdir():
        each.chmod(0o644)
    opened(tmp_path / "new").put("k", Note("again"))
    file = tmp_path / "new" / ("notes.json" if opened is json_store else "notes.db")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@both
def test_two_processes_at_once_lose_nothing(tmp_path: Path, opened: Open) -> None:
    """Each process adds, replaces and deletes records."""
    command = [*program("writes_notes"), opened.__name__, str(tmp_path)]
    writers = [subprocess.Popen([*command, name], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) for name in "ab"]
    errors = [writer.communicate(timeout=60)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], errors
    expected = {f"{name}-{number}": Note(name, number) for name in "ab" for number in range(8)}
    expected |= {f"{name}-last": Note("y", 7) for name in "ab"}
    assert opened(tmp_path).all() == expected


def test_stores_in_one_folder_are_independent(tmp_path: Path) -> None:
    """Stores in one folder or one database may use the same key."""
    pictures = Records("pictures", TypeAdapter(int))
    database = Database(tmp_path / "notes.db", (TABLE, TABLE.replace("notes", "pictures")))
    stores = (
        json_store(tmp_path),
        JsonStore(tmp_path / "pictures.json", pictures),
        SqliteStore(database, "notes", NOTES),
        SqliteStore(database, "pictures", pictures),
    )
    stores[0].put("k", Note("json"))
    stores[1].put("k", 1)
    stores[2].put("k", Note("sqlite"))
    stores[3].put("k", 2)
    assert [store.get("k") for store in stores] == [Note("json"), 1, Note("sqlite"), 2]
    assert stores[2].delete("k")
    assert [store.get("k") for store in stores] == [Note("json"), 1, None, 2]
    database.close()


@pytest.mark.parametrize("table", ["notes; DROP TABLE notes", "Notes", "", "notes\n"])
def test_an_invalid_table_name_is_refused(table: str) -> None:
    """The name is inserted into the SQL."""
    with pytest.raises(ValueError, match="not a table name"):
        SqliteStore(Database(None), table, NOTES)


# Export and import


@pytest.mark.parametrize(("source", "target"), [(json_store, sqlite_store), (sqlite_store, json_store)])
def test_records_move_from_one_store_to_the_other(tmp_path: Path, source: Open, target: Open) -> None:
    """By a JSON document. Importing it again changes nothing."""
    store = source(tmp_path)
    store.put_all({"a": FULL, "b": Note("b")})
    document = json.loads(json.dumps(exported(NOTES, store)))
    other = target(tmp_path)
    other.put("c", Note("c"))
    assert imported(NOTES, other, document) == 2
    assert other.all() == {"a": FULL, "b": Note("b"), "c": Note("c")}
    assert imported(NOTES, other, document) == 0


@both
def test_a_conflict_is_refused_without_replace(tmp_path: Path, opened: Open) -> None:
    """Then nothing is imported, not even new records."""
    store = opened(tmp_path)
    document = exported(NOTES, store) | {"entries": {"a": {"title": "new"}, "b": {"title": "b"}}}
    store.put("a", Note("old"))
    with pytest.raises(StateError, match="'a' already exists") as caught:
        imported(NOTES, store, document)
    assert caught.value.hint == "import with --replace"
    assert store.all() == {"a": Note("old")}
    assert imported(NOTES, store, document, replace=True) == 2
    assert store.all() == {"a": Note("new"), "b": Note("b")}


@both
def test_an_invalid_export_is_not_imported(tmp_path: Path, opened: Open) -> None:
    """The error names the entry and the field. Valid entries are not imported either."""
    store = opened(tmp_path)
    good = exported(NOTES, store)
    for document in (None, [], "words", {}, good | {"records": "others"}, good | {"format": "x"}):
        with pytest.raises(StateError, match="not an export of notes"):
            imported(NOTES, store, document)
    with pytest.raises(StateError, match="no entries"):
        imported(NOTES, store, good | {"entries": [1]})
    with pytest.raises(StateError, match="entry 'z': invalid notes record: pages"):
        imported(NOTES, store, good | {"entries": {"a": {"title": "a"}, "z": {"title": "z", "pages": "many"}}})
    assert store.all() == {}


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
notes = st.builds(Note, title=texts, pages=st.integers(-5, 10**12), tags=st.lists(texts, max_size=2).map(tuple))
keys = st.sampled_from(["a", "b", "A", ""]) | texts
operations = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.dictionaries(keys, notes, min_size=1, max_size=3)),
        st.tuples(st.just("delete"), keys),
        st.tuples(st.just("get"), keys),
    ),
    max_size=12,
)


@both
@given(operations)
@settings(max_examples=40, deadline=None)
def test_a_store_behaves_like_a_dictionary(opened: Open, calls: list[tuple[str, object]]) -> None:
    """After any sequence of operations."""
    model: dict[str, Note] = {}
    with TemporaryDirectory() as folder:
        store = opened(Path(folder))
        for operation, argument in calls:
            if isinstance(argument, dict):
                store.put_all(argument)
                model |= argument
            elif operation == "delete":
                assert store.delete(str(argument)) == (model.pop(str(argument), None) is not None)
            else:
                assert store.get(str(argument)) == model.get(str(argument))
        assert list(store.all().items()) == sorted(model.items())
