"""Where output goes and what it holds: formats, terminals, colors, empty lists, and fields that are left out."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import yaml

from rsspot.cli.app import run
from support.shell import STACK, write
from support.terminal_stream import terminal

MORE = {"cloudSpace": "edge", "serverClass": "gp.vs1.large-dfw", "desired": 1, "bidPrice": "0.03"}
POOLS = ["--sandbox", "spotnodepools", "list"]


@pytest.fixture
def pool(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pool edge/workers."""
    assert run(["--sandbox", "apply", write(STACK), "--yes"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("output", ["table", "wide", "name", "csv"])
def test_an_empty_list_is_said_beside_the_output(capsys: pytest.CaptureFixture[str], output: str) -> None:
    """A script that counts lines counts none."""
    assert run([*POOLS, "-o", output]) == 0
    assert tuple(capsys.readouterr()) == ("", "No spotnodepools found.\n")


@pytest.mark.parametrize(("output", "out"), [("json", "[]\n"), ("yaml", "[]\n"), ("jsonpath={.items}", "[]")])
def test_an_empty_list_is_a_document(capsys: pytest.CaptureFixture[str], output: str, out: str) -> None:
    """With nothing on standard error."""
    assert run([*POOLS, "-o", output]) == 0
    assert tuple(capsys.readouterr()) == (out, "")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("jsno", "did you mean 'json'?"),
        ("json=x", "unknown output format 'json=x'"),
        ("jsonpath", "-o jsonpath needs a template"),
        ("jsonpath={.a", "unclosed action"),
        ("nothing", "use one of: table, wide, json, yaml, name, csv, jsonpath=…"),
    ],
)
def test_an_unknown_format_is_explained_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], output: str, said: str
) -> None:
    """Not even the sandbox is made."""
    assert run([*POOLS, "-o", output]) == 3
    assert said in capsys.readouterr().err
    assert not Path.home().exists()


@pytest.mark.parametrize("command", ["plan", "apply", "destroy"])
def test_a_plan_has_no_columns(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Refused before anything is sent."""
    assert run(["--sandbox", command, write(STACK), "-o", "csv"]) == 3
    assert "a plan or a run cannot be printed with -o csv" in capsys.readouterr().err


def test_a_template_that_does_not_fit_is_an_error(pool: None, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason."""
    assert run([*POOLS, "-o", "jsonpath={.items[9].spec}"]) == 3
    assert "array index out of bounds: index 9, length 1" in capsys.readouterr().err


@pytest.mark.parametrize("spelling", [["-o", "name"], ["-o=name"], ["--output", "name"], ["--output=name"]])
def test_the_format_is_taken_as_kubectl_takes_it(
    pool: None, capsys: pytest.CaptureFixture[str], spelling: list[str]
) -> None:
    """Anywhere on the line."""
    assert run([*spelling, *POOLS]) == 0
    assert capsys.readouterr().out == "spotnodepool/edge/workers\n"


def test_managed_fields_are_shown_if_asked_for(pool: None, capsys: pytest.CaptureFixture[str]) -> None:
    """They are longer than all the rest, and nobody reads them."""
    for option, there in (([], False), (["--show-managed-fields"], True)):
        assert run([*POOLS, *option, "-o", "json"]) == 0
        (shown,) = json.loads(capsys.readouterr().out)
        assert ("managedFields" in shown["metadata"]) is there


@pytest.mark.parametrize("command", [["list"], ["get", "edge/workers"], ["wait", "edge/workers"]])
def test_an_object_begins_with_what_it_is(pool: None, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    """In JSON and YAML."""
    for output, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        assert run(["--sandbox", "spotnodepools", *command, "-o", output]) == 0
        shown = read(capsys.readouterr().out)
        document = shown[0] if isinstance(shown, list) else shown
        assert list(document) == ["apiVersion", "kind", "metadata", "spec", "status"]


def test_csv_keeps_exact_values(pool: None, capsys: pytest.CaptureFixture[str]) -> None:
    """A formula too: whoever opens it in a spreadsheet has to import it as text, and scripts get what was stored."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlZWZiZWVmYmVlZmJlZWZiZWVmYmVlZmJlZWZiZWVmYmVl"
    spec = json.dumps({"description": '=1+1,"x"', "publicKey": key})
    assert run(["--sandbox", "vmsshkeys", "create", "ops", spec]) == 0
    capsys.readouterr()
    assert run(["--sandbox", "vmsshkeys", "list", "-o", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["name"], row["description"]) == ("ops", '=1+1,"x"')
    assert run([*POOLS, "-o", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["desired"], row["bidPrice"], row["creationTimestamp"][:2]) == ("2", "0.03", "20")


def test_a_terminal_gets_colors(pool: None) -> None:
    """The heading is bold, and a phase is green."""
    with terminal(80, color=True) as out:
        assert run(["--sandbox", "cloudspaces", "list"]) == 0
    assert "\x1b[1mNAME" in out.getvalue() and "\x1b[32mReady" in out.getvalue()


@pytest.mark.parametrize(("variable", "value", "option"), [("NO_COLOR", "1", []), ("TERM", "dumb", [])])
def test_colors_are_turned_off(
    pool: None, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, option: list[str]
) -> None:
    """By the environment."""
    with terminal(80, color=True) as out:
        monkeypatch.setenv(variable, value)
        assert run(["--sandbox", "cloudspaces", "list", *option]) == 0
    assert "\x1b" not in out.getvalue()


def test_an_option_turns_colors_off(pool: None) -> None:
    with terminal(80, color=True) as out:
        assert run(["--sandbox", "--no-color", "cloudspaces", "list"]) == 0
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize("output", ["json", "yaml", "name", "csv", "jsonpath={.items}"])
def test_only_tables_have_colors(pool: None, output: str) -> None:
    """A terminal may be recorded, or copied from."""
    with terminal(40, color=True) as out:
        assert run([*POOLS, "-o", output]) == 0
    assert "\x1b" not in out.getvalue() and "…" not in out.getvalue()


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml", "name", "csv", "jsonpath={.kind}{'\\n'}"])
def test_a_change_is_one_line_in_every_format(pool: None, capsys: pytest.CaptureFixture[str], output: str) -> None:
    """After the heading of CSV, which is printed once."""
    assert run(["--sandbox", "spotnodepools", "create", "more", json.dumps(MORE)]) == 0
    capsys.readouterr()
    assert run(["--sandbox", "spotnodepools", "watch", "--events", "2", "-o", output]) == 0
    assert len(capsys.readouterr().out.splitlines()) == (3 if output == "csv" else 2)
