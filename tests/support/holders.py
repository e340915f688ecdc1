"""Holders of leases for tests: a process that has ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from rsspot.state.ledger.protocol import Holder
from rsspot.utils.process import identity_of


def holder_that_ended() -> Holder:
    """A process of this machine that is no more."""
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = identity_of(process.pid)
    return Holder("dead", socket.gethostname(), process.pid, identity)


def this_holder(name: str = "me") -> Holder:
    """This very process."""
    return Holder(name, socket.gethostname(), os.getpid(), identity_of(os.getpid()))
