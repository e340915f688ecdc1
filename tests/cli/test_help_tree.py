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


TYPES = re.compile(r"<[a-z][a-z \[\]]*>|\b(TEXT|INTEGER|FLOAT|RANGE|BOOLEAN)\b")
"""The parser's words for types, in all its versions."""


@pytest.mark.parametrize("node", TREE, ids=NAMES)
def test_help_is_in_whole_words(node: CommandNode, capsys: pytest.CaptureFixture[str]) -> None:
    """No sentence is cut, values have names instead of types, and no usage line has a name of Python."""
    assert run([*node.words, "--help"]) == 0
    shown = capsys.readouterr().out.partition("\nExamples:")[0]
    usage, _, rest = shown.partition("\n\n")
    assert not re.search(r"\.\.\.$", rest, re.MULTILINE)
    assert not TYPES.search(shown)
    assert all(option.help for option in node.options)
    assert not re.search(r"[{}]|\[\[|[a-z]\b(?!\S)", usage.removeprefix(" ".join(["Usage: rsspot", *node.words])))


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["cloudspaces", "get"], "[OPTIONS] NAME"),
        (["init"], "[OPTIONS] [FOLDER]"),
        (["plan"], "[OPTIONS] [PATH]..."),
        (["simulator", "price"], "[OPTIONS] CLASS [PRICE]"),
        (["simulator", "run"], "[OPTIONS] -- CMD..."),
        (["explain"], "[OPTIONS] KIND[.FIELD]|ADDRESS [PATH]..."),
    ],
)
def test_a_usage_line_says_what_may_be_left_out(
    words: list[str], usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As manual pages do. The hint of an error has the same line."""
    assert run([*words, "--help"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"Usage: rsspot {' '.join(words)} {usage}"


def test_an_error_calls_an_argument_as_help_does(capsys: pytest.CaptureFixture[str]) -> None:
    """NAME, not a name in Python."""
    assert run(["cloudspaces", "get"]) == 3
    printed = capsys.readouterr().err
    assert "'NAME'" in printed and "Usage: rsspot cloudspaces get [OPTIONS] NAME\n" in printed


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["history", "list"], "--limit N "),
        (["cloudspaces", "wait"], "--timeout SECONDS "),
        (["configure"], "--org-id ID "),
        (["plan"], "--out FILE "),
        (["autopilotnodepools", "create"], "--memory-per-vcpu MEMORY "),
        (["pricing", "build"], "--nodes N "),
        (["spotnodepools", "create"], "--desired N "),
    ],
)
def test_a_value_has_the_name_of_what_it_is(words: list[str], value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """From its type, or from the option's own words."""
    assert run([*words, "--help"]) == 0
    assert f"  {value}" in capsys.readouterr().out


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
