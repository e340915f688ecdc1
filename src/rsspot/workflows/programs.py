"""The programs that a plan would run: approved with the plan by their digests, and checked before it runs."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from rsspot.errors import Problem, StalePlan
from rsspot.models.fields import COMMAND
from rsspot.planner.case import Rule
from rsspot.planner.change import Change
from rsspot.planner.change import Path as Place
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import at_path

MISSING = "missing"


def programs_of(changes: Iterable[Change]) -> dict[str, str]:
    """Absolute path of each program -> digest of its file, or MISSING if there is none that can be read."""
    named = (shutil.which(name) or name for change in changes for _, name in _commands(change))
    return {program: _digest(Path(program)) for program in sorted(set(named))}


def _commands(change: Change) -> Iterator[tuple[Place, str]]:
    """The programs that a change would run: where each is named, and its name."""
    for path in kinds()[change.ref.kind].marked(COMMAND):
        command = at_path(change.body, ("spec", *path))
        if isinstance(command, list) and command and isinstance(command[0], str):
            yield ("spec", *path), command[0]


def unusable_programs(changes: Iterable[Change]) -> Iterator[Problem]:
    """Each program that this machine could not run, at the place where a manifest names it."""
    for change in changes:
        for path, name in _commands(change):
            if shutil.which(name) is None:
                what = "is not executable" if Path(name).is_file() else "does not exist"
                hint = "run: chmod +x" if Path(name).is_file() else "correct the path, or install the program"
                yield Problem(f"{change.address}: the program {name} {what}", change.where(path), hint, Rule.PROGRAM)


def check_programs(plan: Plan) -> None:
    """Raises StalePlan if a plan would run another program than the one that it was made with."""
    for program, now in programs_of(plan.changes).items():
        planned = plan.programs.get(program)
        if planned is None:
            raise StalePlan(f"the saved plan would run {program}, which it was not made with", hint="make a new plan")
        if planned != now:
            raise StalePlan(f"the program {program} is not the one that the plan was made with", hint="make a new plan")


def _digest(program: Path) -> str:
    try:
        with program.open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return MISSING
