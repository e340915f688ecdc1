"""Tables, JSON and YAML of values that somebody else wrote."""

from __future__ import annotations

import io
import json
from typing import Any, TextIO, cast

import pytest
import yaml

from rsspot.utils.output import as_json, as_json_line, as_yaml
from rsspot.utils.streams import SafeStream
from rsspot.utils.tables import as_table
from rsspot.utils.text import columns, starts_command
from rsspot.utils.yaml_values import parse_yaml

EVIL = "x\x1b[2J\x7f\x9b31m\u202e\u200b\u2028\u00a0\U000e0001\r\n::error::y\ttail"
PLAIN = ["東京 😀", "#x", "- a", "", "x " * 200 + "::error::y"]
TEXTS = [EVIL, "::add-mask::x", "##[error]x", "a ##vso[task.complete]", *PLAIN]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("write", [as_json, as_json_line, as_yaml])
def test_a_document_is_harmless_and_reads_the_same(text: str, write: Any) -> None:
    """Nothing in it is invisible or begins a line that a workflow runner obeys, and no value is changed."""
    value = {"note": text, text: [text, {"deep": text}]}
    document = write(value)
    assert all(line.isprintable() and not starts_command(line) for line in document.split("\n"))
    assert (yaml.safe_load if write is as_yaml else json.loads)(document) == value


@pytest.mark.parametrize("write", [as_json, as_json_line, as_yaml])
@pytest.mark.parametrize("text", TEXTS)
def test_a_document_can_be_escaped_by_the_stream(write: Any, text: str) -> None:
    """The stream escapes what it cannot encode, and what a workflow runner obeys, without knowing what it writes."""
    real = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print(write({"note": text}), file=cast(TextIO, SafeStream(real)), flush=True)
    real.seek(0)
    assert (yaml.safe_load if write is as_yaml else json.loads)(real.read()) == {"note": text}


@pytest.mark.parametrize("write", [as_json, as_json_line, as_yaml])
def test_a_lone_surrogate_can_be_printed(write: Any) -> None:
    """It stands for a byte of a file name; a strict reader of JSON would refuse it."""
    assert yaml.safe_load(write({"file": "a\udcffb", "\udcff": 1})) == {"file": "a\ufffdb", "\ufffd": 1}


@pytest.mark.parametrize(
    "text", ["1e3", "012", "0o7", "0x1f", "no", "~", "1_000", "1:30", "2026-01-01", ".5", "<<", "="]
)
def test_a_text_of_yaml_is_a_text_to_every_reader(text: str) -> None:
    """By the rules of YAML 1.1, which most tools follow, and by those of 1.2, which manifests are read by."""
    assert yaml.safe_load(as_yaml({text: text})) == parse_yaml(as_yaml({text: text})) == {text: text}


def test_a_table_counts_the_columns_of_a_terminal() -> None:
    """The second column begins at the same place in each row."""
    rows = [{"name": "東京の運用", "x": "1"}, {"name": "Zoe\u0308", "x": "2"}, {"name": "ascii", "x": "3"}]
    starts = {columns(line[: line.index(line.split()[-1])]) for line in as_table(rows).splitlines()}
    assert starts == {12}
    fields = as_table({"東京": 1, "ab": 2}).splitlines()
    assert {columns(line[:-1]) for line in fields} == {6}


def test_the_names_of_a_table_are_escaped() -> None:
    """They may be somebody else's too."""
    assert all(line.isprintable() for line in as_table([{EVIL: EVIL}]).split("\n"))
    assert all(line.isprintable() for line in as_table({EVIL: EVIL}).split("\n"))
