"""Property tests: values written to a config file are read back unchanged, in every format."""

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

# Control characters are not allowed in config files, and surrogates cannot be encoded.
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
key_paths = st.sampled_from(sorted(leaves))
edits = st.lists(
    st.tuples(names, key_paths).flatmap(
        lambda target: st.tuples(st.just(target[0]), st.just(target[1]), st.one_of(st.none(), leaves[target[1]]))
    ),
    max_size=12,
)


@pytest.mark.parametrize("suffix", ["yml", "toml", "json"])
@given(edits)
@settings(max_examples=25, deadline=None)
def test_edited_values_are_resolved_unchanged(suffix: str, changes: list[tuple[str, Keys, Any]]) -> None:
    """After each series of edits, the settings are those of a dictionary with the same changes."""
    model: dict[str, dict[str, Any]] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"config.{suffix}"
        for profile, keys, value in changes:
            edit(path, {("profiles", profile, *keys): value})
            if value is None:
                model.get(profile, {}).pop(".".join(keys), None)
            else:
                model.setdefault(profile, {})[".".join(keys)] = value
        assert set(read(path).profiles if changes else ()) == set(model)
        for profile, expected in model.items():
            resolved = resolve(config_path=path, environ={"HOME": folder}, profile=profile)
            assert {name: each.value for name, each in resolved.settings.items()} == expected
