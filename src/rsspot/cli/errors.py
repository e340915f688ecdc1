"""Turns what a command raises into an error message and an exit code. Prints a traceback only with -vv."""

from __future__ import annotations

import sys

from rsspot.cli.findings import show_findings
from rsspot.cli.options import CliOptions
from rsspot.errors import ApiError, Cancelled, InvalidConfig, ManifestError, PlanRefused, RsspotError, UsageError
from rsspot.reports.registry import FINDINGS
from rsspot.utils.output import as_json
from rsspot.utils.streams import output_failure, output_usable
from rsspot.utils.text import printable

OK, ERROR, CHANGES, USAGE = 0, 1, 2, 3
WITH_PROBLEMS = (ManifestError, PlanRefused, InvalidConfig)
"""Errors that list problems, each with its place and its way out."""


def report(error: BaseException, options: CliOptions) -> int:
    """Print an error in the output format in use and return its exit code."""
    if options.verbose > 1:
        import traceback

        traceback.print_exception(error)
    translated = _translated(error)
    _print(translated, options)
    return translated.exit_code


def delivered(code: int) -> int:
    """The exit code of a command, once what it printed has left the process.

    A reader that left, as `head` does, has what it wanted. Otherwise a result that was lost is no success.
    """
    failure = output_failure()
    if failure is None or isinstance(failure, BrokenPipeError) or code not in (OK, CHANGES):
        return code
    reason = getattr(failure, "strerror", None) or failure
    print(f"error: cannot write to standard output: {reason}", file=sys.stderr)
    return ERROR


def _translated(error: BaseException) -> RsspotError:
    """Any exception as an RsspotError."""
    if isinstance(error, RsspotError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Cancelled("interrupted")
    # Compared by name: importing asyncio for this would slow down every command.
    if type(error).__name__ == "CancelledError":
        return Cancelled("interrupted at once; the next run finds out what became of unfinished writes")
    if isinstance(error, OSError):
        return RsspotError(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
    if isinstance(error, UnicodeEncodeError):
        # The text is not shown: it may be a token.
        hint = "look for bytes that are not UTF-8 in arguments, file names and environment variables"
        return UsageError("the command was given something that is not text", hint=hint)
    hint = "run the command again with -vv and report the output"
    return RsspotError(f"internal error: {type(error).__name__}: {error}", hint=hint)


def _print(error: RsspotError, options: CliOptions) -> None:
    if options.output == "json" and output_usable():
        print(as_json({"error": _as_json(error)}))
        if output_failure() is None:
            return
    if isinstance(error, WITH_PROBLEMS) and options.output in FINDINGS:
        show_findings(options.output, error.problems)
        return
    if isinstance(error, WITH_PROBLEMS):
        from rsspot.reports.problems import render_problems
        from rsspot.resources.registry import secret_fields

        quote = not isinstance(error, InvalidConfig)
        # The URL of a ledger may hold a password, though it must not.
        secrets = {*secret_fields(), "ledger"}
        print(render_problems(error.problems, quote=quote, secrets=secrets), file=sys.stderr)
    else:
        status = f" (HTTP {error.status})" if isinstance(error, ApiError) and error.method else ""
        print(f"error: {printable(error.message)}{status}", file=sys.stderr)
    if error.hint:
        label = "" if isinstance(error, WITH_PROBLEMS) else "  hint: "
        print(f"{label}{printable(error.hint)}", file=sys.stderr)


def _as_json(error: RsspotError) -> dict[str, object]:
    document: dict[str, object] = {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "exitCode": error.exit_code,
    }
    if isinstance(error, WITH_PROBLEMS):
        from rsspot.planner.change_codec import problem_json

        document["problems"] = [problem_json(problem) for problem in error.problems]
    return document
