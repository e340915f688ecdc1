"""Processes that take one lease in turn, all at once; each dies of SIGKILL while it has it for the last time."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from rsspot.applier.lease import hold
from rsspot.errors import Locked
from rsspot.http.hooks import Hooks, Wait
from rsspot.state.ledger import open_ledger


def main(arguments: list[str]) -> int:
    """The program: FOLDER PROCESSES EACH. Prints how each of them ended, and how often it was refused."""
    folder, processes, each = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    open_ledger(folder / "state.db").close()
    (folder / "alone").touch()
    started = [_started(folder, each) for _ in range(processes)]
    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]
    print(json.dumps(ended))
    return 0


def _started(folder: Path, each: int) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.run(_contend(folder, each))
        finally:
            # Only an error comes to this point.
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            os._exit(1)
    return pid


async def _contend(folder: Path, each: int) -> None:
    """Take the lease so many times, and note the number of each."""
    hooks = Hooks(waits=[_refuse])
    with closing(open_ledger(folder / "state.db")) as ledger, (folder / "alone").open("r+") as alone:
        while True:
            try:
                async with hold(ledger, "scope", hooks=hooks) as held:
                    # Whoever is not alone gets an error from this; the system gives it up for a process that dies.
                    fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    held.check()
                    with (folder / "fences").open("a") as fences:
                        print(held.lease.fence, file=fences)
                    each -= 1
                    if not each:
                        os.kill(os.getpid(), signal.SIGKILL)
                    fcntl.flock(alone, fcntl.LOCK_UN)
            except Locked:
                # Somebody else gets the processor.
                await asyncio.sleep(0.001)


def _refuse(wait: Wait) -> None:
    raise AssertionError(f"waited for {wait.what}, though every holder lives or is known to be dead")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
