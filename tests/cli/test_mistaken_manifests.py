"""Mistakes around manifests: variables, stacks, hidden files and tabs are named, with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.cli.app import run
from support.shell import CLOUDSPACE, write

NAMED = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: things}\nspec: {variables: {size: 2}}\n---\n"
WITH_VARIABLE = NAMED + CLOUDSPACE.replace("us-central-dfw-1", "${var:region}")


@pytest.mark.parametrize("command", ["plan", "validate", "apply"])
def test_an_unknown_variable_is_an_error(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """The mistyped one is as good as none."""
    file = write(WITH_VARIABLE.replace("${var:region}", "${var:region:-us-central-dfw-1}"))
    yes = ["--yes"] if command == "apply" else []
    assert run(["--sandbox", command, file, "--var", "regoin=us-east-iad-1", *yes]) == 3
    said = capsys.readouterr().err
    assert "no manifest declares or uses a variable 'regoin'" in said
    assert "did you mean 'region'?" in said


def test_an_unknown_variable_lists_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that a manifest uses, and those that the Stack declares."""
    file = write(WITH_VARIABLE)
    assert run(["--sandbox", "plan", file, "--var", "region=us-central-dfw-1", "--var", "zzz=1"]) == 3
    assert "variables: region, size" in capsys.readouterr().err


def test_a_declared_variable_may_be_unused() -> None:
    """It is there to be set."""
    assert run(["--sandbox", "validate", write(NAMED + CLOUDSPACE), "--var", "size=3"]) == 0


def test_a_missing_variable_names_the_one_that_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    """The reference is right, and the option is not."""
    assert run(["--sandbox", "plan", write(WITH_VARIABLE), "--var", "regon=us-central-dfw-1"]) == 3
    said = capsys.readouterr().err
    assert "no variable 'region'" in said
    assert "did you mean 'regon'?" in said


def test_an_unknown_stack_lists_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    """By the labels of what lives, and by the ledger."""
    assert run(["--sandbox", "apply", write(NAMED + CLOUDSPACE), "--yes", "--wait", "none"]) == 0
    capsys.readouterr()
    assert run(["--sandbox", "destroy", "--stack", "thing", "--yes"]) == 1
    said = capsys.readouterr().err
    assert "there is no stack 'thing'" in said
    assert "did you mean 'things'? stacks of this organization: things" in said


def test_an_organization_without_stacks(capsys: pytest.CaptureFixture[str]) -> None:
    """Then there is nothing to list."""
    assert run(["--sandbox", "destroy", "--stack", "thing", "--yes"]) == 1
    assert "this organization has no stacks" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_hidden_files_are_named(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Those that could be manifests; not what other tools keep in hidden folders."""
    Path("m/.git").mkdir(parents=True)
    for name in ("a.yaml", ".b.yaml", ".c.JSON", ".notes", ".git/d.yaml", ".ignored.yaml"):
        write(CLOUDSPACE, f"m/{name}")
    Path("m/.rsspotignore").write_text(".ignored*\n")
    assert run(["--sandbox", command, "m"]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if "hidden" in line]
    assert notes == [f"Note: m/{name} is hidden: passed over" for name in (".b.yaml", ".c.JSON")]


def test_a_hidden_file_that_is_given_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """And not named as passed over."""
    Path("m").mkdir()
    write(CLOUDSPACE, "m/a.yaml")
    write(CLOUDSPACE.replace("name: edge", "name: other"), "m/.b.yaml")
    assert run(["--sandbox", "validate", "m", "m/.b.yaml"]) == 0
    output = capsys.readouterr().out
    assert "2 manifests" in output
    assert "hidden" not in output


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (CLOUDSPACE.replace("  region", "\tregion"), "6:1"),
        (CLOUDSPACE.replace("  kubernetes", "  \tkubernetes"), "7:3"),
        ("\t" + CLOUDSPACE, "1:1"),
    ],
)
def test_a_tab_is_called_a_tab(capsys: pytest.CaptureFixture[str], text: str, place: str) -> None:
    """An editor shows no difference."""
    assert run(["--sandbox", "validate", write(text)]) == 3
    said = capsys.readouterr().err
    assert f"stack.yaml:{place}: invalid YAML: a tab is used as indentation" in said


def test_an_unknown_word_of_a_few_is_answered_with_the_one_meant(capsys: pytest.CaptureFixture[str]) -> None:
    """And all of them are listed."""
    text = CLOUDSPACE + "  cni: celium\n  deploymentType: gen3\n"
    assert run(["--sandbox", "validate", write(text)]) == 3
    said = capsys.readouterr().err
    assert "spec.cni: must be 'calico', 'cilium' or 'byocni'; did you mean 'cilium'?" in said
    assert "spec.deploymentType: must be 'gen1' or 'gen2'; did you mean" in said
