"""Programs of this package that tests start very often: each start is a fork of a process that has imported everything.

The forks are processes like any other: they can be killed, and share nothing with whoever started them. A module may
have a function `warm_up`, which does once what would otherwise take time in every fork.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import NamedTuple

from support import ENVIRONMENT, program

WARM = "warm\n"


class Ended(NamedTuple):
    """How a start ended. returncode: negative for a signal, as in `subprocess`"""

    returncode: int
    stderr: str


class Forked:
    """Starts `main(arguments)` of a module of this package, one start after the other."""

    def __init__(self, name: str, **environ: str) -> None:
        # A session of its own, so that a start that hangs can be ended with it.
        self._process = subprocess.Popen(
            [*program("forked"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**ENVIRONMENT, **environ},
            start_new_session=True,
        )
        self._warm = False

    def warm(self) -> None:
        """Wait until `warm_up` has ended, for whoever shares with it what it works on."""
        assert self._process.stdout
        if not self._warm:
            assert self._process.stdout.readline() == WARM
            self._warm = True

    def run(self, *arguments: object) -> Ended:
        """Start it, and wait for its end."""
        self.warm()
        assert self._process.stdin and self._process.stdout
        print(json.dumps([str(each) for each in arguments]), file=self._process.stdin, flush=True)
        return Ended(*json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process that is forked, and whatever still runs."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


def forked(main: Callable[[list[str]], int], arguments: list[str]) -> Ended:
    """Run a function in a fork of this process."""
    with tempfile.TemporaryFile("w+") as said:
        pid = os.fork()
        if pid == 0:
            os.dup2(said.fileno(), 2)
            # What a fork prints is no answer.
            os.dup2(2, 1)
            code = 1
            try:
                code = main(arguments)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        return Ended(os.waitstatus_to_exitcode(status), said.read())


if __name__ == "__main__":
    module = importlib.import_module(f"support.{sys.argv[1]}")
    getattr(module, "warm_up", lambda: None)()
    print(WARM, end="", flush=True)
    # What lives now lives until the end; a fork that looks for garbage among it would copy all of it.
    gc.freeze()
    main = module.main
    for line in sys.stdin:
        print(json.dumps(forked(main, json.loads(line))), flush=True)
