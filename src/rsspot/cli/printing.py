"""Printing: how the result of a command is printed, by its options and where standard output goes."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Self

from rsspot.cli.options import CliOptions
from rsspot.errors import UsageError
from rsspot.utils.streams import on_terminal, terminal_width

if TYPE_CHECKING:
    from datetime import datetime

    from rsspot.utils.output import Shown
    from rsspot.utils.tables import Look

DOCUMENTS = frozenset({"json", "yaml", "jsonpath"})
"""The formats that programs read whole documents from."""


class Printing(ABC):
    """The part of a session that prints."""

    options: CliOptions

    @abstractmethod
    def now(self) -> datetime:
        """The time that ages are counted from."""

    @property
    def color(self) -> bool:
        """Whether to use colors on standard output."""
        return on_terminal() and not self.plain_text

    @property
    def plain_text(self) -> bool:
        """Whether only plain text is wanted, or all that the terminal can show."""
        return self.options.no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"

    def emit(self, value: object, released: Callable[[Self], object] | None = None) -> None:
        """Print a command's result, of plain types, in the output format in use. released: makes the shape of 0.3"""
        from rsspot.utils.output import Plain

        self.show(Plain(released(self) if released and self.as_released else value))

    def emit_settings(self, values: Mapping[str, object], released: Callable[[Self], object]) -> None:
        """Print settings by their dotted names. In a table, `cache.enabled` is `cache enabled`, not just `enabled`."""
        from rsspot.utils.output import Plain

        titles = {name: name.replace(".", " ").replace("_", " ") for name in values}
        self.show(Plain(released(self)) if self.as_released else Plain(values, titles=titles))

    def show(self, shown: Shown, *, plural: str = "") -> None:
        """Print what a command shows in the output format in use. plural: what is missing if it is an empty list."""
        from rsspot.utils.output import JSONPATH, LINES

        name = self.options.output.partition("=")[0]
        if name in LINES and shown.empty:
            print(f"No {plural} found." if plural else "Nothing found.", file=sys.stderr)
            return
        for piece in self.rendered(shown):
            print(piece, end="")
        # kubectl ends no template with a line end of its own either.
        print(end="" if name == JSONPATH else "\n")

    def rendered(self, shown: Shown) -> Iterator[str]:
        """What a command shows, in the output format in use, in pieces."""
        from rsspot.reports.registry import DRAWINGS
        from rsspot.utils.output import FORMATS, UnknownFormat, render

        output = self.options.output
        if output.partition("=")[0] not in FORMATS:
            what = "pictures" if output in DRAWINGS else "plans and runs"
            raise UsageError(f"-o {output} is for {what}", hint=f"use one of: {', '.join(FORMATS)}")
        try:
            yield from render(shown, output, self.look)
        except UnknownFormat as error:
            raise UsageError(error.message, hint=error.hint) from None

    @property
    def as_released(self) -> bool:
        """Whether to print in the shapes of rsspot 0.3, which are for programs that read documents."""
        return self.options.shape == "released" and self.options.output.partition("=")[0] in DOCUMENTS

    def only(self, formats: Iterable[str], what: str = "a plan or a run") -> None:
        """Raise UsageError if the output format in use is none of these, before anything is sent."""
        if self.options.output not in formats:
            hint = f"use one of: {', '.join(formats)}"
            raise UsageError(f"{what} cannot be printed with -o {self.options.output}", hint=hint)

    @property
    def look(self) -> Look:
        """How tables look where standard output goes."""
        from rsspot.utils.tables import Look

        return Look(terminal_width(), self.color, self.now())
