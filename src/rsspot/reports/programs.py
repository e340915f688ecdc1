"""The programs that a plan would run on this machine, for every format to show. Renders nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rsspot.models.fields import COMMAND
from rsspot.planner.change import Change
from rsspot.planner.plan import Plan
from rsspot.reports.wording import value_text
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import at_path
from rsspot.utils.text import printable


@dataclass(frozen=True)
class ProgramCall:
    """A program with its arguments, as one JSON list. addresses: of the changes that run it"""

    argv: str
    addresses: tuple[str, ...]

    @property
    def users(self) -> str:
        """Whom it is run for, in a few words."""
        more = len(self.addresses) - 1
        return f"{printable(self.addresses[0])}{f' and {more} more' if more else ''}"


def program_calls(changes: Iterable[Change]) -> list[ProgramCall]:
    """Every command line that the changes would run, each once. Secrets in them must be masked already."""
    found: dict[str, list[str]] = defaultdict(list)
    for change in changes:
        kind = kinds().get(change.ref.kind)
        for path in kind.marked(COMMAND) if kind and change.body else ():
            argv = at_path(change.body, ("spec", *path))
            if argv:
                found[value_text(argv)].append(change.address)
    return [ProgramCall(argv, tuple(addresses)) for argv, addresses in sorted(found.items())]


def program_files(plan: Plan) -> list[tuple[str, str]]:
    """The files of these programs: absolute path, and digest."""
    return [(printable(path), printable(digest)) for path, digest in sorted(plan.programs.items())]
