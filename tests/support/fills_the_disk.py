"""Writes to a store while the disk is full, and again afterwards: python fills_the_disk.py STORE FOLDER"""

from __future__ import annotations

import resource
import signal
import sys
from pathlib import Path

from rsspot.errors import StateError
from support.notes import STORES, Note


def main(store_name: str, folder: str) -> None:
    """Prints the error, and then what is stored."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = STORES[store_name](Path(folder))
    store.put("before", Note("before"))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        store.put_all({f"{number}": Note("x" * 1000) for number in range(500)})
    except StateError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    store.put("after", Note("after"))
    print(sorted(store.all()))


if __name__ == "__main__":
    main(*sys.argv[1:])
