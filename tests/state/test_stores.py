"""The two stores of records against one contract: whole writes, right types, and as many processes as there are."""

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
    """With its types, also for somebody who opens the store anew."""
    store = opened(tmp_path)
    assert (store.get("k"), store.all()) == (None, {})
    store.put("k", FULL)
    assert store.get("k") == opened(tmp_path).get("k") == FULL
    store.put("k", Note("other"))
    assert opened(tmp_path).all() == {"k": Note("other")}


@both
def test_all_are_told_in_the_order_of_their_keys(tmp_path: Path, opened: Open) -> None:
    """Both stores in the same one, whatever the order they came in."""
    keys = ["b", "a", "B", "é", "10", "9", "", " ", "a/b", "a%", "😀", "a\nb", 'quo"te', "Z'"]
    store = opened(tmp_path)
    store.put_all({key: Note(key) for key in keys})
    assert list(store.all()) == sorted(keys)
    assert [store.get(key) for key in keys] == [Note(key) for key in keys]


@both
def test_forgetting_says_whether_there_was_something(tmp_path: Path, opened: Open) -> None:
    """And takes only that one."""
    store = opened(tmp_path)
    store.put_all({"a": Note("a"), "aa": Note("aa")})
    assert store.delete("a") and not store.delete("a") and not store.delete("A")
    assert store.all() == {"aa": Note("aa")}


@both
def test_putting_none_is_nothing(tmp_path: Path, opened: Open) -> None:
    """Nor does it harm what is there."""
    store = opened(tmp_path)
    store.put_all({})
    store.put("k", FULL)
    store.put_all({})
    assert store.all() == {"k": FULL}


@both
def test_all_are_kept_or_none(tmp_path: Path, opened: Open) -> None:
    """A record that cannot be written takes the others with it."""
    store = opened(tmp_path)
    store.put("k", FULL)
    with pytest.raises(UnicodeEncodeError):
        store.put_all({"a": Note("a"), "k": Note("other"), "z": Note("\ud800")})
    assert opened(tmp_path).all() == {"k": FULL}


@both
def test_a_full_disk_is_a_state_error_and_changes_nothing(tmp_path: Path, opened: Open) -> None:
    """With room again, writing goes on."""
    command = [*program("fills_the_disk"), opened.__name__, str(tmp_path)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("cannot write")
    assert done.stdout.splitlines()[1] == "['after', 'before']"


def spoil(folder: Path, body: str) -> None:
    """Put what is no note under the key "bad", in whichever store is there."""
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
    ("body", "said"), [('{"title": 5}', "title"), ('{"title": "t", "pages": "x"}', "pages"), ("[]", "")]
)
def test_what_is_no_record_is_named(tmp_path: Path, opened: Open, body: str, said: str) -> None:
    """File, key and field; the value is not repeated."""
    store = opened(tmp_path)
    store.put("good", FULL)
    spoil(tmp_path, body)
    with pytest.raises(StateError, match=rf"notes.*'bad' is not one of the notes: {said}") as caught:
        store.all()
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(StateError, match="'bad'"):
        store.get("bad")


@both
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b"not a store at all" * 300])
def test_a_file_that_is_no_store_is_a_state_error_and_not_replaced(
    tmp_path: Path, opened: Open, content: bytes
) -> None:
    """Whatever is asked of it. An empty file is an empty database, as sqlite has it."""
    name = "notes.json" if opened is json_store else "notes.db"
    (tmp_path / name).write_bytes(content)
    if opened is sqlite_store and content == b"":
        assert opened(tmp_path).all() == {}
        return
    for ask in (
        lambda: opened(tmp_path).all(),
        lambda: opened(tmp_path).put("k", FULL),
        lambda: opened(tmp_path).delete("k"),
    ):
        with pytest.raises(StateError, match=name):
            ask()
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
def test_a_json_file_of_another_kind_is_not_taken_for_a_store(tmp_path: Path, document: object) -> None:
    """Nor one of a later format: writing would destroy what we do not understand."""
    file = tmp_path / "notes.json"
    file.write_text(json.dumps(document))
    with pytest.raises(StateError, match="does not hold notes"):
        json_store(tmp_path).put("k", FULL)
    assert json.loads(file.read_text()) == document


def test_a_json_file_nested_without_end_is_a_state_error(tmp_path: Path) -> None:
    """Not a RecursionError."""
    (tmp_path / "notes.json").write_text("[" * 100_000)
    with pytest.raises(StateError, match="cannot read"):
        json_store(tmp_path).all()


