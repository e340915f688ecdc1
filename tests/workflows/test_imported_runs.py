"""Undoing where runs were imported: which run was later is told by its time, not by its number."""

from __future__ import annotations

from contextlib import closing

from rsspot.state.database import Database
from rsspot.state.ledger.document import dump_ledger, load_ledger
from rsspot.state.ledger.sql_content import merge_content, read_content
from rsspot.workflows.undo import _made_or_deleted_after
from support.ledgers import DAY, START, Runs, edge


def test_an_imported_run_is_as_old_as_it_was() -> None:
    """It has a higher number, since its own was taken."""
    with closing(Database(None)) as here, closing(Database(None)) as there:
        ours, theirs = Runs(here, START + 10 * DAY), Runs(there)
        ours.made(1)
        theirs.made(2)
        merge_content(here, load_ledger(dump_ledger(read_content(there))))
        newer, older = ours.ledger.runs()
        assert (newer.id, older.id) == (1, 2)
        assert _made_or_deleted_after(ours.ledger, older) == {edge(1)}
        assert _made_or_deleted_after(ours.ledger, newer) == set()
