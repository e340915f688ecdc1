"""`rsspot` and `python -m rsspot`. Answers --version and --help before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        _print_version()
        return
    if sys.argv[1:] in ([], ["--help"], ["-h"], ["help"]):
        from rsspot.cli.root_help import root_help, terminal_width
        from rsspot.utils.streams import safe_streams

        with safe_streams():
            print(root_help(terminal_width()))
        return
    try:
        from rsspot.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        # During the imports, or while a result is reported. Commands report it themselves.
        from rsspot.errors import Cancelled

        code = Cancelled.exit_code
    sys.exit(code)


def _print_version() -> None:
    """Print one line of plain text, without the imports that anything else is printed with."""
    from rsspot.constants import VERSION

    try:
        print(f"rsspot {VERSION}", flush=True)
    except OSError as error:
        # Otherwise Python would complain when it flushes the stream once more.
        sys.stdout = None
        if not isinstance(error, BrokenPipeError):
            sys.exit(1)


if __name__ == "__main__":
    main()
