"""A process that registers machines beside others: `python -m support.registering_worker LEDGER REGISTRAR MACHINES`.

It ends when every machine is registered, and takes up again what it could not do at once, as later applies would.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable

from rsspot.services.registrations.questions import Terms
from rsspot.services.registrations.registrar import RegistrationRetry
from rsspot.services.registrations.registrars.exec import ProgramRegistrar
from rsspot.services.registrations.registrars.protocol import RegistrarClient, RegistrarFailed
from rsspot.services.registrations.walk import register
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.ledger.registrations import RegistrationRecord, worker_of_this_process
from rsspot.utils.clock import Clock, SystemClock

AT_A_TIME = 8
RETRY = RegistrationRetry(limit=1000, backoffSeconds=0)
TIMEOUT = 3.0


def machine(number: int) -> RegistrationRecord:
    """One of the machines that all workers know."""
    name = f"vm-{number:03d}"
    return RegistrationRecord(f"key-{number:03d}", name, "org", "vms", "omni", vm_name=name)


async def register_all(
    ledger: Ledger, registrar: Callable[[], RegistrarClient], count: int, clock: Clock, timeout: float = TIMEOUT
) -> None:
    """Register every machine, a few at a time and in an order of one's own."""
    waiting = [machine(number) for number in range(count)]
    random.shuffle(waiting)
    turns = asyncio.Semaphore(AT_A_TIME)

    async def one(record: RegistrationRecord) -> None:
        async with turns:
            key = ledger.discover(record).registration_key
            terms = Terms(ledger, registrar(), clock, worker_of_this_process(), lambda: None, timeout, RETRY)
            while True:
                try:
                    await register(key, terms)
                except RegistrarFailed:
                    await asyncio.sleep(0.01)
                else:
                    return

    await asyncio.gather(*map(one, waiting))


if __name__ == "__main__":
    path, program, count = sys.argv[1:]
    asyncio.run(register_all(open_ledger(path), lambda: ProgramRegistrar([program]), int(count), SystemClock()))
