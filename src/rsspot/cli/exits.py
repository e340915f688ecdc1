"""Errors to lines and exit codes: the only place that catches what commands raise. No traceback unless asked for."""

from __future__ import annotations

import sys
from contextlib import suppress

from rsspot.cli.options import Options
from rsspot.errors import ManifestError, PlanRefused, RsspotError
from rsspot.utils import printable

OK, ERROR, CHANGES, USAGE, CANCELLED = 0, 1, 2, 3, 8


def report(error: BaseException, options: Options) -> int:
    """Say what went wrong, in the format asked for; gives the exit code."""
    if options.verbose:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, RsspotError):
        _say(error, options)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
        return CANCELLED
    said = f"{type(error).__name__}: {error}"
    wrapped = RsspotError(f"this is a defect of rsspot: {said}", hint="run it again with -v and report what it prints")
    _say(wrapped, options)
    return ERROR


def _say(error: RsspotError, options: Options) -> None:
    if options.output == "json":
        import json

        with suppress(OSError):
            print(json.dumps({"error": _as_json(error)}, indent=2, ensure_ascii=False), flush=True)
            return
    if isinstance(error, ManifestError | PlanRefused):
        from rsspot.reports.problems import render_problems
        from rsspot.services.registry import secret_fields

        print(render_problems(error.problems, secrets=secret_fields()), file=sys.stderr)
    else:
        print(f"error: {printable(error.message)}", file=sys.stderr)
    if error.hint:
        print(
            f"  hint: {error.hint}" if not isinstance(error, ManifestError | PlanRefused) else error.hint,
            file=sys.stderr,
        )


def _as_json(error: RsspotError) -> dict[str, object]:
    document: dict[str, object] = {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "exitCode": error.exit_code,
    }
    if isinstance(error, ManifestError | PlanRefused):
        from rsspot.planner.plan import problem_json

        document["problems"] = [problem_json(problem) for problem in error.problems]
    return document
