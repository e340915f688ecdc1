"""Whatever is written into a config file is what is read from it, in every format and however often."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.config.files import read
from rsspot.config.loader import resolve
from rsspot.config.manager import Keys, edit

# Control characters are not for config files; surrogates are no text.
texts = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=12)
names = st.one_of(texts, st.sampled_from(["work", "no", "1:30", "null", "a.b", "~", "2026-01-01"]))
leaves: dict[Keys, st.SearchStrategy[Any]] = {
    ("region",): st.one_of(texts, st.sampled_from(["yes", "0x1", "1_0"])),
    ("organization",): texts,
    ("refresh_token",): texts,
    ("keyring",): st.booleans(),
    ("timeout",): st.integers(0, 10**6),
    ("retry", "max_retries"): st.integers(0, 100),
    ("retry", "jitter"): st.integers(0, 1000).map(lambda thousandth: thousandth / 1000),
    ("cache", "enabled"): st.booleans(),
}
places = st.sampled_from(sorted(leaves))
edits = st.lists(
    st.tuples(names, places).flatmap(
        lambda at: st.tuples(st.just(at[0]), st.just(at[1]), st.one_of(st.none(), leaves[at[1]]))
    ),
    max_size=12,
)


@pytest.mark.parametrize("suffix", ["yml", "toml", "json"])
@given(edits)
@settings(max_examples=25, deadline=None)
def test_edits_go_round_through_resolve(suffix: str, changes: list[tuple[str, Keys, Any]]) -> None:
    """A file that is edited again and again says what a dictionary says."""
    model: dict[str, dict[str, Any]] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"config.{suffix}"
        for profile, place, value in changes:
            edit(path, {("profiles", profile, *place): value})
            if value is None:
                model.get(profile, {}).pop(".".join(place), None)
            else:
                model.setdefault(profile, {})[".".join(place)] = value
        assert set(read(path).profiles if changes else ()) == set(model)
        for profile, wanted in model.items():
            found = resolve(config_path=path, environ={"HOME": folder}, profile=profile)
            assert {name: each.value for name, each in found.settings.items()} == wanted
