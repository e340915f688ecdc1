"""How a command shows a plan: in how much detail, and to which files it writes it besides. Reads no options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rsspot.errors import UsageError
from rsspot.reports.registry import plan_report_for
from rsspot.utils.files import write_private

if TYPE_CHECKING:
    from rsspot.planner.plan import Plan
    from rsspot.reports.protocol import Detail


@dataclass(frozen=True)
class PlanDisplay:
    """How a command shows a plan. files: where it is written to besides, with the format of each."""

    detail: Detail
    files: tuple[tuple[Path, str], ...] = ()
    past_prices: bool = False
    """Whether something that is asked for draws past prices."""

    def write(self, plan: Plan) -> None:
        """Write every report, each atomically. Raises UsageError for a file that cannot be written."""
        for file, name in self.files:
            text = plan_report_for(name, detail=self.detail).plan(plan) + "\n"
            try:
                write_private(file, text, follow=False)
            except OSError as error:
                raise UsageError(f"cannot write {file}: {error.strerror or error}") from None
