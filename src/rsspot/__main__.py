"""`rsspot` and `python -m rsspot`. Answers --version before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from rsspot.constants import VERSION
        from rsspot.utils.streams import safe_streams

        with safe_streams():
            print(f"rsspot {VERSION}")
        return
    try:
        from rsspot.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        # During the imports, or while a result is reported. Commands report it themselves.
        from rsspot.errors import Cancelled

        code = Cancelled.exit_code
    sys.exit(code)


if __name__ == "__main__":
    main()
