"""`rsspot fmt` as its user types it: what it writes, what it leaves alone, and its exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from rsspot.cli.app import run

ODD = "kind: CloudSpace\napiVersion: ngpc.rxt.io/v1\nmetadata: {name: edge}\nspec: {region: dfw}\n"
USUAL = "apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {name: edge}\nspec: {region: dfw}\n"


def test_a_folder_is_formatted_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The names of the files that changed are printed, and nothing is left to do afterwards."""
    Path("a.yaml").write_text(ODD)
    Path("b.yaml").write_text(USUAL)
    assert run(["fmt", "."]) == 0
    assert capsys.readouterr().out == "a.yaml\n"
    assert Path("a.yaml").read_text() == USUAL
    assert run(["fmt", "."]) == 0 == run(["fmt", "--check", "."])
    assert capsys.readouterr().out == ""


def test_check_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """And exits with the code of changes."""
    Path("a.yaml").write_text(ODD)
    assert run(["fmt", "--check", "a.yaml"]) == 2
    assert capsys.readouterr().out == "a.yaml\n"
    assert Path("a.yaml").read_text() == ODD


def test_a_diff_shows_what_changes_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """However the secret is written."""
    for secret in ("https://hooks.example.com/of-production-x7", '"https://hooks.example.com/of\\u002dproduction-x7"'):
        Path("a.yaml").write_text(ODD.replace("spec: {region: dfw}", f"spec:\n    webhook: {secret}\n    region: dfw"))
        assert run(["fmt", "--check", "--diff", "a.yaml"]) == 2
        printed = capsys.readouterr().out
        assert "+apiVersion: ngpc.rxt.io/v1" in printed and "production" not in printed, printed


def test_standard_input_goes_to_standard_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As editors run it."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(ODD.encode())))
    assert run(["fmt", "-"]) == 0
    assert capsys.readouterr().out == USUAL


def test_what_is_no_yaml_is_named_and_left(capsys: pytest.CaptureFixture[str]) -> None:
    """The others are formatted all the same."""
    Path("a.yaml").write_text(ODD)
    Path("b.yaml").write_text("kind: [\n")
    assert run(["fmt", "."]) == 3
    printed = capsys.readouterr()
    assert "b.yaml:2:1: invalid YAML" in printed.err and printed.out == "a.yaml\n"
    assert Path("b.yaml").read_text() == "kind: [\n"
    assert Path("a.yaml").read_text() == USUAL


def test_mode_links_and_byte_order_mark_stay() -> None:
    """The file that a link leads to is replaced, not the link."""
    Path("real.txt").write_text("\ufeff" + ODD, encoding="utf-8")
    Path("real.txt").chmod(0o640)
    Path("a.yaml").symlink_to("real.txt")
    assert run(["fmt", "a.yaml"]) == 0
    assert Path("a.yaml").is_symlink()
    assert Path("real.txt").read_bytes() == b"\xef\xbb\xbf" + USUAL.encode()
    assert Path("real.txt").stat().st_mode & 0o777 == 0o640
    assert sorted(map(str, Path().iterdir())) == ["a.yaml", "real.txt"]


def test_a_document_that_cannot_be_laid_out_is_left_with_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    """One with a directive, for example."""
    text = f"%YAML 1.2\n---\n{ODD}"
    Path("a.yaml").write_text(text)
    assert run(["fmt", "a.yaml"]) == 0
    assert "a.yaml:1:1: this document is left as it is" in capsys.readouterr().err
    assert Path("a.yaml").read_text() == text


def test_what_init_writes_is_laid_out() -> None:
    """From the first day."""
    assert run(["--sandbox", "init", "infra", "--yes"]) == 0
    assert run(["fmt", "--check", "infra"]) == 0


def test_programs_are_told_of_each_file(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON."""
    Path("a.yaml").write_text(ODD)
    Path("b.yaml").write_text(USUAL)
    assert run(["fmt", "--check", ".", "-o", "json"]) == 2
    assert json.loads(capsys.readouterr().out) == [
        {"file": "a.yaml", "changed": True},
        {"file": "b.yaml", "changed": False},
    ]
