"""A program: runs one command line again and again, each time interrupted at a later import, and prints how it ended.

    python interrupted_imports.py STRIDE ARGUMENT...

Each run is a fork of this process, so nothing but the command itself is imported anew. The last run is the one that no
interrupt reached any more.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile


class Interrupter:
    """Stands for a person who presses Ctrl-C at the n-th import."""

    def __init__(self, at: int) -> None:
        self.left = at

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def main() -> None:
    """See above. Prints a line of JSON a run: [import, exit code, standard error]."""
    stride, arguments = int(sys.argv[1]), sys.argv[2:]
    from rsspot import __main__ as command

    at, reached = 1, True
    while reached:
        with tempfile.TemporaryFile() as errors:
            child = os.fork()
            if child == 0:
                _run(command.main, at, arguments, errors.fileno())
            _, status = os.waitpid(child, 0)
            errors.seek(0)
            text = errors.read().decode()
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps([at, code, text]), flush=True)
        reached = code != 0
        at += stride


def _run(command: object, at: int, arguments: list[str], errors: int) -> None:
    """The child: ends with the exit code of the command, or with 99 for what it should have caught."""
    os.dup2(errors, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = ["rsspot", *arguments]
    sys.meta_path.insert(0, Interrupter(at))  # type: ignore[arg-type]
    code = 99
    try:
        command()  # type: ignore[operator]
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 98
    except BaseException as error:
        os.write(2, f"not caught: {type(error).__name__}\n".encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
