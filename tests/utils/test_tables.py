"""Tables: what fits a terminal, what is left out, ages, headings and colors."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.utils.tables import LEAST, Look, age, as_table, duration, fitted, heading
from rsspot.utils.text import columns, shortened

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
words = st.text(st.characters(codec="utf-8"), max_size=60)
rows = st.lists(st.fixed_dictionaries({f"column{n}": words for n in range(6)}), min_size=1, max_size=4)


@given(rows, st.integers(20, 200))
def test_no_line_is_wider_than_the_terminal(rows: list[dict[str, str]], width: int) -> None:
    """Whatever stands in it, and in whichever script."""
    assert all(columns(line) <= width for line in as_table(rows, Look(width)).splitlines())


@given(st.lists(st.integers(1, 80), min_size=1, max_size=9), st.integers(20, 300))
def test_what_fits_is_not_shortened(widths: list[int], most: int) -> None:
    """Columns are left out only when the others are as narrow as they may get."""
    kept = fitted(widths, most)
    if sum(widths) + 2 * (len(widths) - 1) <= most:
        assert kept == widths
    elif len(kept) == len(widths):
        assert sum(kept) + 2 * (len(kept) - 1) == most
    assert all(left >= min(whole, LEAST) for left, whole in zip(kept[1:], widths[1:], strict=False))


def test_the_columns_left_out_are_marked() -> None:
    """In the heading, so that no value looks complete that is not."""
    table = as_table([{"name": "edge/workers", "serverClass": "gp.vs1.large-dfw", "region": "x" * 30}], Look(25))
    assert table.splitlines() == ["NAME          SERVER …  …", "edge/workers  gp.vs1.…"]


def test_a_cell_is_cut_at_the_columns_of_the_terminal() -> None:
    """A character of two columns is kept whole or not at all."""
    assert shortened("東京の運用", 10, "…") == "東京の運用"
    assert shortened("東京の運用", 9, "…") == "東京の運…"
    assert shortened("東京の運用", 8, "…") == "東京の…"
    assert shortened("ab", 1, "…") == "…"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("serverClass", "SERVER CLASS"),
        ("server_class", "SERVER CLASS"),
        ("HAControlPlane", "HA CONTROL PLANE"),
        ("APIServerEndpoint", "API SERVER ENDPOINT"),
        ("managedVCPUs", "MANAGED VCPUS"),
        ("resources.memory", "MEMORY"),
        ("p50", "P50"),
        ("still given by", "STILL GIVEN BY"),
    ],
)
def test_a_heading_has_the_words_of_the_key(key: str, words: str) -> None:
    assert heading(key) == words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (10_799, "179m"),
        (3 * 3600, "3h"),
        (5 * 3600 + 12 * 60, "5h12m"),
        (8 * 3600 + 1800, "8h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (3 * 86400 + 4 * 3600, "3d4h"),
        (8 * 86400 + 4 * 3600, "8d"),
        (729 * 86400, "729d"),
        (730 * 86400, "2y"),
        (800 * 86400, "2y70d"),
        (3000 * 86400, "8y"),
    ],
)
def test_a_duration_has_the_precision_of_kubectl(seconds: int, text: str) -> None:
    """As its HumanDuration has it."""
    assert duration(timedelta(seconds=seconds)) == text


def test_times_are_ages_in_tables() -> None:
    """What is not quite a time stays as it is, and so does one without a clock."""
    stamps = ["2026-01-10T11:59:15Z", "2026-01-10T13:00:00+00:00", "2026-01-10", "2026-99-10T11:59:15Z"]
    shown = as_table([{"until": each} for each in stamps], Look(now=NOW)).splitlines()[1:]
    assert shown == ["45s", "in 60m", "2026-01-10", "2026-99-10T11:59:15Z"]
    assert age("2026-01-10T11:59:15Z", NOW) == "45s"
    assert stamps[0] in as_table([{"at": stamps[0]}])


@pytest.mark.parametrize("key", ["creationTimestamp", "at", "started_at", "updated_at"])
def test_what_has_happened_is_never_in_the_future(key: str) -> None:
    """As when the clock of the service is ahead of ours. Only an expiry may be still to come."""
    ahead = "2026-01-10T12:01:17Z"
    assert as_table([{key: ahead}], Look(now=NOW), {"creationTimestamp": "AGE"}).splitlines()[1:] == ["0s"]
    assert as_table({key: ahead}, Look(now=NOW)).endswith("  0s")
    assert as_table([{"token_expires_at": ahead}], Look(now=NOW)).splitlines()[1:] == ["in 77s"]


CLASS, REGION = "gp.vs1.large-dfw", "us-central-dfw-1"


def test_what_matters_most_stays_whole() -> None:
    """In whichever place it stands. The others are shortened first, then left out."""
    row = {"pool": "the balanced one", "region": REGION, "serverClass": CLASS, "nodes": 3, "bid": "0.03"}
    shown = {width: as_table([row], Look(width), whole=["serverClass", "bid"]).splitlines() for width in (58, 44, 25)}
    assert shown[58][1] == f"the balanced…  us-central-…  {CLASS}  3      0.03"
    assert shown[44] == ["POOL              SERVER CLASS      BID  …", f"the balanced one  {CLASS}  0.03"]
    assert shown[25] == ["SERVER CLASS      BID  …", f"{CLASS}  0.03"]


def test_uuids_give_way_first_and_stay_distinct() -> None:
    """Only in a table that does not fit, and wherever they stand."""
    one, other = "f7a55b6a-ebbd-5d91-a2a6-36faab22903a", "f7a55b6a-ebb0-5d91-a2a6-36faab22903a"
    rows = [{"name": f"edge/{one}", "note": f"it is like {other} in its first half", "class": CLASS}]
    assert one in as_table(rows, Look(160))
    shown = as_table(rows, Look(83)).splitlines()[1]
    assert shown == f"edge/f7a55b6a-ebbd…  it is like f7a55b6a-ebb0… in its first half  {CLASS}"


def test_headings_and_phases_are_colored() -> None:
    """Only where the look says so, and without moving a column."""
    table = [{"name": "edge", "phase": "Ready"}, {"name": "west", "phase": "Failed"}]
    colored = as_table(table, Look(color=True))
    assert "\x1b[1mNAME" in colored and "\x1b[32mReady\x1b[0m" in colored and "\x1b[31mFailed\x1b[0m" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == as_table(table)
