"""`rsspot` and `python -m rsspot`. Answers --version, --help and Tab before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:
        code = _interrupted()
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        return _print_version()
    if arguments in ([], ["--help"], ["-h"], ["help"]):
        from rsspot.cli.root_help import root_help, terminal_width
        from rsspot.utils.streams import output_failure, safe_streams

        with safe_streams():
            print(root_help(terminal_width()))
            failure = output_failure()
        return 0 if failure is None or isinstance(failure, BrokenPipeError) else 1
    if arguments[:1] == ["__complete"]:
        from rsspot.cli.completing import main as complete

        complete(arguments[1:])
        return 0
    import gc

    from rsspot.cli.signals import treat_like_interrupts

    # Imports and most of what a command makes stay until its end: scanning them often finds nothing.
    gc.set_threshold(50_000, 20, 20)
    treat_like_interrupts()
    from rsspot.cli.app import run

    code = run(arguments)
    # The process ends, and all that is left ends with it.
    gc.freeze()
    _ignore_interrupts()
    return code


def _print_version() -> int:
    """Print one line of plain text, without the imports that anything else is printed with."""
    from rsspot.constants import VERSION

    try:
        print(f"rsspot {VERSION}", flush=True)
    except OSError as error:
        # Otherwise Python would complain when it flushes the stream once more.
        sys.stdout = None
        return 0 if isinstance(error, BrokenPipeError) else 1
    return 0


def _interrupted() -> int:
    """Report an interrupt during the imports, or while a result is reported. Commands report it themselves."""
    _ignore_interrupts()
    from rsspot.errors import Cancelled

    if sys.stderr is not None:
        print("error: interrupted", file=sys.stderr)
    return Cancelled.exit_code


def _ignore_interrupts() -> None:
    """From here on, the process only ends: an interrupt would add nothing but a traceback."""
    import signal

    from rsspot.cli.signals import ENDING

    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    main()
