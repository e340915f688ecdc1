"""YAML 1.2 scalars, and the bounds that keep a file from being a trap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rsspot.manifests import source
from rsspot.manifests.source import parse_text


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("012", 12),
        ("-7", -7),
        ("0x1f", 31),
        ("12:30:00", "12:30:00"),
        ("1.33.0", "1.33.0"),
        ("1.33", 1.33),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("null", None),
        ("~", None),
        ("", None),
        ("2026-01-01", "2026-01-01"),
        ("'5'", "5"),
        ('"null"', "null"),
        ("'true'", "true"),
        ("!!str 5", "5"),
        ("!!str null", "null"),
        ("!!str true", "true"),
        ("!!str 1.5", "1.5"),
        ("{a: [1, x]}", {"a": [1, "x"]}),
    ],
)
def test_scalars_follow_yaml_1_2(written: str, value: Any) -> None:
    """A plain word has the type of the core schema, a quoted or tagged one the type its author gave it."""
    sources, problems = parse_text(f"key: {written}\n", "file.yaml")
    assert not problems
    found = sources[0].value["key"]
    assert (type(found), found) == (type(value), value)


def test_a_block_is_text() -> None:
    """A block scalar is text even where it looks like a number."""
    assert parse_text("key: |\n  5\n", "file.yaml")[0][0].value == {"key": "5\n"}


def test_many_documents_and_empty_ones() -> None:
    """Every document is read; an empty one is none."""
    sources, problems = parse_text("a: 1\n---\n---\n# nothing\n---\nb: 2\n...\n", "file.yaml")
    assert not problems
    assert [each.value for each in sources] == [{"a": 1}, {"b": 2}]
    assert str(sources[1].origin(("b",))) == "file.yaml:6:1"


def test_an_anchor_is_the_value_it_names() -> None:
    """A few aliases are an ordinary convenience."""
    assert parse_text("a: &x {k: 1}\nb: *x\n", "file.yaml")[0][0].value == {"a": {"k": 1}, "b": {"k": 1}}


@pytest.mark.parametrize("tag", ["!mine", "!!binary", "!!python/object/apply:os.system", "!!set", "!!omap"])
def test_a_tag_that_makes_something_else_is_refused(tag: str) -> None:
    """No tag runs code or makes a type that JSON has not."""
    _, problems = parse_text(f"a: 1\nkey: {tag} x\n", "file.yaml")
    assert [str(each.origin) for each in problems] == ["file.yaml:2:6"]
    assert "is not allowed" in problems[0].message


def test_a_key_written_twice_is_refused() -> None:
    """The second one is named, wherever it stands."""
    _, problems = parse_text("a:\n  b: 1\n  c: 2\n  b: 3\n", "file.yaml")
    assert [str(each) for each in problems] == ["file.yaml:4:3: the key 'b' is written twice"]


def test_a_key_must_be_a_word() -> None:
    """JSON has no keys but text."""
    _, problems = parse_text("? [a, b]\n: 1\n", "file.yaml")
    assert problems[0].message == "a key must be a scalar"


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: [\n", "file.yaml:2:1"), ("a: b: c\n", "file.yaml:1:5"), ("\ta: 1\n", "file.yaml:1:1"), ("a: *b\n", None)],
)
def test_what_is_not_yaml_is_named_with_its_place(text: str, place: str | None) -> None:
    """A syntax error is one problem, with line and column."""
    _, problems = parse_text(text, "file.yaml")
    assert len(problems) == 1
    assert problems[0].message.startswith("invalid YAML: ")
    assert place in (None, str(problems[0].origin))


def test_an_alias_bomb_goes_off_harmlessly() -> None:
    """A few lines that unfold to billions of values are refused before they do."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    _, problems = parse_text("\n".join(lines), "file.yaml")
    assert "aliases unfold to more than" in problems[-1].message
    assert problems[-1].origin is not None


def test_an_alias_inside_itself_ends() -> None:
    """A value that holds itself is too deep, not endless."""
    _, problems = parse_text("a: &x [*x]\n", "file.yaml")
    assert "nested deeper than" in problems[0].message


@pytest.mark.parametrize("depth", [100, 2_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", "")])
def test_deep_nesting_is_refused(depth: int, opening: str, closing: str) -> None:
    """A file too deep is a problem with a place."""
    start = "" if opening == "- " else "a: "
    _, problems = parse_text(f"{start}{opening * depth}1{closing * depth}\n", "file.yaml")
    assert len(problems) == 1
    assert "nested deeper than" in problems[0].message


@pytest.mark.parametrize("opening", ["[", "- ", "{a: "])
def test_nesting_without_end_does_not_end_the_process(tmp_path: Path, opening: str) -> None:
    """However deep, the answer is a problem; asked in a process of its own, since a crash takes it along."""
    file = tmp_path / "deep.yaml"
    file.write_text(opening * 100_000)
    program = "import sys; from rsspot.manifests.source import parse_text\n"
    program += "print(len(parse_text(open(sys.argv[1]).read(), 'deep.yaml')[1]))"
    ended = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "1\n")


def test_nesting_up_to_the_bound_is_fine() -> None:
    """The bound itself is allowed."""
    depth = source.DEEPEST - 1
    sources, problems = parse_text(f"a: {'[' * depth}1{']' * depth}\n", "file.yaml")
    assert not problems
    assert sources


def test_merge_keys_fill_in_what_is_not_written() -> None:
    """From one mapping or several; the first that has a key counts."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 0}\nd: {<<: *b}\n'<<': text\n"
    (document,), problems = parse_text(text, "file.yaml")
    assert not problems
    assert document.value["c"] == {"x": 0, "y": 1, "z": 2}
    assert document.value["d"] == {"y": 2, "z": 2}
    assert document.value["<<"] == "text"


@pytest.mark.parametrize("text", ["a: {<<: 1}\n", "a: {<<: [1]}\n"])
def test_only_mappings_can_be_merged(text: str) -> None:
    """Anything else is a problem at its place."""
    _, problems = parse_text(text, "file.yaml")
    assert "takes a mapping" in problems[0].message


@pytest.mark.parametrize("text", ["9" * 5000, "0x" + "f" * 5000, "1e999", "-1e999", "1." + "0" * 10 + "e400"])
def test_a_number_out_of_range_is_a_problem(text: str) -> None:
    """And no internal error."""
    sources, problems = parse_text(f"key: {text}\n", "file.yaml")
    assert problems or isinstance(sources[0].value["key"], int)


def test_json_escapes_are_read() -> None:
    """YAML knows no surrogates; in YAML they stay what they are."""
    text = '{"a": "\\ud83d\\ude00 \\u00e9", "b": "\\/"}'
    (document,), problems = parse_text(text, "file.json")
    assert not problems
    assert document.value == {"a": "\U0001f600 \u00e9", "b": "/"}
    assert parse_text("a: '\\ud83d\\ude00'\n", "file.yaml")[0][0].value == {"a": "\\ud83d\\ude00"}
