"""One of several processes that write to a store: python writes_notes.py STORE FOLDER NAME"""

from __future__ import annotations

import sys
from pathlib import Path

from support.notes import STORES, Note


def main(store_name: str, folder: str, name: str) -> None:
    """Put, replace and forget."""
    store = STORES[store_name](Path(folder))
    for number in range(8):
        store.put(f"{name}-{number}", Note(name, number))
        store.put_all({f"{name}-gone": Note("x"), f"{name}-last": Note("y", number)})
        assert store.delete(f"{name}-gone")


if __name__ == "__main__":
    main(*sys.argv[1:])
