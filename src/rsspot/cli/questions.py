"""Questions to a person at a terminal, asked again until the answer can be used. Knows nothing about what is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rsspot.errors import Cancelled, UsageError
from rsspot.utils.tables import as_table
from rsspot.utils.text import printable

T = TypeVar("T")


@dataclass(frozen=True)
class Questions:
    """read: a line of the terminal with its end; "" at the end of input · say: shows a text, without a line end"""

    read: Callable[[], str]
    say: Callable[[str], object]

    def ask(self, question: str, default: str, use: Callable[[str], T]) -> T:
        """The answer as `use` returns it. An answer for which it raises UsageError is asked for again.

        Raises Cancelled at the end of input, and for Ctrl-C.
        """
        while True:
            line = self._answer(f"{question} [{default}]: ")
            try:
                return use(line.strip() or default)
            except UsageError as error:
                hint = f" ({error.hint})" if error.hint else ""
                self.say(f"  {printable(error.message)}{printable(hint)}\n")

    def _answer(self, prompt: str) -> str:
        try:
            self.say(prompt)
            line = self.read()
        except KeyboardInterrupt:
            # Typer would exit with its own code and no message.
            line = ""
        except UnicodeDecodeError:
            return "\ufffd"
        if not line:
            self.say("\n")
            raise Cancelled("no answer; nothing was written")
        return line

    def choose(self, question: str, rows: Sequence[dict[str, Any]], use: Callable[[str], T]) -> T:
        """One of the rows of a table, by its number or by its first column. The first row is the default."""
        names = [str(next(iter(row.values()))) for row in rows]
        numbered = [{"#": str(number), **row} for number, row in enumerate(rows, 1)]
        self.say(f"{as_table(numbered)}\n")

        def chosen(answer: str) -> T:
            by_number = answer.isdecimal() and 1 <= int(answer) <= len(names)
            return use(names[int(answer) - 1] if by_number else answer)

        return self.ask(question, names[0], chosen)


def at_this_terminal() -> Questions | None:
    """The questions to whoever sits at the terminal; None if nobody does. Standard output is for the result."""
    if sys.stdin is None or sys.stderr is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return Questions(sys.stdin.readline, _say)


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)
