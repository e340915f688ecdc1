"""Our writer of YAML writes what libyaml writes, byte for byte, whatever the texts are."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rsspot.utils.output import as_json, as_yaml
from rsspot.utils.yaml_values import parse_yaml
from rsspot.utils.yaml_writer import LONGEST_KEY, by_libyaml, written
from support.counting_calls import calls_counted

WORDS = """
no yes on off y n Y true True ~ null Null NULL .inf .nan 1e3 1E3 012 0o7 0x1f 1_000 1:30 190:20:30 2026-01-01 .5 5. +1
-1 2026-11-01T12:00:00Z 12e03 685.230_15e+03 << - -- --- ... ? : a: a:b a:b: :a ::add-mask::x [a] {a} a[b] a,b &a *a !a
%a = @a `a #a a#b ##[error]x 'a' "a" |a >a a' a" a\\b / /a ./a a/ _ 0 00 a.b a@b a=b a+b a~b ~a
"""
HOSTILE = WORDS.split()
SPACED = [
    "",
    " ",
    " a",
    "a ",
    "a b",
    "a  b",
    "a: b",
    "a :b",
    "a #b",
    "a# b",
    "- a",
    "? a",
    "a\nb",
    "\n",
    "a\tb",
    "x " * 200,
]
FOREIGN = ["é", "東京", "😀", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "a\rb", "\x1b[2J", "\x00"]
TEXTS = [*HOSTILE, *SPACED, *FOREIGN, "x " * 200]
texts = st.sampled_from(TEXTS) | st.text(max_size=12) | st.text("aN0.:-+#_/ eE'\"\n", max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_text_is_written_as_libyaml_writes_it(text: str) -> None:
    """As a key, as a value, in a list and in a list of lists."""
    value = {text: text, "list": [text, [text, {text: [text]}], {}, []]}
    assert written(value) == by_libyaml(value)


@given(value=values)
def test_any_value_is_written_as_libyaml_writes_it(value: Any) -> None:
    """So nothing that is printed changed when libyaml was set aside."""
    assert written(value) == by_libyaml(value)


@given(value=values)
def test_any_value_is_read_as_it_was(value: Any) -> None:
    """By the rules of YAML 1.1, which most tools follow, and by those of 1.2, which manifests are read by."""
    text = as_yaml({"value": value})
    assert yaml.safe_load(text) == {"value": value}
    assert parse_yaml(text) == {"value": value}


@pytest.mark.parametrize("length", [LONGEST_KEY - 1, LONGEST_KEY, LONGEST_KEY + 1, 317])
def test_a_long_key_is_written_as_libyaml_writes_it(length: int) -> None:
    """It stands on a line of its own, behind a question mark."""
    for key in ("a" * length, "1" * length, "é" * length, " " * length, "a " * (length // 2)):
        value = [{"metadata": {"annotations": {key: "x", "y": {"deeper": key}}}}]
        assert written(value) == by_libyaml(value)


def test_usual_texts_are_not_left_to_libyaml() -> None:
    """It would look at each of them again."""
    usual = {"name": "pool-1", "uid": "10000000-0000-5000-8000-000000000001", "made": "2026-11-01T12:00:00Z", "won": 3}
    value = [
        {**usual, "labels": {"ngpc.rxt.io/cloudspace": "edge"}, "taints": [], "note": "won 2 of 3", "version": "12"}
    ]
    with calls_counted() as counts:
        written(value * 10)
    assert counts["rsspot.utils.yaml_writer.written"] == 1 and not counts["rsspot.utils.yaml_writer.by_libyaml"]


@given(value=values)
def test_json_of_what_was_parsed_is_the_same(value: Any) -> None:
    """The faster writer differs only in how it spells the exponent of a number."""
    slow, fast = as_json({"a": value, "b": [value]}), as_json({"a": value, "b": [value]}, parsed=True)
    if "e" not in repr(value).lower():
        assert slow == fast