def test_a_row_that_is_not_json_is_a_state_error(tmp_path: Path) -> None:
    """Naming table and key."""
    store = sqlite_store(tmp_path)
    spoil(tmp_path, "{")
    with pytest.raises(StateError, match="notes: 'bad' is not JSON"):
        store.get("bad")


@both
def test_the_files_are_private(tmp_path: Path, opened: Open) -> None:
    """From the first record on, and again when somebody had opened them."""
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
    """Each puts, replaces and forgets."""
    command = [*program("writes_notes"), opened.__name__, str(tmp_path)]
    writers = [subprocess.Popen([*command, name], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) for name in "ab"]
    complaints = [writer.communicate(timeout=60)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], complaints
    wanted = {f"{name}-{number}": Note(name, number) for name in "ab" for number in range(8)}
    wanted |= {f"{name}-last": Note("y", 7) for name in "ab"}
    assert opened(tmp_path).all() == wanted


def test_stores_beside_each_other_are_independent(tmp_path: Path) -> None:
    """In one folder, in one database, under one key."""
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
def test_the_name_of_a_table_is_only_that(table: str) -> None:
    """It stands in the SQL."""
    with pytest.raises(ValueError, match="not the name of a table"):
        SqliteStore(Database(None), table, NOTES)


# Moving


@pytest.mark.parametrize(("source", "target"), [(json_store, sqlite_store), (sqlite_store, json_store)])
def test_records_move_from_one_store_to_the_other(tmp_path: Path, source: Open, target: Open) -> None:
    """By a document that is JSON; the second time nothing is new."""
    store = source(tmp_path)
    store.put_all({"a": FULL, "b": Note("b")})
    document = json.loads(json.dumps(exported(NOTES, store)))
    there = target(tmp_path)
    there.put("c", Note("c"))
    assert imported(NOTES, there, document) == 2
    assert there.all() == {"a": FULL, "b": Note("b"), "c": Note("c")}
    assert imported(NOTES, there, document) == 0


@both
def test_a_clash_is_refused_unless_it_was_asked_for(tmp_path: Path, opened: Open) -> None:
    """And nothing is taken over, not even what would be new."""
    store = opened(tmp_path)
    document = exported(NOTES, store) | {"entries": {"a": {"title": "new"}, "b": {"title": "b"}}}
    store.put("a", Note("old"))
    with pytest.raises(StateError, match="'a' is there already") as caught:
        imported(NOTES, store, document)
    assert caught.value.hint == "import with --replace"
    assert store.all() == {"a": Note("old")}
    assert imported(NOTES, store, document, replace=True) == 2
    assert store.all() == {"a": Note("new"), "b": Note("b")}


@both
def test_garbage_is_not_imported(tmp_path: Path, opened: Open) -> None:
    """The entry and the field are named, and what is good beside it stays out."""
    store = opened(tmp_path)
    good = exported(NOTES, store)
    for document in (None, [], "words", {}, good | {"records": "others"}, good | {"format": "x"}):
        with pytest.raises(StateError, match="not an export of notes"):
            imported(NOTES, store, document)
    with pytest.raises(StateError, match="no entries"):
        imported(NOTES, store, good | {"entries": [1]})
    with pytest.raises(StateError, match="entry 'z' is not one of the notes: pages"):
        imported(NOTES, store, good | {"entries": {"a": {"title": "a"}, "z": {"title": "z", "pages": "many"}}})
    assert store.all() == {}


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
notes = st.builds(Note, title=texts, pages=st.integers(-5, 10**12), tags=st.lists(texts, max_size=2).map(tuple))
few = st.sampled_from(["a", "b", "A", ""]) | texts
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.dictionaries(few, notes, min_size=1, max_size=3)),
        st.tuples(st.just("delete"), few),
        st.tuples(st.just("get"), few),
    ),
    max_size=12,
)


@both
@given(steps)
@settings(max_examples=40, deadline=None)
def test_a_store_behaves_like_a_dictionary(opened: Open, asked: list[tuple[str, object]]) -> None:
    """Whatever is done to both."""
    model: dict[str, Note] = {}
    with TemporaryDirectory() as folder:
        store = opened(Path(folder))
        for what, argument in asked:
            if isinstance(argument, dict):
                store.put_all(argument)
                model |= argument
            elif what == "delete":
                assert store.delete(str(argument)) == (model.pop(str(argument), None) is not None)
            else:
                assert store.get(str(argument)) == model.get(str(argument))
        assert list(store.all().items()) == sorted(model.items())
