"""Objects that are given inline, in a file or on standard input, so that no secret has to be an argument."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from rsspot.cli.inputs import read_json_argument
from rsspot.errors import UsageError

SPEC = {"desired": 3, "customLabels": {"team": "a"}}


@pytest.mark.parametrize(
    "text",
    [
        '{"desired": 3, "customLabels": {"team": "a"}}',
        "{desired: 3, customLabels: {team: a}}",
        "desired: 3\ncustomLabels:\n  team: a\n",
        '{\n\t"desired": 3,\n\t"customLabels": {"team": "a"}\n}',
    ],
    ids=["JSON", "YAML in braces", "YAML", "JSON with tabs"],
)
@pytest.mark.parametrize("how", ["inline", "file", "standard input"])
def test_each_form_is_read_from_each_place(text: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    argument = text
    if how == "file":
        Path("spec.txt").write_text(text)
        argument = "@spec.txt"
    if how == "standard input":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        argument = "-"
    assert read_json_argument(argument) == SPEC


def test_a_pipe_is_a_file() -> None:
    """As a shell's `<(…)` is."""
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_text('{"desired": 3}'))
    writer.start()
    assert read_json_argument("@pipe") == {"desired": 3}
    writer.join()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spec.json", "the argument is not an object"),
        ("[1, 2]", "the argument is not an object"),
        ("", "the argument is not an object"),
        ('{"webhook": "https://hunter2" ', "the argument: invalid JSON: Expecting"),
        ("a: 1\n---\nb: 2\n", "the argument has 2 documents"),
        ("a: 1\na: 2\n", "the key 'a' is written twice"),
        ("[" * 5000, "nested deeper than 64 levels"),
        ("@missing.yaml", "missing.yaml: cannot be read: No such file or directory"),
        ("@folder", "folder: cannot be read: Is a directory"),
        ("@binary", "binary: cannot be read: not UTF-8"),
    ],
)
def test_what_is_not_one_object_is_refused(text: str, message: str) -> None:
    """Without a word of what it holds."""
    Path("folder").mkdir()
    Path("binary").write_bytes(b"a: \xff\xff")
    with pytest.raises(UsageError) as caught:
        read_json_argument(text)
    assert message in caught.value.message
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_a_forgotten_sign_is_explained() -> None:
    """Whoever names a file learns how."""
    with pytest.raises(UsageError) as caught:
        read_json_argument("spec.json")
    assert "@FILE" in str(caught.value.hint)


def test_a_closed_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="there is no standard input"):
        read_json_argument("-")


def test_no_more_than_the_bound_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stream that never ends."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Endless()))
    with pytest.raises(UsageError, match="longer than 16777216 bytes"):
        read_json_argument("-")


class Endless(io.RawIOBase):
    """Bytes without an end."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "without a bound, reading never ends"
        return b" " * size
