"""Any words after `rsspot` end with an exit code of the table, and with no traceback: seeded random command lines."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.cli.command_tree import CommandNode, command_tree
from rsspot.cli.options import GLOBAL_OPTIONS
from support.shell import STACK

LINES = 5000 if os.environ.get("RSSPOT_CHAOS") == "full" else 200
"""`make chaos` runs them all; each costs some milliseconds."""
BLOCK = 50
"""Command lines of one test. They share a sandbox, so that they find what others left."""
EXIT_CODES = range(12)
NEVER = {"serve", "run", "watch", "man"}
"""They run until somebody stops them, or start programs, or print more than is worth waiting for."""
VALUES = [
    *("edge", "workers", "edge/workers", "spotnodepool/edge/workers", "us-central-dfw-1", "gp.vs1.large-dfw", "0.03"),
    *("", "-", "--", "-1", "0", "1", "3.5", "NaN", "1e400", "null", "true", "{}", "[]", '{"desired": 2}', '{"a":', "@"),
    *("@stack.yaml", "stack.yaml", ".", "..", "/", "missing.yaml", "a=b", "=", "json", "yaml", "table", "name", "wide"),
    *(
        "jsonpath={.items[*].metadata.name}",
        "jsonpath={",
        "csv",
        "released",
        "*",
        "é",
        "東京",
        "\x1b[31m",
        "a\nb",
        "%s",
    ),
    *("11111111-2222-4333-8444-555555555555", "A" * 300, "https://example.com/hook", "2h", "-vv", "--yes", "-o", "'"),
]


class Lines:
    """Makes command lines. Most are nearly right, so that they get past the parser."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._nodes = [node for node in command_tree().walk() if node.words and node.words[-1] not in NEVER]

    def line(self) -> list[str]:
        """The words after `rsspot`."""
        node = self._random.choice(self._nodes)
        words = [*node.words, *self._arguments(node)]
        for _ in range(self._random.choice([0, 0, 1, 1, 2, 4])):
            words += self._option(node)
        if self._random.random() < 0.15:
            position = self._random.randrange(len(words))
            words[position] = self._random.choice([words[position][:-1], words[position] + "x", *VALUES])
        return [*words, *self._ends_soon(node)]

    def _arguments(self, node: CommandNode) -> list[str]:
        wanted = len(node.arguments) + self._random.choice([0, 0, 0, -1, 1])
        return [self._random.choice(VALUES) for _ in range(max(0, wanted))]

    def _option(self, node: CommandNode) -> list[str]:
        if not node.options or self._random.random() < 0.3:
            option = self._random.choice(GLOBAL_OPTIONS)
            names, takes_value = option.names, option.metavar is not None
        else:
            own = self._random.choice(node.options)
            names, takes_value = (*own.opts, *own.secondary_opts), not own.is_flag
        name, value = self._random.choice(names), self._random.choice(VALUES)
        if not takes_value:
            return [name]
        return [f"{name}={value}"] if self._random.random() < 0.3 and name.startswith("--") else [name, value]

    def _ends_soon(self, node: CommandNode) -> list[str]:
        """What keeps a command from waiting."""
        return {"wait": ["--timeout", "0"], "apply": ["--wait", "none"]}.get(node.words[-1], [])


def asks_for_tracebacks(line: list[str]) -> bool:
    """Whether a line asks for tracebacks, with -vv or -v twice."""
    return sum(2 if word.startswith("-vv") else word in ("-v", "--verbose") for word in line) > 1


@pytest.mark.parametrize("block", range(LINES // BLOCK))
def test_any_command_line_ends_well(block: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Seed after seed. Nothing is asked, since there is no terminal."""
    Path("stack.yaml").write_text(STACK)
    lines = Lines(block)
    for _ in range(BLOCK):
        line = lines.line()
        code = run(["--sandbox", *line])
        printed = capsys.readouterr()
        everything = printed.out + printed.err
        assert code in EXIT_CODES, line
        assert "internal error" not in everything, (line, everything[-500:])
        assert "Traceback" not in everything or asks_for_tracebacks(line), line
