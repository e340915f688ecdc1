"""Shell completion: what may follow the words typed so far. Called by the shell at each Tab, as `rsspot __complete`.

It imports next to nothing, since a person waits for it: the commands come from completion_words.py, which is derived
from them, and names of objects from what earlier commands have left in state.db. It sends nothing, writes nothing and
never fails: where it knows nothing, it prints nothing.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
"""Type checkers take it for theirs. Importing `typing` would take longer than completing a word."""
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Names = Callable[[str, str | None, Sequence[str]], list[str]]
    """(plural, kind or None, words of the line) -> names of objects, with those of their parents: `edge/workers`"""

FILES = "files"
"""A value that is a file: the shell completes those itself."""
NAMES = "names "
"""What begins a value that is the name of an object; the plural of its kind follows."""
COMMANDS = "commands"
"""Values that are the words of a command."""
SUBJECTS = "subjects"
"""A value that is a kind, a field of one, as `SpotNodePool.bidPrice`, or an object, as `spotnodepool/edge/workers`."""
Candidates = dict[str, str]
"""Word -> its help, which may be empty."""


def main(words: Sequence[str]) -> None:
    """Print what may stand in the place of the last word: `files`, or `words` and a line for each.

    The help of a word follows it after a tab. words: those after `rsspot`, up to the cursor
    """
    try:
        from rsspot.cli.completion_words import TABLE

        found = complete(list(words) or [""], TABLE, _names_in_time)
        lines = [FILES] if found is None else ["words", *(f"{word}\t{help}" for word, help in found.items())]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
    except Exception:
        return


def _names_in_time(plural: str, kind: str | None, words: Sequence[str]) -> list[str]:
    from rsspot.cli.live_names import live_names, stop_in_time

    stop_in_time()
    return live_names(plural, kind, words)


def complete(words: list[str], table: dict[str, Any], names: Names) -> Candidates | None:
    """What may stand in the place of the last word; None for a file. names: finds the names of objects"""
    *before, current = _without_equals(words)
    line = Line(table, before, names)
    if line.pending is not None:
        return line.values(line.pending, current)
    name, equals, value = current.partition("=")
    if equals and name.startswith("--"):
        found = line.values(line.options.get(name), value)
        return found if found is None else {f"{name}={word}": help for word, help in found.items()}
    if current.startswith("-") and not line.ended:
        return _beginning(dict.fromkeys(line.options, ""), current)
    if line.commands:
        return _beginning(line.commands, current)
    return line.values(line.argument, current)


class Line:
    """The words before the one that is completed, understood as the parser would."""

    def __init__(self, table: dict[str, Any], before: Sequence[str], names: Names) -> None:
        self._table = table
        self._names = names
        self._before = before
        self._node: dict[str, Any] = table["commands"][""]
        self._path: list[str] = []
        self._arguments: list[str] = []
        self.pending: Any = None
        """What completes the value of the option before the cursor; None if it is not for a value."""
        self.ended = False
        """Whether `--` has ended the options."""
        for word in before:
            self._take(word)

    @property
    def options(self) -> dict[str, Any]:
        """The options that may follow, with what completes their values."""
        own: dict[str, Any] = self._node["options"]
        return {**own, **self._table["globals"]}

    @property
    def commands(self) -> Candidates:
        """The commands that may follow."""
        commands: Candidates = self._node.get("commands", {})
        return commands

    @property
    def argument(self) -> Any:
        """What completes the argument at the cursor; None if there is none."""
        arguments = self._node.get("arguments", [])
        if len(self._arguments) < len(arguments):
            return arguments[len(self._arguments)]
        return arguments[-1] if arguments and self._node["repeats"] else None

    def values(self, value: Any, beginning: str) -> Candidates | None:
        """The values of an option or argument with this beginning; None for files."""
        if isinstance(value, dict):
            value = value.get(self._arguments[-1])
        if value == FILES:
            return None
        if value == COMMANDS:
            return _beginning(Line(self._table, self._arguments, self._names).commands, beginning)
        found = value if isinstance(value, list) else []
        if value == SUBJECTS:
            found = self._subjects(beginning)
        elif isinstance(value, str) and value.startswith(NAMES):
            found = self._objects(value.removeprefix(NAMES), beginning)
        return _beginning(dict.fromkeys(found, ""), beginning)

    def _objects(self, plural: str, beginning: str) -> list[str]:
        from rsspot.cli.completing_names import objects

        known = self._names(plural, self._table["kinds"].get(plural), self._before)
        by_kind = self._plural(beginning.partition("/")[0]) == plural
        return objects(known, beginning, within=self._within(), by_kind=by_kind)

    def _subjects(self, beginning: str) -> list[str]:
        word, slash, _ = beginning.partition("/")
        if slash:
            plural = self._plural(word)
            return self._objects(plural, beginning) if plural else []
        of_kinds: dict[str, str] = self._table["fields"]
        if "." not in beginning:
            return list(of_kinds)
        from rsspot.cli.completing_names import fields

        word = beginning.partition(".")[0]
        kind = self._table["kinds"].get(self._plural(word), word)
        paths = next((of_kinds[name] for name in of_kinds if name.lower() == kind.lower()), "")
        return fields(paths.split(), beginning)

    def _plural(self, word: str) -> str | None:
        """The plural of the kind that a word stands for, as the name of a group does."""
        plural: str | None = self._table["aliases"].get(_squashed(word))
        return plural

    def _within(self) -> str | None:
        """The parent that the line names, by any of the names of its option."""
        value = self.options.get("--within")
        for index, word in enumerate(self._before):
            name, equals, parent = word.partition("=")
            if value and name.startswith("--") and self.options.get(name) == value:
                return parent if equals else next(iter(self._before[index + 1 :]), None)
        return None

    def _take(self, word: str) -> None:
        if self.pending is not None:
            self.pending = None
        elif word == "--" and not self.ended:
            self.ended = True
        elif word.startswith("-") and not self.ended:
            if "=" not in word:
                self.pending = self.options.get(word)
        elif self.commands:
            self._enter(word)
        else:
            self._arguments.append(word)

    def _enter(self, word: str) -> None:
        name = word
        if not self._path and word not in self.commands:
            name = self._plural(word) or word
        node = self._table["commands"].get(" ".join([*self._path, name]))
        if node is not None:
            self._path.append(name)
            self._node = node


def _squashed(word: str) -> str:
    """The same as `utils.text.squashed`, without importing it."""
    return word.replace("-", "").replace("_", "").lower()


def _without_equals(words: list[str]) -> list[str]:
    """The words of bash, which takes `--region=us` apart into three, as two."""
    found: list[str] = []
    for index, word in enumerate(words):
        if word == "=" and index and words[index - 1].startswith("--"):
            if index + 1 == len(words):
                found.append("")
            continue
        found.append(word)
    return found


def _beginning(candidates: Candidates, beginning: str) -> Candidates:
    return {word: help for word, help in candidates.items() if word.startswith(beginning)}
