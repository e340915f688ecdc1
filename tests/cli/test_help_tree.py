"""The help of every command: what it does, its options, examples that are right, and the global options."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer

from rsspot.cli.app import root, run
from rsspot.cli.command_tree import CommandNode, command_tree
from rsspot.cli.examples import examples_of
from rsspot.cli.options import FORMATS, GLOBAL_OPTIONS, split
from rsspot.utils import output

TREE = list(command_tree().walk())
NAMES = [" ".join(node.words) or "rsspot" for node in TREE]


@pytest.mark.parametrize("node", TREE, ids=NAMES)
def test_every_help_is_whole(node: CommandNode, capsys: pytest.CaptureFixture[str]) -> None:
    """It is the same with -h, and no line is wider than it should be."""
    assert run([*node.words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert run([*node.words, "-h"]) == 0
    assert capsys.readouterr().out == shown
    assert shown.startswith(" ".join(["Usage: rsspot", *node.words]))
    assert node.whole_help
    assert re.search(r"^Examples:\n  (source <\()?rsspot", shown, re.MULTILINE)
    assert all(option.names[0] in shown for option in GLOBAL_OPTIONS if option.help)
    assert all(len(line) < 80 for line in shown.splitlines() if "rsspot " not in line)


@pytest.mark.parametrize("node", TREE, ids=NAMES)
def test_every_example_is_a_command(node: CommandNode) -> None:
    """The parser takes it, to its last option. An example shows the command itself, or one of its group."""
    for example in examples_of(" ".join(["rsspot", *node.words])):
        command = re.split(r" [<>|] ", example.removeprefix("source <(").removesuffix(")"))[0]
        words = shlex.split(command)
        assert words[0] == "rsspot"
        rest = split(words[1:])[1]
        assert rest[: len(node.words)] == list(node.words)
        parsed(rest)


def parsed(words: list[str]) -> Any:
    """The context of the command that these words call. Runs nothing. Raises the parser's errors."""
    command: Any = typer.main.get_command(root)
    context = command.make_context("rsspot", list(words))
    while hasattr(command, "resolve_command"):
        name, command, words = command.resolve_command(context, words)
        context = command.make_context(name, list(words), parent=context)
        words = [*context._protected_args, *context.args] if hasattr(command, "resolve_command") else []
    return context


def test_the_help_names_the_formats() -> None:
    """They are a copy, since the help must not import what formats."""
    assert [each.removesuffix("=…") for each in FORMATS] == list(output.FORMATS)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        (["clodspaces", "list"], "cloudspaces"),
        (["cloudspaces", "lst"], "list"),
        (["nodepools", "spto", "list"], "spot"),
        (["spotnodepools", "list", "--withn", "x"], "--within"),
        (["plan", "--pruen"], "--prune"),
        (["regions", "list", "-o", "jsn"], "json"),
        (["explain", "SpotNodePol"], "spotnodepool"),
        (["explain", "SpotNodePool.bidPrise"], "bidPrice"),
    ],
)
def test_a_wrong_word_is_answered_with_the_one_meant(
    wrong: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, options, formats, kinds and fields."""
    assert run(["--sandbox", *wrong]) == 3
    assert f"did you mean {meant!r}?" in capsys.readouterr().err


def test_help_and_version_are_commands_too(capsys: pytest.CaptureFixture[str]) -> None:
    """`help X` is `X --help`."""
    assert run(["help", "spotnodepools", "create"]) == 0
    assert capsys.readouterr().out.startswith("Usage: rsspot spotnodepools create")
    assert run(["help", "--no-cache"]) == 0
    assert capsys.readouterr().out.startswith("Usage: rsspot [OPTIONS] COMMAND")
    assert run(["version"]) == 0
    assert capsys.readouterr().out.startswith("rsspot ")
