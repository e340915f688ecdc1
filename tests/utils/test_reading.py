"""What somebody else wrote is read within bounds, and the only errors are ValueError and OSError."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsspot.utils.reading import DEEPEST_JSON, parse_json, read_text

VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_ordinary_json_is_read_as_it_is(value: Any) -> None:
    """Brackets in strings are no nesting."""
    assert parse_json(json.dumps(value)) == value
    assert parse_json(b"\xef\xbb\xbf" + json.dumps({"[" * 200: value}).encode()) == {"[" * 200: value}


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("levels", [DEEPEST_JSON + 1, 900, 3000, 200_000])
def test_deep_nesting_is_refused(opening: str, closing: str, levels: int) -> None:
    """Before anything that walks it overflows the stack."""
    with pytest.raises(ValueError, match=r"nested deeper than|Expecting"):
        parse_json(opening * levels + "1" + closing * levels)
    assert parse_json(opening * 60 + "1" + closing * 60)


@pytest.mark.parametrize("text", ["", "{", "9" * 5000, b"\xff", "'a'", "{} {}"])
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    """And nothing else."""
    with pytest.raises(ValueError, match=r".+"):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"\\ud800"', "\ufffd"),
        ('{"a\\udc00": ["\\ud83d\\ude00", "\\udfff"]}', {"a\ufffd": ["\U0001f600", "\ufffd"]}),
        ("NaN", None),
        ("[Infinity, -Infinity, 1e999, -1e999, 1e5]", [None, None, None, None, 1e5]),
    ],
)
def test_what_json_cannot_say_is_replaced(text: str, value: Any) -> None:
    """Lone surrogates can be neither stored nor printed, and NaN is not JSON."""
    assert parse_json(text) == value


def test_a_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    """And without its byte order mark."""
    file = tmp_path / "a"
    file.write_bytes(b"\xef\xbb\xbfabc")
    assert read_text(file) == "abc"
    with pytest.raises(ValueError, match="larger than 5 bytes"):
        read_text(file, most=5)
    file.write_bytes(b"\xff")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_text(file)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/"])
def test_a_device_is_not_read(path: str) -> None:
    """It might never end."""
    with pytest.raises(OSError, match=r"regular file|a directory|Is a directory"):
        read_text(Path(path))


def test_a_pipe_is_read_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """One that nobody writes to would make the reader wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="regular file"):
        read_text(tmp_path / "pipe")
    reading, writing = os.pipe()
    os.write(writing, b"text")
    os.close(writing)
    assert read_text(Path(f"/dev/fd/{reading}"), pipes=True) == "text"
    os.close(reading)
