"""The programs that a plan would run: approved with the plan by their digests, and checked before it runs."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from rsspot.errors import StalePlan
from rsspot.models.fields import COMMAND
from rsspot.planner.change import Change
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import at_path

MISSING = "missing"


def programs_of(changes: Iterable[Change]) -> dict[str, str]:
    """Absolute path of each program -> digest of its file, or MISSING if there is none that can be read."""
    programs = {}
    for change in changes:
        for path in kinds()[change.ref.kind].marked(COMMAND):
            command = at_path(change.body, ("spec", *path))
            if isinstance(command, list) and command and isinstance(command[0], str):
                program = shutil.which(command[0]) or command[0]
                programs[program] = _digest(Path(program))
    return dict(sorted(programs.items()))


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
