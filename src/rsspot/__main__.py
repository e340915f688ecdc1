"""`rsspot` and `python -m rsspot`. Answers --version before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from rsspot.constants import VERSION

        print(f"rsspot {VERSION}")
        return
    from rsspot.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
